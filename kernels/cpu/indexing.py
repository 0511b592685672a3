"""Gather and scatter. `indices` are integer arrays, broadcast together, for the first axes of an array.

Indices are checked and made into one offset for each row before any kernel sees them. meta: number of rows, elements in
a row. The range counts the elements of a row, so threads never write to the same place, and each place is written in
the order of the rows.
"""

from __future__ import annotations

import math

import numpy as np

from .. import native, threads
from ..intrinsics import pointer
from ..reference.indexing import Indices, check_indices

T = np.float32


def _gather(operands, meta, lo, hi):
    out, a, offsets = pointer(operands[0], T), pointer(operands[1], T), pointer(operands[2], np.int64)
    for row in range(meta[0]):
        start, place = offsets[row], row * meta[1]
        for j in range(lo, hi):
            out[place + j] = a[start + j]


def _scatter_add(operands, meta, lo, hi):
    out, values, offsets = pointer(operands[0], T), pointer(operands[1], T), pointer(operands[2], np.int64)
    for row in range(meta[0]):
        start, place = offsets[row], row * meta[1]
        for j in range(lo, hi):
            out[start + j] += values[place + j]


def _scatter(operands, meta, lo, hi):
    out, values, offsets = pointer(operands[0], T), pointer(operands[1], T), pointer(operands[2], np.int64)
    for row in range(meta[0]):
        start, place = offsets[row], row * meta[1]
        for j in range(lo, hi):
            out[start + j] = values[place + j]


def _offsets(name: str, shape: tuple[int, ...], indices: Indices) -> np.ndarray:
    """Where each indexed row starts, in elements of a contiguous array of that shape."""
    found = check_indices(name, shape, indices)
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(found))]
    total: np.ndarray | int = 0
    for index, stride in zip(found, strides, strict=True):
        total = total + index * stride
    return np.asarray(total, np.int64, order="C")


def _run(function, out: np.ndarray, other: np.ndarray, offsets: np.ndarray, row: int) -> None:
    if row and offsets.size:
        memory = np.uint8 if out.dtype.kind == "b" else out.dtype.type
        grain = max(1 << 10, (1 << 19) // offsets.size)
        threads.Launch(native.kernel(function, {"T": memory}), [offsets.size, row], row, grain)(out, other, offsets)


def gather(a: np.ndarray, indices: Indices) -> np.ndarray:
    """a[indices]: shape broadcast(indices) + the axes of `a` that are not indexed."""
    offsets = _offsets("gather", a.shape, indices)
    rest = a.shape[len(indices) :]
    out = np.empty(offsets.shape + rest, a.dtype)
    _run(_gather, out, np.ascontiguousarray(a), offsets, math.prod(rest))
    return out


def gather_add(out: np.ndarray, indices: Indices, values: np.ndarray) -> None:
    """out[indices] += values in place, where repeated indices accumulate: the adjoint of `gather`."""
    _write(_scatter_add, "gather_add", out, indices, values)


def put(out: np.ndarray, indices: Indices, values: np.ndarray) -> None:
    """out[indices] = values in place; of repeated indices the last wins."""
    _write(_scatter, "put", out, indices, values)


def _write(function, name: str, out: np.ndarray, indices: Indices, values: np.ndarray) -> None:
    offsets = _offsets(name, out.shape, indices)
    rest = out.shape[len(indices) :]
    spread = np.ascontiguousarray(np.broadcast_to(values, offsets.shape + rest), out.dtype)
    target = out if out.flags.c_contiguous else np.ascontiguousarray(out)
    _run(function, target, spread, offsets, math.prod(rest))
    if target is not out:
        out[...] = target
