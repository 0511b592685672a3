"""Arrangements composed of the movement primitives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_lite_kernels.layout import broadcast_shape

from ..tensor import Tensor
from . import movement as m
from .movement import broadcast_to, permute_dims, reshape, tensor_of
from .primitive import as_tensors
from .reduce import Axis, normalize_axes, normalize_axis
from .spelling import both_spellings


def broadcast_arrays(*arrays: Any) -> list[Tensor]:
    """The tensors, repeated to their common shape (read-only views)."""
    tensors = as_tensors("broadcast_arrays", arrays)
    shape = broadcast_shape("broadcast_arrays", [t.shape for t in tensors])
    return [broadcast_to(t, shape) for t in tensors]


@both_spellings
def concat(arrays: Sequence[Any], axis: int | None = 0) -> Tensor:
    """The tensors one after another along an existing axis; flattened first for axis=None.

    All other sizes must agree (ValueError), and dtypes are promoted.
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
    from tinygrad_lite_kernels.expr import common_dtype

    kind = common_dtype([t.dtype for t in tensors])
    return [t if t.dtype == kind else m.cast(t, kind) for t in tensors]


@both_spellings
def stack(arrays: Sequence[Any], axis: int = 0) -> Tensor:
    """The tensors, all of one shape, side by side along a new axis."""
    tensors = as_tensors("stack", list(arrays))
    if any(t.shape != tensors[0].shape for t in tensors):
        raise ValueError(f"stack: all shapes must be equal, got {', '.join(str(t.shape) for t in tensors)}")
    return concat([expand_dims(t, axis) for t in tensors], axis)


@both_spellings
def expand_dims(x: Any, axis: Axis = 0) -> Tensor:
    """New axes of size 1 at the given places of the result."""
    x = tensor_of("expand_dims", x)
    count = 1 if isinstance(axis, int) else len(axis or ())
    axes = normalize_axes("expand_dims", axis, x.ndim + count)
    sizes = iter(x.shape)
    return reshape(x, tuple(1 if i in axes else next(sizes) for i in range(x.ndim + count)))


@both_spellings
def squeeze(x: Any, axis: Axis = None) -> Tensor:
    """Without the given axes, which must have size 1 (None: all that have)."""
    x = tensor_of("squeeze", x)
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else normalize_axes("squeeze", axis, x.ndim)
    if any(x.shape[i] != 1 for i in axes):
        raise ValueError(f"squeeze: axis {axis} of shape {x.shape} does not have size 1")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def flatten(x: Any, start_axis: int = 0, end_axis: int = -1) -> Tensor:
    """The axes from start to end merged into one."""
    x = tensor_of("flatten", x)
    if x.ndim == 0:
        return reshape(x, (1,))
    first, last = normalize_axis("flatten", start_axis, x.ndim), normalize_axis("flatten", end_axis, x.ndim)
    return reshape(x, (*x.shape[:first], _product(x.shape[first : last + 1]), *x.shape[last + 1 :]))


def _product(sizes: Sequence[int]) -> int:
    total = 1
    for n in sizes:
        total *= n
    return total


def ravel(x: Any) -> Tensor:
    """All elements in row order along one axis."""
    return reshape(x, (-1,)) if tensor_of("ravel", x).size else reshape(x, (0,))


@both_spellings
def flip(x: Any, axis: Axis = None) -> Tensor:
    """The elements in reverse order along the axes (None: all)."""
    x = tensor_of("flip", x)
    return m.flip_view(x, normalize_axes("flip", axis, x.ndim))


def moveaxis(x: Any, source: Axis, destination: Axis) -> Tensor:
    """Axes at other places, the rest in their order."""
    x = tensor_of("moveaxis", x)
    from_, to = (
        [normalize_axis("moveaxis", a, x.ndim) for a in ([v] if isinstance(v, int) else v or ())]
        for v in (source, destination)
    )
    if len(from_) != len(to):
        raise ValueError(f"moveaxis: source {source} and destination {destination} name different numbers of axes")
    order = [a for a in range(x.ndim) if a not in from_]
    for target, axis in sorted(zip(to, from_, strict=True)):
        order.insert(target, axis)
    return permute_dims(x, order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged."""
    x = tensor_of("swapaxes", x)
    order = list(range(x.ndim))
    a, b = normalize_axis("swapaxes", axis1, x.ndim), normalize_axis("swapaxes", axis2, x.ndim)
    order[a], order[b] = order[b], order[a]
    return permute_dims(x, order)


def matrix_transpose(x: Any) -> Tensor:
    """The last two axes exchanged; also `x.mT`."""
    x = tensor_of("matrix_transpose", x)
    if x.ndim < 2:
        raise ValueError(f"matrix_transpose: needs at least two axes, the shape is {x.shape}")
    return swapaxes(x, -1, -2)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """The axes reversed, or in the given order."""
    x = tensor_of("transpose", x)
    return permute_dims(x, tuple(reversed(range(x.ndim))) if axes is None else axes)


@both_spellings
def repeat(x: Any, repeats: int, axis: int | None = None) -> Tensor:
    """Each element `repeats` times in a row along the axis (None: of the flattened tensor)."""
    x = tensor_of("repeat", x)
    if not isinstance(repeats, int) or repeats < 0:
        raise ValueError(f"repeat: repeats must be an integer that is not negative, got {repeats!r}")
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalize_axis("repeat", axis, x.ndim)
    wide = broadcast_to(expand_dims(x, axis + 1), (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :]))
    return reshape(wide, (*x.shape[:axis], x.shape[axis] * repeats, *x.shape[axis + 1 :]))


def tile(x: Any, repetitions: Sequence[int]) -> Tensor:
    """The whole tensor repeated along each axis."""
    x = tensor_of("tile", x)
    times = tuple(repetitions)
    rank = max(len(times), x.ndim)
    times, sizes = (1,) * (rank - len(times)) + times, (1,) * (rank - x.ndim) + x.shape
    pairs = [n for size in sizes for n in (1, size)]
    wide = broadcast_to(reshape(x, pairs), [n for t, size in zip(times, sizes, strict=True) for n in (t, size)])
    return reshape(wide, tuple(t * size for t, size in zip(times, sizes, strict=True)))


@both_spellings
def roll(x: Any, shift: int | Sequence[int], axis: Axis = None) -> Tensor:
    """The elements moved on by `shift` places; what leaves at the end comes in at the start."""
    x = tensor_of("roll", x)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    shifts = [shift] if isinstance(shift, int) else list(shift)
    axes = [axis] if isinstance(axis, int) else list(axis)
    if len(shifts) != len(axes):
        raise ValueError(f"roll: shift {shift} and axis {axis} must have one entry for each axis")
    for steps, a in zip(shifts, axes, strict=True):
        a = normalize_axis("roll", a, x.ndim)
        size = x.shape[a]
        if size and steps % size:
            cut = size - steps % size
            x = concat([_along(x, a, cut, size), _along(x, a, 0, cut)], a)
    return x


def _along(x: Tensor, axis: int, start: int, stop: int) -> Tensor:
    return m.slice_view(x, (slice(None),) * axis + (slice(start, stop),))


@both_spellings
def split(x: Any, sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Pieces along an axis: of size `sections` (the last may be smaller), or of the given sizes."""
    x = tensor_of("split", x)
    axis = normalize_axis("split", axis, x.ndim)
    size = x.shape[axis]
    if isinstance(sections, int):
        if sections < 1:
            raise ValueError(f"split: the size of a piece must be positive, got {sections}")
        sizes = [min(sections, size - start) for start in range(0, size, sections)] or [0]
    else:
        sizes = list(sections)
    if sum(sizes) != size or any(n < 0 for n in sizes):
        raise ValueError(f"split: sizes {sizes} do not add up to {size}, the size of axis {axis}")
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [_along(x, axis, end - n, end) for end, n in zip(ends, sizes, strict=True)]


@both_spellings
def unstack(x: Any, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis."""
    x = tensor_of("unstack", x)
    return tuple(squeeze(part, axis) for part in split(x, 1, axis)) if x.shape[axis] else ()


def pad(x: Any, widths: Sequence[tuple[int, int]] | int, value: float = 0.0) -> Tensor:
    """`value` around the tensor: widths[i] = (before, after) along axis i, or one width for all sides."""
    x = tensor_of("pad", x)
    pairs = ((widths, widths),) * x.ndim if isinstance(widths, int) else tuple((int(a), int(b)) for a, b in widths)
    if len(pairs) != x.ndim or any(n < 0 for pair in pairs for n in pair):
        raise ValueError(f"pad: needs a pair of widths, not negative, for each of {x.ndim} axes, got {widths!r}")
    return m.pad_constant(x, pairs, value)


def tril(x: Any, k: int = 0) -> Tensor:
    """Zero above the k-th diagonal of the last two axes."""
    return m.tril_part(_matrix("tril", x), k)


def triu(x: Any, k: int = 0) -> Tensor:
    """Zero below the k-th diagonal of the last two axes."""
    return m.triu_part(_matrix("triu", x), k)


def _matrix(name: str, x: Any) -> Tensor:
    x = tensor_of(name, x)
    if x.ndim < 2:
        raise ValueError(f"{name}: needs at least two axes, the shape is {x.shape}")
    return x


def astype(x: Any, dtype: Any, copy: bool = True) -> Tensor:
    """The elements in another dtype. Gradients pass between float dtypes."""
    from ..dtypes import as_dtype

    x, kind = tensor_of("astype", x), as_dtype(dtype)
    return x if x.dtype == kind and not copy else m.cast(x, kind)


def clone(x: Tensor) -> Tensor:
    """A copy in memory of its own; gradients pass through."""
    return m.copy(x)


def contiguous(x: Tensor) -> Tensor:
    """The tensor itself where its elements lie in row order, else a copy that does."""
    return x if x._data.flags.c_contiguous else m.copy(x)
