"""Sorting by NumPy. NaN counts as the largest value; equal elements keep their order."""

from __future__ import annotations

import numpy as np


def argsort(a: np.ndarray, axis: int = -1, descending: bool = False) -> np.ndarray:
    """The positions (int64) that sort `a` along an axis, stable in both directions."""
    if not descending:
        return np.argsort(a, axis=axis, kind="stable").astype(np.int64, copy=False)
    backwards = np.flip(np.argsort(np.flip(a, axis), axis=axis, kind="stable"), axis)
    return (a.shape[axis] - 1 - backwards).astype(np.int64, copy=False)


def sort(a: np.ndarray, axis: int = -1, descending: bool = False) -> np.ndarray:
    """The elements in order along an axis."""
    ordered = np.sort(a, axis=axis, kind="stable")
    return np.flip(ordered, axis).copy() if descending else ordered
