"""Reductions by NumPy."""

from __future__ import annotations

import numpy as np


def reduce(name: str, a: np.ndarray, axes: tuple[int, ...], keepdims: bool = False) -> np.ndarray:
    """sum, prod, max, min, any or all over `axes` (sorted, from 0; none of them leaves every element alone).

    Sums and products of integers and truth values have 64 bits. Raises ValueError for max and min of nothing.
    """
    if name in ("max", "min") and any(a.shape[axis] == 0 for axis in axes):
        raise ValueError(f"{name}: an axis of size 0 has no {name}imum; shape {a.shape}, axes {axes}")
    with np.errstate(all="ignore"):
        return np.asarray(getattr(np, name)(a, axis=axes, keepdims=keepdims))


def argreduce(name: str, a: np.ndarray, axis: int, keepdims: bool = False) -> np.ndarray:
    """argmax or argmin along an axis: the first position, or that of the first NaN. ValueError where it is empty."""
    if a.shape[axis] == 0:
        raise ValueError(f"{name}: axis {axis} has size 0; shape {a.shape}")
    return np.asarray(getattr(np, name)(a, axis=axis, keepdims=keepdims), np.int64)
