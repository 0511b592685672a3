"""From a plain Python function to expressions, and from there to those of its derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import Expr, constant

from .derivatives import gradient

Nested = Any  # an Expr, or tuples of Nested


def trace(function: Callable[..., Any], arguments: Sequence[Any]) -> Nested:
    """What the function gives for symbolic arguments: an expression, or (nested) tuples of them."""
    result = function(*arguments)
    return _checked(function, result)


def _checked(function: Callable[..., Any], result: Any) -> Nested:
    if isinstance(result, np.ndarray):
        result = result.tolist()
    if isinstance(result, (tuple, list)):
        return tuple(_checked(function, r) for r in result)
    if result is None:
        raise TypeError(f"{getattr(function, '__name__', 'the function')} returned None; it must return a value")
    return constant(result)


def leaves(nested: Nested) -> list[Any]:
    """The values of nested tuples, in order."""
    if isinstance(nested, tuple):
        return [x for part in nested for x in leaves(part)]
    return [nested]


def like(nested: Nested, values: Sequence[Any]) -> Any:
    """The values in the structure of `nested`."""
    rest = iter(values)

    def build(part: Nested) -> Any:
        return tuple(build(p) for p in part) if isinstance(part, tuple) else next(rest)

    return build(nested)


def partials(output: Expr, wanted: Sequence[Expr]) -> tuple[Expr, ...]:
    """The derivative of one expression with respect to each of others, the constant 0 where there is none."""
    found = gradient([output], [constant(1.0)], wanted)
    return tuple(constant(0.0) if d is None else d for d in found)


def one(name: str, nested: Nested) -> Expr:
    """The only output of a function that must have one."""
    if isinstance(nested, tuple):
        raise TypeError(f"{name}: the function must return one number, it returned {len(nested)}; use scalar.jacobian")
    return nested
