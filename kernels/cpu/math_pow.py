"""x ** y for floats, with the rules of C and NumPy, and for integers.

x ** y = exp(y log|x|). float64 carries the logarithm and the product as sums of two numbers (about 106 bits); float32
computes in float64.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .math_exp import FORMATS, clamp, power_of_two, reduce, scaled, whole
from .math_log import split, split_any, to_float
from .math_words import FLOAT32, FLOAT64, Word, fma, polynomial, select

# With z = s**2: atanh(s) / s = 1 + z (1/3 + z P(z)), and, to the accuracy of float32, 1 + z Q(z)
ATANH64 = (
    0.06598873050899084, 0.06628334652612566, 0.07693381755133624, 0.09090892118765138, 0.1111111126067411,
    0.14285714285045964, 0.20000000000001136,
)  # fmt: skip
ATANH32 = (0.1179178631552855, 0.14268619054356677, 0.20000168111596417, 0.33333332820634665)
EXP32 = (0.0013946525371289042, 0.00836661090034979, 0.04166628090532609, 0.16666542791119515, 0.5000000062270343)
THIRD = (0.3333333333333333, 1.850371707708594e-17)


def log_in_two(x: Word) -> tuple[Word, Word]:
    """log(x) of a positive number as a sum of two float64 numbers."""
    k, f = split_any(x)
    s, s_low = quotient(f)
    z = s * s
    z_low = fma(s, s, -z) + 2 * s * s_low
    rest = z * polynomial(z, ATANH64)
    v = rest + THIRD[0]
    w = z * v
    w_low = fma(z, v, -w) + fma(z, (THIRD[0] - v) + rest + THIRD[1], z_low * v)
    p = s * w
    p_low = fma(s, w, -p) + fma(s, w_low, s_low * w)
    high = s + p
    low = (s - high) + p + (s_low + p_low)
    return add_exponent(k, 2 * high, 2 * low)


def quotient(f: Word) -> tuple[Word, Word]:
    """f / (2 + f) as a sum of two numbers."""
    below = f + 2
    below_low = f - (below - 2)
    inverse = 1 / below
    s = f * inverse
    return s, fma(-s, below_low, fma(-s, below, f)) * inverse


def add_exponent(k: Word, high: Word, low: Word) -> tuple[Word, Word]:
    """k log 2 + (high + low)."""
    a, b = FORMATS[FLOAT64].ln2
    exponent = k * a
    total = exponent + high
    return total, ((exponent - total) + high) + (fma(k, b, fma(k, a, -exponent)) + low)


def exp_of_two(high: Word, low: Word) -> Word:
    """exp(high + low) in float64."""
    of = FORMATS[FLOAT64]
    bounded = clamp(high, *of.exp_range)
    integer, n = whole(bounded, 1 / math.log(2))
    low = fma(n, -of.ln2[1], select(bounded == high, low, 0.0))
    first = fma(n, -of.ln2[0], bounded)
    r = first + low
    lost = (first - r) + low
    return scaled(1 + (r + fma(r * r, polynomial(r, of.exp), lost)), integer)


def power64(size: Word, y: Word) -> Word:
    """size**y for positive numbers; what it gives for 0, infinity and NaN does not matter."""
    y = clamp(y, -(2.0**66), 2.0**66)  # beyond, only 1 does not go to 0 or infinity
    high, low = log_in_two(size)
    product = y * high
    return exp_of_two(product, fma(y, low, fma(y, high, -product)))


def power32(size: Word, y: Word) -> Word:
    """The same in float64 with the accuracy of float32."""
    k, m = split(size)
    s = (m - 1) / (m + 1)
    z = s * s
    log2 = FORMATS[FLOAT64].ln2[0]
    logarithm = fma(to_float(k, s), log2, 2 * fma(s * z, polynomial(z, ATANH32), s))
    n, r = reduce(clamp(y * logarithm, -110.0, 90.0))
    return fma(r * r, polynomial(r, EXP32), r + 1) * power_of_two(n, r)


def pow(x: Word, y: Word) -> Word:
    size = abs(x)
    in_float64 = power32 if x.dtype == FLOAT32 else power64
    result = in_float64(size.to(FLOAT64), y.to(FLOAT64)).to(x.dtype)
    limit = select(size == 1, 1.0, select((size > 1) ^ (y > 0), x.like(0.0), math.inf))
    result = select((size == 0) | (size == math.inf) | (abs(y) == math.inf), limit, result)
    is_whole, is_odd = parity(y)
    result = select((x.bits() < 0) & is_odd, -result, result)
    result = select((x < 0) & (x > -math.inf) & ~is_whole, math.nan, result)
    result = select((x != x) | (y != y), x + y, result)
    return select((y == 0) | (x == 1), 1.0, result)


def parity(y: Word) -> tuple[Word, Word]:
    """Whether y is a whole number, and whether it is an odd one."""
    half = 0.5 * y
    is_whole = y.call("llvm.rint") == y
    return is_whole, is_whole & (half.call("llvm.rint") != half)


T: Any = np.int64  # `math` puts np.uint64 in its place for unsigned numbers


def integer_power(x, n):
    """x**n that wraps around; with n < 0 it is the whole part of the quotient: 0, but for x = 1 and x = -1."""
    base, left, result = T(x), T(n), T(1)
    if left < T(0):
        unit = base == T(1) or base == T(-1)
        left, result = left & T(1), T(1) if unit else T(0)
    while left > T(0):
        if left & T(1):
            result = result * base
        base = base * base
        left = left >> T(1)
    return result
