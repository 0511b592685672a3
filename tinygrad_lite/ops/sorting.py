"""Sorting and searching. Sorted values are gathered by the positions found, so gradients follow by themselves."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..tensor import Tensor, wrap
from .axes import flatten
from .elementwise import OPERATIONS
from .indexing import take_along_axis
from .movement import reshape, tensor_of
from .primitive import as_tensors
from .reduce import Axis, normalize_axis, reduce
from .spelling import both_spellings


class TopK(NamedTuple):
    """The largest (or smallest) elements, in order, and where they are."""

    values: Tensor
    indices: Tensor


@both_spellings
def argsort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The positions (int64) that sort the tensor along an axis; equal elements keep their order. NaN is the largest."""
    x = tensor_of("argsort", x)
    axis = normalize_axis("argsort", axis, x.ndim)
    return wrap(x._device.sort.argsort(x._data, axis, descending), x._device)


@both_spellings
def sort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The elements in order along an axis. NaN is the largest."""
    x = tensor_of("sort", x)
    return take_along_axis(x, argsort(x, axis, descending), axis)


@both_spellings
def topk(x: Any, k: int, axis: int = -1, largest: bool = True) -> TopK:
    """The k largest (or smallest) elements along an axis, best first, with their positions."""
    x = tensor_of("topk", x)
    axis = normalize_axis("topk", axis, x.ndim)
    if not isinstance(k, int) or not 0 <= k <= x.shape[axis]:
        raise ValueError(f"topk: k must be from 0 to {x.shape[axis]}, the size of axis {axis}, got {k!r}")
    order = argsort(x, axis, descending=largest)._data[(slice(None),) * axis + (slice(0, k),)]
    places = wrap(np.ascontiguousarray(order), x._device)
    return TopK(take_along_axis(x, places, axis), places)


@both_spellings
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position (int64) of the largest element, the first of equal ones; of the first NaN if there is one."""
    return _argreduce("argmax", x, axis, keepdims)


@both_spellings
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position (int64) of the smallest element, the first of equal ones; that of the first NaN if there is one."""
    return _argreduce("argmin", x, axis, keepdims)


def _argreduce(name: str, x: Any, axis: int | None, keepdims: bool) -> Tensor:
    x = tensor_of(name, x)
    flat = flatten(x) if axis is None else x
    place = 0 if axis is None else normalize_axis(name, axis, x.ndim)
    found = wrap(x._device.reduce.argreduce(name, flat._data, place, keepdims), x._device)
    return reshape(found, (1,) * x.ndim) if axis is None and keepdims else found


def nonzero(x: Any) -> tuple[Tensor, ...]:
    """The positions of the elements that are not zero, one int64 vector for each axis."""
    x = tensor_of("nonzero", x)
    if x.ndim == 0:
        raise ValueError("nonzero: a 0-d tensor has no positions")
    return tuple(wrap(p, x._device) for p in x._data.nonzero())


@both_spellings
def count_nonzero(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """How many elements are not zero."""
    return reduce("sum", OPERATIONS["not_equal"](x, 0), axis, keepdims)


def searchsorted(x1: Any, x2: Any, side: str = "left") -> Tensor:
    """Where the elements of `x2` would go into the sorted vector `x1` to keep it sorted (int64)."""
    x1, x2 = as_tensors("searchsorted", [x1, x2])
    if x1.ndim != 1 or side not in ("left", "right"):
        raise ValueError(f"searchsorted: needs a sorted vector and side left or right, got {x1.shape} and {side!r}")
    return wrap(np.asarray(np.searchsorted(x1._data, x2._data, side), np.int64), x1._device)
