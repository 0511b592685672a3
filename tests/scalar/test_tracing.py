"""Which functions can be traced, what the others are told, and derivatives of derivatives."""

import functools
import math

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite import scalar
from tinygrad_lite.scalar import Value, derivative


@numba.njit
def compiled_square(x):
    return x * x


BAD = {
    "if": (lambda x: x if x > 0 else -x, "Write where"),
    "max": (lambda x: max(x, 0), "maximum"),
    "and": (lambda x: x and 1, "logical_and"),
    "math": (lambda x: math.exp(x), "scalar.exp"),
    "range": (lambda x: sum(range(x)), "not a number"),
    "ufunc": (lambda x: np.heaviside(x, 1.0), "heaviside has no derivative"),
    "round": (lambda x: round(x, 2), "positional argument"),
    "int": (lambda x: [1, 2, 3][x], "not a number"),
    "chain": (lambda x: scalar.where(0 < x < 1, x, 1), "Write where"),
    "tensors": (lambda x: tg.exp(x), "its functions are in tinygrad_lite.scalar"),
    "numba": (lambda x: compiled_square(x), r"call its \.py_func instead"),
    "keyword": (lambda x, *, n: x, "n cannot be traced"),
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


def test_arrays_of_traced_values():
    """NumPy's own functions and products, as one writes a network."""
    w = np.array([[0.5, -1.0], [2.0, 0.25]])
    network = lambda x, y: np.tanh(w @ np.array([x, y])).sum() + np.arctan(np.array([x]) * y)[0]  # noqa: E731
    hidden = np.tanh(w @ [0.3, 0.7])
    wanted = (1 - hidden**2) @ w + np.array([0.7, 0.3]) / (1 + 0.21**2)
    assert scalar.grad(network, argnums=None)(0.3, 0.7) == pytest.approx(wanted.tolist(), rel=1e-12)


SQUARES = {
    "plain": lambda x: x * x,
    "compiled by Numba": compiled_square,
    "ufunc": np.square,
    "scalar function": scalar.square,
    "compiled": scalar.compile(lambda x: x * x),
    "partial": functools.partial(lambda n, x: x**n, 2),
    "default": lambda x, n=2: x**n,
    "options": lambda x, name="square", negative=False, *, n=2: {"square": -x if negative else x}[name] ** n,
}


@pytest.mark.parametrize("kind", SQUARES)
def test_kinds_of_functions(kind):
    assert scalar.grad(SQUARES[kind])(3.0) == 6.0


@given(st.floats(-2, 2))
def test_derivatives_of_derivatives(x):
    third = THIRD(x)
    assert third == pytest.approx(-8 * math.cos(2 * x), abs=1e-12)
    assert scalar.hessian(SINE)(x)[0][0] == pytest.approx(SECOND(x), abs=1e-12)


def SINE(x):
    return scalar.sin(2 * x)


SECOND = scalar.grad(scalar.grad(SINE))
THIRD = scalar.grad(SECOND)


def test_values_are_recorded():
    """A derivative that was compiled is one more function for the engine of Values."""
    slope = scalar.grad(lambda x, y: x * x * y)
    x, y = Value(3.0), Value(5.0)
    z = slope(x, y) * slope(2.0, y)
    assert z.data == 600.0
    assert derivative(z, [x, y]) == [200.0, 240.0]


def test_rounding():
    for rounded, wanted in ((round, 3.0), (math.floor, 2.0), (math.ceil, 3.0), (math.trunc, 2.0)):
        f = lambda x, rounded=rounded: rounded(x) * x  # noqa: E731
        assert scalar.grad(f)(2.6) == wanted
        assert rounded(Value(2.6)).data == wanted
