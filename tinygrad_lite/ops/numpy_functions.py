"""NumPy's functions on tensors. Those that tensors have under the same rules keep gradients; the others give arrays."""

from __future__ import annotations

from typing import Any

from tinygrad_lite_kernels.expr import UFUNC_NAMES

from ..tensor import Tensor
from . import axes, composed, linalg, manipulation, movement, scans, sorting, statistics
from .einsum import einsum
from .elementwise import OPERATIONS
from .indexing import take, take_along_axis

UFUNCS: dict[str, Any] = {
    **OPERATIONS, "matmul": linalg.matmul, "vecdot": linalg.vecdot, "logaddexp": composed.logaddexp,
    "positive": composed.positive, "reciprocal": composed.reciprocal, "conjugate": composed.conj,
}  # fmt: skip
SAME: dict[Any, str] = {
    statistics: "sum prod max min mean any all",
    sorting: "argmax argmin sort argsort nonzero",
    axes: "expand_dims squeeze ravel flip moveaxis swapaxes transpose matrix_transpose",
    manipulation: "broadcast_arrays concat stack repeat tile roll unstack tril triu",
    movement: "broadcast_to permute_dims",
    scans: "cumulative_sum cumulative_prod diff",
    linalg: "tensordot outer",
    composed: "isclose allclose",
}


def _where(condition: Any, *others: Any) -> Any:
    return OPERATIONS["where"](condition, *others) if others else sorting.nonzero(condition)


FUNCTIONS = {name: getattr(home, name) for home, names in SAME.items() for name in names.split()}
FUNCTIONS |= {
    "amax": statistics.max, "amin": statistics.min, "concatenate": manipulation.concat, "where": _where,
    "einsum": einsum, "take": take, "take_along_axis": take_along_axis, "reshape": movement.reshape,
    "clip": composed.clip, "round": OPERATIONS["round"],
}  # fmt: skip


def ufunc(x: Tensor, function: Any, method: str, *args: Any, **options: Any) -> Any:
    """For `numpy.exp(tensor)`: our operation of that name."""
    name = UFUNC_NAMES.get(function.__name__, function.__name__)
    if method != "__call__" or options or name not in UFUNCS:
        how = "" if method == "__call__" else f".{method}"
        given = f" with {', '.join(options)}" if options else ""
        raise TypeError(
            f"numpy.{function.__name__}{how}{given} does not take tensors; use .detach().numpy() for the values"
        )
    return UFUNCS[name](*args)


def function(x: Tensor, function: Any, types: Any, args: Any, options: Any) -> Any:
    """For `numpy.sum(tensor)`: our function where it has the same rules, else NumPy's, on arrays."""
    own = FUNCTIONS.get(function.__name__) if function.__module__ == "numpy" else None
    if own is not None:
        return own(*args, **options)
    return function(*_arrays(args), **{name: _arrays(value) for name, value in options.items()})


def _arrays(value: Any) -> Any:
    """Tensors as arrays, also inside lists and tuples. RuntimeError where one requires a gradient."""
    if isinstance(value, Tensor):
        return value.numpy()
    return type(value)(_arrays(v) for v in value) if type(value) in (list, tuple) else value
