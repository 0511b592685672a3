"""Reductions by NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

OPERATIONS = ("sum", "prod", "max", "min", "any", "all")
ARGUMENTS = ("argmax", "argmin")
SUPPORTED = "?bhilqBHILQfd"


def check_array(name: str, a: Any, argument: str = "a") -> np.ndarray:
    """`a` as a plain array. TypeError where it is none, or of a dtype that no kernel works on."""
    if isinstance(a, np.ndarray) and a.dtype.char in SUPPORTED and a.dtype.isnative:
        return np.asarray(a)
    came = f"dtype {a.dtype.str}" if isinstance(a, np.ndarray) else type(a).__name__
    raise TypeError(
        f"{name}: {argument} must be a NumPy array of numbers or truth values, got {came}; convert it first"
    )


def check_axis(name: str, a: np.ndarray, axis: int) -> int:
    """The axis counted from 0. ValueError where there is no such axis."""
    if not -a.ndim <= axis < a.ndim:
        raise ValueError(f"{name}: axis {axis} is out of range for an array of shape {a.shape}")
    return axis % a.ndim


def check_reduce(name: str, a: Any, axes: tuple[int, ...]) -> np.ndarray:
    """What `reduce` demands of its arguments; `a` as a plain array."""
    if name not in OPERATIONS:
        raise ValueError(f"reduce: the operation must be one of {', '.join(OPERATIONS)}, got {name!r}")
    a = check_array(name, a)
    if list(axes) != sorted({check_axis(name, a, axis) for axis in axes}):
        raise ValueError(f"{name}: axes must be different, counted from 0 and in order, got {axes}")
    if name in ("max", "min") and any(a.shape[axis] == 0 for axis in axes):
        raise ValueError(f"{name}: cannot reduce an empty axis; the shape is {a.shape}, the axes are {axes}")
    return a


def check_argreduce(name: str, a: Any, axis: int | None) -> np.ndarray:
    """What `argreduce` demands of its arguments; `a` as a plain array."""
    if name not in ARGUMENTS:
        raise ValueError(f"argreduce: the operation must be one of {', '.join(ARGUMENTS)}, got {name!r}")
    a = check_array(name, a)
    if (a.size if axis is None else a.shape[check_axis(name, a, axis)]) == 0:
        raise ValueError(f"{name}: cannot reduce an empty axis; the shape is {a.shape}, the axis is {axis}")
    return a


def reduce(name: str, a: np.ndarray, axes: tuple[int, ...], keepdims: bool = False) -> np.ndarray:
    """sum, prod, max, min, any or all over `axes` (sorted, from 0; none of them leaves every element alone).

    Sums and products of integers and truth values have 64 bits, any and all are truth values, the rest keeps its dtype.
    NaN wins in max and min and is true in any and all. Of nothing, sum is 0, prod 1, any False and all True; max and
    min raise ValueError. TypeError for other dtypes.

    >>> reduce("sum", np.ones((2, 3), np.float32), (1,))
    array([3., 3.], dtype=float32)
    """
    a = check_reduce(name, a, axes)
    # NumPy's sums of float32 lose digits unless they run along the innermost axis: 2e7 ones can give 2**24.
    options = {"dtype": np.float64} if name == "sum" and a.dtype == np.float32 else {}
    with np.errstate(all="ignore"):
        result = np.array(getattr(np, name)(a, axis=axes, keepdims=keepdims, **options))
        return result.astype(a.dtype) if options else result


def argreduce(name: str, a: np.ndarray, axis: int | None, keepdims: bool = False) -> np.ndarray:
    """argmax or argmin along an axis (None: of all elements in row order), as int64.

    The first of equal ones, or the first NaN where there is one. ValueError where the axis is empty.

    >>> argreduce("argmax", np.array([[1, 5, 5], [7, 0, 0]]), 1)
    array([1, 0])
    """
    a = check_argreduce(name, a, axis)
    return np.array(getattr(np, name)(a, axis=axis, keepdims=keepdims), np.int64)
