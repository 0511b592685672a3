"""Hooks: what they see, what they may change, their order, their removal, errors in them."""

import gc
import weakref

import numpy as np
import pytest

import tinygrad_lite as tg


def leaf(*values):
    return tg.Tensor(list(values), dtype="float64", requires_grad=True)


def note(log, name):
    """A hook that writes down what passes."""
    return lambda g: log.append((name, g.tolist()))


# ---- what they see ----


def test_a_leaf_sees_its_complete_gradient_once():
    log, x = [], leaf(2.0)
    x.register_hook(note(log, "x"))
    (x * x + x * 3 + tg.exp(x * 0)).sum().backward()
    assert log == [("x", [7.0])]
    (x * 1).sum().backward()
    assert log[1:] == [("x", [1.0])]  # of this call, not what has accumulated
    assert x.grad.tolist() == [8.0]


def test_an_intermediate_result_sees_its_complete_gradient_once():
    log, x = [], leaf(2.0)
    y = x * 5
    y.register_hook(note(log, "y"))
    (y * y + y).sum().backward()
    assert log == [("y", [21.0])]
    assert x.grad.tolist() == [105.0]


def test_the_output_sees_the_seed():
    log, x = [], leaf(2.0, 3.0)
    y = x * 5
    y.register_hook(note(log, "y"))
    y.backward(tg.Tensor([1.0, 10.0], dtype="float64"))
    assert log == [("y", [1.0, 10.0])]


def test_hooks_run_from_the_end_to_the_beginning():
    log, x = [], leaf(1.0)
    y = x * 2
    z = y * 3
    for name, t in (("x", x), ("y", y), ("z", z)):
        t.register_hook(note(log, name))
    z.sum().backward()
    assert [name for name, _ in log] == ["z", "y", "x"]


def test_operations_in_hooks_are_not_recorded():
    modes, x = [], leaf(1.0)
    x.register_hook(lambda g: modes.append(tg.is_grad_enabled()))
    (x * 2).sum().backward()
    (x * 2).sum().backward(create_graph=True)
    assert modes == [False, True]


def test_hooks_of_each_output_of_an_operation():
    class Two(tg.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            return a * 2 + b * 3

    log, x = [], leaf(1.0)
    a, b = Two.apply(x)
    a.register_hook(note(log, "a"))
    b.register_hook(lambda g: g * 100)
    (a + b * 5).sum().backward()
    assert log == [("a", [1.0])] and x.grad.tolist() == [2 + 1500]


def test_grad_runs_only_the_hooks_on_its_way():
    log, x, w = [], leaf(1.0), leaf(2.0)
    x.register_hook(note(log, "x"))
    w.register_hook(note(log, "w"))
    y = x * w
    y.register_hook(note(log, "y"))
    z = (y * y).sum()
    assert tg.autograd.grad(z, y, retain_graph=True)[0].tolist() == [4.0]
    assert [name for name, _ in log] == ["y"]
    assert tg.autograd.grad(z, x)[0].tolist() == [8.0]
    assert [name for name, _ in log] == ["y", "y", "x"]


# ---- what they change ----


def test_hooks_replace_gradients_in_their_order():
    x = leaf(2.0)
    x.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: None)
    x.register_hook(lambda g: g * 10)
    (x * x).sum().backward()
    assert x.grad.tolist() == [50.0]


def test_a_replaced_gradient_flows_on():
    x = leaf(2.0)
    y = x * 5
    y.register_hook(lambda g: g * 0.5)
    (y * 3).sum().backward()
    assert x.grad.tolist() == [7.5]


def test_replaced_gradients_can_be_differentiated():
    x = leaf(3.0)
    y = x * 1
    handle = y.register_hook(lambda g: g * g)
    (first,) = tg.autograd.grad((y * y).sum(), x, create_graph=True)
    handle.remove()  # it would see the gradients of the second pass too
    assert first.tolist() == [36.0]  # (2 x)**2
    assert tg.autograd.grad(first.sum(), x)[0].tolist() == [24.0]


def test_clipping():
    x = leaf(1.0, -100.0)
    x.register_hook(lambda g: g.clip(-1, 1))
    (x * x).sum().backward()
    assert x.grad.tolist() == [1.0, -1.0]


RESULTS = [3.0, [1.0], np.ones(2), tg.ones(3, dtype="float64"), tg.ones((1, 2), dtype="float64"), tg.ones(2)]


@pytest.mark.parametrize("result", RESULTS, ids=lambda r: f"{type(r).__name__}{getattr(r, 'shape', '')}")
@pytest.mark.parametrize("on_leaf", [True, False])
def test_what_a_hook_may_not_return(on_leaf, result):
    x = leaf(1.0, 2.0)
    y = x * 2
    (x if on_leaf else y).register_hook(lambda g: result)
    with pytest.raises(TypeError, match=r"hook: must return None or a tensor of shape \(2,\) and dtype float64, got"):
        y.sum().backward()
    assert x.grad is None


# ---- registering and removing ----


@pytest.mark.parametrize("on_leaf", [True, False])
def test_removing(on_leaf):
    log, x = [], leaf(1.0)
    t = x if on_leaf else x * 1
    same = note(log, "same")
    first, second = t.register_hook(same), t.register_hook(same)
    last = t.register_hook(note(log, "last"))
    first.remove()
    first.remove()  # does nothing more
    t.sum().backward(retain_graph=True)
    assert [name for name, _ in log] == ["same", "last"]
    second.remove()
    last.remove()
    t.sum().backward()
    assert len(log) == 2


@pytest.mark.parametrize("on_leaf", [True, False])
def test_a_hook_that_removes_itself(on_leaf):
    log, x = [], leaf(1.0)
    t = x if on_leaf else x * 1

    def once(g):
        log.append("once")
        handle.remove()

    handle = t.register_hook(once)
    t.register_hook(note(log, "always"))
    for _ in range(2):
        t.sum().backward(retain_graph=True)
    assert log == ["once", ("always", [1.0]), ("always", [1.0])]


def test_tensors_without_gradients_take_no_hooks():
    for t in (tg.Tensor([1.0]), leaf(1.0).detach(), tg.Tensor([1])):
        with pytest.raises(RuntimeError, match="register_hook: this tensor does not require a gradient"):
            t.register_hook(print)
        with pytest.raises(RuntimeError, match="retain_grad: this tensor does not require a gradient"):
            t.retain_grad()


@pytest.mark.parametrize("on_leaf", [True, False])
def test_an_error_in_a_hook_leaves_no_trace(on_leaf):
    x, w = leaf(1.0), leaf(2.0)
    y = x * w

    def fails(g):
        raise LookupError("its own")

    handle = (x if on_leaf else y).register_hook(fails)
    z = (y + w).sum()
    with pytest.raises(LookupError, match="its own"):
        z.backward(retain_graph=True)
    assert x.grad is None and w.grad is None and tg.is_grad_enabled()
    handle.remove()
    z.backward()
    assert x.grad.tolist() == [2.0] and w.grad.tolist() == [2.0]


def test_hooks_do_not_keep_graphs_alive():
    gc.disable()
    try:
        y = leaf(1.0) * 2
        y.register_hook(lambda g: g)
        y.retain_grad()
        node, tensor = weakref.ref(y._node), weakref.ref(y)
        del y
        assert node() is None and tensor() is None
    finally:
        gc.enable()


# ---- retain_grad ----


def test_results_that_retain_their_gradient():
    x = leaf(2.0)
    y = x * 5
    z = y * y
    y.retain_grad()
    y.retain_grad()  # a second time changes nothing
    x.retain_grad()  # a leaf does anyway
    z.sum().backward(retain_graph=True)
    assert (x.grad.tolist(), y.grad.tolist(), z.grad) == ([100.0], [20.0], None)
    z.sum().backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([200.0], [40.0])


def test_results_that_are_gone():
    x = leaf(2.0)
    y = x * 5
    y.retain_grad()
    z = y * 2
    del y
    z.sum().backward()
    assert x.grad.tolist() == [10.0]


def test_retained_and_noted_gradients_have_their_own_memory():
    """What a hook saw, or a result retained, does not change when the gradient of a leaf is changed in place."""
    seen, x, w = [], leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = x + w
    y.retain_grad()
    x.register_hook(seen.append)
    seed = tg.Tensor([1.0, 10.0], dtype="float64")
    y.backward(seed)
    x.grad += 5
    w.grad *= 0
    y.grad -= 1
    assert seed.tolist() == [1.0, 10.0] and seen[0].tolist() == [1.0, 10.0]
    assert (x.grad.tolist(), w.grad.tolist(), y.grad.tolist()) == ([6.0, 15.0], [0.0, 0.0], [0.0, 9.0])
