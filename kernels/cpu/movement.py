"""Copies, conversions and joins. A copy is the elementwise operation that changes nothing, so layouts cost no new code."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from ..expr import Program, cast, inputs, program
from ..reference import movement as reference
from ..reference.movement import tril, triu  # noqa: F401
from .elementwise import elementwise_into


@cache
def _conversion(char: str | None) -> Program:
    (x,) = inputs(1)
    return program([x if char is None else cast(x, char)], 1)


def copy(a: np.ndarray) -> np.ndarray:
    """The elements in row order in memory of their own."""
    out = np.empty(a.shape, a.dtype)
    copy_into(out, a)
    return out


def copy_into(out: np.ndarray, a: np.ndarray) -> None:
    """Write `a`, broadcast, into `out`, which has its dtype. They may overlap."""
    if out.dtype != a.dtype:
        raise TypeError(f"copy_into: the arrays have dtypes {out.dtype} and {a.dtype}; they must agree")
    if a.shape != out.shape:
        a = np.broadcast_to(a, out.shape)
    if np.may_share_memory(out, a):
        reference.copy_into(out, a)
    else:
        elementwise_into(_conversion(None))(out, a)


def astype(a: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The elements in another dtype, in row order. Floats are truncated to integers; not zero is True.

    A float to integer conversion of what does not fit is left to NumPy, whose results differ by machine.
    """
    dtype = np.dtype(dtype)
    if a.dtype.kind == "f" and dtype.kind in "iu":
        return reference.astype(a, dtype)
    out = np.empty(a.shape, dtype)
    elementwise_into(_conversion(dtype.char))(out, a)
    return out


def concat(arrays: Sequence[np.ndarray], axis: int) -> np.ndarray:
    """The arrays one after another along an existing axis."""
    return reference.concat(arrays, axis)


def pad(a: np.ndarray, widths: Sequence[tuple[int, int]], value: float = 0.0) -> np.ndarray:
    """`a` with `value` around it: widths[i] elements before and after along axis i."""
    return reference.pad(a, widths, value)
