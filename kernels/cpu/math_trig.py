"""sin, cos and tan.

x = n pi/2 + r with |r| <= pi/4; the polynomial of sin or of cos at r, chosen and signed by n mod 4. float32 finds r in
float64, which is right for every float32 number: large ones are first made small (`FOLDS`).
"""

from __future__ import annotations

from .math_words import FLOAT32, FLOAT64, Word, fma, polynomial, select

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
TWO_OVER_PI = (0.6366197723675814, -3.935735335036497e-17)

# From 2**50 on, a float32 number x is a multiple of 2**27. As x / 2**27 is whole, whole turns may be dropped from
# what it multiplies, 2**27 * 2/pi quarter turns: (limit, 1 / shift, shift * 2/pi less a multiple of 4, in two parts)
FOLDS = (
    (2.0**50, 2.0**-27, -0.5529460512772132, 3.808591801500832e-17),
    (2.0**77, 2.0**-54, 1.2910009524680295, -3.862804515881076e-17),
    (2.0**104, 2.0**-81, -1.3139050952781812, 9.395526559852902e-17),
)


def reduce32(x: Word) -> tuple[Word, Word]:
    """n and r, in float32, with x = n pi/2 + r (modulo whole turns)."""
    wide = x.to(FLOAT64)
    size, scale = abs(wide), wide.like(1.0)
    high, low = (wide.like(part) for part in TWO_OVER_PI)
    for limit, *fold in FOLDS:
        beyond = size >= limit
        scale, high, low = (select(beyond, new, old) for new, old in zip(fold, (scale, high, low), strict=True))
    wide = wide * scale
    magic = wide.like(1.5 * 2**52)
    shifted = fma(wide, high, magic)
    rest = fma(wide, low, fma(wide, high, magic - shifted))
    return shifted.bits().to("int32"), (rest * HALF_PI[0]).to(FLOAT32)


def reduce64(x: Word) -> tuple[Word, Word, Word]:
    """n and r, as a sum of two, with x = n pi/2 + r."""
    magic = x.like(1.5 * 2**52)
    shifted = fma(x, TWO_OVER_PI[0], magic)
    n = shifted - magic
    first = fma(n, -HALF_PI[0], x)  # exact
    second = n * HALF_PI[1]
    high = first - second
    low = ((first - high) - second) - fma(n, HALF_PI[2], fma(n, HALF_PI[1], -second))
    return shifted.bits(), high, low


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
