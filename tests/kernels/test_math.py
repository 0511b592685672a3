"""The vectorised functions: errors against long double, special values, symmetries, the same bits in every lane."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from math_accuracy import BINARY, DTYPES, FUNCTIONS, bound, largest_error, samples
from tinygrad_lite_kernels.cpu.elementwise import elementwise
from tinygrad_lite_kernels.expr import OPS, functions, inputs, program
from tinygrad_lite_kernels.reference import elementwise as reference

EACH_DTYPE = pytest.mark.parametrize("dtype", DTYPES, ids=str)


def compiled(name):
    arity = OPS[name].arity
    return elementwise(program([functions[name](*inputs(arity))], arity)).one


@EACH_DTYPE
@pytest.mark.parametrize("name", [*FUNCTIONS, *BINARY])
def test_errors_stay_within_bounds(name, dtype):
    found = largest_error(name, dtype, 10_000 if name in ("erf", "erfc") else 40_000)
    assert found.error <= bound(name, dtype), f"{name} of {found.arguments}"


def drawn(name, dtype, count=20_000):
    return samples(FUNCTIONS[name], dtype, count, np.random.default_rng(1))


@EACH_DTYPE
@pytest.mark.parametrize("name", "expm1 sin tan asin atan sinh tanh asinh atanh erf".split())
def test_zero_keeps_its_sign(name, dtype):
    zeros = np.array([0.0, -0.0], dtype)
    assert compiled(name)(zeros).tobytes() == zeros.tobytes()


@EACH_DTYPE
@pytest.mark.parametrize("name", "sin tan asin atan sinh tanh asinh atanh erf".split())
def test_odd_functions(name, dtype):
    x = drawn(name, dtype)
    np.testing.assert_array_equal(compiled(name)(-x), -compiled(name)(x))


@EACH_DTYPE
@pytest.mark.parametrize("name", ["cos", "cosh"])
def test_even_functions(name, dtype):
    x = drawn(name, dtype)
    np.testing.assert_array_equal(compiled(name)(-x), compiled(name)(x))


RANGES = {"sin": (-1, 1), "cos": (-1, 1), "tanh": (-1, 1), "erf": (-1, 1), "erfc": (0, 2), "sigmoid": (0, 1)}
RANGES |= {"exp": (0, np.inf), "cosh": (1, np.inf), "acos": (0, np.pi), "expm1": (-1, np.inf), "acosh": (0, np.inf)}


@EACH_DTYPE
@pytest.mark.parametrize("name", RANGES)
def test_rounding_never_leaves_the_range(name, dtype):
    result = compiled(name)(drawn(name, dtype))
    low, high = (dtype.type(limit) for limit in RANGES[name])
    assert low <= np.nanmin(result) and np.nanmax(result) <= high


SCALE = 10**400


def arctangent_of_inverse(n):
    """SCALE * atan(1 / n)."""
    terms = ((-1) ** k * (SCALE // n ** (2 * k + 1) // (2 * k + 1)) for k in range(700))
    return sum(terms)


PI = 4 * (arctangent_of_inverse(2) + arctangent_of_inverse(3))


def exact_sine(x, quarters=0):
    """sin(x + quarters * pi/2) of a whole number, which Python's integers bring to an angle within pi/4."""
    n, rest = divmod(2 * x * SCALE + PI // 2, PI)
    angle = (rest - PI // 2) / (2 * SCALE)
    return [math.sin, math.cos, lambda a: -math.sin(a), lambda a: -math.cos(a)][(n + quarters) % 4](angle)


@EACH_DTYPE
@given(data=st.data())
def test_huge_angles(dtype, data):
    digits, largest = np.finfo(dtype).nmant + 1, np.finfo(dtype).maxexp
    x = data.draw(st.integers(2 ** (digits - 1), 2**digits - 1)) << data.draw(st.integers(0, largest - digits))
    sine, cosine = (float(compiled(name)(np.array([x], dtype))[0]) for name in ("sin", "cos"))
    assert (sine, cosine) == pytest.approx((exact_sine(x), exact_sine(x, 1)), rel=2.0**-digits * 4, abs=0)


@pytest.mark.parametrize(
    "x, dtype, error", [(16367173 * 2**72, np.float32, 2e-7), (6381956970095103 * 2**797, float, 1e-12)]
)
def test_the_angles_nearest_to_a_multiple_of_a_quarter_turn(x, dtype, error):
    """Of all numbers. In float64 a part of the accuracy is lost so close to zero, but no more."""
    sine, cosine = (float(compiled(name)(np.array([x], dtype))[0]) for name in ("sin", "cos"))
    assert (sine, cosine) == pytest.approx((exact_sine(x), exact_sine(x, 1)), rel=error, abs=0)


@EACH_DTYPE
@pytest.mark.parametrize("name", [*FUNCTIONS, *BINARY])
def test_the_same_bits_in_every_lane(name, dtype):
    """A loop ends in fewer elements than a vector has; they must not take another way."""
    x = (drawn("exp", dtype) if name in BINARY else drawn(name, dtype))[-67:]
    arguments = [x, x[::-1].copy()][: OPS[name].arity]
    whole = compiled(name)(*arguments)
    for start in range(0, 67, 7):
        np.testing.assert_array_equal(
            compiled(name)(*(a[start : start + 7] for a in arguments)), whole[start : start + 7]
        )
    spread = [np.repeat(a, 2)[::2] for a in arguments]
    np.testing.assert_array_equal(compiled(name)(*spread), whole)


@EACH_DTYPE
def test_powers_of_whole_numbers_are_exact(dtype):
    x, y = np.meshgrid(np.arange(-9.0, 10.0, dtype=dtype), np.arange(8.0, dtype=dtype))
    exact = x.astype(np.int64) ** y.astype(np.int64)
    fits = np.abs(exact) < 2.0 ** np.finfo(dtype).nmant
    np.testing.assert_array_equal(compiled("pow")(x, y)[fits], exact[fits])


PAIRS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "floor_divide": lambda a, b: a // b if b else 0,
    "remainder": lambda a, b: a % b if b else 0,
    "maximum": max,
    "minimum": min,
    "bitwise_and": lambda a, b: a & b,
    "bitwise_left_shift": lambda a, b: a << b if 0 <= b < 8 else 0,
    "bitwise_right_shift": lambda a, b: a >> (b if 0 <= b < 8 else 8),
    "less": lambda a, b: a < b,
    "pow": lambda a, b: a**b if b >= 0 else 0 if abs(a) != 1 else a ** (b & 1),
}


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize("name", PAIRS)
def test_all_pairs_of_small_integers(name, dtype):
    """Against Python's integers, wrapped around: division by zero, -128 // -1 and shifts by anything included."""
    every = np.arange(np.iinfo(dtype).min, np.iinfo(dtype).max + 1)
    a, b = (x.ravel() for x in np.meshgrid(every, every))
    exact = np.array([PAIRS[name](int(x), int(y)) % 256 for x, y in zip(a, b, strict=True)], np.uint8)
    np.testing.assert_array_equal(compiled(name)(a.astype(dtype), b.astype(dtype)).view(np.uint8), exact)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**63 - 1) | st.integers(0, 70))
def test_powers_of_large_integers_wrap_around(base, exponent):
    got = compiled("pow")(np.array([base]), np.array([exponent]))
    assert int(got[0]) % 2**64 == pow(base, exponent, 2**64)


DIVISIONS = st.floats(allow_nan=True) | st.sampled_from([0.0, -0.0, 1.0, -3.0, 0.1, 5e-324, np.inf, -np.inf])


@EACH_DTYPE
@pytest.mark.parametrize("name", ["floor_divide", "remainder"])
@given(st.lists(st.tuples(DIVISIONS, DIVISIONS), min_size=1, max_size=20))
def test_division_of_floats_with_floor(name, dtype, pairs):
    with np.errstate(all="ignore"):
        a, b = np.array(pairs).astype(dtype).T
        wanted = {"floor_divide": np.floor_divide, "remainder": np.remainder}[name](a, b)
    got = compiled(name)(a, b)
    np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(np.signbit(got)[~np.isnan(got)], np.signbit(wanted)[~np.isnan(got)])


@pytest.mark.parametrize("name", [*FUNCTIONS, *BINARY])
def test_the_reference_device_agrees(name):
    """NumPy's float64 functions, with which every other test compares, are themselves within a few units."""
    x = np.abs(drawn("exp", DTYPES[1]))[:2000] % 0.99
    arguments = [x, x[::-1]][: OPS[name].arity]
    with np.errstate(all="ignore"):
        step = program([functions[name](*inputs(len(arguments)))], len(arguments))
        np.testing.assert_allclose(reference.elementwise(step).one(*arguments), compiled(name)(*arguments), rtol=1e-14)
