"""Reductions: sum, prod, max, min, any, all over any axes, argmax and argmin over one."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from ..tensor import Tensor
from .movement import reshape
from .primitive import Primitive, as_tensors

Axis = int | Sequence[int] | None


def _reduction(name: str) -> Primitive:
    return Primitive(name, lambda device, a, axes, keepdims: device.reduce.reduce(name, a, axes, keepdims))


PRIMITIVES = {name: _reduction(name) for name in ("sum", "prod", "max", "min", "any", "all")}


def normalize_axes(name: str, axis: Axis, ndim: int) -> tuple[int, ...]:
    """Axes as sorted numbers from 0; all of them for None. ValueError where one is out of range or repeated."""
    if axis is None:
        return tuple(range(ndim))
    found = sorted(numbered_axes(name, axis, ndim))
    if len(set(found)) < len(found):
        raise ValueError(f"{name}: axis {axis} names an axis twice")
    return tuple(found)


def numbered_axes(name: str, axis: int | Sequence[int], ndim: int) -> list[int]:
    """Axes in the given order as numbers from 0. TypeError where one is no integer, ValueError where out of range."""
    try:
        axes = [operator.index(a) for a in (axis if isinstance(axis, (tuple, list)) else [axis])]  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name}: axis must be an integer or several, got {axis!r}") from None
    for a in axes:
        if not -ndim <= a < ndim:
            raise ValueError(f"{name}: axis {a} is out of range for a tensor with {ndim} axes")
    return [a % ndim for a in axes]


def normalize_axis(name: str, axis: int, ndim: int) -> int:
    """One axis as a number from 0."""
    found = numbered_axes(name, axis, ndim)
    if len(found) != 1:
        raise TypeError(f"{name}: axis must be one integer, got {axis!r}")
    return found[0]


def reduce(name: str, x: Any, axis: Axis, keepdims: bool) -> Tensor:
    """Apply the reduction of that name."""
    (x,) = as_tensors(name, [x])
    return PRIMITIVES[name](x, normalize_axes(name, axis, x.ndim), keepdims)


def sum_to(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Sum over the axes along which `shape` was broadcast to the shape of `x`: broadcasting, backwards."""
    if x.shape == shape:
        return x
    extra = x.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(i + extra for i, n in enumerate(shape) if n == 1 and x.shape[i + extra] != 1)
    return reshape(PRIMITIVES["sum"](x, axes, False), shape)
