"""Axes added, dropped, merged and put in another order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..tensor import Tensor
from . import movement as m
from .movement import permute_dims, reshape, tensor_of
from .reduce import Axis, normalize_axes, normalize_axis, numbered_axes
from .spelling import both_spellings


@both_spellings
def expand_dims(x: Any, axis: Axis = 0) -> Tensor:
    """New axes of size 1 at the given places of the result. ValueError where a place is out of range.

    >>> import tinygrad_lite as tg
    >>> tg.expand_dims(tg.ones(3), (0, -1)).shape
    (1, 3, 1)
    """
    x = tensor_of("expand_dims", x)
    axis = () if axis is None else axis
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    axes = normalize_axes("expand_dims", axis, x.ndim + count)
    sizes = iter(x.shape)
    return reshape(x, tuple(1 if i in axes else next(sizes) for i in range(x.ndim + count)))


@both_spellings
def squeeze(x: Any, axis: Axis = None) -> Tensor:
    """Without the given axes, which must have size 1 (None: all that have).

    >>> import tinygrad_lite as tg
    >>> tg.squeeze(tg.ones((1, 3, 1)), axis=0).shape
    (3, 1)
    """
    x = tensor_of("squeeze", x)
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else normalize_axes("squeeze", axis, x.ndim)
    if any(x.shape[i] != 1 for i in axes):
        raise ValueError(f"squeeze: axis {axis} of shape {x.shape} does not have size 1")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


@both_spellings
def flatten(x: Any, start_axis: int = 0, end_axis: int = -1) -> Tensor:
    """The axes from start to end merged into one.

    >>> import tinygrad_lite as tg
    >>> tg.flatten(tg.ones((2, 3, 4)), start_axis=1).shape
    (2, 12)
    """
    x = tensor_of("flatten", x)
    if x.ndim == 0:
        return reshape(x, (1,))
    first, last = normalize_axis("flatten", start_axis, x.ndim), normalize_axis("flatten", end_axis, x.ndim)
    if first > last:
        raise ValueError(f"flatten: start_axis {start_axis} lies behind end_axis {end_axis}")
    return reshape(x, (*x.shape[:first], math.prod(x.shape[first : last + 1]), *x.shape[last + 1 :]))


def ravel(x: Any) -> Tensor:
    """All elements in row order along one axis.

    >>> import tinygrad_lite as tg
    >>> tg.ravel(tg.tensor([[1, 2], [3, 4]]))
    Tensor([1, 2, 3, 4])
    """
    x = tensor_of("ravel", x)
    return reshape(x, (x.size,))


@both_spellings
def flip(x: Any, axis: Axis = None) -> Tensor:
    """The elements in reverse order along the axes (None: all). A view.

    >>> import tinygrad_lite as tg
    >>> tg.flip(tg.tensor([1, 2, 3]))
    Tensor([3, 2, 1])
    """
    x = tensor_of("flip", x)
    return m.flip_view(x, normalize_axes("flip", axis, x.ndim))


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Axes at other places, the rest in their order.

    >>> import tinygrad_lite as tg
    >>> tg.moveaxis(tg.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = tensor_of("moveaxis", x)
    from_, to = numbered_axes("moveaxis", source, x.ndim), numbered_axes("moveaxis", destination, x.ndim)
    if len(from_) != len(to) or len(set(from_)) < len(from_) or len(set(to)) < len(to):
        raise ValueError(f"moveaxis: source {source} and destination {destination} must name as many axes, each once")
    order = [a for a in range(x.ndim) if a not in from_]
    for target, axis in sorted(zip(to, from_, strict=True)):
        order.insert(target, axis)
    return permute_dims(x, order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged.

    >>> import tinygrad_lite as tg
    >>> tg.swapaxes(tg.ones((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    x = tensor_of("swapaxes", x)
    order = list(range(x.ndim))
    a, b = normalize_axis("swapaxes", axis1, x.ndim), normalize_axis("swapaxes", axis2, x.ndim)
    order[a], order[b] = order[b], order[a]
    return permute_dims(x, order)


def matrix_transpose(x: Any) -> Tensor:
    """The last two axes exchanged; also `x.mT`.

    >>> import tinygrad_lite as tg
    >>> tg.matrix_transpose(tg.ones((5, 2, 3))).shape
    (5, 3, 2)
    """
    return swapaxes(m.two_axes("matrix_transpose", x), -1, -2)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """The axes reversed, or all of them in the given order; `swapaxes` exchanges two.

    >>> import tinygrad_lite as tg
    >>> tg.transpose(tg.ones((2, 3, 4))).shape
    (4, 3, 2)
    """
    x = tensor_of("transpose", x)
    return m.permute(x, tuple(range(x.ndim))[::-1]) if axes is None else permute_dims(x, axes)
