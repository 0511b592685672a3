"""Scalar functions for every kind of argument: a Value is recorded, a traced value becomes part of the expression, a
number is computed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from tinygrad_lite_kernels.expr import OPS, Expr
from tinygrad_lite_kernels.expr import functions as traced

from .numbers import NUMBERS
from .value import Value
from .value import call as record


def unnamed(count: int) -> inspect.Signature:
    """The signature of a function of `count` numbers."""
    return inspect.Signature([inspect.Parameter(f"x{i}", inspect.Parameter.POSITIONAL_ONLY) for i in range(count)])


_PLAIN = {float, int, bool}


def _function(name: str) -> Callable[..., Any]:
    number, arity = NUMBERS[name], OPS[name].arity
    special = {Expr: traced[name], Value: partial(record, name)}

    def call(*args: Any) -> Any:
        if len(args) != arity:
            raise TypeError(f"{name} takes {arity} arguments, got {len(args)}")
        for a in args:
            if a.__class__ in special:
                return special[a.__class__](*args)
        return number(*args) if _PLAIN.issuperset(map(type, args)) else _on_others(name, args)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"The operation {name!r} of Values, traced values, numbers, tensors and arrays."
    call.__signature__ = unnamed(arity)  # type: ignore[attr-defined]
    return call


def _on_others(name: str, args: tuple[Any, ...]) -> Any:
    if any(hasattr(a, "__array_namespace__") or hasattr(a, "dtype") for a in args):
        return _on_arrays(name, args)
    if all(hasattr(a, "__float__") for a in args):
        return NUMBERS[name](*args)
    got = ", ".join(a.__class__.__name__ for a in args)
    raise TypeError(f"{name} takes numbers, Values, traced values, tensors and arrays, got {got}")


def _on_arrays(name: str, args: tuple[Any, ...]) -> Any:
    """Tensors stay tensors (and are recorded); NumPy's arrays go through the reference."""
    from tinygrad_lite_kernels.reference.elementwise import function

    from .. import ops  # noqa: F401
    from ..ops.elementwise import OPERATIONS
    from ..tensor import Tensor

    return OPERATIONS[name](*args) if any(isinstance(a, Tensor) for a in args) else function(name)(*args)


FUNCTIONS: dict[str, Callable[..., Any]] = {name: _function(name) for name in NUMBERS}
