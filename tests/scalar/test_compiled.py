"""Derivatives of plain Python functions: with numbers, over arrays, inside compiled code, summed over samples."""

import math

import numpy as np
import pytest
from hypothesis import given
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


def test_jacobian_and_results_of_several_parts():
    f = lambda x, y: [x * y, scalar.where(x > y, x, 2 * y)]  # noqa: E731
    assert scalar.jacobian(f)(2.0, 3.0) == ((3.0, 2.0), (0.0, 2.0))
    assert scalar.compile(f)(4.0, 3.0) == (12.0, 4.0)
    assert scalar.grad(lambda x, y: x * y, argnums=(1,))(2.0, 3.0) == (2.0,)


def test_arguments_by_name_and_defaults():
    slope = scalar.grad(lambda x, n=2: n * x * x)
    assert slope(3.0) == 12.0 and slope(3.0, n=1) == 6.0 and slope(n=1, x=2.0) == 4.0
    assert scalar.grad(wave, argnums=-1)(0.5, 2.0) == GRAD(0.5, 2.0)[1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constants_are_as_exact_as_the_arguments(dtype):
    """A choice between two constants has no argument to take its precision from."""
    steps = scalar.compile(lambda x: (scalar.where(x > 0, 0.1, 0.2) * x, scalar.where(x > 0, 0.1, 0.2), 0.3, 1, x > 0))
    tenth = dtype(0.1)
    x = np.array([1.0, 1.0], dtype)
    product, choice, real, whole, truth = steps(x)
    assert product[0] == tenth and choice[0] == tenth and real[0] == dtype(0.3) and whole[0] == 1
    assert [a.dtype for a in (product, choice, real, whole, truth)] == [*[np.dtype(dtype)] * 4, np.dtype(bool)]
    assert steps(1.0) == (0.1, 0.1, 0.3, 1.0, True) and isinstance(steps(1.0)[3], float)


def test_unknown_names_and_arguments():
    with pytest.raises(AttributeError, match="has no function 'expp'; it has compile, grad"):
        _ = scalar.expp
    slope = scalar.grad(wave)
    with pytest.raises(TypeError, match=r"grad_wave\(x, y\): missing a required argument: 'y'"):
        slope(1.0)
    with pytest.raises(TypeError, match=r"grad_wave\(x, y\): got an unexpected keyword argument 'z'"):
        slope(1.0, 2.0, z=1.0)
    for number in ("a", "1", 1j, None):
        with pytest.raises(TypeError, match="argument 0 must be a number or an array, got"):
            slope(number, 1.0)
    for array in ([1j], ["1"], [None]):
        with pytest.raises(TypeError, match="grad_wave: argument 1 must hold real numbers, got an array of"):
            slope(1.0, np.array(array))
    for argnums in (2, -3, 1.0, "x", (0, 5)):
        with pytest.raises(ValueError, match="there is no argument"):
            scalar.grad(wave, argnums=argnums)
