"""Copies, conversions and joins by NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def copy(a: np.ndarray) -> np.ndarray:
    """The elements in row order in memory of their own."""
    return np.array(a, order="C")


def full(shape: tuple[int, ...], value: float, dtype: np.dtype) -> np.ndarray:
    """A new array with one value everywhere."""
    return np.full(shape, value, dtype)


def copy_into(out: np.ndarray, a: np.ndarray) -> None:
    """Write `a`, broadcast, into `out`. They may overlap."""
    np.copyto(out, a, casting="no")


def astype(a: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The elements in another dtype, in row order. Floats are truncated to integers; not zero is True."""
    with np.errstate(invalid="ignore"):
        return np.array(a.astype(dtype), order="C")


def concat(arrays: Sequence[np.ndarray], axis: int) -> np.ndarray:
    """The arrays one after another along an existing axis."""
    return np.concatenate(arrays, axis)


def pad(a: np.ndarray, widths: Sequence[tuple[int, int]], value: float = 0.0) -> np.ndarray:
    """`a` with `value` around it: widths[i] elements before and after along axis i."""
    if any(before < 0 or after < 0 for before, after in widths):
        raise ValueError(f"pad: widths must not be negative, got {tuple(widths)}")
    shape = tuple(n + before + after for n, (before, after) in zip(a.shape, widths, strict=True))
    out = np.full(shape, value, a.dtype)
    out[tuple(slice(before, before + n) for n, (before, _) in zip(a.shape, widths, strict=True))] = a
    return out


def tril(a: np.ndarray, k: int = 0) -> np.ndarray:
    """Zero above the k-th diagonal of the last two axes."""
    return np.tril(a, k)


def triu(a: np.ndarray, k: int = 0) -> np.ndarray:
    """Zero below the k-th diagonal of the last two axes."""
    return np.triu(a, k)
