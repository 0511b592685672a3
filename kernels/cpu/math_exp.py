"""Exponentials and what is made of them: exp, expm1, sigmoid, sinh, cosh, tanh.

x = n ln 2 + r with a whole n and |r| <= ln 2 / 2; exp(x) = 2**n exp(r), where 2**n is put together from bits and exp(r)
is a polynomial. The coefficients are minimax fits of the relative error, rounded to the dtype.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .math_words import FLOAT32, FLOAT64, Word, copysign, fma, polynomial, select


class Format(NamedTuple):
    """What the code needs to know of a floating-point format.

    magic: 1.5 * 2**digits; a number added to it is rounded to a whole one, which stands in the low bits.
    ln2: in two parts. exp_range: outside it, exp is infinite or zero; likewise for expm1 (only below) and sinh.
    tiny: below it, f(x) = x for f = expm1 and sinh. exp, expm1: (f(r) - r - ...) / r**2; sinh: (sinh r - r) / r**3 and
    cosh: (cosh r - 1) / r**2 in powers of r**2.
    """

    digits: int
    bias: int
    magic: float
    ln2: tuple[float, float]
    exp_range: tuple[float, float]
    expm1_floor: float
    sinh_limit: float
    tanh_limit: float
    tiny: float
    exp: tuple[float, ...]
    expm1: tuple[float, ...]
    sinh: tuple[float, ...]
    cosh: tuple[float, ...]


FORMATS = {
    FLOAT32: Format(
        digits=23,
        bias=127,
        magic=1.5 * 2**23,
        ln2=(0.693147182464599609375, -1.904654323148236017e-09),
        exp_range=(-104.0, 89.0),
        expm1_floor=-20.0,
        sinh_limit=89.5,
        tanh_limit=10.0,
        tiny=2.0**-14,
        exp=(0.0013917326, 0.008367108, 0.041666612, 0.16666539, 0.5),
        expm1=(0.00020013921, 0.0013934502, 0.008333135, 0.04166647, 0.16666667, 0.5),
        sinh=(0.00019974096, 0.008333175, 0.16666667),
        cosh=(0.0013935426, 0.04166646, 0.5),
    ),
    FLOAT64: Format(
        digits=52,
        bias=1023,
        magic=1.5 * 2**52,
        ln2=(0.6931471805599453, 2.319046813846299558e-17),
        exp_range=(-746.0, 710.0),
        expm1_floor=-40.0,
        sinh_limit=710.6,
        tanh_limit=20.0,
        tiny=2.0**-28,
        exp=(
            2.5114450632483314e-08, 2.7626382295353274e-07, 2.7557228051829546e-06, 2.4801504312425735e-05,
            0.00019841269902896183, 0.0013888888932483366, 0.008333333333314657, 0.04166666666657333,
            0.16666666666666685, 0.5000000000000006,
        ),
        expm1=(
            2.092439739524191e-09, 2.510909048810519e-08, 2.755724290533078e-07, 2.7557244061761667e-06,
            2.480158736037589e-05, 0.00019841269886266248, 0.0013888888888866947, 0.008333333333321579,
            0.0416666666666667, 0.16666666666666677, 0.5,
        ),
        sinh=(
            2.510909118055206e-08, 2.7557244059712965e-06, 0.00019841269886268414, 0.008333333333321577,
            0.16666666666666677,
        ),
        cosh=(
            2.0921677032330047e-09, 2.7557252096960085e-07, 2.4801587348909514e-05, 0.0013888888888873411,
            0.041666666666666685, 0.5,
        ),
    ),
}  # fmt: skip


def clamp(x: Word, low: float, high: float) -> Word:
    """`x` within bounds; NaN stays."""
    x = select(x.like(high) < x, high, x)
    return select(x < low, low, x)


def power_of_two(n: Word, like: Word) -> Word:
    """2**n in the dtype of `like`, for a whole n within the range of its exponents."""
    of = FORMATS[like.dtype]
    return ((n + of.bias) << of.digits).bits()


def whole(x: Word, scale: float) -> tuple[Word, Word]:
    """The whole number nearest to `x * scale`, as an integer and as a float."""
    magic = FORMATS[x.dtype].magic
    shifted = fma(x, scale, magic)
    return shifted.bits() - x.like(magic).bits(), shifted - magic


def reduce(x: Word) -> tuple[Word, Word]:
    """n and r with x = n ln 2 + r."""
    high, low = FORMATS[x.dtype].ln2
    integer, n = whole(x, 1 / math.log(2))
    return integer, fma(n, -low, fma(n, -high, x))


def scaled(x: Word, n: Word) -> Word:
    """x * 2**n in two steps, so that neither overflows before the result does, and subnormal results round once."""
    half = n >> 1
    return x * power_of_two(half, x) * power_of_two(n - half, x)


def parts(x: Word, offset: int) -> tuple[Word, Word]:
    """r and an integer whose low bits are n + offset, with x = n ln 2 + r: the rounding to n leaves them there."""
    of = FORMATS[x.dtype]
    magic = of.magic + offset
    shifted = fma(x, 1 / math.log(2), magic)
    n = shifted - magic
    return fma(n, -of.ln2[1], fma(n, -of.ln2[0], x)), shifted.bits()


def power(exponent: Word, like: Word) -> Word:
    """2**n, given n + bias in the low bits of an integer."""
    return (exponent << FORMATS[like.dtype].digits).bits()


def less_one(r: Word, coefficients: tuple[float, ...]) -> Word:
    """exp(r) - 1 for a small r."""
    square = r * r
    return fma(square, polynomial(r, coefficients, square), r)


def halves(x: Word) -> tuple[Word, Word, Word]:
    """a, b, e with exp(x) = a b (1 + e): two powers of 2 about alike, so that neither overflows before the result."""
    of = FORMATS[x.dtype]
    r, exponents = parts(x, 2 * of.bias)
    half = exponents >> 1
    return power(half, x), power(exponents - half, x), less_one(r, of.exp)


def exp(x: Word) -> Word:
    a, b, e = halves(clamp(x, *FORMATS[x.dtype].exp_range))
    return fma(e, a, a) * b


def expm1(x: Word) -> Word:
    of = FORMATS[x.dtype]
    r, exponent = parts(clamp(x, of.expm1_floor, of.exp_range[1]), of.bias - 1)
    half = power(exponent, x)
    result = 2 * fma(less_one(r, of.expm1), half, half - 0.5)
    return select(abs(x) < of.tiny**2, x, result)


def sigmoid(x: Word) -> Word:
    """1 / (1 + exp(-x)) as (1 / a) / (1 / a + b (1 + e))."""
    of = FORMATS[x.dtype]
    limit = -of.exp_range[0]
    a, b, e = halves(clamp(-x, -limit, limit))
    inverse = ((2 * of.bias << of.digits) - a.bits()).bits()
    return inverse / fma(e, b, b + inverse)


def tanh(x: Word) -> Word:
    """e / (e + 2) with e = exp(2 x) - 1."""
    of = FORMATS[x.dtype]
    size = abs(x)
    size = select(size.like(of.tanh_limit) < size, of.tanh_limit, size)
    r, exponent = parts(size + size, of.bias)
    scale = power(exponent, x)
    e = fma(less_one(r, of.expm1), scale, scale - 1)
    return copysign(e / (e + 2), x)


def hyperbolic(x: Word) -> tuple[Word, Word, Word, Word]:
    """a, b, s, c with sinh|x| = 2 (a + a c + b s) and cosh x = 2 (b + b c + a s).

    For |x| = n ln 2 + r: s = sinh r, c = cosh r - 1, and a, b = (2**n -+ 2**-n) / 4.
    """
    of = FORMATS[x.dtype]
    size = abs(x)
    n, r = reduce(select(size.like(of.sinh_limit) < size, of.sinh_limit, size))
    grows = power_of_two(n - 2, x)
    shrinks = power_of_two(select(n > 60, -62, -2 - n), x)
    square = r * r
    s = fma(square * r, polynomial(square, of.sinh), r)
    return grows - shrinks, grows + shrinks, s, square * polynomial(square, of.cosh)


def sinh(x: Word) -> Word:
    a, b, s, c = hyperbolic(x)
    result = copysign(2 * fma(b, s, fma(a, c, a)), x)
    return select(abs(x) < FORMATS[x.dtype].tiny, x, result)


def cosh(x: Word) -> Word:
    a, b, s, c = hyperbolic(x)
    return 2 * fma(a, s, fma(b, c, b))
