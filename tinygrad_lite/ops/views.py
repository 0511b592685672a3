"""Changes in place of parts of a tensor: what is done to `x[index]` is recorded as an assignment to `x`."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from ..autograd.modes import mode
from ..tensor import Tensor, alias
from . import indexing
from .movement import copy
from .primitive import check_fits, in_place


def getitem(x: Tensor, index: Any) -> Tensor:
    """`indexing.getitem` whose views know where they come from, as long as that exists."""
    part = indexing.getitem(x, index)
    if part._view and mode.enabled:
        part._source = weakref.ref(x), index
    return part


def setitem(x: Tensor, index: Any, value: Any) -> None:
    """`indexing.setitem`, also where `x` is a view."""
    if isinstance(value, Tensor) and _is_there(x, index, value):
        return
    recorded = x.requires_grad or (isinstance(value, Tensor) and value.requires_grad)
    if _origin(x) is None or not recorded:
        indexing.setitem(x, index, value)
        return
    whole = copy(x)
    indexing.setitem(whole, index, value)
    _write_through(x, whole)


def _is_there(x: Tensor, index: Any, value: Tensor) -> bool:
    """The second half of `x[index] += 1`, after `change` has done everything."""
    if _origin(value) is not x or value._born != x._born or not value.requires_grad:
        return False
    place = indexing.getitem(x, index)._data
    return place.__array_interface__ == value._data.__array_interface__


def change(x: Tensor, compute: Callable[[Tensor], Tensor], name: str) -> Tensor:
    """`in_place`, also where `x` is a view."""
    if _origin(x) is None:
        return in_place(x, compute, name)
    before = alias(x)
    before._source = None
    result = compute(before)
    if not result.requires_grad:
        return in_place(x, lambda _: result, name)
    check_fits(x, result, name)
    _write_through(x, result)
    return x


def _origin(x: Tensor) -> Tensor | None:
    return x._source[0]() if x._source is not None and mode.enabled else None


def _write_through(view: Tensor, value: Tensor) -> None:
    """Assign to what the view was taken from, then take it again."""
    base, index = _origin(view), view._source[1]
    assert base is not None
    setitem(base, index, value)
    again = indexing.getitem(base, index)
    view.requires_grad, view._node, view._index, view._born = True, again._node, again._index, again._born
