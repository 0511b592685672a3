"""Running sums and products by NumPy."""

from __future__ import annotations

import numpy as np


def cumulative(name: str, a: np.ndarray, axis: int) -> np.ndarray:
    """The running "sum" or "prod" along an axis. Of integers and truth values in 64 bits."""
    with np.errstate(all="ignore"):
        return {"sum": np.cumsum, "prod": np.cumprod}[name](a, axis=axis)
