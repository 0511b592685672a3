"""Running sums and products by NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from .reduce import check_array, check_axis

OPERATIONS: dict[str, Any] = {"sum": np.cumsum, "prod": np.cumprod}


def check_cumulative(name: str, a: Any, axis: int) -> np.ndarray:
    """What `cumulative` demands of its arguments; `a` as a plain array."""
    if name not in OPERATIONS:
        raise ValueError(f"cumulative: the operation must be one of {', '.join(OPERATIONS)}, got {name!r}")
    a = check_array(f"cumulative_{name}", a)
    check_axis(f"cumulative_{name}", a, axis)
    return a


def cumulative(name: str, a: np.ndarray, axis: int) -> np.ndarray:
    """The running "sum" or "prod" along an axis. Of integers and truth values in 64 bits; floats keep their dtype.

    Element after element, so that rounding is that of a plain loop. ValueError where there is no such axis, TypeError
    for other dtypes.

    >>> cumulative("sum", np.array([[1, 2, 3]]), 1)
    array([[1, 3, 6]])
    """
    a = check_cumulative(name, a, axis)
    with np.errstate(all="ignore"):
        return OPERATIONS[name](a, axis=axis)
