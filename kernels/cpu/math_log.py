"""Logarithms: log, log2, log10, log1p.

x = 2**k (1 + f) with 1 + f between sqrt(1/2) and sqrt(2); log(1 + f) = f + tail(f). In float32 the tail is one
polynomial; in float64, with s = f / (2 + f), log(1 + f) = 2 s + s**3 P(s**2), which needs half the degree.
"""

from __future__ import annotations

import math

from .math_exp import FORMATS, power_of_two
from .math_words import FLOAT32, FLOAT64, Word, copysign, fma, polynomial, select

TAIL = {
    FLOAT32: (
        0.07473016, -0.11679707, 0.11724622, -0.12403776, 0.14225785, -0.16667448, 0.20002036, -0.25000024, 0.33333313,
        -0.5,
    ),
    FLOAT64: (
        0.14797456281415064, 0.15313909726105418, 0.18183569428218324, 0.22222198483222666, 0.28571428743178784,
        0.39999999999411534, 0.6666666666666735,
    ),
}  # fmt: skip
ROOT_HALF = {FLOAT32: 0x3F3504F3, FLOAT64: 0x3FE6A09E667F3BCD}  # the bits of sqrt(1/2)
LOG2_E = {
    FLOAT32: (1.44269502162933349609375, 1.925963033500011e-08),
    FLOAT64: (1.4426950408889634, 2.0355273740931033e-17),
}
LOG10_E = {FLOAT32: (0.4342944920063018798828125, -1.0103051e-08), FLOAT64: (0.4342944819032518, 1.098319650216765e-17)}
LOG10_2 = {
    FLOAT32: (0.301030009984970092773438, -1.4320989e-08),
    FLOAT64: (0.3010299956639812, -2.8037281277851704e-18),
}


def to_float(n: Word, like: Word) -> Word:
    """A small integer as a float of the same size; every machine has the two instructions for vectors."""
    magic = like.like(FORMATS[like.dtype].magic)
    return (n + magic.bits()).bits() - magic


def split(x: Word) -> tuple[Word, Word]:
    """k (an integer) and 1 + f of a positive finite number."""
    digits, start = FORMATS[x.dtype].digits, ROOT_HALF[x.dtype]
    shifted = x.bits() - start
    return shifted >> digits, ((shifted & ((1 << digits) - 1)) + start).bits()


def split_any(x: Word) -> tuple[Word, Word]:
    """The same for subnormal numbers too, with k as a float."""
    of = FORMATS[x.dtype]
    small = x < 2.0 ** (1 - of.bias)
    k, m = split(select(small, x * 2.0**of.digits, x))
    return to_float(k, x) - select(small, x.like(of.digits), 0.0), m - 1


def tail(f: Word) -> Word:
    """log(1 + f) - f."""
    if f.dtype == FLOAT32:
        return f * f * polynomial(f, TAIL[FLOAT32])
    s = f / (f + 2)
    z = s * s
    half_square = 0.5 * f * f
    return s * fma(z, polynomial(z, TAIL[FLOAT64]), half_square) - half_square


def edges(x: Word, result: Word) -> Word:
    """The logarithm where x is not positive and finite: NaN, or infinite."""
    outside = select(x == 0, x.like(-math.inf), select(x < 0, math.nan, x))
    return select((x > 0) & (x < math.inf), result, outside)


def log(x: Word) -> Word:
    k, f = split_any(x)
    high, low = FORMATS[x.dtype].ln2
    return edges(x, fma(k, high, fma(k, low, tail(f)) + f))


def log_to_base(x: Word, per_e: tuple[float, float], per_2: tuple[float, float]) -> Word:
    """log(x) * per_e with constants in two parts; per_2 is the logarithm of 2."""
    k, f = split_any(x)
    product = f * per_e[0]
    rest = fma(f, per_e[1], fma(f, per_e[0], -product)) + tail(f) * per_e[0]
    return edges(x, fma(k, per_2[0], product + fma(k, per_2[1], rest)))


def log2(x: Word) -> Word:
    return log_to_base(x, LOG2_E[x.dtype], (1.0, 0.0))


def log10(x: Word) -> Word:
    return log_to_base(x, LOG10_E[x.dtype], LOG10_2[x.dtype])


def log1p(x: Word) -> Word:
    u = x + 1
    back = u - 1
    lost = (x - back) + (1 - (u - back))  # u + lost is 1 + x exactly
    k, m = split(u)
    f = select(x < 2.0**60, fma(lost, power_of_two(-k, x), m - 1), m - 1)  # beyond, 2**-k may not be a number
    high, low = FORMATS[x.dtype].ln2
    k = to_float(k, x)
    return copysign(edges(u, fma(k, high, fma(k, low, tail(f)) + f)), x)
