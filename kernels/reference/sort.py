"""Sorting by NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from .reduce import check_array, check_axis


def check_sort(name: str, a: Any, axis: int) -> np.ndarray:
    """What `sort` and `argsort` demand of their arguments; `a` as a plain array."""
    a = check_array(name, a)
    check_axis(name, a, axis)
    return a


def argsort(a: np.ndarray, axis: int = -1, descending: bool = False, stable: bool = True) -> np.ndarray:
    """The positions (int64) that sort `a` along an axis. Equal elements keep their order, also with descending=True.

    NaN counts as the largest value: it comes last, and first with descending=True. Always stable, whatever `stable`
    says. ValueError where there is no such axis, TypeError for other dtypes than numbers and truth values.

    >>> argsort(np.array([3.0, 1.0, 2.0]), descending=True)
    array([0, 2, 1])
    """
    a = check_sort("argsort", a, axis)
    if not descending:
        return np.argsort(a, axis=axis, kind="stable").astype(np.int64, copy=False)
    backwards = np.flip(np.argsort(np.flip(a, axis), axis=axis, kind="stable"), axis)
    return (a.shape[axis] - 1 - backwards).astype(np.int64, copy=False)


def sort(a: np.ndarray, axis: int = -1, descending: bool = False) -> np.ndarray:
    """The elements in order along an axis, as `argsort` orders them.

    >>> sort(np.array([3.0, np.nan, 2.0]))
    array([ 2.,  3., nan])
    """
    a = check_sort("sort", a, axis)
    ordered = np.sort(a, axis=axis, kind="stable")
    return np.flip(ordered, axis).copy() if descending else ordered
