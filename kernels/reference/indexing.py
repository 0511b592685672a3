"""Gather and scatter by NumPy. `indices` are integer arrays, broadcast together, for the first axes of an array."""

from __future__ import annotations

from typing import Any

import numpy as np

from .reduce import check_array

Indices = tuple[np.ndarray, ...]


def check_indices(name: str, shape: tuple[int, ...], indices: Indices) -> Indices:
    """The indices counted from 0, as int64.

    IndexError where one is out of range, where they do not broadcast together or are more than there are axes;
    TypeError where they are not integers.
    """
    if len(indices) > len(shape):
        raise IndexError(f"{name}: {len(indices)} index arrays are too many for an array of shape {shape}")
    found = tuple(_from_zero(name, axis, shape[axis], index) for axis, index in enumerate(indices))
    try:
        np.broadcast_shapes(*(index.shape for index in found))
    except ValueError:
        shapes = ", ".join(str(index.shape) for index in found)
        raise IndexError(f"{name}: index arrays of shapes {shapes} do not broadcast together") from None
    return found


def _from_zero(name: str, axis: int, size: int, index: np.ndarray) -> np.ndarray:
    if not isinstance(index, np.ndarray) or index.dtype.kind not in "iu":
        came = getattr(index, "dtype", type(index).__name__)
        raise TypeError(f"{name}: indices must be arrays of integers, those of axis {axis} are {came}")
    if index.size and not (-size <= index.min() and index.max() < size):
        bad = int(index.max()) if index.max() >= size else int(index.min())
        raise IndexError(f"{name}: index {bad} is out of range for axis {axis} with size {size}")
    index = index.astype(np.int64, copy=False)
    return np.where(index < 0, index + size, index)


def check_written(name: str, out: Any, indices: Indices, values: Any) -> np.ndarray:
    """The values broadcast to the shape of out[indices], for indices that `check_indices` gave.

    TypeError where the dtypes differ, ValueError where the shapes do not fit or `out` is read-only.
    """
    values = check_array(name, values, "values")
    if values.dtype != out.dtype:
        raise TypeError(f"{name}: values of dtype {values.dtype} do not go into {out.dtype}; convert them first")
    if not out.flags.writeable:
        raise ValueError(f"{name}: the array to write to is read-only; copy it first")
    shape = np.broadcast_shapes(*(index.shape for index in indices)) + out.shape[len(indices) :]
    try:
        return np.broadcast_to(values, shape)
    except ValueError:
        raise ValueError(f"{name}: values of shape {values.shape} do not broadcast to {shape}") from None


def gather(a: np.ndarray, indices: Indices) -> np.ndarray:
    """a[indices]: shape broadcast(indices) + the axes of `a` that are not indexed.

    IndexError where an index is out of range (negative ones count from the end), TypeError for other dtypes.

    >>> gather(np.array([[1, 2], [3, 4]]), (np.array([1, -1]),))
    array([[3, 4],
           [3, 4]])
    """
    a = check_array("gather", a)
    return np.array(a[check_indices("gather", a.shape, indices)])


def gather_add(out: np.ndarray, indices: Indices, values: np.ndarray) -> None:
    """out[indices] += values in place, where repeated indices accumulate: the adjoint of `gather`.

    values: of the dtype of `out`, broadcast. Errors as in `gather`, and ValueError where `out` cannot be written.

    >>> out = np.zeros(2)
    >>> gather_add(out, (np.array([0, 1, 1]),), np.ones(3))
    >>> out
    array([1., 2.])
    """
    check_array("gather_add", out, "out")
    indices = check_indices("gather_add", out.shape, indices)
    with np.errstate(all="ignore"):
        np.add.at(out, indices, check_written("gather_add", out, indices, values))


def put(out: np.ndarray, indices: Indices, values: np.ndarray) -> None:
    """out[indices] = values in place; of repeated indices the last wins. Arguments and errors as for `gather_add`.

    >>> out = np.zeros(2)
    >>> put(out, (np.array([1, 1]),), np.array([2.0, 3.0]))
    >>> out
    array([0., 3.])
    """
    check_array("put", out, "out")
    indices = check_indices("put", out.shape, indices)
    out[indices] = check_written("put", out, indices, values)
