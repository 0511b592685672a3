"""Gather and scatter. `indices` are integer arrays, broadcast together, for the first axes of an array.

Indices are checked and made into one offset for each row before any kernel sees them. meta: number of rows, elements in
a row. The range counts the elements of a row, so threads never write to the same place, and each place is written in
the order of the rows.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from .. import native, threads
from ..intrinsics import pointer
from ..reference import indexing as reference
from ..reference.indexing import Indices, check_indices, check_written
from ..reference.reduce import check_array
from .reduce_plan import memory_type

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


def _offsets(found: Indices, shape: tuple[int, ...]) -> np.ndarray:
    """Where each indexed row starts, in elements of a contiguous array of that shape."""
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(found))]
    total: np.ndarray | int = 0
    for index, stride in zip(found, strides, strict=True):
        total = total + index * stride
    return np.asarray(total, np.int64, order="C")


def _run(function, out: np.ndarray, other: np.ndarray, offsets: np.ndarray, row: int) -> None:
    if row and offsets.size:
        grain = max(1 << 10, (1 << 19) // offsets.size)
        threads.Launch(_kernel(function, out.dtype), [offsets.size, row], row, grain)(out, other, offsets)


@cache
def _kernel(function, dtype: np.dtype) -> int:
    return native.kernel(function, {"T": memory_type(dtype)})


def gather(a: np.ndarray, indices: Indices) -> np.ndarray:
    """a[indices]: shape broadcast(indices) + the axes of `a` that are not indexed. See `reference.indexing`."""
    a = check_array("gather", a)
    offsets = _offsets(check_indices("gather", a.shape, indices), a.shape)
    rest = a.shape[len(indices) :]
    out = np.empty(offsets.shape + rest, a.dtype)
    _run(_gather, out, np.ascontiguousarray(a), offsets, math.prod(rest))
    return out


def gather_add(out: np.ndarray, indices: Indices, values: np.ndarray) -> None:
    """out[indices] += values in place, where repeated indices accumulate: the adjoint of `gather`."""
    if check_array("gather_add", out, "out").dtype.kind == "b":
        return reference.gather_add(out, indices, values)
    _write(_scatter_add, "gather_add", out, indices, values)


def put(out: np.ndarray, indices: Indices, values: np.ndarray) -> None:
    """out[indices] = values in place; of repeated indices the last wins."""
    _write(_scatter, "put", check_array("put", out, "out"), indices, values)


def _write(function, name: str, out: np.ndarray, indices: Indices, values: np.ndarray) -> None:
    found = check_indices(name, out.shape, indices)
    spread = check_written(name, out, found, values)
    target = np.ascontiguousarray(out)  # `out` itself where it can be
    spread = np.array(spread, order="C") if np.may_share_memory(target, spread) else np.ascontiguousarray(spread)
    _run(function, target, spread, _offsets(found, out.shape), math.prod(out.shape[len(indices) :]))
    if not out.flags.c_contiguous:
        out[...] = target
