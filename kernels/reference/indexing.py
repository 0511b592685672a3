"""Gather and scatter by NumPy. `indices` are integer arrays, broadcast together, for the first axes of an array."""

from __future__ import annotations

import numpy as np

Indices = tuple[np.ndarray, ...]


def check_indices(name: str, shape: tuple[int, ...], indices: Indices) -> Indices:
    """The indices counted from 0, as int64. IndexError where one is out of range, TypeError where not integers."""
    found = []
    for axis, (index, size) in enumerate(zip(indices, shape, strict=False)):
        if index.dtype.kind not in "iu":
            raise TypeError(f"{name}: indices must be integers, those of axis {axis} are {index.dtype}")
        if index.size and not (-size <= index.min() and index.max() < size):
            bad = int(index.max()) if index.max() >= size else int(index.min())
            raise IndexError(f"{name}: index {bad} is out of range for axis {axis} with size {size}")
        index = index.astype(np.int64, copy=False)
        found.append(np.where(index < 0, index + size, index))
    return tuple(found)


def gather(a: np.ndarray, indices: Indices) -> np.ndarray:
    """a[indices]: shape broadcast(indices) + the axes of `a` that are not indexed."""
    return a[check_indices("gather", a.shape, indices)]


def gather_add(out: np.ndarray, indices: Indices, values: np.ndarray) -> None:
    """out[indices] += values in place, where repeated indices accumulate: the adjoint of `gather`."""
    np.add.at(out, check_indices("gather_add", out.shape, indices), values)


def put(out: np.ndarray, indices: Indices, values: np.ndarray) -> None:
    """out[indices] = values in place; of repeated indices the last wins."""
    out[check_indices("put", out.shape, indices)] = values
