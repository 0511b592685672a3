"""Linear algebra by permuting axes, reshaping, and the matrix product."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from .axes import expand_dims, moveaxis
from .elementwise import OPERATIONS
from .indexing import gather_rows
from .matmul import product
from .movement import cast, permute_dims, reshape, tensor_of
from .primitive import as_tensors
from .reduce import normalize_axes, normalize_axis
from .reduce import reduce as reduce_by
from .spelling import both_spellings

multiply = OPERATIONS["multiply"]


def matmul(x1: Any, x2: Any) -> Tensor:
    """The matrix product with NumPy's rules for vectors and stacks of matrices. Also written `x1 @ x2`.

    x1: (..., m, k) or (k,). x2: (..., k, n) or (k,); leading axes broadcast. ValueError where the sizes k differ.
    Dtypes are promoted; a float32 and an integer operand give float32.
    """
    a, b = _promoted("matmul", x1, x2)
    return product(a, b)


def _promoted(name: str, x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    from tinygrad_lite_kernels.expr import common_dtype

    a, b = as_tensors(name, [x1, x2])
    if a.dtype != b.dtype:
        kind = common_dtype([a.dtype, b.dtype])
        a, b = cast(a, kind), cast(b, kind)
    return a, b


def dot(x1: Any, x2: Any) -> Tensor:
    """The inner product of two vectors."""
    a, b = _promoted("dot", x1, x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"dot: needs two vectors, got shapes {a.shape} and {b.shape}; use matmul or tensordot")
    return product(a, b)


def outer(x1: Any, x2: Any) -> Tensor:
    """All products of an element of the first vector and one of the second."""
    a, b = as_tensors("outer", [x1, x2])
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"outer: needs two vectors, got shapes {a.shape} and {b.shape}")
    return multiply(expand_dims(a, 1), b)


@both_spellings
def vecdot(x1: Any, x2: Any, axis: int = -1) -> Tensor:
    """The inner products of vectors along an axis; the other axes broadcast."""
    a, b = as_tensors("vecdot", [x1, x2])
    if not -1 >= axis >= -min(a.ndim, b.ndim):
        raise ValueError(f"vecdot: axis counts from the end, so it must be in [{-min(a.ndim, b.ndim)}, -1], got {axis}")
    if a.shape[axis] != b.shape[axis]:
        raise ValueError(f"vecdot: axis {axis} has size {a.shape[axis]} and {b.shape[axis]}; they must agree")
    return reduce_by("sum", multiply(a, b), axis, False)


def tensordot(x1: Any, x2: Any, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """Sum over pairs of axes: the last `axes` of x1 with the first of x2, or two lists of axes."""
    a, b = _promoted("tensordot", x1, x2)
    if isinstance(axes, int):
        axes = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    left = [normalize_axis("tensordot", i, a.ndim) for i in axes[0]]
    right = [normalize_axis("tensordot", i, b.ndim) for i in axes[1]]
    if [a.shape[i] for i in left] != [b.shape[i] for i in right]:
        raise ValueError(f"tensordot: axes {left} of shape {a.shape} and {right} of {b.shape} differ in size")
    free_a, free_b = ([i for i in range(t.ndim) if i not in used] for t, used in ((a, left), (b, right)))
    inner = math.prod(a.shape[i] for i in left)
    rows = reshape(permute_dims(a, free_a + left), (math.prod(a.shape[i] for i in free_a), inner))
    columns = reshape(permute_dims(b, right + free_b), (inner, math.prod(b.shape[i] for i in free_b)))
    return reshape(product(rows, columns), [a.shape[i] for i in free_a] + [b.shape[i] for i in free_b])


def diagonal(x: Any, offset: int = 0, axis1: int = -2, axis2: int = -1) -> Tensor:
    """The elements x[..., i, i + offset] of two axes, as the last axis of the result."""
    x = tensor_of("diagonal", x)
    first = moveaxis(x, (axis1, axis2), (0, 1))
    rows, columns = first.shape[:2]
    start, count = max(0, -offset), max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    i = np.arange(start, start + count)
    return moveaxis(gather_rows(first, (i, i + offset)), 0, -1)


def trace(x: Any, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sum of the diagonal of the last two axes."""
    from .statistics import sum

    return sum(diagonal(x, offset), -1, dtype)


@both_spellings
def norm(x: Any, ord: float | str | None = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The p-norm of vectors along `axis`: 2 (default, also "fro"), 1, inf, -inf, 0, or any p.

    The gradient of the 2-norm at 0 is 0.
    """
    x = tensor_of("norm", x)
    axes = normalize_axes("norm", axis, x.ndim)
    size = OPERATIONS["abs"](x)
    if ord in (None, 2, "fro"):
        return _safe_sqrt(reduce_by("sum", OPERATIONS["square"](x), axes, keepdims))
    if ord in (math.inf, -math.inf):
        return reduce_by("max" if ord == math.inf else "min", size, axes, keepdims)
    if ord == 0:
        return cast(reduce_by("sum", OPERATIONS["not_equal"](x, 0), axes, keepdims), x.dtype)
    if isinstance(ord, str):
        raise ValueError(f'norm: ord must be a number, inf or "fro", got {ord!r}')
    power = size if ord == 1 else OPERATIONS["pow"](size, float(ord))
    total = reduce_by("sum", power, axes, keepdims)
    return total if ord == 1 else OPERATIONS["pow"](total, 1 / float(ord))


def _safe_sqrt(x: Tensor) -> Tensor:
    """The square root, whose gradient at 0 is taken as 0."""
    zero = OPERATIONS["equal"](x, 0)
    root = OPERATIONS["sqrt"](OPERATIONS["where"](zero, 1, x))
    return OPERATIONS["where"](zero, 0, root)
