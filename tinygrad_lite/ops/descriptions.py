"""What each elementwise operation does, in a line, for `help` and for tools that read signatures."""

from __future__ import annotations

import inspect

from tinygrad_lite_kernels.expr import FLOATING, OPS

from .composed import logaddexp, reciprocal, xlogy
from .elementwise import OPERATIONS, Elementwise

DESCRIPTIONS: dict[str, str] = {
    "abs": "the size without the sign; its gradient at 0 is 0",
    "acos": "the angle in [0, pi] whose cosine is x; NaN outside [-1, 1]",
    "acosh": "the number >= 0 whose hyperbolic cosine is x; NaN below 1",
    "add": "x1 + x2",
    "asin": "the angle in [-pi/2, pi/2] whose sine is x; NaN outside [-1, 1]",
    "asinh": "the number whose hyperbolic sine is x",
    "atan": "the angle in [-pi/2, pi/2] whose tangent is x",
    "atan2": "the angle in [-pi, pi] of the point with height x1 and width x2",
    "atanh": "the number whose hyperbolic tangent is x; NaN outside [-1, 1]",
    "bitwise_and": "the bits that both have; of truth values, whether both are true",
    "bitwise_invert": "the other bits; of truth values, the other one",
    "bitwise_left_shift": "the bits moved up by x2 places",
    "bitwise_or": "the bits that either has; of truth values, whether one is true",
    "bitwise_right_shift": "the bits moved down by x2 places, with copies of the sign",
    "bitwise_xor": "the bits that just one has; of truth values, whether they differ",
    "ceil": "the next integer upwards",
    "copysign": "x1 with the sign of x2",
    "cos": "the cosine of an angle in radians",
    "cosh": "the hyperbolic cosine",
    "divide": "x1 / x2; of integers too, in the default float",
    "equal": "whether x1 == x2; NaN equals nothing",
    "erf": "the error function, 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x",
    "erfc": "1 - erf(x), without loss for large x",
    "exp": "e to the power x",
    "expm1": "exp(x) - 1, without loss for small x",
    "floor": "the next integer downwards",
    "floor_divide": "x1 / x2 rounded down",
    "greater": "whether x1 > x2",
    "greater_equal": "whether x1 >= x2",
    "hypot": "sqrt(x1 * x1 + x2 * x2), without overflow",
    "isfinite": "whether x is neither NaN nor an infinity",
    "isinf": "whether x is an infinity",
    "isnan": "whether x is NaN",
    "less": "whether x1 < x2",
    "less_equal": "whether x1 <= x2",
    "log": "the natural logarithm; NaN below 0",
    "log10": "the logarithm to base 10",
    "log1p": "log(1 + x), without loss for small x",
    "log2": "the logarithm to base 2",
    "logaddexp": "log(exp(x1) + exp(x2)), without overflow",
    "logical_and": "whether both are not zero",
    "logical_not": "whether x is zero",
    "logical_or": "whether one is not zero",
    "logical_xor": "whether just one is not zero",
    "maximum": "the larger of the two, NaN if one is; equal ones share the gradient",
    "minimum": "the smaller of the two, NaN if one is; equal ones share the gradient",
    "multiply": "x1 * x2",
    "negative": "-x",
    "nextafter": "the next float from x1 towards x2; the gradient goes to x1",
    "not_equal": "whether x1 != x2",
    "pow": "x1 to the power x2",
    "reciprocal": "1 / x",
    "relu": "x where it is positive, else 0; its gradient at 0 is 0",
    "remainder": "what is left of x1 after floor_divide; it has the sign of x2",
    "round": "the nearest integer, the even one of two",
    "rsqrt": "1 / sqrt(x)",
    "sigmoid": "1 / (1 + exp(-x))",
    "sign": "-1, 0 or 1; NaN stays",
    "signbit": "whether the sign is minus; -0.0 has one",
    "sin": "the sine of an angle in radians",
    "sinh": "the hyperbolic sine",
    "sqrt": "the square root; NaN below 0",
    "square": "x * x",
    "subtract": "x1 - x2",
    "tan": "the tangent of an angle in radians",
    "tanh": "the hyperbolic tangent",
    "trunc": "the next integer towards 0",
    "where": "x1 where the condition is not zero, else x2",
    "xlogy": "x1 * log(x2), and 0 where x1 is 0",
}
PARAMETERS = {1: ("x",), 2: ("x1", "x2"), 3: ("condition", "x1", "x2")}


def describe() -> None:
    """Give the operations a name, a docstring and a signature."""
    for operation in (*OPERATIONS.values(), logaddexp, reciprocal, xlogy):
        _describe(operation, PARAMETERS[operation.count])


def _describe(operation: Elementwise, parameters: tuple[str, ...]) -> None:
    name = operation.name
    lines = [f"{name}({', '.join(parameters)}): {DESCRIPTIONS[name]}.", "", "At every position, as a new tensor."]
    if len(parameters) > 1:
        lines.append("The arguments broadcast (ValueError where they do not), and their dtypes are promoted.")
    if name in OPS and OPS[name].result == "bool":
        lines.append("The result holds truth values.")
    if name in FLOATING:
        lines.append("Integers become the default float.")
    if name.startswith("bitwise"):
        lines.append("For integers and truth values; TypeError for floats.")
    kind = inspect.Parameter.POSITIONAL_ONLY
    operation.__dict__.update(
        __name__=name,
        __doc__="\n".join(lines),
        __signature__=inspect.Signature([inspect.Parameter(p, kind) for p in parameters]),
    )
