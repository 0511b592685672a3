"""Joining, dividing, repeating and padding, composed of the movement primitives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import common_dtype
from tinygrad_lite_kernels.layout import broadcast_shape

from .. import dtypes
from ..tensor import Tensor
from . import movement as m
from .axes import expand_dims, ravel
from .index_parts import integers
from .indexing import take
from .movement import broadcast_to, reshape, tensor_of, whole_numbers
from .primitive import as_tensors
from .reduce import Axis, normalize_axis, numbered_axes
from .spelling import both_spellings


def broadcast_arrays(*arrays: Any) -> list[Tensor]:
    """The tensors, repeated to their common shape (read-only views).

    >>> import tinygrad_lite as tg
    >>> [t.shape for t in tg.broadcast_arrays(tg.ones(3), tg.ones((2, 1)))]
    [(2, 3), (2, 3)]
    """
    tensors = as_tensors("broadcast_arrays", arrays)
    shape = broadcast_shape("broadcast_arrays", [t.shape for t in tensors])
    return [broadcast_to(t, shape) for t in tensors]


@both_spellings
def concat(arrays: Sequence[Any], axis: int | None = 0) -> Tensor:
    """The tensors one after another along an existing axis; flattened first for axis=None.

    All other sizes must agree (ValueError), and dtypes are promoted.

    >>> import tinygrad_lite as tg
    >>> tg.concat([tg.tensor([1, 2]), tg.tensor([3])])
    Tensor([1, 2, 3])
    """
    tensors = list(as_tensors("concat", list(arrays)))
    if not tensors:
        raise ValueError("concat: needs at least one tensor")
    if axis is None:
        tensors, axis = [reshape(t, (-1,)) for t in tensors], 0
    axis = normalize_axis("concat", axis, tensors[0].ndim)
    expected = tensors[0].shape
    for i, t in enumerate(tensors):
        if t.ndim != len(expected) or any(
            a != b for k, (a, b) in enumerate(zip(t.shape, expected, strict=True)) if k != axis
        ):
            raise ValueError(f"concat: tensor {i} has shape {t.shape}, which does not fit {expected} along axis {axis}")
    return m.concatenate.apply(_same_dtype(tensors), axis)


def _same_dtype(tensors: Sequence[Tensor]) -> list[Tensor]:
    kind = common_dtype([t.dtype for t in tensors])
    return [t if t.dtype == kind else m.cast(t, kind) for t in tensors]


@both_spellings
def stack(arrays: Sequence[Any], axis: int = 0) -> Tensor:
    """The tensors, all of one shape, side by side along a new axis.

    >>> import tinygrad_lite as tg
    >>> tg.stack([tg.tensor([1, 2]), tg.tensor([3, 4])], axis=1)
    Tensor([[1, 3],
            [2, 4]])
    """
    tensors = as_tensors("stack", list(arrays))
    if not tensors or any(t.shape != tensors[0].shape for t in tensors):
        shapes = ", ".join(str(t.shape) for t in tensors)
        raise ValueError(f"stack: needs at least one tensor, and all of one shape, got {shapes or 'none'}")
    return concat([expand_dims(t, axis) for t in tensors], axis)


@both_spellings
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element `repeats` times in a row along the axis (None: of the flattened tensor).

    repeats: an integer, or a vector of integers with one for each element of the axis; ValueError where negative.

    >>> import tinygrad_lite as tg
    >>> tg.repeat(tg.tensor([1, 2]), 2), tg.repeat(tg.tensor([1, 2]), [0, 3])
    (Tensor([1, 1, 2, 2]), Tensor([2, 2, 2]))
    """
    x = tensor_of("repeat", x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalize_axis("repeat", axis, x.ndim)
    times = integers("repeat", repeats)
    if times.min(initial=0) < 0 or times.ndim > 1 or (times.size != 1 and times.size != x.shape[axis]):
        raise ValueError(f"repeat: repeats must be a number >= 0, or one for each of {x.shape[axis]}, got {repeats!r}")
    if times.size != 1:
        return take(x, np.repeat(np.arange(x.shape[axis]), times), axis)
    return _repeated(x, int(times.reshape(())), axis)


def _repeated(x: Tensor, repeats: int, axis: int) -> Tensor:
    wide = broadcast_to(expand_dims(x, axis + 1), (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :]))
    return reshape(wide, (*x.shape[:axis], x.shape[axis] * repeats, *x.shape[axis + 1 :]), copy=True)


def tile(x: Any, repetitions: int | Sequence[int]) -> Tensor:
    """The whole tensor repeated along each axis; fewer numbers than axes stand for the last ones.

    >>> import tinygrad_lite as tg
    >>> tg.tile(tg.tensor([1, 2]), (2, 2))
    Tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    x = tensor_of("tile", x)
    times = whole_numbers("tile", "repetitions are", repetitions)
    if any(n < 0 for n in times):
        raise ValueError(f"tile: repetitions must be integers that are not negative, got {repetitions!r}")
    rank = max(len(times), x.ndim)
    times, sizes = (1,) * (rank - len(times)) + times, (1,) * (rank - x.ndim) + x.shape
    pairs = [n for size in sizes for n in (1, size)]
    wide = broadcast_to(reshape(x, pairs), [n for t, size in zip(times, sizes, strict=True) for n in (t, size)])
    return reshape(wide, tuple(t * size for t, size in zip(times, sizes, strict=True)), copy=True)


@both_spellings
def roll(x: Any, shift: int | Sequence[int], axis: Axis = None) -> Tensor:
    """The elements moved on by `shift` places; what leaves at the end comes in at the start.

    shift, axis: numbers, or as many of one as of the other. None: roll the flattened tensor, then restore the shape.

    >>> import tinygrad_lite as tg
    >>> tg.roll(tg.tensor([1, 2, 3, 4]), 1)
    Tensor([4, 1, 2, 3])
    """
    x = tensor_of("roll", x)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    axes = numbered_axes("roll", axis, x.ndim)
    shifts = whole_numbers("roll", "shift is", shift)
    shifts = shifts if np.ndim(shift) else shifts * len(axes)
    if len(shifts) != len(axes):
        raise ValueError(f"roll: shift {shift} and axis {axis} must have one entry for each axis")
    for steps, a in zip(shifts, axes, strict=True):
        cut = x.shape[a] - steps % max(x.shape[a], 1)
        x = concat([_along(x, a, cut, x.shape[a]), _along(x, a, 0, cut)], a)
    return x if axes else m.copy(x)


def _along(x: Tensor, axis: int, start: int, stop: int) -> Tensor:
    return m.slice_view(x, (slice(None),) * axis + (slice(start, stop),))


@both_spellings
def split(x: Any, sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Pieces along an axis: of size `sections` (the last may be smaller), or of the given sizes. Views.

    >>> import tinygrad_lite as tg
    >>> tg.split(tg.arange(5), 2)
    [Tensor([0, 1]), Tensor([2, 3]), Tensor([4])]
    """
    x = tensor_of("split", x)
    axis = normalize_axis("split", axis, x.ndim)
    size = x.shape[axis]
    sizes = list(whole_numbers("split", "sections are", sections))
    if np.ndim(sections) == 0:
        sizes = _equal_pieces(size, sizes[0])
    if sum(sizes) != size or any(n < 0 for n in sizes):
        raise ValueError(f"split: sizes {sizes} do not add up to {size}, the size of axis {axis}")
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [_along(x, axis, end - n, end) for end, n in zip(ends, sizes, strict=True)]


def _equal_pieces(size: int, piece: int) -> list[int]:
    """The sizes of as many pieces as are needed; the last may be smaller."""
    if piece < 1:
        raise ValueError(f"split: the size of a piece must be positive, got {piece}")
    return [min(piece, size - start) for start in range(0, size, piece)] or [0]


@both_spellings
def unstack(x: Any, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis. Views.

    >>> import tinygrad_lite as tg
    >>> tg.unstack(tg.tensor([[1, 2], [3, 4]]), axis=1)
    (Tensor([1, 3]), Tensor([2, 4]))
    """
    x = tensor_of("unstack", x)
    axis = normalize_axis("unstack", axis, x.ndim)
    return tuple(m.slice_view(x, (slice(None),) * axis + (i, ...)) for i in range(x.shape[axis]))


def pad(x: Any, widths: Any, value: float = 0.0) -> Tensor:
    """`value` around the tensor: widths[i] = (before, after) along axis i, or one pair or number for all axes.

    >>> import tinygrad_lite as tg
    >>> tg.pad(tg.tensor([1, 2]), (1, 2))
    Tensor([0, 1, 2, 0, 0])
    """
    x = tensor_of("pad", x)
    given = integers("pad", widths)
    whole = given if given.ndim == 2 else np.broadcast_to(given, (x.ndim, 2)) if given.size in (1, 2) else given
    pairs = tuple((int(a), int(b)) for a, b in whole) if whole.ndim == 2 and whole.shape[1] == 2 else ()
    if len(pairs) != x.ndim or any(n < 0 for pair in pairs for n in pair):
        raise ValueError(f"pad: needs a pair of widths, not negative, for each of {x.ndim} axes, got {widths!r}")
    return m.pad_constant(x, pairs, value)


def tril(x: Any, k: int = 0) -> Tensor:
    """Zero above the k-th diagonal of the last two axes.

    >>> import tinygrad_lite as tg
    >>> tg.tril(tg.ones((2, 3)))
    Tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    return m.tril_part(m.two_axes("tril", x), k)


def triu(x: Any, k: int = 0) -> Tensor:
    """Zero below the k-th diagonal of the last two axes.

    >>> import tinygrad_lite as tg
    >>> tg.triu(tg.ones((2, 3)), k=1)
    Tensor([[0., 1., 1.],
            [0., 0., 1.]])
    """
    return m.triu_part(m.two_axes("triu", x), k)


def astype(x: Any, dtype: Any, copy: bool = True, device: Any = None) -> Tensor:
    """The elements in another dtype, on `device` if given. Gradients pass between float dtypes.

    copy: False gives the tensor itself where nothing changes.

    >>> import tinygrad_lite as tg
    >>> tg.astype(tg.tensor([1.7, -1.7]), tg.int64)
    Tensor([ 1, -1])
    """
    x, kind = tensor_of("astype", x), dtypes.as_dtype(dtype)
    x = x if device is None else m.to_device(x, device)
    return x if x.dtype == kind and not copy else m.cast(x, kind)


def clone(x: Tensor) -> Tensor:
    """A copy in memory of its own; gradients pass through.

    >>> import tinygrad_lite as tg
    >>> x = tg.ones(2)
    >>> x.clone().add_(1), x
    (Tensor([2., 2.]), Tensor([1., 1.]))
    """
    return m.copy(x)


def contiguous(x: Tensor) -> Tensor:
    """The tensor itself where its elements lie in row order, else a copy that does.

    >>> import tinygrad_lite as tg
    >>> tg.ones((2, 3)).T.contiguous().numpy().flags.c_contiguous
    True
    """
    return x if x._data.flags.c_contiguous else m.copy(x)
