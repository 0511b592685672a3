"""Sorting and searching. Sorted values are gathered by the positions found, so gradients follow by themselves."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..autograd.modes import mode
from ..tensor import Tensor, wrap
from .axes import flatten
from .elementwise import OPERATIONS
from .index_parts import integers
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
    """The positions (int64) that sort the tensor along an axis; equal elements keep their order. NaN is the largest.

    >>> import tinygrad_lite as tg
    >>> tg.argsort(tg.tensor([3, 1, 2]))
    Tensor([1, 2, 0])
    """
    x = tensor_of("argsort", x)
    axis = normalize_axis("argsort", axis, x.ndim)
    return wrap(x._device.sort.argsort(x._data, axis, descending), x._device)


@both_spellings
def sort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The elements in order along an axis. NaN is the largest. Gradients go back to where the elements came from.

    >>> import tinygrad_lite as tg
    >>> tg.sort(tg.tensor([[3, 1, 2]]), descending=True)
    Tensor([[3, 2, 1]])
    """
    x = tensor_of("sort", x)
    if not (x.requires_grad and mode.enabled):
        return wrap(x._device.sort.sort(x._data, normalize_axis("sort", axis, x.ndim), descending), x._device)
    return take_along_axis(x, argsort(x, axis, descending), axis)


@both_spellings
def topk(x: Any, k: int, axis: int = -1, largest: bool = True) -> TopK:
    """The k largest (or smallest) elements along an axis, best first, with their positions.

    Of equal elements the first come first, and NaN is the largest. ValueError where the axis has fewer than k.

    >>> import tinygrad_lite as tg
    >>> tg.topk(tg.tensor([1.0, 5.0, 3.0]), 2)
    TopK(values=Tensor([5., 3.]), indices=Tensor([1, 2]))
    """
    x = tensor_of("topk", x)
    axis = normalize_axis("topk", axis, x.ndim)
    if not isinstance(k, (int, np.integer)) or not 0 <= k <= x.shape[axis]:
        raise ValueError(f"topk: k must be from 0 to {x.shape[axis]}, the size of axis {axis}, got {k!r}")
    order = argsort(x, axis, descending=largest)._data[(slice(None),) * axis + (slice(0, k),)]
    places = wrap(x._device.movement.copy(order), x._device)
    return TopK(take_along_axis(x, places, axis), places)


@both_spellings
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position (int64) of the largest element, the first of equal ones; of the first NaN if there is one.

    axis: None counts in the flattened tensor. ValueError where there is nothing to choose from.

    >>> import tinygrad_lite as tg
    >>> tg.argmax(tg.tensor([[1, 5], [7, 0]]), axis=1)
    Tensor([1, 0])
    """
    return _argreduce("argmax", x, axis, keepdims)


@both_spellings
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position (int64) of the smallest element, the first of equal ones; that of the first NaN if there is one.

    >>> import tinygrad_lite as tg
    >>> tg.argmin(tg.tensor([[1, 5], [7, 0]]))
    Tensor(3)
    """
    return _argreduce("argmin", x, axis, keepdims)


def _argreduce(name: str, x: Any, axis: int | None, keepdims: bool) -> Tensor:
    x = tensor_of(name, x)
    flat = flatten(x) if axis is None else x
    place = 0 if axis is None else normalize_axis(name, axis, x.ndim)
    found = wrap(x._device.reduce.argreduce(name, flat._data, place, keepdims), x._device)
    return reshape(found, (1,) * x.ndim) if axis is None and keepdims else found


def nonzero(x: Any) -> tuple[Tensor, ...]:
    """The positions of the elements that are not zero, one int64 vector for each axis. ValueError for 0-d.

    >>> import tinygrad_lite as tg
    >>> tg.nonzero(tg.tensor([[0, 1], [2, 0]]))
    (Tensor([0, 1]), Tensor([1, 0]))
    """
    x = tensor_of("nonzero", x)
    if x.ndim == 0:
        raise ValueError("nonzero: a 0-d tensor has no positions")
    return tuple(wrap(p, x._device) for p in x._data.nonzero())


@both_spellings
def count_nonzero(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """How many elements are not zero (int64).

    >>> import tinygrad_lite as tg
    >>> tg.count_nonzero(tg.tensor([[0, 1], [2, 3]]), axis=1)
    Tensor([1, 2])
    """
    return reduce("sum", OPERATIONS["not_equal"](x, 0), axis, keepdims)


def searchsorted(x1: Any, x2: Any, side: Any = "left", sorter: Any = None) -> Tensor:
    """Where the elements of `x2` would go into the sorted vector `x1` to keep it sorted (int64).

    side: "left" of equal elements or "right" of them. sorter: positions that sort `x1`, if it is not in order.

    >>> import tinygrad_lite as tg
    >>> tg.searchsorted(tg.tensor([1, 3, 5]), tg.tensor([3, 4]))
    Tensor([1, 2])
    """
    x1, x2 = as_tensors("searchsorted", [x1, x2])
    if x1.ndim != 1 or side not in ("left", "right"):
        raise ValueError(f"searchsorted: needs a sorted vector and side left or right, got {x1.shape} and {side!r}")
    ordered = x1._data if sorter is None else x1._data[_sorter(sorter, x1.size)]
    return wrap(np.asarray(np.searchsorted(ordered, x2._data, side), np.int64), x1._device)


def _sorter(sorter: Any, size: int) -> np.ndarray:
    order = integers("searchsorted", sorter)
    if order.shape != (size,) or order.min(initial=0) < 0 or order.max(initial=0) >= max(size, 1):
        raise ValueError(f"searchsorted: sorter must hold {size} positions below {size}, got {sorter!r}")
    return order
