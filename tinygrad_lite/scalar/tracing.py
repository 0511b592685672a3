"""From a plain Python function to expressions, and from there to those of its derivatives."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import Expr, constant

from .derivatives import gradient
from .functions import unnamed

Nested = Any  # an Expr, or tuples of Nested


def plain(function: Any) -> Callable[..., Any]:
    """The Python function behind one that Numba has compiled; any other as it is."""
    return getattr(function, "py_func", function)


def signature(function: Callable[..., Any]) -> inspect.Signature:
    """The parameters of a function that are traced: numbers with a name and a place. Options, whose default is no
    number, and what comes after them keep their defaults."""
    if isinstance(function, np.ufunc):
        return unnamed(function.nin)
    kept = []
    for p in inspect.signature(function).parameters.values():
        if p.kind in _PLACED and (p.default is p.empty or type(p.default) in (int, float)):
            kept.append(p)
        elif p.default is p.empty:
            name = getattr(function, "__name__", "the function")
            raise TypeError(f"{name}: give every argument a name and a place; {p} cannot be traced")
        else:
            break
    return inspect.Signature(kept)


_PLACED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def positions(argnums: int | Sequence[int] | None, count: int) -> list[int]:
    """The numbers of the chosen arguments (all for None), negative ones counted from the end."""
    try:
        numbers = range(count) if argnums is None else np.atleast_1d(argnums).tolist()
        return [range(count)[n] for n in numbers]
    except (IndexError, TypeError):
        raise ValueError(f"argnums: there is no argument {argnums}; the function takes {count}") from None


def trace(function: Callable[..., Any], arguments: Sequence[Any]) -> Nested:
    """What the function gives for symbolic arguments: an expression, or (nested) tuples of them."""
    try:
        result = function(*arguments)
    except Exception as error:
        if error.__class__.__module__.startswith("numba"):
            raise TypeError(
                f"{getattr(function, '__name__', 'the function')} calls a function that Numba has compiled, which "
                "cannot take traced values; call its .py_func instead"
            ) from None
        raise
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
