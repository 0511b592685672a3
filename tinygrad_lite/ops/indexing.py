"""Reading and writing parts of a tensor, as NumPy does: slices are views, integer arrays and masks gather."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.modes import mode
from ..tensor import Tensor, alias, wrap
from . import movement as m
from .index_parts import Parts, Places, along, check_range, integers, parse, plain, result_shape
from .movement import broadcast_to, permute_dims, reshape, tensor_of
from .primitive import Primitive, adopt, as_tensors, check_in_place, record
from .reduce import normalize_axis
from .spelling import both_spellings


def _gather_add(device: Any, values: np.ndarray, shape: tuple[int, ...], places: Places) -> np.ndarray:
    out = device.movement.full(shape, 0, values.dtype)
    device.indexing.gather_add(out, places, values)
    return out


def _put_add(device: Any, a: np.ndarray, values: np.ndarray, places: Places) -> np.ndarray:
    out = device.movement.copy(a)
    device.indexing.gather_add(out, places, values)
    return out


gather_rows = Primitive("gather", lambda device, a, places: device.indexing.gather(a, places))
scatter_rows = Primitive("gather_add", _gather_add)
added_rows = Primitive("put_add", _put_add, inputs=2)
assign = Primitive("setitem", lambda device, x, value, parts: x, inputs=2)  # `setitem` itself does the work


@both_spellings
def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """The elements at integer `indices` (of any shape) along an axis (None only for a vector).

    Negative indices count from the end; IndexError where one is out of range. Repeated ones accumulate gradients.

    >>> import tinygrad_lite as tg
    >>> tg.take(tg.tensor([[1, 2], [3, 4]]), [1, 0, 1], axis=0)
    Tensor([[3, 4],
            [1, 2],
            [3, 4]])
    """
    x = tensor_of("take", x)
    if axis is None and x.ndim != 1:
        raise ValueError(f"take: axis is needed for a tensor with {x.ndim} axes")
    axis = normalize_axis("take", 0 if axis is None else axis, x.ndim)
    rows = gather_rows(_first(x, [axis]), (integers("take", indices),))
    return _place(rows, rows.ndim - x.ndim + 1, axis)


@both_spellings
def take_along_axis(x: Any, indices: Any, axis: int = -1) -> Tensor:
    """The elements that `indices` name along the axis, each at its own position on the other axes.

    indices: integers with as many axes as `x`; the other axes broadcast. IndexError where one is out of range.

    >>> import tinygrad_lite as tg
    >>> x = tg.tensor([[3, 1, 2], [4, 6, 5]])
    >>> tg.take_along_axis(x, tg.argsort(x))
    Tensor([[1, 2, 3],
            [4, 5, 6]])
    """
    x = tensor_of("take_along_axis", x)
    axis = normalize_axis("take_along_axis", axis, x.ndim)
    return gather_rows(x, along("take_along_axis", x.shape, integers("take_along_axis", indices), axis))


@both_spellings
def gather(x: Any, axis: int, index: Any) -> Tensor:
    """`take_along_axis` under PyTorch's name, with its order of arguments.

    >>> import tinygrad_lite as tg
    >>> tg.gather(tg.tensor([[1, 2], [3, 4]]), dim=1, index=tg.tensor([[1], [0]]))
    Tensor([[2],
            [3]])
    """
    return take_along_axis(x, index, axis)


@both_spellings
def scatter_add(x: Any, indices: Any, values: Any, axis: int = 0) -> Tensor:
    """A copy of `x` with values added where take(x, indices, axis) would read; repeated indices accumulate.

    values: broadcast to the shape of take(x, indices, axis).

    >>> import tinygrad_lite as tg
    >>> tg.scatter_add(tg.zeros(3), [0, 2, 2], tg.tensor([1.0, 2.0, 3.0]))
    Tensor([1., 0., 5.])
    """
    x, values = as_tensors("scatter_add", [x, values])
    values = values if values.dtype == x.dtype else m.cast(values, x.dtype)
    axis = normalize_axis("scatter_add", axis, x.ndim)
    index = integers("scatter_add", indices)
    moved = _to_front(broadcast_to(values, x.shape[:axis] + index.shape + x.shape[axis + 1 :]), axis, index.ndim)
    return _place(added_rows(_first(x, [axis]), moved, (index,)), 1, axis)


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


def getitem(x: Tensor, index: Any) -> Tensor:
    """x[index], by NumPy's rules. Slices and integers give a view; arrays of integers and masks a copy.

    IndexError where the index does not fit. Elements that are read more than once accumulate gradients.

    >>> import tinygrad_lite as tg
    >>> tg.tensor([[1, 2], [3, 4]])[:, [1, 1]]
    Tensor([[2, 2],
            [4, 4]])
    """
    basic = plain(index)
    if basic is not None:
        try:
            return m.slice_view(x, basic)
        except (IndexError, TypeError):
            pass  # `parse` says what is wrong
    return read(x, parse(x.shape, index))


def read(x: Tensor, parts: Parts) -> Tensor:
    """What an index that was taken apart finds."""
    view = m.slice_view(x, parts.basic)
    if not parts.places:
        return view
    try:
        rows = gather_rows(_first(view, parts.axes), parts.places)
    except IndexError:
        check_range(view.shape, parts)
        raise
    return _place(rows, parts.count, parts.at)


def setitem(x: Tensor, index: Any, value: Any) -> None:
    """x[index] = value in place. Recorded: the gradient of what was overwritten is 0, that of `value` is read there.

    value: broadcast, and converted to the dtype of `x`. Of repeated places the last value stays, and has the gradient.
    A change of `x[index]` in place (`x[0] += 1`) is recorded as this assignment.

    >>> import tinygrad_lite as tg
    >>> x = tg.zeros(4)
    >>> x[1::2] = tg.tensor([1.0, 2.0])
    >>> x
    Tensor([0., 1., 0., 2.])
    """
    value = _value(x, value)
    recorded = mode.enabled and (x.requires_grad or value.requires_grad)
    check_in_place(x, recorded, "index assignment")
    parts = parse(x.shape, index)
    value = _spread(value, result_shape(x._data[parts.basic].shape, parts))
    before, result = alias(x), wrap(x._data, x._device)
    write(x, parts, value._data)
    if recorded:
        record(assign, [before, value], result, (parts,))
    adopt(x, result)


def _value(x: Tensor, value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        return Tensor(value, x.dtype, x._device)
    as_tensors("index assignment", [x, value])  # one device
    return value if value.dtype == x.dtype else m.cast(value, x.dtype)


def _spread(value: Tensor, shape: tuple[int, ...]) -> Tensor:
    extra = value.ndim - len(shape)
    if extra > 0 and value.shape[:extra] == (1,) * extra:
        value = reshape(value, value.shape[extra:])
    try:
        return broadcast_to(value, shape)
    except ValueError:
        raise ValueError(f"index assignment: shape {value.shape} does not broadcast to {shape}") from None


def write(x: Tensor, parts: Parts, data: np.ndarray) -> None:
    """Put values where an index that was taken apart points."""
    if np.may_share_memory(x._data, data):
        data = x._device.movement.copy(data)
    view = x._data[parts.basic]
    if not parts.places:
        x._device.movement.copy_into(view, data)
        return
    order = [*parts.axes, *(a for a in range(view.ndim) if a not in parts.axes)]
    at, count = parts.at, parts.count
    moved = data.transpose([*range(at, at + count), *range(at), *range(at + count, data.ndim)])
    try:
        x._device.indexing.put(view.transpose(order), parts.places, moved)
    except IndexError:
        check_range(view.shape, parts)
        raise
