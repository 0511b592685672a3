"""Hands the operations to `Tensor` as methods and operators: one table, no second definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import COMPARISONS, OPERATORS, UNARY_OPERATORS, Expr

from .. import interchange
from ..autograd import hooks, sweep
from ..tensor import Tensor
from . import axes, composed, indexing, linalg, manipulation, movement, scans, sorting, statistics, views
from .elementwise import OPERATIONS, Elementwise

METHODS: dict[Any, str] = {
    statistics: "sum prod max min any all mean var std logsumexp softmax log_softmax",
    axes: "expand_dims squeeze flatten ravel flip moveaxis swapaxes transpose matrix_transpose",
    manipulation: "repeat tile roll split unstack pad tril triu astype clone contiguous",
    movement: "reshape permute_dims broadcast_to detach to_device",
    indexing: "take take_along_axis gather scatter_add",
    scans: "cumulative_sum cumulative_prod diff",
    sorting: "sort argsort topk argmax argmin nonzero count_nonzero searchsorted",
    linalg: "matmul dot outer tensordot vecdot diagonal trace norm",
    composed: "clip logaddexp xlogy reciprocal positive isclose allclose",
    hooks: "register_hook retain_grad",
    sweep: "backward",
}
# What PyTorch's and NumPy's users also write
ALIASES = {
    "unsqueeze": "expand_dims", "view": "reshape", "permute": "permute_dims", "expand": "broadcast_to", "clamp": "clip",
    "cumsum": "cumulative_sum", "cumprod": "cumulative_prod", "mm": "matmul", "absolute": "abs", "neg": "negative",
    "sub": "subtract", "mul": "multiply", "div": "divide",
}  # fmt: skip
SHAPED = ("reshape", "view", "permute_dims", "permute", "broadcast_to", "expand", "tile")
IN_PLACE = (
    "add subtract sub multiply mul divide div pow clip clamp negative neg relu exp expm1 log sqrt rsqrt square "
    "reciprocal abs sigmoid tanh sin cos floor ceil round"
).split()


OPERANDS = (Tensor, bool, int, float, np.generic, np.ndarray, list, tuple, Expr)


def _known(x: Any) -> bool:
    """Whether operators take it; of the others (None, text, ...) Python asks whether they know tensors."""
    return isinstance(x, OPERANDS) or hasattr(x, "__array__") or hasattr(x, "__dlpack__")


def _operator(operation: Any) -> Callable[..., Any]:
    return lambda a, b: operation(a, b) if b.__class__ is Tensor or _known(b) else NotImplemented


def _reversed(operation: Any) -> Callable[..., Any]:
    return lambda a, b: operation(b, a) if _known(b) else NotImplemented


def _method(operation: Any) -> Callable[..., Any]:
    return lambda x, *others, **options: operation(x, *others, **options)


def _changed(name: str, operation: Any) -> Callable[..., Any]:
    """x += y."""
    change = _in_place(name, operation)
    return lambda a, b: change(a, b) if _known(b) else NotImplemented


def _in_place(name: str, operation: Any) -> Callable[..., Any]:
    return lambda x, *others: views.change(x, lambda before: operation(before, *others), f"{name} in place")


def _sizes(function: Any) -> Callable[..., Any]:
    """x.reshape(2, 3) as well as x.reshape((2, 3))."""

    def method(x: Any, *sizes: Any, **options: Any) -> Any:
        one = len(sizes) == 1 and not isinstance(sizes[0], int)
        return function(x, *(sizes if one or not sizes else [sizes]), **options)

    return method


def _table() -> dict[str, Callable[..., Any]]:
    """Every method by name."""
    found = {name: getattr(home, name) for home, names in METHODS.items() for name in names.split()}
    found |= {name: _method(f) for name, f in {**found, **OPERATIONS}.items() if isinstance(f, Elementwise)}
    found |= {other: found[name] for other, name in ALIASES.items()}
    found |= {f"{name}_": _in_place(name, found[name]) for name in IN_PLACE}
    found |= {name: _sizes(found[name]) for name in SHAPED}
    found |= interchange.METHODS
    return found | {"__getitem__": views.getitem, "__setitem__": views.setitem}


def _operators() -> dict[str, Callable[..., Any]]:
    """Every operator by its Python name."""
    found = {f"__{p}__": _operator(OPERATIONS[name]) for p, name in {**OPERATORS, **COMPARISONS}.items()}
    found |= {f"__r{p}__": _reversed(OPERATIONS[name]) for p, name in OPERATORS.items()}
    found |= {f"__i{p}__": _changed(name, OPERATIONS[name]) for p, name in OPERATORS.items()}
    found |= {f"__{p}__": _method(OPERATIONS[name]) for p, name in UNARY_OPERATORS.items()}
    found |= {"__matmul__": _operator(linalg.matmul), "__rmatmul__": _reversed(linalg.matmul)}
    return found | {"__imatmul__": _changed("matmul", linalg.matmul), "__pos__": composed.positive}


def install() -> None:
    """Give `Tensor` its operators, methods and properties."""
    for name, method in {**_table(), **_operators()}.items():
        setattr(Tensor, name, method)
    setattr(Tensor, "T", property(axes.transpose))  # noqa: B010
    setattr(Tensor, "mT", property(axes.matrix_transpose))  # noqa: B010
