"""Functions of one or two floats, without branches, so that LLVM turns a loop over them into vector code.

The names in capitals are those of `coefficients.py`: each precision has its own copy of this module's functions.
Accuracy and speed are in docs/math.md.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..intrinsics import bits_as, fmod, llvm_function, select
from ..native import helper

T: Any = np.float32
I: Any = np.int32  # noqa: E741
MANTISSA = BIAS = 0
MAGIC = LN2_HIGH = LN2_LOW = EXP_MAX = EXP_MIN = EXPM1_MIN = TANH_MAX = 0.0
SUBNORMAL_SCALE = SUBNORMAL_SHIFT = TINY = 0.0
PI_2, PI_2_LOW, TWO_OVER_PI = 1.5707963267948966, 6.123233995736766e-17, 0.6366197723675814
LN2, LOG2_E, LOG10_E, LOG10_2 = 0.6931471805599453, 1.4426950408889634, 0.4342944819032518, 0.3010299956639812
INF, NAN = math.inf, math.nan

fma = llvm_function("fma", 3)
sqrt = llvm_function("sqrt", 1)
floor = llvm_function("floor", 1)
ceil = llvm_function("ceil", 1)
trunc = llvm_function("trunc", 1)
round = llvm_function("rint", 1)
abs = llvm_function("fabs", 1)
copysign = llvm_function("copysign", 2)
maximum = llvm_function("maximum", 2)
minimum = llvm_function("minimum", 2)


@helper
def exp_poly(r):  # replaced by the Horner form of EXP, and so are the other names that end in _poly
    """(exp(r) - 1 - r) / r**2."""
    return r


log_poly = sin_poly = cos_poly = erf_poly = erfc_poly = exp_poly


@helper
def power_of_two(n):
    """2**n for a whole float n within the range of normal numbers."""
    whole = I(bits_as(n + T(MAGIC), I) - bits_as(T(MAGIC), I) + I(BIAS))
    return bits_as(I(whole << I(MANTISSA)), T)


@helper
def nearest(x):
    """The nearest whole number, for |x| well below the size at which floats have no fractions."""
    return (x + T(MAGIC)) - T(MAGIC)


@helper
def exp_rest(x, n):
    """x - n ln 2, in two steps so that nothing is lost."""
    return fma(-n, T(LN2_LOW), fma(-n, T(LN2_HIGH), x))


@helper
def exp_shifted(x, shift):
    """exp(x) 2**shift for a small whole shift, without overflow before the result overflows."""
    z = select(x > T(EXP_MAX), T(EXP_MAX), select(x < T(EXP_MIN), T(EXP_MIN), x))
    n = nearest(z * T(LOG2_E))
    r = exp_rest(z, n)
    first = nearest(n * T(0.5))
    value = fma(r * r, exp_poly(r), r) + T(1)
    return (value * power_of_two(first)) * power_of_two(n - first + shift)


@helper
def exp(x):
    return exp_shifted(x, T(0))


@helper
def expm1(x):
    z = select(x > T(EXP_MAX), T(EXP_MAX), select(x < T(EXPM1_MIN), T(EXPM1_MIN), x))
    n = nearest(z * T(LOG2_E))
    r = exp_rest(z, n)
    small = fma(r * r, exp_poly(r), r)
    half = power_of_two(n - T(1))
    value = select(n == T(0), small, T(2) * fma(half, small, half - T(0.5)))
    return select(x == T(0), x, value)


@helper
def log_parts(x):
    """x = m 2**n with m around 1: n, m - 1, and log(m) - (m - 1) + (m - 1)**2 / 2 (as in fdlibm's e_log.c)."""
    tiny = x < T(TINY)
    z = select(tiny, x * T(SUBNORMAL_SCALE), x)
    bits = bits_as(z, I)
    shifted = I(bits - bits_as(T(0.7071067811865476), I))
    n = T(I(shifted >> I(MANTISSA))) - select(tiny, T(SUBNORMAL_SHIFT), T(0))
    f = bits_as(I(bits - I(I(shifted >> I(MANTISSA)) << I(MANTISSA))), T) - T(1)
    s = f / (f + T(2))
    z2 = s * s
    return n, f, s * (T(0.5) * f * f + z2 * log_poly(z2))


@helper
def log_edges(x, value):
    """The logarithm outside of the positive finite numbers."""
    value = select(x == T(0), T(-INF), select(x < T(0), T(NAN), value))
    return select((x == T(INF)) | (x != x), x, value)


@helper
def log(x):
    n, f, rest = log_parts(x)
    return log_edges(x, n * T(LN2_HIGH) - ((T(0.5) * f * f - (rest + n * T(LN2_LOW))) - f))


@helper
def log2(x):
    n, f, rest = log_parts(x)
    return log_edges(x, fma(f - (T(0.5) * f * f - rest), T(LOG2_E), n))


@helper
def log10(x):
    n, f, rest = log_parts(x)
    return log_edges(x, fma(n, T(LOG10_2), (f - (T(0.5) * f * f - rest)) * T(LOG10_E)))


@helper
def log1p(x):
    u = T(1) + x
    lost = select(x >= T(1), T(1) - (u - x), x - (u - T(1)))  # what the sum rounded away
    value = log(u) + select((u == T(INF)) | (u <= T(0)), T(0), lost / u)
    return select(x == T(0), x, value)


@helper
def quarter_turns(x):
    """x as a number of quarter turns and a rest within an eighth; NaN beyond 1e9, where these digits would not do."""
    wide = np.float64(select(abs(x) < T(1e9), x, T(NAN)))
    n = (wide * TWO_OVER_PI + 6755399441055744.0) - 6755399441055744.0
    return n, T(fma(-n, PI_2_LOW, fma(-n, PI_2, wide)))


@helper
def sin_cos(r):
    z = r * r
    return fma(r * z, sin_poly(z), r), T(1) + (z * z * cos_poly(z) - T(0.5) * z)


@helper
def turned(x, quarters):
    """sin(x + quarters * pi / 2)."""
    n, r = quarter_turns(x)
    sine, cosine = sin_cos(r)
    count = n + quarters
    odd = count - 2.0 * floor(count * 0.5) != 0.0
    value = select(odd, cosine, sine)
    back = count - 4.0 * floor(count * 0.25) >= 2.0
    return select(back, -value, value)


@helper
def sin(x):
    return select(x == T(0), x, turned(x, 0.0))


@helper
def cos(x):
    return turned(x, 1.0)


@helper
def tan(x):
    n, r = quarter_turns(x)
    sine, cosine = sin_cos(r)
    odd = n - 2.0 * floor(n * 0.5) != 0.0
    return select(x == T(0), x, select(odd, -cosine, sine) / select(odd, sine, cosine))


@helper
def tanh(x):
    size = abs(x)
    e = expm1(T(2) * select(size > T(TANH_MAX), T(TANH_MAX), size))
    return copysign(e / (e + T(2)), x)


@helper
def sinh(x):
    size = abs(x)
    half = exp_shifted(size, T(-1))
    e = expm1(select(size > T(1), T(1), size))
    small = T(0.5) * (e + e / (e + T(1)))
    return copysign(select(size > T(1), half - T(0.25) / half, small), x)


@helper
def cosh(x):
    half = exp_shifted(abs(x), T(-1))
    return half + T(0.25) / half


@helper
def sigmoid(x):
    e = exp(-abs(x))
    return select(x < T(0), e, T(1)) / (T(1) + e)


@helper
def erfc_positive(x):
    """erfc for x >= 0."""
    z = select(x > T(28), T(28), x)
    t = T(2) / (T(2) + z)
    square = z * z
    lost = fma(z, z, -square)
    return t * erfc_poly(T(2) * t - T(1)) * exp(-square) * (T(1) - lost)


@helper
def erf(x):
    size = abs(x)
    large = copysign(T(1) - erfc_positive(size), x)
    return select(size < T(1), x * erf_poly(x * x), large)


@helper
def erfc(x):
    small = T(1) - x * erf_poly(x * x)
    far = erfc_positive(abs(x))
    return select(abs(x) < T(0.5), small, select(x < T(0), T(2) - far, far))


@helper
def rsqrt(x):
    return T(1) / sqrt(x)


@helper
def sign(x):
    return select(x > T(0), T(1), select(x < T(0), T(-1), x))


@helper
def isnan(x):
    return x != x


@helper
def isinf(x):
    return abs(x) == T(INF)


@helper
def isfinite(x):
    return abs(x) < T(INF)


@helper
def signbit(x):
    return bits_as(x, I) < I(0)


@helper
def remainder(a, b):
    """With the sign of the divisor, as Python's %."""
    r = fmod(a, b)
    r = select((r != T(0)) & ((r < T(0)) != (b < T(0))), r + b, r)
    return select(r == T(0), copysign(T(0), b), r)


@helper
def floor_divide(a, b):
    r = fmod(a, b)
    whole = (a - r) / b - select((r != T(0)) & ((r < T(0)) != (b < T(0))), T(1), T(0))
    down = floor(whole)
    down = select(whole - down > T(0.5), down + T(1), down)
    return select(b == T(0), a / b, down)


# Not on a hot path of training: the C library's, one element at a time.


@helper
def asin(x):
    return T(math.asin(x))


@helper
def acos(x):
    return T(math.acos(x))


@helper
def atan(x):
    return T(math.atan(x))


@helper
def asinh(x):
    return T(math.asinh(x))


@helper
def acosh(x):
    return T(math.acosh(x))


@helper
def atanh(x):
    return T(math.atanh(x))


@helper
def atan2(a, b):
    return T(math.atan2(a, b))


@helper
def hypot(a, b):
    return T(math.hypot(a, b))
