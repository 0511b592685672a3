"""sin, cos and tan, for every number however large.

x = n pi/2 + r with |r| <= pi/4; the polynomial of sin or of cos at r, chosen and signed by n mod 4. n and r come from
x * 2/pi, which has to be known to 1/4 + 60 bits behind the point; float32 finds r in float64.
"""

from __future__ import annotations

from functools import cache

from .math_words import FLOAT32, FLOAT64, Word, fma, polynomial, product_of, select, sum_of, sum_of_any, table

SIN = {
    FLOAT32: (-0.0001951807, 0.008332188, -0.16666655),
    FLOAT64: (
        1.589590435751457e-10, -2.5050742302831098e-08, 2.7557313587604913e-06, -0.00019841269829495547,
        0.008333333333322005, -0.1666666666666663,
    ),
}  # fmt: skip
COS = {
    FLOAT32: (2.4432327e-05, -0.001388731, 0.041666646, -0.5),
    FLOAT64: (
        -1.1358309203110209e-11, 2.0875696545902307e-09, -2.755731414840675e-07, 2.4801587288747326e-05,
        -0.0013888888888872893, 0.041666666666666595, -0.5,
    ),
}  # fmt: skip
HALF_PI = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33)
WORKING_BITS = 1300  # enough to know 2**971 * 2/pi modulo 4 as a sum of three float64 numbers


@cache
def half_pi() -> int:
    """2**WORKING_BITS * pi/2, by Machin's formula."""

    def arctangent_of_inverse(n: int) -> int:
        power, k, total = (1 << WORKING_BITS) // n, 1, 0
        while power:
            total += power // k if k & 2 == 0 else -(power // k)
            power, k = power // (n * n), k + 2
        return total

    return 8 * arctangent_of_inverse(5) - 2 * arctangent_of_inverse(239)


@cache
def quarter_turns(shift: int) -> tuple[float, float, float]:
    """2**shift * 2/pi less whole turns (multiples of 4), as a sum of three numbers."""
    one = 1 << WORKING_BITS
    rest = ((one * one << shift) // half_pi() + 2 * one) % (4 * one) - 2 * one if shift else one * one // half_pi()
    parts = []
    for _ in range(3):
        parts.append(rest / one)
        above, below = parts[-1].as_integer_ratio()
        rest -= above * one // below
    return parts[0], parts[1], parts[2]


def reduce32(x: Word) -> tuple[Word, Word]:
    """n and r, in float32, with x = n pi/2 + r modulo whole turns.

    From 2**50 on, a float32 number x is a multiple of 2**27. As x / 2**27 is whole, it is as good to multiply it by
    2**27 * 2/pi without the whole turns that this has; likewise for 2**54 and 2**81.
    """
    wide = x.to(FLOAT64)
    size, scale = abs(wide), wide.like(1.0)
    high, low = (wide.like(part) for part in quarter_turns(0)[:2])
    for shift in (27, 54, 81):
        new = 2.0**-shift, *quarter_turns(shift)[:2]
        old = scale, high, low
        scale, high, low = (select(size >= 2.0 ** (shift + 23), a, b) for a, b in zip(new, old, strict=True))
    wide = wide * scale
    magic = wide.like(1.5 * 2**52)
    shifted = fma(wide, high, magic)
    rest = fma(wide, low, fma(wide, high, magic - shifted))
    return shifted.bits().to("int32"), (rest * HALF_PI[0]).to(FLOAT32)


STEP = 8  # one row of the table for so many exponents


def reduce64(x: Word) -> tuple[Word, Word, Word]:
    """n and r, as a sum of two, with x = n pi/2 + r modulo whole turns.

    From 2**60 on, x is a multiple of 2**8; see `reduce32`, and take the multiplier from a table.
    """
    exponent = ((x.bits() >> 52) & 2047) - (1023 + 52)
    row = select(exponent > 0, exponent, 0) >> 3
    x = x * ((1023 - STEP * row) << 52).bits()
    columns = tuple(zip(*(quarter_turns(STEP * k) for k in range(972 // STEP + 1)), strict=True))
    first, second, third = (table(column, row) for column in columns)
    high, high_low = product_of(x, first)
    low, low_low = product_of(x, second)
    turns = high.call("llvm.rint")
    a, a_low = sum_of(high - turns, high_low)
    b, b_low = sum_of_any(a, low)
    more = b.call("llvm.rint")
    b, b_low = sum_of(b - more, b_low + (a_low + fma(x, third, low_low)))
    r, r_low = product_of(b, HALF_PI[0])
    n = fma((turns * 0.25).call("llvm.rint"), -4.0, turns) + more
    return (n + 1.5 * 2**52).bits(), r, r_low + fma(b, HALF_PI[1], b_low * HALF_PI[0])


def sin_cos(x: Word) -> tuple[Word, Word, Word]:
    """n, and sin and cos of r."""
    if x.dtype == FLOAT32:
        n, r = reduce32(x)
        z = r * r
        return n, fma(z * r, polynomial(z, SIN[FLOAT32]), r), fma(z, polynomial(z, COS[FLOAT32]), 1.0)
    n, r, low = reduce64(x)
    z = r * r
    cosine = 1 - 0.5 * z
    lost = (1 - cosine) - 0.5 * z
    sine = r + fma(z * r, polynomial(z, SIN[FLOAT64]), low * cosine)
    return n, sine, cosine + (fma(z * z, polynomial(z, COS[FLOAT64][:-1]), -r * low) + lost)


def quarter(n: Word, sine: Word, cosine: Word) -> Word:
    """sin(n pi/2 + r)."""
    value = select((n & 1) == 0, sine, cosine)
    return (value.bits() ^ ((n & 2) << (8 * n.dtype.itemsize - 2))).bits()


def sin(x: Word) -> Word:
    return select(abs(x) < TINY[x.dtype], x, quarter(*sin_cos(x)))


def cos(x: Word) -> Word:
    n, sine, cosine = sin_cos(x)
    return quarter(n + 1, sine, cosine)


def tan(x: Word) -> Word:
    n, sine, cosine = sin_cos(x)
    even = (n & 1) == 0
    result = select(even, sine, -cosine) / select(even, cosine, sine)
    return select(abs(x) < TINY[x.dtype], x, result)


TINY = {FLOAT32: 2.0**-13, FLOAT64: 2.0**-27}
