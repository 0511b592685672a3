"""tg.Function: operations whose forward and backward a user writes, right and wrong."""

import gc
import weakref

import numpy as np
import pytest

import tinygrad_lite as tg


def function(forward, backward=None, name="Made"):
    """An operation from two plain functions of ctx."""
    return type(name, (tg.Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}).apply


def save_and_multiply(ctx, x, y):
    ctx.save_for_backward(x, y)
    return x * y


def product_rule(ctx, g):
    x, y = ctx.saved_tensors
    return g * y, g * x


multiply = function(save_and_multiply, product_rule, "Multiply")


def pair(requires=(True, True), dtype="float64"):
    return [tg.Tensor([[1.0, 2.0], [3.0, 4.0]][i], dtype=dtype, requires_grad=r) for i, r in enumerate(requires)]


# ---- right ----


def test_gradients_of_every_order():
    x, y = pair()
    assert tg.gradcheck(multiply, [x, y]) and tg.gradgradcheck(multiply, [x, y])
    multiply(x, y).sum().backward()
    assert x.grad.tolist() == [3, 4] and y.grad.tolist() == [1, 2]


@pytest.mark.parametrize("device", ["numpy", "cpu"])
def test_on_both_devices_and_dtypes(device):
    for dtype in ("float32", "float64"):
        x = tg.Tensor([2.0], dtype=dtype, device=device, requires_grad=True)
        multiply(x, x).backward()
        assert (x.grad.dtype, x.grad.device, x.grad.tolist()) == (dtype, device, [4.0])


@pytest.mark.parametrize("requires", [(True, False), (False, True), (True, True)])
def test_which_gradients_are_needed(requires):
    seen = []

    def backward(ctx, g):
        seen.append(ctx.needs_input_grad)
        return [part if needed else None for part, needed in zip(product_rule(ctx, g), ctx.needs_input_grad)]  # noqa: B905

    x, y = pair(requires)
    z = function(save_and_multiply, backward)(x, y)
    z.sum().backward()
    assert seen == [requires]
    assert [t.grad is not None for t in (x, y)] == list(requires)


def test_nothing_is_recorded_where_nothing_is_needed():
    assert not multiply(*pair((False, False))).requires_grad
    with tg.no_grad():
        assert not multiply(*pair()).requires_grad


def test_forward_is_not_recorded():
    inside = []

    def forward(ctx, x):
        y = x * 2
        inside.append((tg.is_grad_enabled(), y.requires_grad))
        return y

    y = function(forward, lambda ctx, g: g * 2)(pair()[0])
    assert inside == [(False, False)] and y.requires_grad and not y.is_leaf


def test_arguments_that_are_no_tensors():
    def forward(ctx, x, power, name):
        ctx.power, ctx.name = power, name
        ctx.save_for_backward(x)
        return x**power

    def backward(ctx, g):
        assert ctx.name == "cube"
        return g * ctx.power * ctx.saved_tensors[0] ** (ctx.power - 1), None, None

    assert tg.gradcheck(function(forward, backward), [pair()[0], 3, "cube"])


def several(ctx, x):
    return x * 2, (x * 3).astype("int64"), x * 5


def test_several_outputs_of_which_some_have_no_gradient():
    seen = []

    def backward(ctx, a, whole, b):
        seen.append([g is None for g in (a, whole, b)])
        zero = tg.zeros(2, dtype="float64")
        return (zero if a is None else a * 2) + (zero if b is None else b * 5)

    x = pair()[0]
    a, whole, b = function(several, backward)(x)
    assert (a.requires_grad, whole.requires_grad, b.requires_grad) == (True, False, True)
    (a.sum() + b.sum()).backward()
    assert x.grad.tolist() == [7, 7]
    function(several, backward)(x)[2].sum().backward()
    assert seen == [[False, True, False], [True, True, False]]


def test_an_output_that_was_saved_is_in_the_graph():
    """exp from its own result: the second derivative goes through the saved output."""

    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    own_exp = function(forward, lambda ctx, g: g * ctx.saved_tensors[0])
    x = pair()[0]
    assert tg.gradcheck(own_exp, x) and tg.gradgradcheck(own_exp, x)
    third = tg.func.grad(tg.func.grad(tg.func.grad(lambda x: own_exp(x).sum())))
    assert third(tg.Tensor([0.5])).tolist() == pytest.approx(np.exp([0.5]), rel=1e-6)


def test_an_input_that_is_returned():
    reverse = function(lambda ctx, x: x, lambda ctx, g: -g)  # a gradient reversal layer
    x = pair()[0]
    y = reverse(x)
    assert y is not x and x.is_leaf and not y.is_leaf
    (y * 3).sum().backward()
    assert x.grad.tolist() == [-3, -3]


def test_one_tensor_twice():
    x = pair()[0]
    multiply(x, x).sum().backward()
    assert x.grad.tolist() == [2, 4]
    a, b = function(lambda ctx, x: (x, x), lambda ctx, a, b: a * 10 + b)(x.detach().requires_grad_())
    assert a is not b


def test_none_is_no_gradient():
    x, y = pair()
    function(lambda ctx, x, y: x + y, lambda ctx, g: (g, None))(x, y).sum().backward()
    assert x.grad.tolist() == [1, 1] and y.grad is None


# ---- wrong ----

WRONG_FORWARD = [
    (lambda ctx, x: 3.0, TypeError, "Made.forward must return a tensor or a tuple of tensors, got 3.0"),
    (lambda ctx, x: None, TypeError, "Made.forward must return a tensor or a tuple of tensors, got None"),
    (lambda ctx, x: (x, 3), TypeError, "Made.forward must return a tensor or a tuple of tensors, got 3"),
    (lambda ctx, x: ctx.save_for_backward(3), TypeError, r"save_for_backward: keeps tensors; put 3 into an attribute"),
    (lambda ctx: None, TypeError, "takes 1 positional argument but 2 were given"),
]


@pytest.mark.parametrize(("forward", "kind", "text"), WRONG_FORWARD, ids=[t[-30:] for *_, t in WRONG_FORWARD])
def test_a_wrong_forward(forward, kind, text):
    with pytest.raises(kind, match=text):
        function(forward)(pair()[0])
    assert tg.is_grad_enabled()


WANTED = r"Made.backward: the gradient of argument 0 must be a tensor of shape \(2,\) and dtype float64 on cpu, got "
WRONG_BACKWARD = {
    "too few": (lambda ctx, g: (), "Made.backward returned 0 gradients, but forward has 1 arguments"),
    "too many": (lambda ctx, g: (g, g), "Made.backward returned 2 gradients, but forward has 1 arguments"),
    "shape": (lambda ctx, g: g.sum(), WANTED + r"shape \(\) and dtype float64 on cpu"),
    "broadcastable": (lambda ctx, g: g.reshape(1, 2), WANTED + r"shape \(1, 2\)"),
    "dtype": (lambda ctx, g: g.astype("float32"), WANTED + r"shape \(2,\) and dtype float32"),
    "device": (lambda ctx, g: g.to_device("numpy"), WANTED + r"shape \(2,\) and dtype float64 on numpy"),
    "no tensor": (lambda ctx, g: 2.0, WANTED + "2.0"),
    "an array": (lambda ctx, g: g.numpy(), WANTED + "array"),
}


@pytest.mark.parametrize("case", WRONG_BACKWARD)
def test_a_wrong_backward(case):
    backward, text = WRONG_BACKWARD[case]
    x = pair()[0]
    y = function(lambda ctx, x: x * 2, backward)(x)
    with pytest.raises(RuntimeError, match=text):
        y.sum().backward()
    assert x.grad is None


def test_missing_methods():
    class Nothing(tg.Function):
        pass

    class Half(tg.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

    with pytest.raises(NotImplementedError, match=r"a static method forward\(ctx, \*args\)"):
        Nothing.apply(pair()[0])
    with pytest.raises(NotImplementedError, match=r"a static method backward\(ctx, \*gradients\)"):
        Half.apply(pair()[0]).sum().backward()


def test_an_error_in_backward_leaves_everything_as_it_was():
    def backward(ctx, g):
        raise LookupError("its own")

    x, y = pair()
    total = (function(lambda ctx, x: x * 2, backward)(x) + y * 3).sum()
    with pytest.raises(LookupError, match="its own"):
        total.backward()
    assert x.grad is None and y.grad is None and tg.is_grad_enabled()


# ---- what was saved ----


def test_a_saved_tensor_that_changed_is_named():
    x, y = pair((True, False))
    z = multiply(x, y).sum()
    y[0] = 5.0
    with pytest.raises(RuntimeError, match=r"Multiply: its saved tensor 1 was changed .*version 1, expected 0"):
        z.backward()
    assert x.grad is None


def test_a_saved_intermediate_result_that_changed_is_named():
    kept = []

    def forward(ctx, x):
        kept.append(x * x)
        ctx.save_for_backward(x, kept[0])
        return x * 1

    x = pair()[0]
    y = function(forward, lambda ctx, g: g)(x)
    kept[0] += 1
    with pytest.raises(RuntimeError, match="Made: its saved tensor 1 was changed in place"):
        y.sum().backward()


def test_what_was_saved_is_let_go_after_backward():
    class Array(np.ndarray):
        """An array that can be watched."""

    def watched(retain):
        kept = []

        def forward(ctx, x):
            inner = x * x
            ctx.note = np.zeros(1).view(Array)
            kept.append(weakref.ref(ctx.note))
            ctx.save_for_backward(inner)
            kept.append(weakref.ref(inner))
            return x * 1

        y = function(forward, lambda ctx, g: g * ctx.saved_tensors[0])(pair()[0]).sum()
        y.backward(retain_graph=retain)
        alive = [r() is not None for r in kept]
        assert y.requires_grad
        return alive

    assert watched(retain=True) == [True, True]
    assert watched(retain=False) == [False, False]


def test_a_second_backward_says_what_to_do():
    y = multiply(*pair()).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"a second time: .* backward\(retain_graph=True\) the first time"):
        y.backward()


def test_graphs_are_freed_without_the_garbage_collector():
    gc.disable()
    try:
        for saves_output in (False, True):

            def forward(ctx, x, saves_output=saves_output):
                y = x * 2
                ctx.save_for_backward(y if saves_output else x)
                return y

            y = function(forward, lambda ctx, g: g * 2)(pair()[0])
            node = weakref.ref(y._node)
            tg.autograd.grad(y.sum(), y, retain_graph=True)
            del y
            assert node() is None
    finally:
        gc.enable()
