"""Copies, conversions and joins. A copy is the elementwise operation that changes nothing, for every layout."""

from __future__ import annotations

from functools import cache

import numpy as np

from ..expr import Program, cast, inputs, program
from ..reference import movement as reference
from ..reference.movement import concat, full, pad, tril, triu  # noqa: F401
from ..reference.reduce import check_array
from .elementwise import elementwise_into


@cache
def _conversion(char: str | None) -> Program:
    (x,) = inputs(1)
    return program([x if char is None else cast(x, char)], 1)


def copy(a: np.ndarray) -> np.ndarray:
    """The elements in row order in memory of their own."""
    a = check_array("copy", a)
    out = np.empty(a.shape, a.dtype)
    _convert(None, out, a)
    return out


def copy_into(out: np.ndarray, a: np.ndarray) -> None:
    """Write `a`, broadcast, into `out`, which has its dtype. They may overlap."""
    a = reference.check_copy_into(out, a)
    if np.may_share_memory(out, a):
        np.copyto(out, a)
    else:
        _convert(None, np.asarray(out), a)


def astype(a: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The elements in another dtype, in row order. See `reference.movement`."""
    a, dtype = reference.check_astype(a, dtype)
    if a.dtype.kind == "f" and dtype.kind in "iu":
        return reference.astype(a, dtype)
    out = np.empty(a.shape, dtype)
    _convert(dtype.char, out, a)
    return out


def _convert(char: str | None, out: np.ndarray, a: np.ndarray) -> None:
    """Memory that elements do not fill evenly, such as a field of a structured array, is left to NumPy."""
    if any(stride % x.itemsize for x in (out, a) for stride in x.strides):
        np.copyto(out, a, casting="unsafe")
    else:
        elementwise_into(_conversion(char))(out, a)
