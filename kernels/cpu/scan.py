"""Running sums and products. The range counts the rows before the axis; meta: length of the axis, elements after it."""

from __future__ import annotations

import math

import numpy as np

from .. import native, threads
from ..intrinsics import pointer
from ..reference import scan as reference

T = np.float32
GRAIN = 1 << 17


def _sums(operands, meta, lo, hi):
    out, a = pointer(operands[0], T), pointer(operands[1], T)
    length, inner = meta[0], meta[1]
    for row in range(lo, hi):
        start = row * length * inner
        for j in range(inner):
            out[start + j] = a[start + j]
        for i in range(start + inner, start + length * inner):
            out[i] = out[i - inner] + a[i]


def _products(operands, meta, lo, hi):
    out, a = pointer(operands[0], T), pointer(operands[1], T)
    length, inner = meta[0], meta[1]
    for row in range(lo, hi):
        start = row * length * inner
        for j in range(inner):
            out[start + j] = a[start + j]
        for i in range(start + inner, start + length * inner):
            out[i] = out[i - inner] * a[i]


def cumulative(name: str, a: np.ndarray, axis: int) -> np.ndarray:
    """The running "sum" or "prod" along an axis. Of integers and truth values in 64 bits."""
    if a.dtype.kind != "f" or not a.size or not a.dtype.isnative:
        return reference.cumulative(name, a, axis)
    out, axis = np.empty(a.shape, a.dtype), axis % a.ndim
    length, inner = a.shape[axis], math.prod(a.shape[axis + 1 :])
    kernel = native.kernel({"sum": _sums, "prod": _products}[name], {"T": a.dtype.type})
    rows = a.size // (length * inner)
    launch = threads.Launch(kernel, [length, inner], rows, max(1, GRAIN // (length * inner)))
    launch(out, np.ascontiguousarray(a))
    return out
