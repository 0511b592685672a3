"""@tg.elementwise: tensor operations from scalar Python functions, with gradients of any order on both devices."""

import functools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite import scalar
from tinygrad_lite.testing import broadcastable_shapes, tensors

both_devices = pytest.mark.parametrize("device", ["numpy", "cpu"])


@tg.elementwise
def swish(x):
    return x * scalar.sigmoid(x)


@tg.elementwise
def huber(x, width):
    """A parabola that goes on as a line."""
    size = abs(x)
    return scalar.where(size < width, 0.5 * x**2, width * (size - 0.5 * width))


@tg.elementwise
def wave(x, frequency=2.0, phase=0.5):
    total = 0.0
    for k in (1, 2):  # loops over plain numbers are unrolled
        total = total + np.sin(k * frequency * x + phase) / k
    return total


REFERENCES = {
    swish: lambda x: x / (1 + np.exp(-x)),
    huber: lambda x, w: np.where(abs(x) < w, 0.5 * x**2, w * (abs(x) - 0.5 * w)),
    wave: lambda x, f=2.0, p=0.5: sum(np.sin(k * f * x + p) / k for k in (1, 2)),
}
each_function = pytest.mark.parametrize("function", REFERENCES, ids=lambda f: f.name)


def points(function, device="numpy", dtype="float64", requires_grad=False):
    """Away from the kinks of huber."""
    values = [[0.3, -0.8, 2.7, -3.1], [1.0, 1.2, 1.1, 0.9], [0.1, 0.2, -0.3, 0.4]]
    return [tg.Tensor(v, dtype, device, requires_grad) for v in values[: function.count]]


# ---- values ----


@both_devices
@each_function
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(function, dtype, device):
    xs = points(function, device, dtype)
    y = function(*xs)
    assert (y.dtype, y.device, y.shape) == (dtype, device, (4,))
    expected = REFERENCES[function](*(x._data.astype(np.float64) for x in xs))
    np.testing.assert_allclose(y._data, expected, rtol=1e-6 if dtype == "float32" else 1e-14, atol=1e-7)


@given(st.data(), broadcastable_shapes(max_dims=3, max_side=3))
def test_shapes_broadcast(data, shapes):
    x, w = (data.draw(tensors(shape, low=0.5, high=2.0)) for shape in shapes)
    y = huber(x, w)
    np.testing.assert_allclose(y._data, REFERENCES[huber](x._data, w._data), rtol=1e-14)
    assert y.shape == np.broadcast_shapes(*shapes)


def test_numbers_and_arrays_stand_for_tensors():
    assert huber(3.0, 1.0).item() == 2.5
    assert huber(tg.tensor([3.0]), 1).tolist() == [2.5]
    assert swish(np.array([0.0, 0.0])).tolist() == [0.0, 0.0]
    assert swish([0.0]).shape == (1,)


def test_defaults_may_be_left_out():
    x = tg.Tensor([0.3, -0.8], dtype="float64")
    for more in ((), (3.0,), (3.0, 0.1), (tg.Tensor([3.0, 1.0], dtype="float64"),)):
        plain = [m._data if isinstance(m, tg.Tensor) else m for m in more]
        np.testing.assert_allclose(wave(x, *more)._data, REFERENCES[wave](x._data, *plain), rtol=1e-14)


def test_dtypes():
    whole = tg.tensor([1, 2])
    assert tg.elementwise(lambda x: x * x + 1)(whole).tolist() == [2, 5]
    assert tg.elementwise(lambda x: x * x + 1)(whole).dtype == tg.int64
    assert swish(whole).dtype == tg.float32
    positive = tg.elementwise(lambda x: x > 0)(tg.tensor([1.0, -1.0]))
    assert positive.dtype == tg.bool and positive.tolist() == [True, False]


# ---- gradients ----


@both_devices
@each_function
def test_first_and_second_derivatives(function, device):
    xs = points(function, device, requires_grad=True)
    compiled = device == "cpu"  # where every derivative is another kernel
    assert tg.gradcheck(function, xs, check_forward_ad=not compiled)
    assert (compiled and function is not swish) or tg.gradgradcheck(function, xs)


@both_devices
def test_higher_derivatives(device):
    """d^n/dx^n sin(a x) = a^n sin(a x + n pi / 2)."""
    function = tg.elementwise(lambda x: scalar.sin(1.5 * x))
    x = tg.Tensor([0.3, -0.8], "float64", device)
    derivative = lambda x: function(x).sum()  # noqa: E731
    for order in range(1, 6):
        derivative = functools.partial(lambda before, x: tg.func.grad(before)(x).sum(), derivative)
        expected = (1.5**order * np.sin(1.5 * x._data + order * np.pi / 2)).sum()
        assert derivative(x).item() == pytest.approx(expected, rel=1e-12)


def test_gradients_of_broadcast_inputs_are_summed():
    x, w = (tg.Tensor(np.ones(s), requires_grad=True) for s in ((3, 1), (2,)))
    tg.elementwise(lambda x, w: x * w * 2)(x, w).sum().backward()
    assert x.grad.tolist() == [[4.0]] * 3 and w.grad.tolist() == [6.0, 6.0]


FLAT = [
    (lambda x: 1.0, 0.0),
    (lambda x: x, 1.0),
    (lambda x: x * 0, 0.0),
    (lambda x: scalar.floor(x), 0.0),
    (lambda x: scalar.where(x > 0, x, 0.0), 1.0),
    (lambda x: x + x - x, 1.0),
]


@both_devices
@pytest.mark.parametrize("case", range(len(FLAT)))
def test_functions_with_little_to_differentiate(case, device):
    function, slope = FLAT[case]
    x = tg.Tensor([0.5, 1.5], device=device, requires_grad=True)
    y = tg.elementwise(function)(x)
    found = tg.autograd.grad(y.sum(), x, allow_unused=True)[0] if y.requires_grad else None
    assert y.shape == (2,)
    assert ([0.0, 0.0] if found is None else found.tolist()) == [slope, slope]


def test_the_branch_not_taken_does_not_spoil_the_gradient():
    """A safe square root: both branches must be finite where they are not taken (the double where)."""
    safe = tg.elementwise(lambda x: scalar.where(x > 0, scalar.sqrt(scalar.where(x > 0, x, 1.0)), 0.0))
    x = tg.Tensor([4.0, 0.0, -1.0], requires_grad=True)
    safe(x).sum().backward()
    assert x.grad.tolist() == [0.25, 0.0, 0.0]


def test_a_long_formula():
    @tg.elementwise
    def iterated(x):
        for _ in range(200):
            x = scalar.sin(x) + 0.1
        return x

    x = tg.Tensor([0.7], dtype="float64", device="numpy", requires_grad=True)
    assert tg.gradcheck(iterated, x)


def test_together_with_other_operations_and_layers():
    layer = tg.nn.Linear(3, 2)
    x = tg.randn((4, 3))
    swish(layer(x)).sum().backward()
    expected = tg.nn.functional.silu(layer(x)).sum()
    found, layer.weight.grad = layer.weight.grad, None
    expected.backward()
    np.testing.assert_allclose(found._data, layer.weight.grad._data, rtol=1e-5)


# ---- errors ----


def chooses(x):
    if x > 0:
        return x
    return 0.0


def clipped(x):
    return min(max(x, 0), 1)


CHOICE = r"a traced value has no truth value: Python's if, .*Write where\(condition, a, b\)"
NUMBER = r"functions of the math module cannot take it. Write tinygrad_lite.scalar.exp"
BAD = [
    (chooses, CHOICE),
    (clipped, CHOICE),
    (lambda x: x > 0 and x < 1, CHOICE),
    (lambda x: next(v for v in range(3) if v < x), CHOICE),
    (lambda x: math.exp(x), NUMBER),
    (lambda x: float(x), NUMBER),
    (lambda x: int(x), NUMBER),
    (lambda x: [1, 2][x], NUMBER),
    (lambda x: np.cbrt(x), "numpy.cbrt has no derivative here; known: abs, "),
    (lambda x: np.add.reduce(x), "numpy.add.reduce has no derivative here"),
    (lambda x: tg.exp(x), "exp: argument 0 is a traced value; its functions are in tinygrad_lite.scalar"),
    (lambda x: x * tg.ones(3), "takes numbers and traced values, got Tensor"),
    (lambda x: "text", "takes numbers and traced values, got str: 'text'"),
    (lambda x: None, "returned None; it must return a value"),
    (lambda x: (x, x * x), "elementwise: <lambda> returned 2 values; it must return one"),
    (lambda: 1.0, "elementwise: <lambda> takes no arguments; it must take one for each tensor"),
    (lambda *xs: xs[0], "give every argument a name and a place"),
    (lambda x, *, power: x**power, "give every argument a name and a place; power"),
    (3, "3 is not a callable object"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_functions_that_cannot_be_traced(case):
    function, text = BAD[case]
    with pytest.raises(TypeError, match=text):
        tg.elementwise(function)


def test_errors_of_the_function_come_out():
    with pytest.raises(ZeroDivisionError):
        tg.elementwise(lambda x: x + 1 / 0)
    with pytest.raises(AttributeError, match="cbrt"):
        tg.elementwise(lambda x: x.cbrt())


def test_calls_that_do_not_fit():
    x = tg.ones(3)
    with pytest.raises(TypeError, match="huber takes 2 arguments, got 1"):
        huber(x)
    with pytest.raises(TypeError, match="wave takes 3 arguments, got 4"):
        wave(x, x, x, x)
    with pytest.raises(TypeError, match="wave takes 3 arguments, got 0"):
        wave()
    with pytest.raises(ValueError, match=r"huber: shapes \(3,\), \(2,\) do not broadcast"):
        huber(x, tg.ones(2))
    with pytest.raises(ValueError, match="huber: tensors are on different devices"):
        huber(x, tg.ones(3, device="numpy"))
    with pytest.raises(TypeError, match="swish: argument 0 is not a tensor or a number"):
        swish("text")
