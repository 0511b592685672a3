"""The backward sweep: accumulation, seeds, what is kept and freed, memory of gradients, long and wide graphs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite.testing import tensors
from tinygrad_lite.testing.samples import OPERATIONS

both_devices = pytest.mark.parametrize("device", ["numpy", "cpu"])
grad = tg.autograd.grad


def leaf(*values, device=None):
    return tg.Tensor(list(values), dtype="float64", device=device, requires_grad=True)


# ---- accumulation ----


@both_devices
def test_gradients_add_up_in_leaves_alone(device):
    x = leaf(2.0, device=device)
    y = x * x
    y.sum().backward()
    assert x.grad.tolist() == [4.0] and y.grad is None
    (x * 10).sum().backward()
    assert x.grad.tolist() == [14.0]
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3.0]


def test_what_was_there_before_stays_as_it_was():
    """The sum is a new tensor: who kept the old gradient keeps it."""
    x = leaf(2.0)
    (x * 1).sum().backward()
    before = x.grad
    (x * 1).sum().backward()
    assert (before.tolist(), x.grad.tolist()) == ([1.0], [2.0])


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30), st.booleans())
def test_every_use_counts(factors, shared):
    """Fan-out, diamonds, and the same tensor as both arguments."""
    x = leaf(1.0)
    y = x * 1 if shared else x
    total = sum((y * f for f in factors), y * y)
    total.sum().backward()
    assert x.grad.tolist() == [sum(factors) + 2.0]


def test_a_node_waits_for_all_that_use_it():
    """A short and a long way from the same result: its gradient must be complete before it is handed on."""
    x = leaf(1.1)
    y = x * x
    z = y
    for _ in range(10):
        z = z * 1.5
    (y * 2 + z + y * z).sum().backward()
    y0, k = 1.1**2, 1.5**10
    assert x.grad.tolist() == pytest.approx([(2 + k + 2 * k * y0) * 2 * 1.1])


# ---- seeds ----


@given(tensors(requires_grad=True), st.data())
def test_backward_is_linear_in_its_seed(x, data):
    v = data.draw(tensors(x.shape, layouts=["contiguous", "transposed", "gaps", "backwards", "repeated"]))
    w = data.draw(tensors(x.shape))
    y = tg.tanh(x) * x
    (a,), (b,), (c,) = (grad(y, x, s, retain_graph=True) for s in (v, w, v * 2 - w * 3))
    np.testing.assert_allclose(c._data, 2 * a._data - 3 * b._data, rtol=1e-9, atol=1e-9)
    assert a.shape == x.shape and a.dtype == x.dtype


def test_seeds_of_numbers_and_lists():
    x = leaf(2.0, 3.0)
    (x * x).backward([1.0, 10.0])
    assert x.grad.tolist() == [4.0, 60.0]
    (x[0] * x[1]).backward(2.0)
    assert x.grad.tolist() == [10.0, 64.0]
    (x.sum(keepdims=True) * 5).backward()  # one element, though not 0-d
    assert x.grad.tolist() == [15.0, 69.0]


X = tg.Tensor([1.0, 2.0], requires_grad=True)
WRONG_SEEDS = [
    (lambda: (X * 2).backward(), RuntimeError, r"a tensor with one element, this one has shape \(2,\); reduce"),
    (lambda: (X * 2).backward(tg.ones(3)), ValueError, r"the gradient has shape \(3,\), the tensor \(2,\)"),
    (lambda: (X * 2).backward(tg.ones((1, 2))), ValueError, "they must agree"),
    (lambda: (X * 2).backward(tg.ones(2, dtype="float64")), TypeError, "dtype float64, the tensor float32"),
    (lambda: (X * 2).backward(tg.ones(2, device="numpy")), ValueError, "gradient is on numpy, the tensor on cpu"),
    (lambda: X.detach().sum().backward(), RuntimeError, "does not require a gradient: none of the tensors"),
    (lambda: tg.tensor([1, 2]).sum().backward(), RuntimeError, "does not require a gradient"),
    (lambda: grad(X.sum(), X.detach()), RuntimeError, r"does not require a gradient; call .requires_grad_\(\)"),
    (lambda: grad(X.sum(), [X, leaf(1.0)]), RuntimeError, "do not depend on input 1 .* allow_unused=True"),
    (lambda: grad(X.sum(), X, [None, None]), ValueError, "there are 1 outputs, but 2 gradients of them"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "text"), WRONG_SEEDS, ids=[t[:30] for *_, t in WRONG_SEEDS])
def test_seeds_and_tensors_that_do_not_fit(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
    assert X.grad is None


def test_a_leaf_is_its_own_gradient():
    x = leaf(1.0)
    x.backward()
    assert x.grad.tolist() == [1.0]
    assert grad(x, x, [leaf(5.0)])[0].tolist() == [5.0]


# ---- grad ----


def test_grad_of_results_and_leaves():
    x = leaf(2.0)
    y = x * x
    z = y * y * x
    found = grad(z, [y, x, y, x])
    assert [g.tolist() for g in found] == [[16.0], [80.0], [16.0], [80.0]]
    assert x.grad is None


def test_grad_of_several_outputs():
    x = leaf(2.0)
    a, b = x * 3, x * x
    assert grad([a, b], x, retain_graph=True)[0].tolist() == [7.0]
    assert grad([a, b], x, [None, tg.Tensor([10.0], dtype="float64")], retain_graph=True)[0].tolist() == [43.0]
    assert grad([a, a], x)[0].tolist() == [6.0]


def test_unused_inputs():
    x, w = leaf(1.0), leaf(2.0)
    a, b = grad((x * 2).sum(), [x, w], allow_unused=True)
    assert a.tolist() == [2.0] and b is None


# ---- graphs that are kept and freed ----


def test_a_second_backward():
    x = leaf(2.0)
    y = (tg.exp(x) * x).sum()
    y.backward(retain_graph=True)
    first = x.grad.tolist()
    y.backward()
    assert x.grad.tolist() == [2 * first[0]]
    text = (
        r"backward through multiply a second time: .*freed.*backward\(retain_graph=True\).*run the forward pass again"
    )
    for second in (lambda: y.sum().backward(), lambda: grad((y * 1).sum(), x)):
        with pytest.raises(RuntimeError, match=text.replace("multiply", r"\w+")):
            second()
    assert x.grad.tolist() == [2 * first[0]]


def test_gradients_of_gradients():
    x = leaf(3.0)
    (x**3).sum().backward(create_graph=True)
    assert x.grad.requires_grad and x.grad.tolist() == [27.0]
    first, x.grad = x.grad, None
    first.sum().backward(create_graph=True)
    second, x.grad = x.grad, None
    assert second.tolist() == [18.0]
    second.sum().backward()
    assert x.grad.tolist() == [6.0] and not x.grad.requires_grad


def test_a_penalty_on_the_gradient():
    """d/dw of (d loss / dx)**2, through a graph whose parts were used twice."""
    x, w = leaf(0.5, -1.0), leaf(2.0, 3.0)
    (g,) = grad(tg.tanh(x * w).sum(), x, create_graph=True)
    ((g * g).sum() + (w * w).sum()).backward()
    expected = tg.func.grad(lambda w: (tg.func.grad(lambda x: tg.tanh(x * w).sum())(x.detach()) ** 2).sum()
                            + (w * w).sum())(w.detach())  # fmt: skip
    assert w.grad.tolist() == pytest.approx(expected.tolist())


def test_detached_results_are_constants():
    x = leaf(3.0)
    y = x * x
    (y.detach() * x).sum().backward()
    assert x.grad.tolist() == [9.0]
    d = y.detach()
    assert d.is_leaf and not d.requires_grad and np.shares_memory(d._data, y._data)


def test_integers_and_truth_values_end_the_graph():
    x = leaf(1.7, -0.3)
    for y in (x.astype("int64"), x > 0, x.argmax(), x.argsort(), tg.isnan(x)):
        assert not y.requires_grad and y.is_leaf
    whole = tg.tensor([1, 2])
    with pytest.raises(TypeError, match="only float32 and float64 tensors can have gradients, this one is int64"):
        whole.requires_grad_()
    with pytest.raises(TypeError, match="only float32 and float64"):
        tg.tensor([True], requires_grad=True)
    (x * whole).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]


# ---- dtypes ----


@pytest.mark.parametrize("name", [n for n, o in OPERATIONS.items() if o.order and len(o.cases[0].shapes) > 1
                                  and n not in ("linear", "put_add")])  # fmt: skip
def test_gradients_have_the_dtype_of_their_inputs(name):
    """Also where one input is narrower than the result. (linear and put_add refuse mixed dtypes.)"""
    operation = OPERATIONS[name]
    case = operation.cases[0]
    arrays = operation.arrays(case, "float64")
    for narrow in range(len(arrays)):
        inputs = [tg.Tensor(a, "float32" if i == narrow and a.dtype.kind == "f" else None, "numpy")
                  for i, a in enumerate(arrays)]  # fmt: skip
        floats = [t.requires_grad_() for t in inputs if t.dtype.kind == "f"]
        operation.call(*inputs, **case.params).sum().backward()
        for t in floats:
            assert t.grad is None or (t.grad.dtype, t.grad.shape) == (t.dtype, t.shape)
