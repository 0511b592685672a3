"""Linear algebra by permuting axes, reshaping, and the matrix product."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import common_dtype

from ..tensor import Tensor
from .axes import expand_dims, moveaxis
from .elementwise import OPERATIONS
from .indexing import gather_rows
from .matmul import product
from .movement import cast, permute_dims, reshape, two_axes
from .primitive import as_tensors
from .reduce import normalize_axes, numbered_axes
from .reduce import reduce as reduce_by
from .spelling import both_spellings
from .statistics import floating, safe_root, sum

multiply = OPERATIONS["multiply"]


def matmul(x1: Any, x2: Any) -> Tensor:
    """The matrix product with NumPy's rules for vectors and stacks of matrices. Also written `x1 @ x2`.

    x1: (..., m, k) or (k,). x2: (..., k, n) or (k,); leading axes broadcast. ValueError where the sizes k differ.
    Dtypes are promoted; a float32 and an integer operand give float32.

    >>> import tinygrad_lite as tg
    >>> tg.ones((2, 3)) @ tg.tensor([1.0, 2.0, 3.0])
    Tensor([6., 6.])
    """
    a, b = promoted("matmul", x1, x2)
    return product(a, b)


def promoted(name: str, x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    a, b = as_tensors(name, [x1, x2])
    if a.dtype != b.dtype:
        kind = common_dtype([a.dtype, b.dtype])
        a, b = cast(a, kind), cast(b, kind)
    return a, b


def dot(x1: Any, x2: Any) -> Tensor:
    """The inner product of two vectors.

    >>> import tinygrad_lite as tg
    >>> tg.dot(tg.tensor([1, 2]), tg.tensor([3, 4]))
    Tensor(11)
    """
    a, b = promoted("dot", x1, x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"dot: needs two vectors, got shapes {a.shape} and {b.shape}; use matmul or tensordot")
    return product(a, b)


def outer(x1: Any, x2: Any) -> Tensor:
    """All products of an element of the first vector and one of the second.

    >>> import tinygrad_lite as tg
    >>> tg.outer(tg.tensor([1, 2]), tg.tensor([3, 4]))
    Tensor([[3, 4],
            [6, 8]])
    """
    a, b = as_tensors("outer", [x1, x2])
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"outer: needs two vectors, got shapes {a.shape} and {b.shape}")
    return multiply(expand_dims(a, 1), b)


@both_spellings
def vecdot(x1: Any, x2: Any, axis: int = -1) -> Tensor:
    """The inner products of vectors along an axis, counted from the end (-1 is the last); the other axes broadcast.

    Dtypes are promoted; products of integers stay in their dtype.

    >>> import tinygrad_lite as tg
    >>> tg.vecdot(tg.tensor([[1, 2], [3, 4]]), tg.tensor([1, 1]))
    Tensor([3, 7])
    """
    a, b = promoted("vecdot", x1, x2)
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError(f"vecdot: needs tensors with at least one axis, got shapes {a.shape} and {b.shape}")
    if not -1 >= axis >= -min(a.ndim, b.ndim):
        raise ValueError(f"vecdot: axis counts from the end, so it must be in [{-min(a.ndim, b.ndim)}, -1], got {axis}")
    if a.shape[axis] != b.shape[axis]:
        raise ValueError(f"vecdot: axis {axis} has size {a.shape[axis]} and {b.shape[axis]}; they must agree")
    return sum(multiply(a, b), axis, a.dtype)


def tensordot(x1: Any, x2: Any, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """Sum over pairs of axes: the last `axes` of x1 with the first of x2, or two lists of axes.

    The result has the other axes of x1, then those of x2. ValueError where the sizes of a pair differ.

    >>> import tinygrad_lite as tg
    >>> tg.tensordot(tg.ones((2, 3, 4)), tg.ones((3, 4, 5))).shape
    (2, 5)
    """
    a, b = promoted("tensordot", x1, x2)
    left, right = _summed_axes(a, b, axes)
    if [a.shape[i] for i in left] != [b.shape[i] for i in right]:
        raise ValueError(f"tensordot: axes {left} of shape {a.shape} and {right} of {b.shape} differ in size")
    free_a, free_b = ([i for i in range(t.ndim) if i not in used] for t, used in ((a, left), (b, right)))
    inner = math.prod(a.shape[i] for i in left)
    rows = reshape(permute_dims(a, free_a + left), (math.prod(a.shape[i] for i in free_a), inner))
    columns = reshape(permute_dims(b, right + free_b), (inner, math.prod(b.shape[i] for i in free_b)))
    return reshape(product(rows, columns), [a.shape[i] for i in free_a] + [b.shape[i] for i in free_b])


def _summed_axes(a: Tensor, b: Tensor, axes: Any) -> tuple[list[int], list[int]]:
    """Which axes of each tensor `tensordot` sums over, in pairs."""
    if isinstance(axes, (int, np.integer)):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise ValueError(f"tensordot: axes must be from 0 to {min(a.ndim, b.ndim)} for these tensors, got {axes}")
        return list(range(a.ndim - axes, a.ndim)), list(range(axes))
    if not isinstance(axes, (tuple, list)) or len(axes) != 2:
        raise TypeError(f"tensordot: axes must be an integer or two lists of integers, got {axes!r}")
    for given, t in zip(axes, (a, b), strict=True):
        normalize_axes("tensordot", given, t.ndim)  # none of them twice
    return numbered_axes("tensordot", axes[0], a.ndim), numbered_axes("tensordot", axes[1], b.ndim)


def diagonal(x: Any, offset: int = 0, axis1: int = -2, axis2: int = -1) -> Tensor:
    """The elements x[..., i, i + offset] of two axes, as the last axis of the result.

    >>> import tinygrad_lite as tg
    >>> tg.diagonal(tg.tensor([[1, 2], [3, 4]]))
    Tensor([1, 4])
    """
    x = two_axes("diagonal", x)
    first = moveaxis(x, (axis1, axis2), (0, 1))
    rows, columns = first.shape[:2]
    start, count = max(0, -offset), max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    i = np.arange(start, start + count)
    return moveaxis(gather_rows(first, (i, i + offset)), 0, -1)


def trace(x: Any, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sum of the diagonal of the last two axes. Integers are summed in 64 bits, or in `dtype`.

    >>> import tinygrad_lite as tg
    >>> tg.trace(tg.tensor([[1, 2], [3, 4]]))
    Tensor(5)
    """
    return sum(diagonal(two_axes("trace", x), offset), -1, dtype)


@both_spellings
def norm(x: Any, ord: float | str | None = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The p-norm of the elements over `axis` (None: all): 2 (default, also "fro"), 1, inf, -inf, 0, or any other p.

    Several axes count as one long vector. Integers give the default float. The gradient at 0 is 0 (for p >= 1).

    >>> import tinygrad_lite as tg
    >>> tg.norm(tg.tensor([[3.0, 4.0], [0.0, 0.0]]), axis=1)
    Tensor([5., 0.])
    """
    x = floating("norm", x)
    axes = normalize_axes("norm", axis, x.ndim)
    if ord in (None, 2, "fro"):
        return safe_root(reduce_by("sum", OPERATIONS["square"](x), axes, keepdims), 2)
    if isinstance(ord, str):
        raise ValueError(f'norm: ord must be a number, inf or "fro", got {ord!r}')
    if ord == 0:
        return cast(reduce_by("sum", OPERATIONS["not_equal"](x, 0), axes, keepdims), x.dtype)
    size = OPERATIONS["abs"](x)
    if abs(ord) == math.inf:
        return reduce_by("max" if ord > 0 else "min", size, axes, keepdims)
    if ord == 1:
        return reduce_by("sum", size, axes, keepdims)
    return safe_root(reduce_by("sum", OPERATIONS["pow"](size, float(ord)), axes, keepdims), float(ord))
