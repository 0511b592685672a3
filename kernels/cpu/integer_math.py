"""Functions of integers. Where mathematics has no answer, the result is NumPy's: division by zero gives 0."""

from __future__ import annotations

from ..intrinsics import select
from ..native import helper


@helper
def abs(x):
    return select(x < x * 0, -x, x)


@helper
def sign(x):
    return (x > 0) * 1 - (x < 0) * 1


@helper
def same(x):
    return x


@helper
def never(x):
    return False


@helper
def always(x):
    return True


@helper
def negative(x):
    return x < 0


@helper
def maximum(a, b):
    return select(a > b, a, b)


@helper
def minimum(a, b):
    return select(a < b, a, b)


@helper
def floor_divide(a, b):
    if b == 0:
        return a * 0
    if b + 1 == 0:  # the quotient of the smallest integer and -1 would trap
        return a * b
    return a // b


@helper
def remainder(a, b):
    if b == 0 or b + 1 == 0:
        return a * 0
    return a % b


@helper
def pow(a, b):
    """By squaring. A negative exponent gives what truncates to an integer: 1, -1 or 0."""
    if b < 0:
        return a ** (b & 1) if a == 1 or a + 1 == 0 else a * 0
    result, base, left = a * 0 + 1, a, b
    while left > 0:
        if left & 1:
            result *= base
        base *= base
        left >>= 1
    return result


@helper
def bitwise_invert(x):
    return ~x


@helper
def bitwise_left_shift(a, b):
    return a << b if 0 <= b < 64 else a * 0


@helper
def bitwise_right_shift(a, b):
    return a >> (b if 0 <= b < 64 else b * 0 + 63)


FUNCTIONS = {
    "abs": abs, "sign": sign, "floor": same, "ceil": same, "trunc": same, "round": same, "isnan": never, "isinf": never,
    "isfinite": always, "signbit": negative, "maximum": maximum, "minimum": minimum, "floor_divide": floor_divide,
    "remainder": remainder, "pow": pow, "bitwise_invert": bitwise_invert, "bitwise_left_shift": bitwise_left_shift,
    "bitwise_right_shift": bitwise_right_shift,
}  # fmt: skip
