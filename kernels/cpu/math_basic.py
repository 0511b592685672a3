"""Rounding, signs, choices and divisions, for floats and integers, with NumPy's rules."""

from __future__ import annotations

import math

from .math_words import FLOAT32, FLOAT64, Word, copysign, select, truth


def same(x: Word) -> Word:
    return x


def absolute(x: Word) -> Word:
    return x if x.dtype.kind in "ub" else abs(x)


def sign(x: Word) -> Word:
    if x.dtype.kind == "u":
        return select(x > 0, x.like(1), 0)
    return select(x > 0, x.like(1), select(x < 0, x.like(-1), select(x == 0, 0, x)))


def floor(x: Word) -> Word:
    return x.call("llvm.floor")


def ceil(x: Word) -> Word:
    return x.call("llvm.ceil")


def trunc(x: Word) -> Word:
    return x.call("llvm.trunc")


def round_to_even(x: Word) -> Word:
    return x.call("llvm.rint")


def sqrt(x: Word) -> Word:
    return x.call("llvm.sqrt")


def rsqrt(x: Word) -> Word:
    return 1 / sqrt(x)


def maximum(a: Word, b: Word) -> Word:
    larger = select(a > b, a, b)  # b where one is NaN
    return select(a != a, a, larger) if a.dtype.kind == "f" else larger


def minimum(a: Word, b: Word) -> Word:
    smaller = select(a < b, a, b)
    return select(a != a, a, smaller) if a.dtype.kind == "f" else smaller


@truth
def isnan(x: Word) -> Word:
    return x != x


@truth
def isfinite(x: Word) -> Word:
    return abs(x) < math.inf if x.dtype.kind == "f" else x == x


@truth
def isinf(x: Word) -> Word:
    return abs(x) == math.inf if x.dtype.kind == "f" else x != x


@truth
def signbit(x: Word) -> Word:
    return (x.bits() if x.dtype.kind == "f" else x) < 0


def hypot(x: Word, y: Word) -> Word:
    a, b = abs(x), abs(y)
    if x.dtype == FLOAT32:
        wide_a, wide_b = a.to(FLOAT64), b.to(FLOAT64)
        result = sqrt(wide_a * wide_a + wide_b * wide_b).to(FLOAT32)
    else:
        large, small = select(a > b, a, b), select(a > b, b, a)
        ratio = small / select(large == 0, 1.0, large)
        result = large * sqrt(ratio * ratio + 1)
    return select((a == math.inf) | (b == math.inf), math.inf, result)


def nextafter(a: Word, b: Word) -> Word:
    """One step in the order of the bits, which is the order of the sizes."""
    bits, away = a.bits(), (a < b) ^ (a < 0)
    moved = select(away, bits + 1, bits - 1).bits()
    smallest = copysign(bits.like(1).bits(), b)
    return select((a != a) | (b != b), a + b, select(a == b, b, select(a == 0, smallest, moved)))


def fmod(a: Word, b: Word) -> Word:
    """The remainder with the sign of `a`, as C has it."""
    if a.dtype.kind != "f":
        return integer_division(a, b)[2]
    return a.emit("frem", b)


def remainder(a: Word, b: Word) -> Word:
    """The remainder with the sign of `b`, as Python has it."""
    if a.dtype.kind != "f":
        return integer_division(a, b)[1]
    rest = fmod(a, b)
    opposite = (rest < 0) ^ (b < 0)
    return select(rest == 0, (b * 0).like(0.0).call("llvm.copysign", b), select(opposite, rest + b, rest))


def floor_divide(a: Word, b: Word) -> Word:
    """The whole number below a / b. Integers by zero give zero, as in NumPy."""
    if a.dtype.kind != "f":
        return integer_division(a, b)[0]
    rest = fmod(a, b)
    opposite = (rest != 0) & ((rest < 0) ^ (b < 0))
    quotient = (a - rest) / b - select(opposite, a.like(1.0), 0.0)
    below = floor(quotient)
    below = select(quotient - below > 0.5, below + 1, below)
    zero = a.like(0.0).call("llvm.copysign", a / b)
    return select(b == 0, a / b, select(quotient == 0, zero, below))


def integer_division(a: Word, b: Word) -> tuple[Word, Word, Word]:
    """Floor quotient, floor remainder and C's remainder; all zero where the divisor is."""
    if a.dtype.kind == "u":
        divisor = select(b == 0, 1, b)
        rest = select(b == 0, 0, a % divisor)
        return select(b == 0, 0, a // divisor), rest, rest
    divisor = select((b == 0) | (b == -1), 1, b)  # the lowest number by -1 would stop the process
    quotient, rest = a // divisor, a % divisor
    down = (rest != 0) & ((rest < 0) ^ (b < 0))
    floored = select(down, quotient - 1, quotient)
    floored = select(b == 0, 0, select(b == -1, -a, floored))
    return floored, select(down, rest + b, rest), rest


def shift_left(a: Word, count: Word) -> Word:
    """Shifts by as many bits as there are, or by a negative number, give zero."""
    fits = fits_in(count, a)
    return select(fits, a << select(fits, count, 0), 0)


def shift_right(a: Word, count: Word) -> Word:
    """Shifts by too many bits leave the sign."""
    return (
        a >> select(fits_in(count, a), count, 8 * a.dtype.itemsize - 1)
        if a.dtype.kind == "i"
        else select(fits_in(count, a), a >> select(fits_in(count, a), count, 0), 0)
    )


def fits_in(count: Word, a: Word) -> Word:
    return (count >= 0) & (count < 8 * a.dtype.itemsize)


def invert(x: Word) -> Word:
    return ~x
