"""Running sums and products."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .. import native, threads
from ..intrinsics import load, pointer, store
from ..reference.scan import check_cumulative
from .reduce_plan import memory_type, result_dtype

GRAIN = 1 << 17  # elements worth a thread

T: Any = np.float32  # of what is read
A: Any = np.float32  # of what is written
combine: Any = None


@native.helper
def add(a, b):
    """The running sum and the next element."""
    return a + b


@native.helper
def multiply(a, b):
    """The running product and the next element."""
    return a * b


def kernel(operands, meta, lo, hi):
    """The range counts the rows before the axis. meta: length of the axis, elements after it."""
    length, inner = meta[0], meta[1]
    out, a = pointer(operands[0], A), pointer(operands[1], T)
    for row in range(lo, hi):
        start = row * length * inner
        for j in range(inner):
            out[start + j] = A(a[start + j])
        if inner == 1:
            total = out[start]
            for i in range(start + 1, start + length):
                total = combine(total, A(a[i]))
                out[i] = total
        else:
            for i in range(start + inner, start + length * inner, inner):
                for j in range(inner):
                    store(out, i + j, combine(load(out, i + j - inner, 0), A(load(a, i + j, 1))), 0)


def cumulative(name: str, a: np.ndarray, axis: int) -> np.ndarray:
    """The running "sum" or "prod" along an axis. Of integers and truth values in 64 bits; floats keep their dtype.

    Element after element, so that rounding is that of a plain loop. ValueError where there is no such axis, TypeError
    for other dtypes.

    >>> cumulative("sum", np.array([[1, 2, 3]]), 1)
    array([[1, 3, 6]])
    """
    a = np.ascontiguousarray(check_cumulative(name, a, axis))
    out = np.empty(a.shape, result_dtype(name, a.dtype))
    if a.size:
        axis %= a.ndim
        length, inner = a.shape[axis], math.prod(a.shape[axis + 1 :])
        rows = a.size // (length * inner)
        threads.Launch(_kernel(name, a.dtype), [length, inner], rows, -(-GRAIN // (length * inner)))(out, a)
    return out


@lru_cache(None)
def _kernel(name: str, dtype: np.dtype) -> int:
    read, write = memory_type(dtype), memory_type(result_dtype(name, dtype))
    return native.kernel(
        *native.specialized(kernel, {"T": read, "A": write, "combine": {"sum": add, "prod": multiply}[name]})
    )
