"""Copies, conversions and joins by NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .reduce import SUPPORTED, check_array


def copy(a: np.ndarray) -> np.ndarray:
    """The elements in row order in memory of their own. TypeError for other dtypes than numbers and truth values."""
    return np.array(check_array("copy", a), order="C")


def full(shape: tuple[int, ...], value: float, dtype: np.dtype) -> np.ndarray:
    """A new array with one value everywhere."""
    return np.full(shape, value, dtype)


def check_copy_into(out: Any, a: Any) -> np.ndarray:
    """`a` broadcast to the shape of `out`. TypeError where dtypes differ, ValueError where `out` cannot take it."""
    a = check_array("copy_into", a)
    if check_array("copy_into", out, "out").dtype != a.dtype:
        raise TypeError(f"copy_into: the arrays have dtypes {out.dtype} and {a.dtype}; they must agree")
    if not out.flags.writeable:
        raise ValueError("copy_into: the array to write to is read-only; copy it first")
    if a.shape == out.shape:
        return a
    try:
        return np.broadcast_to(a, out.shape)
    except ValueError:
        raise ValueError(f"copy_into: shape {a.shape} does not broadcast to {out.shape}") from None


def copy_into(out: np.ndarray, a: np.ndarray) -> None:
    """Write `a`, broadcast, into `out`, which has its dtype. They may overlap."""
    np.copyto(out, check_copy_into(out, a))


def check_astype(a: Any, dtype: Any) -> tuple[np.ndarray, np.dtype]:
    """The array and the dtype. TypeError where no kernel works on one of them."""
    dtype = np.dtype(dtype)
    if dtype.char not in SUPPORTED or not dtype.isnative:
        raise TypeError(f"astype: the dtype must be one of numbers or truth values, got {dtype.str}")
    return check_array("astype", a), dtype


def astype(a: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The elements in another dtype, in row order. Floats are truncated to integers; not zero is True.

    A float to integer conversion of what does not fit is left to NumPy, whose results differ by machine.

    >>> astype(np.array([1.7, -1.7]), np.dtype(np.int32))
    array([ 1, -1], dtype=int32)
    """
    a, dtype = check_astype(a, dtype)
    with np.errstate(all="ignore"):
        return np.array(a.astype(dtype), order="C")


def concat(arrays: Sequence[np.ndarray], axis: int) -> np.ndarray:
    """The arrays one after another along an existing axis."""
    return np.concatenate(arrays, axis)


def pad(a: np.ndarray, widths: Sequence[tuple[int, int]], value: float = 0.0) -> np.ndarray:
    """`a` with `value` around it: widths[i] elements before and after along axis i.

    ValueError where widths are negative or not one pair for each axis, or the dtype has no such value.

    >>> pad(np.ones(2), [(1, 2)])
    array([0., 1., 1., 0., 0.])
    """
    a = check_array("pad", a)
    if len(widths) != a.ndim or any(before < 0 or after < 0 for before, after in widths):
        raise ValueError(f"pad: widths must be {a.ndim} pairs of numbers that are not negative, got {tuple(widths)}")
    shape = tuple(n + before + after for n, (before, after) in zip(a.shape, widths, strict=True))
    out = np.full(shape, _value(value, a.dtype), a.dtype)
    out[tuple(slice(before, before + n) for n, (before, _) in zip(a.shape, widths, strict=True))] = a
    return out


def _value(value: float, dtype: np.dtype) -> Any:
    try:
        found = dtype.type(value)
        if dtype.kind in "fb" or found == value:
            return found
    except (OverflowError, ValueError):
        pass
    raise ValueError(f"pad: {dtype} has no value {value!r}")


def _triangle(name: str, a: Any) -> np.ndarray:
    if check_array(name, a).ndim < 2:
        raise ValueError(f"{name}: needs at least two axes, got shape {a.shape}")
    return a


def tril(a: np.ndarray, k: int = 0) -> np.ndarray:
    """Zero above the k-th diagonal of the last two axes. ValueError where there are fewer."""
    return np.tril(_triangle("tril", a), k)


def triu(a: np.ndarray, k: int = 0) -> np.ndarray:
    """Zero below the k-th diagonal of the last two axes. ValueError where there are fewer."""
    return np.triu(_triangle("triu", a), k)
