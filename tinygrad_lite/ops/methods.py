"""Hands the operations to `Tensor` as methods and operators: one table, no second definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_lite_kernels.expr import COMPARISONS, OPERATORS, UNARY_OPERATORS

from ..autograd import hooks, sweep
from ..tensor import Tensor
from . import statistics
from .elementwise import OPERATIONS
from .matmul import matmul
from .movement import detach
from .primitive import in_place


def _operator(name: str) -> Callable[..., Any]:
    operation = OPERATIONS[name]
    return lambda a, b: operation(a, b)


def _reversed(name: str) -> Callable[..., Any]:
    operation = OPERATIONS[name]
    return lambda a, b: operation(b, a)


def _in_place(name: str) -> Callable[..., Any]:
    operation = OPERATIONS[name]
    return lambda a, b: in_place(a, lambda x: operation(x, b), f"{name} in place")


def _unary(name: str) -> Callable[..., Any]:
    operation = OPERATIONS[name]
    return lambda a: operation(a)


def install() -> None:
    """Give `Tensor` its operators and methods."""
    for python, name in {**OPERATORS, **COMPARISONS}.items():
        setattr(Tensor, f"__{python}__", _operator(name))
    for python, name in OPERATORS.items():
        setattr(Tensor, f"__r{python}__", _reversed(name))
        setattr(Tensor, f"__i{python}__", _in_place(name))
    for python, name in UNARY_OPERATORS.items():
        setattr(Tensor, f"__{python}__", _unary(name))
    setattr(Tensor, "__matmul__", matmul)  # noqa: B010
    setattr(Tensor, "__rmatmul__", lambda a, b: matmul(b, a))  # noqa: B010
    for name, operation in OPERATIONS.items():
        setattr(Tensor, name, _method(operation))
    for method in (sweep.backward, hooks.register_hook, hooks.retain_grad, detach):
        setattr(Tensor, method.__name__, method)
    for name in ("sum", "prod", "max", "min", "any", "all", "mean", "var", "std"):
        setattr(Tensor, name, getattr(statistics, name))


def _method(operation: Any) -> Callable[..., Any]:
    return lambda x, *others: operation(x, *others)
