"""Derivatives of plain Python functions: with numbers, over arrays, inside compiled code, summed over samples."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_lite import scalar


def wave(x, y):
    return scalar.sin(x) * y**2 + scalar.exp(-x * y)


def wave_slopes(x, y):
    e = np.exp(-x * y)
    return np.cos(x) * y**2 - y * e, 2 * y * np.sin(x) - x * e


GRAD = scalar.grad(wave, argnums=None)
HESSIAN = scalar.hessian(wave)
numbers = st.floats(-2, 2)


@given(numbers, numbers)
def test_numbers(x, y):
    assert GRAD(x, y) == pytest.approx(wave_slopes(x, y), rel=1e-12, abs=1e-12)
    value, first = scalar_value(x, y)
    assert value == pytest.approx(math.sin(x) * y**2 + math.exp(-x * y), abs=1e-12)
    assert first == pytest.approx(wave_slopes(x, y)[0], abs=1e-12)
    (a, b), (c, d) = HESSIAN(x, y)
    assert b == pytest.approx(c, abs=1e-12)
    step = 1e-5
    wanted = [(wave_slopes(x + step, y)[i] - wave_slopes(x - step, y)[i]) / (2 * step) for i in (0, 1)]
    assert [a, b] == pytest.approx(wanted, rel=1e-7, abs=1e-7)
    assert d == pytest.approx(
        (wave_slopes(x, y + step)[1] - wave_slopes(x, y - step)[1]) / (2 * step), rel=1e-7, abs=1e-7
    )


VALUE = scalar.value_and_grad(wave)


def scalar_value(x, y):
    return VALUE(x, y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays(dtype):
    x = np.linspace(-1, 1, 24, dtype=dtype).reshape(4, 6)
    y = np.linspace(0.5, 1, 6, dtype=dtype)
    for a, b in [(x, y), (x.T, y[:4]), (x[::2, ::-1], 0.5), (x[:0], y), (x[0, 0], y)]:
        found = GRAD(a, b)
        wanted = wave_slopes(np.asarray(a, np.float64), np.asarray(b, np.float64))
        for f, w in zip(found, wanted, strict=True):
            assert f.dtype == dtype and f.shape == w.shape
            np.testing.assert_allclose(f, w, rtol=2e-6 if dtype == np.float32 else 1e-12, atol=1e-6)


def test_inside_compiled_loops():
    import numba

    slope = scalar.grad(wave)
    both = scalar.value_and_grad(wave, argnums=None)

    @numba.njit
    def serial(a):
        total = 0.0
        for x in a:
            value, (dx, dy) = both(x, 0.5)
            total += value + dx - dy
        return total

    @numba.njit(parallel=True)
    def parallel(a):
        out = np.empty_like(a)
        for i in numba.prange(a.size):
            out[i] = slope(a[i], 0.5)
        return out

    a = np.linspace(-2, 2, 1001)
    dx, dy = wave_slopes(a, 0.5)
    np.testing.assert_allclose(parallel(a), dx, rtol=1e-12)
    wanted = np.sum(np.sin(a) * 0.25 + np.exp(-0.5 * a) + dx - dy)
    assert serial(a) == pytest.approx(wanted, rel=1e-12)


def test_jacobian_and_results_of_several_parts():
    f = lambda x, y: [x * y, scalar.where(x > y, x, 2 * y)]  # noqa: E731
    assert scalar.jacobian(f)(2.0, 3.0) == ((3.0, 2.0), (0.0, 2.0))
    assert scalar.compile(f)(4.0, 3.0) == (12.0, 4.0)
    assert scalar.grad(lambda x, y: x * y, argnums=(1,))(2.0, 3.0) == (2.0,)


def test_numpy_functions_loops_and_constants():
    def series(x):
        total = 0.0
        for k in range(1, 6):
            total = total + np.sin(k * x) / k
        return np.sqrt(total**2 + 1)

    step = 1e-6
    plain = lambda x: math.sqrt(sum(math.sin(k * x) / k for k in range(1, 6)) ** 2 + 1)  # noqa: E731
    wanted = (plain(0.3 + step) - plain(0.3 - step)) / (2 * step)
    assert scalar.grad(series)(0.3) == pytest.approx(wanted, rel=1e-8)
    assert scalar.grad(lambda x: 3.0)(1.0) == 0.0


BAD = {
    "if": (lambda x: x if x > 0 else -x, "Write where"),
    "max": (lambda x: max(x, 0), "maximum"),
    "and": (lambda x: x and 1, "logical_and"),
    "math": (lambda x: math.exp(x), "scalar.exp"),
    "range": (lambda x: sum(range(x)), "not a number"),
    "ufunc": (lambda x: np.heaviside(x, 1.0), "heaviside has no derivative"),
    "nothing": (lambda x: None, "returned None"),
    "text": (lambda x: "x", "takes numbers and traced values"),
    "stars": (lambda *x: x[0], "give every argument a name"),
    "tuple": (lambda x: (x, x), "use scalar.jacobian"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_traced(case):
    function, message = BAD[case]
    with pytest.raises(TypeError, match=message):
        scalar.grad(function)


def test_unknown_names_and_arguments():
    with pytest.raises(AttributeError, match="has no function 'expp'; it has compile, grad"):
        _ = scalar.expp
    with pytest.raises(TypeError, match="grad_wave takes 2 arguments, got 1"):
        scalar.grad(wave)(1.0)
    with pytest.raises(TypeError, match="argument 0 must be a number or an array, got 'a'"):
        scalar.grad(wave)("a", 1.0)
    with pytest.raises(ValueError, match="there is no argument 2"):
        scalar.grad(wave, argnums=2)


def perceptron(w, x, t):
    hidden = [scalar.tanh(w[0, k] * x[0] + w[1, k] * x[1] + w[2, k]) for k in range(3)]
    return (sum(w[3, k] * hidden[k] for k in range(3)) - t) ** 2


def perceptron_loss(w, x, t):
    hidden = np.tanh(x @ w[:2] + w[2])
    return (hidden @ w[3] - t) ** 2


@given(st.integers(1, 200), st.sampled_from(["sum", "mean"]), st.sampled_from([np.float32, np.float64]))
@settings(max_examples=15)
def test_sums_over_samples(count, reduce, dtype):
    rng = np.random.default_rng(count)
    w, x, t = rng.normal(size=(4, 3)), rng.normal(size=(count, 2)), rng.normal(size=count)
    step = scalar.value_and_grad(perceptron, over=(1, 2), reduce=reduce)
    value, grad = step(*(a.astype(dtype) for a in (w, x, t)))
    total = getattr(np, reduce)
    tolerance = 1e-4 if dtype == np.float32 else 1e-6
    assert value == pytest.approx(total(perceptron_loss(w, x, t)), rel=tolerance)
    for place in np.ndindex(4, 3):
        up, down = w.copy(), w.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        wanted = (total(perceptron_loss(up, x, t)) - total(perceptron_loss(down, x, t))) / 2e-5
        assert grad[place] == pytest.approx(wanted, rel=100 * tolerance, abs=100 * tolerance)


def test_samples_are_checked():
    step = scalar.value_and_grad(perceptron, over=(1, 2))
    w = np.zeros((4, 3))
    with pytest.raises(ValueError, match="the samples must have one common, positive first size"):
        step(w, np.zeros((3, 2)), np.zeros(4))
    with pytest.raises(ValueError, match="the samples must have one common, positive first size"):
        step(w, np.zeros((0, 2)), np.zeros(0))
    with pytest.raises(TypeError, match="takes 3 arguments, got 2"):
        step(w, np.zeros((3, 2)))
    with pytest.raises(ValueError, match='reduce must be "sum" or "mean"'):
        scalar.value_and_grad(perceptron, over=(1, 2), reduce="max")
    with pytest.raises(ValueError, match="must name different arguments"):
        scalar.value_and_grad(perceptron, argnums=1, over=(1, 2))
