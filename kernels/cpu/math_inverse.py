"""Inverse functions: asin, acos, atan, atan2, asinh, acosh, atanh, from one arctangent and log1p.

float32 ones are computed in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .math_log import log, log1p
from .math_trig import HALF_PI
from .math_words import FLOAT64, Word, copysign, fma, polynomial, select

ATAN = (  # (atan x - x) / x**3 in powers of x**2, on 0 to 1
    -8.654614667883773e-06, 0.00010387667407298587, -0.0005929189656780522, 0.002151672690294626, -0.005612578371265342,
    0.01131796435792394, -0.018614588096580908, 0.026152039243686944, -0.03278570761793389, 0.03821022808339969,
    -0.04286398507179353, 0.04744928863181437, -0.05259434560864646, 0.05881716320546786, -0.06666583749800019,
    0.07692299714973838, -0.0909090854752027, 0.11111111086461772, -0.14285714285037093, 0.19999999999990456,
    -0.33333333333333287,
)  # fmt: skip


def in_float64(function: Callable[..., Word]) -> Callable[..., Word]:
    """The function that computes float32 arguments in float64."""

    def widened(*args: Word) -> Word:
        return function(*[a.to(FLOAT64) for a in args]).to(args[0].dtype)

    widened.__name__, widened.__doc__ = function.__name__, function.__doc__
    return widened


def angle(y: Word, x: Word) -> Word:
    """atan2 for numbers that are not negative; 0 / 0 and inf / inf are the corners that atan2 wants."""
    steep = y > x
    low, high = select(steep, x, y), select(steep, y, x)
    t = select(low == high, select(low == 0, x.like(0.0), 1.0), low / high)
    z = t * t
    a = fma(t * z, polynomial(z, ATAN), t)
    a = select(steep, HALF_PI[0] - (a - HALF_PI[1]), a)
    return select((x != x) | (y != y), x + y, a)


@in_float64
def atan(x: Word) -> Word:
    return copysign(angle(abs(x), x.like(1.0)), x)


@in_float64
def atan2(y: Word, x: Word) -> Word:
    a = angle(abs(y), abs(x))
    return copysign(select(x.bits() < 0, math.pi - (a - 2 * HALF_PI[1]), a), y)


@in_float64
def asin(x: Word) -> Word:
    size = abs(x)
    return copysign(angle(size, ((1 - size) * (1 + size)).call("llvm.sqrt")), x)


@in_float64
def acos(x: Word) -> Word:
    return 2 * angle((1 - x).call("llvm.sqrt"), (1 + x).call("llvm.sqrt"))


@in_float64
def asinh(x: Word) -> Word:
    size = abs(x)
    large = size > 2.0**28
    inner = select(large, 1.0, size)
    square = inner * inner
    near = log1p(inner + square / (1 + (square + 1).call("llvm.sqrt")))
    return copysign(select(large, log(size) + math.log(2), near), x)


@in_float64
def acosh(x: Word) -> Word:
    large = x > 2.0**28
    t = select(large, 1.0, x) - 1
    near = log1p(t + fma(t, t, 2 * t).call("llvm.sqrt"))
    return select(large, log(x) + math.log(2), select(x < 1, math.nan, near))


@in_float64
def atanh(x: Word) -> Word:
    size = abs(x)
    return copysign(0.5 * log1p(2 * size / (1 - size)), x)
