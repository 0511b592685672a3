"""The matrix product by NumPy."""

from __future__ import annotations

import numpy as np


def check(a: np.ndarray, b: np.ndarray) -> None:
    """ValueError where the shapes do not fit, TypeError where the dtypes differ."""
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError(f"matmul: operands need at least one axis, got shapes {a.shape} and {b.shape}; use * instead")
    inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if a.shape[-1] != inner:
        raise ValueError(
            f"matmul: shapes {a.shape} and {b.shape} do not fit: the last axis of the first has size {a.shape[-1]}, "
            f"the {'second last' if b.ndim > 1 else 'only'} axis of the second {inner}; they must be equal"
        )
    try:
        np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise ValueError(f"matmul: the leading axes of shapes {a.shape} and {b.shape} do not broadcast") from None
    if a.dtype != b.dtype:
        raise TypeError(f"matmul: operands have dtypes {a.dtype} and {b.dtype}; convert one with .astype")


def check_out(out: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """ValueError where the product does not fit into the given memory."""
    if out.shape != shape or out.dtype != dtype or not out.flags.writeable:
        raise ValueError(f"matmul: out must be a writable array of shape {shape} and dtype {dtype}")


def matmul(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None, accumulate: bool = False) -> np.ndarray:
    """a @ b with NumPy's rules for vectors and stacks; into `out` if given, added to it with accumulate=True."""
    check(a, b)
    with np.errstate(all="ignore"):
        product = np.asarray(np.matmul(a, b))
    if out is None:
        return product
    check_out(out, product.shape, product.dtype)
    out[...] = out + product if accumulate else product
    return out
