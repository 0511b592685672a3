"""What an index says, by NumPy's rules: a basic part, which is a view, and integer arrays for axes of that view."""

from __future__ import annotations

import operator
from types import EllipsisType
from typing import Any

import numpy as np
from tinygrad_lite_kernels.layout import broadcast_shape

from ..tensor import Tensor

Places = tuple[np.ndarray, ...]
_BASIC = frozenset((int, slice, type(None), EllipsisType))


class Parts:
    """An index taken apart.

    basic: what slicing takes; it always ends in a view. places: integer arrays of one shape; axes: the axes of the view
    that they index. at: where their own axes stand in the result, and count: how many they are.
    """

    __slots__ = ("at", "axes", "basic", "count", "places")

    def __init__(self, basic: tuple[Any, ...], axes: list[int], places: Places, at: int):
        self.basic, self.axes, self.places, self.at = basic, axes, places, at
        self.count = places[0].ndim if places else 0


def parse(shape: tuple[int, ...], index: Any) -> Parts:
    """Take an index into a tensor of that shape apart. IndexError where the two do not fit."""
    basic = plain(index)
    if basic is None or not _fits(shape, basic):
        return _advanced(shape, index if isinstance(index, tuple) else (index,))
    return Parts(basic, [], (), 0)


def plain(index: Any) -> tuple[Any, ...] | None:
    """The index where it has only integers, slices, None and an ellipsis, which is put at the end if there is none."""
    items = index if type(index) is tuple else (index,)
    for item in items:
        if type(item) not in _BASIC:
            return None
    return items if Ellipsis in items else (*items, Ellipsis)


_EMPTY = np.zeros(())


def _fits(shape: tuple[int, ...], basic: tuple[Any, ...]) -> bool:
    """Whether NumPy takes the index; where not, a slower way finds out why."""
    try:
        np.broadcast_to(_EMPTY, shape)[basic]
    except (IndexError, TypeError):
        return False
    return True


class _Array:
    """An integer array in an index: for one axis, or for a new one (`new`, what a single truth value means).

    mask: the shape of the mask that it comes from and the axis of that mask, to be compared with the tensor.
    """

    def __init__(self, values: np.ndarray, mask: tuple[tuple[int, ...], int] | None = None, new: bool = False):
        self.values, self.mask, self.new = values, mask, new


def _advanced(shape: tuple[int, ...], index: tuple[Any, ...]) -> Parts:
    items = [part for item in index for part in _item(item)]
    dots = [k for k, i in enumerate(items) if i is Ellipsis]
    if len(dots) > 1:
        raise IndexError("index: an index can have only one ellipsis (...)")
    used = sum(map(_uses_axis, items))
    if used > len(shape):
        raise IndexError(f"index: {used} indices for a tensor with {len(shape)} axes, shape {shape}")
    cut = dots[0] if dots else len(items)
    items[cut : cut + len(dots)] = [slice(None)] * (len(shape) - used)
    _check(shape, items)
    return _parts(items, cut)


def _parts(items: list[Any], cut: int) -> Parts:
    """Integers beside arrays count as arrays, and what lies between arrays sends their axes to the front (NumPy)."""
    if not any(isinstance(i, _Array) for i in items):
        return Parts((*items, ...), [], (), 0)
    axes = [k for k, i in enumerate(items) if isinstance(i, (int, _Array))]
    basic = tuple(_whole(i) if isinstance(i, (int, _Array)) else i for i in items)
    arrays = [i.values if isinstance(i, _Array) else np.asarray(i) for i in (items[k] for k in axes)]
    try:
        places = tuple(np.broadcast_arrays(*arrays, subok=True)) if len(arrays) > 1 else tuple(arrays)
    except ValueError:
        broadcast = ", ".join(str(a.shape) for a in arrays)
        raise IndexError(f"index: integer arrays of shapes {broadcast} do not broadcast together") from None
    apart = axes[-1] - axes[0] >= len(axes) or axes[0] < cut <= axes[-1]
    return Parts((*basic, ...), axes, places, 0 if apart else axes[0])


def _whole(item: Any) -> slice | None:
    return None if isinstance(item, _Array) and item.new else slice(None)


def _item(item: Any) -> list[Any]:
    """One entry of an index as integers, slices, None, an ellipsis or arrays of int64."""
    if item is None or item is Ellipsis:
        return [item]
    if isinstance(item, slice):
        return [_plain_slice(item)]
    if type(item) is int or isinstance(item, np.integer):
        return [int(item)]
    array = _as_array(item)
    if array.dtype == bool:
        return _mask(array)
    if array.dtype.kind in "iu" or (array.size == 0 and isinstance(item, (list, tuple))):
        return [_Array(_as_int64(item))] if array.ndim else [int(array)]
    if array.ndim == 0 and array.dtype == object and hasattr(item, "__index__"):
        return [operator.index(item)]
    raise IndexError(
        f"index: use integers, slices, masks, None or ..., got {type(item).__name__} of dtype {array.dtype}"
    )


def _as_array(item: Any) -> np.ndarray:
    if isinstance(item, Tensor):
        return item._data
    try:
        return np.asarray(item)
    except (ValueError, TypeError) as error:
        raise IndexError(f"index: {type(item).__name__} is not an array of integers or truth values: {error}") from None


def _mask(array: np.ndarray) -> list[Any]:
    if array.ndim == 0:
        return [_Array(np.arange(int(array)), new=True)]
    return [_Array(part, (array.shape, axis)) for axis, part in enumerate(array.nonzero())]


def _plain_slice(s: slice) -> slice:
    try:
        return slice(*(None if v is None else operator.index(v) for v in (s.start, s.stop, s.step)))
    except TypeError:
        raise TypeError(f"index: a slice is made of integers or None, got {s}") from None


def _uses_axis(item: Any) -> bool:
    return item is not None and item is not Ellipsis and not (isinstance(item, _Array) and item.new)


def _check(shape: tuple[int, ...], items: list[Any]) -> None:
    """IndexError where a mask or an integer does not fit the axis that it stands for."""
    for axis, item in enumerate(filter(_uses_axis, items)):
        size = shape[axis]
        if isinstance(item, int) and not -size <= item < size:
            raise IndexError(f"index: {item} is out of range for axis {axis} with size {size}")
        if isinstance(item, _Array) and item.mask and item.mask[0][item.mask[1]] != size:
            raise IndexError(
                f"index: the mask has shape {item.mask[0]}, but its axis {item.mask[1]} stands for axis {axis} "
                f"with size {size}"
            )


def result_shape(view: tuple[int, ...], parts: Parts) -> tuple[int, ...]:
    """The shape of what an index finds, given that of its basic part."""
    if not parts.places:
        return view
    rest = [n for axis, n in enumerate(view) if axis not in parts.axes]
    return (*rest[: parts.at], *parts.places[0].shape, *rest[parts.at :])


def check_range(view: tuple[int, ...], parts: Parts) -> None:
    """IndexError that names the axis of the tensor, where an integer array points outside."""
    for axis, place in zip(parts.axes, parts.places, strict=True):
        size, number = view[axis], axis - parts.basic[:axis].count(None)
        bad = place[(place < -size) | (place >= size)]
        if bad.size:
            raise IndexError(f"index: {bad.flat[0]} is out of range for axis {number} with size {size}")


def integers(name: str, indices: Any) -> np.ndarray:
    """Indices as an int64 array of their own, which nobody can change afterwards. TypeError where not integers."""
    index = indices._data if isinstance(indices, Tensor) else np.asarray(indices)
    if index.dtype.kind not in "iu" and index.size:
        raise TypeError(f"{name}: indices must be integers, got {index.dtype}")
    return _as_int64(indices)


def _as_int64(item: Any) -> np.ndarray:
    """Integers as a copy of that dtype; of a tensor by its device, which may be tracing."""
    if isinstance(item, Tensor):
        return item._device.movement.astype(item._data, np.dtype(np.int64))
    return np.array(item, np.int64)


def along(name: str, shape: tuple[int, ...], index: np.ndarray, axis: int) -> Places:
    """Places of the elements that `index` names along an axis, at its own positions on all others."""
    if index.ndim != len(shape):
        raise ValueError(f"{name}: indices have {index.ndim} axes, the tensor {len(shape)}; they must agree")
    wide = broadcast_shape(name, [index.shape, tuple(1 if i == axis else n for i, n in enumerate(shape))])
    own = np.ogrid[tuple(slice(n) for n in shape)]
    return tuple(np.broadcast_to(index if i == axis else o, wide, subok=True) for i, o in enumerate(own))
