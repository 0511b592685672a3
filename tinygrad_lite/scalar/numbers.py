"""The scalar operations on plain Python floats. Where Python raises, these give what IEEE arithmetic gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tinygrad_lite_kernels.expr import OPS, Expr, topological

INF, NAN = math.inf, math.nan


def _edge(function: Callable[..., float], otherwise: Callable[..., float]) -> Callable[..., float]:
    """The function; where Python raises an error instead of giving infinity or NaN, `otherwise`."""

    def call(*args: float) -> float:
        try:
            return function(*args)
        except (ValueError, OverflowError, ZeroDivisionError):
            return otherwise(*args)

    return call


def _nan(*_: float) -> float:
    return NAN


def _divide(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        return NAN if a == 0 or a != a else math.copysign(INF, a) * math.copysign(1.0, b)


def _log_edge(x: float) -> float:
    return -INF if x == 0 else NAN


def _power(a: float, b: float) -> float:
    try:
        result = a**b
    except (OverflowError, ZeroDivisionError):
        odd = b % 2 == 1
        negative = math.copysign(1.0, a) < 0
        return -INF if odd and negative else INF
    return NAN if result.__class__ is complex else result


def _sigmoid(x: float) -> float:
    small = math.exp(-abs(x))
    return (small if x < 0 else 1.0) / (1.0 + small)


def _maximum(a: float, b: float) -> float:
    return a if a > b or a != a else b


def _minimum(a: float, b: float) -> float:
    return a if a < b or a != a else b


def _whole(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: float(function(x)) if math.isfinite(x) else x


def _sinh_edge(x: float) -> float:
    return math.copysign(INF, x)


NUMBERS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
    "divide": _divide, "pow": _power,
    "negative": lambda x: -x, "abs": abs, "square": lambda x: x * x, "relu": lambda x: 0.0 if x <= 0 else x,
    "sign": lambda x: math.copysign(1.0, x) if x == x and x != 0 else x,
    "maximum": _maximum, "minimum": _minimum, "hypot": math.hypot, "copysign": math.copysign, "atan2": math.atan2,
    "nextafter": math.nextafter,
    "remainder": _edge(lambda a, b: a % b, _nan), "floor_divide": _edge(lambda a, b: a // b, _divide),
    "exp": _edge(math.exp, lambda x: INF), "expm1": _edge(math.expm1, lambda x: INF),
    "log": _edge(math.log, _log_edge), "log2": _edge(math.log2, _log_edge), "log10": _edge(math.log10, _log_edge),
    "log1p": _edge(math.log1p, lambda x: -INF if x == -1 else NAN),
    "sqrt": _edge(math.sqrt, _nan), "rsqrt": _edge(lambda x: 1 / math.sqrt(x), lambda x: INF if x == 0 else NAN),
    "sin": _edge(math.sin, _nan), "cos": _edge(math.cos, _nan), "tan": _edge(math.tan, _nan),
    "asin": _edge(math.asin, _nan), "acos": _edge(math.acos, _nan), "atan": math.atan,
    "sinh": _edge(math.sinh, _sinh_edge), "cosh": _edge(math.cosh, lambda x: INF), "tanh": math.tanh,
    "asinh": math.asinh, "acosh": _edge(math.acosh, _nan),
    "atanh": _edge(math.atanh, lambda x: math.copysign(INF, x) if abs(x) == 1 else NAN),
    "erf": math.erf, "erfc": math.erfc, "sigmoid": _sigmoid,
    "floor": _whole(math.floor), "ceil": _whole(math.ceil), "trunc": _whole(math.trunc), "round": _whole(round),
    "isnan": math.isnan, "isinf": math.isinf, "isfinite": math.isfinite, "signbit": lambda x: math.copysign(1.0, x) < 0,
    "equal": lambda a, b: a == b, "not_equal": lambda a, b: a != b, "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b, "greater": lambda a, b: a > b, "greater_equal": lambda a, b: a >= b,
    "logical_and": lambda a, b: bool(a) and bool(b), "logical_or": lambda a, b: bool(a) or bool(b),
    "logical_xor": lambda a, b: bool(a) != bool(b), "logical_not": lambda x: not x,
    "where": lambda c, a, b: a if c else b,
}  # fmt: skip

# Operations that read better, and run faster, as Python's own syntax
SYNTAX = {
    "add": "({0} + {1})", "subtract": "({0} - {1})", "multiply": "({0} * {1})", "negative": "(-{0})",
    "square": "({0} * {0})", "relu": "(0.0 if {0} <= 0 else {0})", "where": "({1} if {0} else {2})",
    "equal": "({0} == {1})", "not_equal": "({0} != {1})", "less": "({0} < {1})", "less_equal": "({0} <= {1})",
    "greater": "({0} > {1})", "greater_equal": "({0} >= {1})", "logical_and": "({0} and {1})",
    "logical_not": "(not {0})",
}  # fmt: skip


def source(expression: Expr, names: dict[int, str]) -> str:
    """The expression as Python text on floats; `names` tells what its inputs (by `id`) are called."""
    text = dict(names)
    for node in topological([expression]):
        if id(node) not in text:
            args = [text[id(a)] for a in node.args]
            if node.op == "constant":
                text[id(node)] = repr(node.value)
            else:
                text[id(node)] = SYNTAX.get(node.op, f"NUMBERS[{node.op!r}]({', '.join(args)})").format(*args)
    return text[id(expression)]


def evaluate(expression: Expr, values: dict[int, Any], call: Callable[..., Any]) -> Any:
    """The expression with its inputs (by `id`) replaced by values, computed by `call(operation, *values)`."""
    known = dict(values)
    for node in topological([expression]):
        if id(node) not in known:
            is_constant = node.op == "constant"
            known[id(node)] = node.value if is_constant else call(node.op, *(known[id(a)] for a in node.args))
    return known[id(expression)]


UNKNOWN = set(OPS) - set(NUMBERS)  # operations on bits, which floats do not have
