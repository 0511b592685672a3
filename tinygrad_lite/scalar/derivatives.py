"""The chain rule, written once.

For every scalar operation, what its output's gradient `g` contributes to the gradient of each of its inputs, as
expressions of `g`, the output `y` and the inputs. The same table differentiates numbers (`Value`), symbols (`gradient`
below) and, position by position, tensors. A contribution of None is zero everywhere.

At kinks: relu'(0) = 0, abs'(0) = 0, ties of maximum and minimum are split in halves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tinygrad_lite_kernels.expr import OPS, Expr, functions, topological

Rule = Callable[..., tuple[Expr | None, ...]]

_f = functions
cos, exp, log, rsqrt, sign, sin, sqrt, square, where = (
    _f[name] for name in "cos exp log rsqrt sign sin sqrt square where".split()
)
LN2, LN10, TWO_OVER_SQRT_PI = 0.6931471805599453, 2.302585092994046, 1.1283791670955126


def _pow(g: Expr, y: Expr, a: Expr, b: Expr) -> tuple[Expr | None, ...]:
    """x**0 has slope 0 everywhere, and 0**b does not move with b where b > 0."""
    if b.op == "constant":
        return (g * (b.value * a ** (b.value - 1)) if b.value else None), None
    base = where(_f["equal"](b, 0), 0, g * b * a ** (b - 1))
    exponent = where(_f["logical_and"](_f["equal"](a, 0), b >= 0), 0, g * y * log(a))
    return base, exponent


def _choose(g: Expr, first: Expr, second: Expr) -> tuple[Expr, Expr]:
    """Ties are halved; so is a comparison with NaN, which neither side wins."""
    half = g * 0.5
    return where(first, g, where(second, 0, half)), where(second, g, where(first, 0, half))


RULES: dict[str, Rule] = {
    "add": lambda g, y, a, b: (g, g),
    "subtract": lambda g, y, a, b: (g, -g),
    "multiply": lambda g, y, a, b: (g * b, g * a),
    "divide": lambda g, y, a, b: (g / b, -g * y / b),
    "pow": _pow,
    "remainder": lambda g, y, a, b: (g, -g * _f["floor"](a / b)),
    "negative": lambda g, y, x: (-g,),
    "abs": lambda g, y, x: (g * sign(x),),
    "square": lambda g, y, x: (g * (2.0 * x),),
    "relu": lambda g, y, x: (where(y <= 0, 0, g),),
    "maximum": lambda g, y, a, b: _choose(g, a > b, a < b),
    "minimum": lambda g, y, a, b: _choose(g, a < b, a > b),
    "where": lambda g, y, c, a, b: (None, where(c, g, 0), where(c, 0, g)),
    "exp": lambda g, y, x: (g * y,),
    "expm1": lambda g, y, x: (g * (y + 1),),
    "log": lambda g, y, x: (g / x,),
    "log1p": lambda g, y, x: (g / (x + 1),),
    "log2": lambda g, y, x: (g / (x * LN2),),
    "log10": lambda g, y, x: (g / (x * LN10),),
    "sqrt": lambda g, y, x: (g * 0.5 / y,),
    "rsqrt": lambda g, y, x: (g * -0.5 * y / x,),
    "sin": lambda g, y, x: (g * cos(x),),
    "cos": lambda g, y, x: (-g * sin(x),),
    "tan": lambda g, y, x: (g * (1 + square(y)),),
    "asin": lambda g, y, x: (g * rsqrt(1 - square(x)),),
    "acos": lambda g, y, x: (-g * rsqrt(1 - square(x)),),
    "atan": lambda g, y, x: (g / (1 + square(x)),),
    "sinh": lambda g, y, x: (g * _f["cosh"](x),),
    "cosh": lambda g, y, x: (g * _f["sinh"](x),),
    "tanh": lambda g, y, x: (g * (1 - square(y)),),
    "asinh": lambda g, y, x: (g * rsqrt(1 + square(x)),),
    "acosh": lambda g, y, x: (g / (sqrt(x - 1) * sqrt(x + 1)),),
    "atanh": lambda g, y, x: (g / (1 - square(x)),),
    "erf": lambda g, y, x: (g * (TWO_OVER_SQRT_PI * exp(-square(x))),),
    "erfc": lambda g, y, x: (g * (-TWO_OVER_SQRT_PI * exp(-square(x))),),
    "sigmoid": lambda g, y, x: (g * (y * (1 - y)),),
    "atan2": lambda g, y, a, b: (g * b / (square(a) + square(b)), -g * a / (square(a) + square(b))),
    "hypot": lambda g, y, a, b: (where(y <= 0, 0, g * a / y), where(y <= 0, 0, g * b / y)),
    "copysign": lambda g, y, a, b: (where(_f["signbit"](a), -g, g) * _f["copysign"](1.0, b), None),
    "nextafter": lambda g, y, a, b: (g, None),
    "cast": lambda g, y, x: (g,),
}

# These are constant between their jumps, or give no real number: no gradient passes.
FLAT = set(OPS) - set(RULES)


def gradient(outputs: Sequence[Expr], seeds: Sequence[Expr], wanted: Sequence[Expr]) -> list[Expr | None]:
    """The gradient of sum(seed * output) with respect to each wanted node; None where nothing depends on it.

    >>> from tinygrad_lite_kernels.expr import constant, inputs
    >>> x, y = inputs(2)
    >>> gradient([x * y], [constant(1.0)], [x, y])
    [x1, x0]
    """
    grads: dict[int, Expr] = {}
    for output, seed in zip(outputs, seeds, strict=True):
        _accumulate(grads, output, seed)
    leads = _leads_to(outputs, wanted)
    targets = {id(x) for x in wanted}
    for node in reversed(topological(outputs)):
        if id(node) in grads and id(node) in leads and id(node) not in targets and node.op in RULES:
            parts = RULES[node.op](grads[id(node)], node, *node.args)
            for argument, part in zip(node.args, parts, strict=True):
                if part is not None and id(argument) in leads:
                    _accumulate(grads, argument, part)
    return [grads.get(id(x)) for x in wanted]


def _accumulate(grads: dict[int, Expr], node: Expr, part: Expr) -> None:
    grads[id(node)] = grads[id(node)] + part if id(node) in grads else part


def _leads_to(outputs: Sequence[Expr], wanted: Sequence[Expr]) -> set[int]:
    """The nodes through which a wanted one is reached: the others need no gradient."""
    found = {id(x) for x in wanted}
    for node in topological(outputs):
        if any(id(a) in found for a in node.args):
            found.add(id(node))
    return found
