"""x**y of floats: exp(y log x) with the logarithm in more digits than the result has, and the edges as in C."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..intrinsics import llvm_function, select
from ..native import helper
from .float_math import LOG2_E

T: Any = np.float64
fma = llvm_function("fma", 3)
abs = llvm_function("fabs", 1)
floor = llvm_function("floor", 1)
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
INF, NAN = math.inf, math.nan


@helper
def log_parts64(x):  # replaced by float_math's of float64, and so are the names below
    return x


exp_poly64 = power_of_two64 = nearest64 = log_parts64


@helper
def log_of(x):
    """log(x) for x > 0 as a sum of two float64: the second holds what the first cannot."""
    n, f, _ = log_parts64(x)
    s = f / (f + 2.0)
    s_low = (fma(-s, f, fma(-s, 2.0, f))) / (f + 2.0)
    z = s * s
    cube = s * z
    third = 0.6666666666666666
    tail = log_series(z)
    main = third * cube
    main_low = fma(third, cube, -main) + third * (fma(s, z, -cube) + s * fma(s, s, -z)) + 3.700743415417188e-17 * cube
    high = n * LN2_HIGH
    a = high + 2.0 * s
    a_low = (high - a) + 2.0 * s if abs(high) > abs(2.0 * s) else (2.0 * s - a) + high
    b = a + main
    b_low = (a - b) + main
    return b, b_low + (a_low + (2.0 * s_low + (main_low + (2.0 * z * s_low + (n * LN2_LOW + cube * z * tail)))))


@helper
def log_series(z):
    """The series of (2 atanh(s) - 2s - 2/3 s**3) / s**5 in z = s**2."""
    total = 2.0 / 25.0
    for k in (23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0):
        total = total * z + 2.0 / k
    return total


@helper
def exp_of(high, low):
    """exp(high + low), saturating."""
    z = select(high > 710.0, 710.0, select(high < -746.0, -746.0, high))
    n = nearest64(z * LOG2_E)
    r = fma(-n, LN2_LOW, fma(-n, LN2_HIGH, z)) + select(z == high, low, 0.0)
    first = nearest64(n * 0.5)
    return ((fma(r * r, exp_poly64(r), r) + 1.0) * power_of_two64(first)) * power_of_two64(n - first)


@helper
def pow_positive(x, y):
    """x**y for finite x > 0 and finite y."""
    high, low = log_of(x)
    product = y * high
    return exp_of(product, fma(y, high, -product) + y * low)


@helper
def pow(x, y):
    size = np.float64(abs(x))
    exponent = np.float64(y)
    inside = (size > 0.0) & (size < INF) & (abs(exponent) < INF)
    value = pow_positive(select(inside, size, 1.0), select(inside, exponent, 1.0))
    whole = floor(exponent) == exponent
    odd = whole & (floor(exponent * 0.5) * 2.0 != exponent) & (abs(exponent) < INF)
    grows = (size > 1.0) == (exponent > 0.0)  # towards infinity, where an argument is 0 or infinite
    edge = select(size == 1.0, 1.0, select(grows, INF, 0.0))
    value = select(inside, value, edge)
    value = select((x < T(0)) & odd, -value, value)
    value = select((x < T(0)) & (size < INF) & ~whole & (abs(exponent) < INF), NAN, value)
    value = select((x != x) | (y != y), NAN, value)
    return T(select((y == T(0)) | (x == T(1)), 1.0, value))
