"""Reading and writing parts of a tensor, as NumPy does: slices are views, integer arrays and masks gather."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.modes import mode
from ..tensor import Tensor, alias, wrap
from . import movement as m
from .movement import broadcast_to, permute_dims, reshape, tensor_of
from .primitive import Primitive, adopt, as_tensors, check_in_place, record
from .reduce import normalize_axis
from .spelling import both_spellings

Places = tuple[np.ndarray, ...]


def _gather_add(device: Any, values: np.ndarray, shape: tuple[int, ...], places: Places) -> np.ndarray:
    out = np.zeros(shape, values.dtype)
    device.indexing.gather_add(out, places, values)
    return out


def _put_add(device: Any, a: np.ndarray, values: np.ndarray, places: Places) -> np.ndarray:
    out = device.movement.copy(a)
    device.indexing.gather_add(out, places, values)
    return out


gather_rows = Primitive("gather", lambda device, a, places: device.indexing.gather(a, places))
scatter_rows = Primitive("gather_add", _gather_add)
added_rows = Primitive("put_add", _put_add, inputs=2)


@both_spellings
def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """The elements at integer `indices` along an axis (None only for a vector).

    Negative indices count from the end; IndexError where one is out of range. Repeated ones accumulate gradients.
    """
    x = tensor_of("take", x)
    if axis is None and x.ndim != 1:
        raise ValueError(f"take: axis is needed for a tensor with {x.ndim} axes")
    axis = normalize_axis("take", axis or 0, x.ndim)
    rows = gather_rows(_first(x, [axis]), (_integers("take", indices),))
    return _place(rows, rows.ndim - x.ndim + 1, axis)


@both_spellings
def take_along_axis(x: Any, indices: Any, axis: int = -1) -> Tensor:
    """x with each element along the axis replaced by the one that `indices` (same rank) names there."""
    x = tensor_of("take_along_axis", x)
    axis = normalize_axis("take_along_axis", axis, x.ndim)
    return gather_rows(x, _along(x, _integers("take_along_axis", indices), axis))


def _along(x: Tensor, index: np.ndarray, axis: int) -> Places:
    if index.ndim != x.ndim:
        raise ValueError(f"take_along_axis: indices have {index.ndim} axes, the tensor {x.ndim}; they must agree")
    shape = np.broadcast_shapes(index.shape, tuple(1 if i == axis else n for i, n in enumerate(x.shape)))
    own = [np.arange(n).reshape([-1 if k == i else 1 for k in range(x.ndim)]) for i, n in enumerate(x.shape)]
    return tuple(np.broadcast_to(index if i == axis else o, shape) for i, o in enumerate(own))


@both_spellings
def scatter_add(x: Any, indices: Any, values: Any, axis: int = 0) -> Tensor:
    """A copy of `x` with values added where take(x, indices, axis) would read; repeated indices accumulate."""
    x, values = as_tensors("scatter_add", [x, values])
    axis = normalize_axis("scatter_add", axis, x.ndim)
    index = _integers("scatter_add", indices)
    front = _first(x, [axis])
    moved = _to_front(broadcast_to(values, x.shape[:axis] + index.shape + x.shape[axis + 1 :]), axis, index.ndim)
    return _place(added_rows(front, moved, (index,)), 1, axis)


def _integers(name: str, indices: Any) -> np.ndarray:
    index = indices._data if isinstance(indices, Tensor) else np.asarray(indices)
    if index.dtype.kind not in "iu":
        if index.size == 0:
            return index.astype(np.int64)
        raise TypeError(f"{name}: indices must be integers, got {index.dtype}")
    return index


def _first(x: Tensor, axes: list[int]) -> Tensor:
    """The given axes in front."""
    order = axes + [a for a in range(x.ndim) if a not in axes]
    return x if order == list(range(x.ndim)) else permute_dims(x, order)


def _place(x: Tensor, count: int, at: int) -> Tensor:
    """The first `count` axes moved behind the `at` that follow them."""
    order = [*range(count, count + at), *range(count), *range(count + at, x.ndim)]
    return x if order == list(range(x.ndim)) else permute_dims(x, order)


def _to_front(x: Tensor, at: int, count: int) -> Tensor:
    """The reverse of `_place`."""
    order = [*range(at, at + count), *range(at), *range(at + count, x.ndim)]
    return x if order == list(range(x.ndim)) else permute_dims(x, order)


# ---- x[...] ----


class _Parsed:
    """An index split in two: a basic part (a view), then integer arrays for some axes of that view.

    basic: what NumPy's slicing takes. places: the integer arrays; axes: the axes of the view that they index.
    at: where their axes stand in the result.
    """

    def __init__(self, shape: tuple[int, ...], index: Any):
        items = _expanded(shape, index if isinstance(index, tuple) else (index,))
        self.basic: tuple[Any, ...] = tuple(slice(None) if isinstance(i, np.ndarray) else i for i in items)
        kept = [i for i in items if not isinstance(i, int)]
        arrays = [(axis, i) for axis, i in enumerate(kept) if isinstance(i, np.ndarray)]
        self.axes = [axis for axis, _ in arrays]
        if arrays:  # integers beside arrays count as arrays (NumPy's rule for where the result's axes go)
            self._mixed(items)

    def _mixed(self, items: list[Any]) -> None:
        self.basic = tuple(i if isinstance(i, slice) or i is None else slice(None) for i in items)
        fancy = [axis for axis, i in enumerate(items) if isinstance(i, (int, np.ndarray))]
        self.axes = fancy
        self.places = tuple(np.broadcast_arrays(*(np.asarray(items[a], np.int64) for a in fancy)))
        together = fancy == list(range(fancy[0], fancy[-1] + 1))
        self.at = fancy[0] if together else 0
        self.count = self.places[0].ndim

    places: Places = ()
    at = count = 0


def _expanded(shape: tuple[int, ...], index: tuple[Any, ...]) -> list[Any]:
    """The index with its ellipsis written out, masks as integer arrays, and every other array as int64."""
    items: list[Any] = []
    for item in index:
        items.extend(_item(item))
    used = sum(_axes_used(i) for i in items)
    if used > len(shape):
        raise IndexError(f"index: {used} indices for a tensor with {len(shape)} axes, shape {shape}")
    dots = [k for k, i in enumerate(items) if i is Ellipsis]
    if len(dots) > 1:
        raise IndexError("index: an index can have only one ellipsis (...)")
    at = dots[0] if dots else len(items)
    items[at : at + len(dots)] = [slice(None)] * (len(shape) - used)
    _check_masks(shape, items)
    return [i.array if isinstance(i, _MaskPart) else i for i in items]


class _MaskPart:
    """One of the integer arrays that a mask becomes; the first remembers the mask's shape."""

    def __init__(self, array: np.ndarray, shape: tuple[int, ...], axis: int):
        self.array, self.shape, self.axis = array, shape, axis


def _item(item: Any) -> list[Any]:
    if item is None or item is Ellipsis or isinstance(item, slice):
        return [_plain_slice(item)] if isinstance(item, slice) else [item]
    if isinstance(item, Tensor):
        item = item._data
    if isinstance(item, (int, np.integer)) and not isinstance(item, (bool, np.bool_)):
        return [int(item)]
    array = np.asarray(item)
    if array.dtype == bool:
        if array.ndim == 0:
            raise IndexError("index: a single truth value is not supported; use where() or a mask with axes")
        return [_MaskPart(part, array.shape, axis) for axis, part in enumerate(array.nonzero())]
    if array.dtype.kind in "iu":
        return [array.astype(np.int64)] if array.ndim else [int(array)]
    if array.size == 0:
        return [array.astype(np.int64)]
    raise IndexError(f"index: use integers, slices, masks, None or ..., got {type(item).__name__} of {array.dtype}")


def _plain_slice(s: slice) -> slice:
    return slice(*(None if v is None else int(v) for v in (s.start, s.stop, s.step)))


def _axes_used(item: Any) -> int:
    return 0 if item is None or item is Ellipsis else 1


def _check_masks(shape: tuple[int, ...], items: list[Any]) -> None:
    """IndexError where a mask or an integer does not fit the axis that it stands for."""
    axis = 0
    for item in items:
        if isinstance(item, _MaskPart) and shape[axis] != item.shape[item.axis]:
            raise IndexError(
                f"index: the mask has shape {item.shape}, but its axis {item.axis} stands for axis {axis} "
                f"with size {shape[axis]}"
            )
        if isinstance(item, int) and not -shape[axis] <= item < shape[axis]:
            raise IndexError(f"index: {item} is out of range for axis {axis} with size {shape[axis]}")
        axis += _axes_used(item)


def getitem(x: Tensor, index: Any) -> Tensor:
    """x[index], by NumPy's rules. Slices and integers give a view; arrays of integers and masks a copy.

    >>> import tinygrad_lite as tg
    >>> tg.tensor([[1, 2], [3, 4]])[:, [1, 1]]
    Tensor([[2, 2],
            [4, 4]])
    """
    parsed = _Parsed(x.shape, index)
    view = _slice(x, parsed.basic)
    if not parsed.places:
        return view
    rows = gather_rows(_first(view, parsed.axes), parsed.places)
    return _place(rows, parsed.count, parsed.at)


def _slice(x: Tensor, basic: tuple[Any, ...]) -> Tensor:
    if all(isinstance(i, slice) and i == slice(None) for i in basic):
        return m.slice_view(x, (...,))
    return m.slice_view(x, basic if any(isinstance(i, slice) or i is None for i in basic) else (*basic, ...))


def setitem(x: Tensor, index: Any, value: Any) -> None:
    """x[index] = value in place. Recorded: the gradient of what was overwritten is 0, that of `value` is read there.

    Of repeated indices the last value stays, and each of them gets the gradient of that place.
    """
    if not isinstance(value, Tensor):
        value = Tensor(value, x.dtype, x._device)
    if value.dtype != x.dtype:
        value = m.cast(value, x.dtype)
    recorded = mode.enabled and (x.requires_grad or value.requires_grad)
    check_in_place(x, recorded, "index assignment")
    parsed = _Parsed(x.shape, index)
    shape = _result_shape(x, parsed)
    try:
        value = broadcast_to(value, shape) if value.ndim <= len(shape) else reshape(value, shape)
    except ValueError:
        raise ValueError(f"index assignment: shape {value.shape} does not broadcast to {shape}") from None
    before = alias(x)
    result = wrap(x._data, x._device)
    _write(x, parsed, value)
    if recorded:
        record(assign, [before, value], result, (index,))
    adopt(x, result)


def _result_shape(x: Tensor, parsed: _Parsed) -> tuple[int, ...]:
    view = x._data[parsed.basic] if parsed.basic else x._data
    if not parsed.places:
        return view.shape
    rest = [n for axis, n in enumerate(view.shape) if axis not in parsed.axes]
    return (*rest[: parsed.at], *parsed.places[0].shape, *rest[parsed.at :])


def _write(x: Tensor, parsed: _Parsed, value: Tensor) -> None:
    data = value._data
    if not parsed.places:
        target = x._data[(*parsed.basic, ...)]
        x._device.movement.copy_into(target, np.array(data) if np.may_share_memory(target, data) else data)
        return
    view = x._data[parsed.basic]
    order = [*parsed.axes, *(a for a in range(view.ndim) if a not in parsed.axes)]
    at, count = parsed.at, parsed.count
    moved = data.transpose([*range(at, at + count), *range(at), *range(at + count, data.ndim)])
    x._device.indexing.put(view.transpose(order), parsed.places, moved)


assign = Primitive("setitem", lambda device, *args: None, inputs=2)  # `setitem` itself does the work
