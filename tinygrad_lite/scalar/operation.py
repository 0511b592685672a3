"""One operation on Values as Python code, printed from its entry in the derivative table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_lite_kernels.expr import OPS, Expr, constant, functions, inputs

from .derivatives import RULES
from .numbers import NUMBERS, source

_TEMPLATE = """
def {name}({parameters}):
    {operands}
    v = new(Value)
    v.data = y = {forward}
    v.grad = 0.0
    v.op = {name!r}
    v._uses = 0
    {history}
    return v
"""
_OPERAND = """
    if {0}.__class__ is not Value:
        {0} = Value({0})
    x{1} = {0}.data"""
_HISTORY = """
    v._{0} = {0}
    v._d{0} = {1}"""
_UNARY = "\n    v._b = None"


def symbolic(op: str, g: Expr | None = None) -> tuple[Expr, Expr, list[Expr], Sequence[Expr | None]]:
    """An operation's rule as expressions: (g, y, its inputs, what g contributes to each). Without g, g is an input."""
    seed, y, *xs = inputs(OPS[op].arity + 2)
    g = seed if g is None else g
    rule = RULES.get(op)
    return g, y, xs, rule(g, y, *xs) if rule else [None] * len(xs)


def printed(name: str, cls: type, constants: Sequence[int] = ()) -> Callable[..., Any]:
    """The operation as a function of one or two Values. Arguments in `constants` get no derivative."""
    _, y, xs, parts = symbolic(name, constant(1.0))
    parameters = "ab"[: len(xs)]
    names = {id(y): "y"} | {id(x): f"x{i}" for i, x in enumerate(xs)}
    partials = ["0.0" if p is None or i in constants else source(p, names) for i, p in enumerate(parts)]
    history = "".join(_HISTORY.format(p, d) for p, d in zip(parameters, partials, strict=True))
    text = _TEMPLATE.format(
        name=name,
        parameters=", ".join(parameters),
        operands="".join(_OPERAND.format(p, i) for i, p in enumerate(parameters)),
        forward=source(functions[name](*xs), names),
        history=history + _UNARY * (len(xs) == 1),
    )
    scope: dict[str, Any] = {"Value": cls, "new": cls.__new__, "NUMBERS": NUMBERS}
    exec(text, scope)
    return scope[name]
