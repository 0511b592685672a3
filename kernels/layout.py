"""How many loops an operation needs: broadcasting, and merging of dimensions that lie next to each other in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Strides = tuple[int, ...]


def broadcast_shape(name: str, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The common shape; ValueError that names the operation where there is none."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = ", ".join(str(s) for s in shapes)
        raise ValueError(
            f"{name}: shapes {listed} do not broadcast: from the right, sizes must be equal or 1"
        ) from None


def broadcast_strides(array: Any, shape: Sequence[int]) -> Strides:
    """Byte strides that walk an array (or anything with shape and strides) as if it had `shape`: 0 where it repeats."""
    missing = len(shape) - len(array.shape)
    own = [0 if n == 1 else s for n, s in zip(array.shape, array.strides, strict=True)]
    return (0,) * missing + tuple(own)


def slow_to_fast(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> list[int]:
    """The order of axes in which the first operand of full shape lies in memory; rows first where none has it.

    One that is a smaller array repeated does not lie in any order.
    """
    full = next((a for a in arrays if a.shape == shape and 0 not in a.strides), None)
    if full is None or full.flags.c_contiguous:
        return list(range(len(shape)))
    return order_of(full.strides)


def order_of(strides: Sequence[int]) -> list[int]:
    """The axes from the largest stride to the smallest."""
    return sorted(range(len(strides)), key=lambda axis: -abs(strides[axis]))


def collapse(shape: Sequence[int], strides: Sequence[Sequence[int]]) -> tuple[list[int], list[list[int]]]:
    """Drop axes of size 1 and merge axes that every operand walks as one. Always leaves at least one axis.

    >>> collapse((2, 3, 4), [(48, 16, 4), (0, 0, 4)])
    ([6, 4], [[16, 4], [0, 4]])
    """
    sizes: list[int] = []
    merged: list[list[int]] = [[] for _ in strides]
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        step = [s[axis] for s in strides]
        if sizes and all(m[-1] == s * size for m, s in zip(merged, step, strict=True)):
            sizes[-1] *= size
            for m, s in zip(merged, step, strict=True):
                m[-1] = s
        else:
            sizes.append(size)
            for m, s in zip(merged, step, strict=True):
                m.append(s)
    return (sizes, merged) if sizes else ([1], [[0] for _ in strides])
