"""Statistics over axes: the reductions, and what is composed of them."""

from __future__ import annotations

import math
from typing import Any

from ..tensor import Tensor
from .elementwise import OPERATIONS
from .movement import cast, tensor_of
from .reduce import Axis, normalize_axes, reduce

add, subtract, multiply, divide = (OPERATIONS[n] for n in ("add", "subtract", "multiply", "divide"))
sqrt, square = OPERATIONS["sqrt"], OPERATIONS["square"]


def sum(x: Any, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The sum over `axis` (None: all axes). Integers and truth values are summed in 64 bits. Empty: 0.

    >>> import tinygrad_lite as tg
    >>> tg.sum(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Tensor([4., 6.])
    """
    return reduce("sum", _as(x, dtype), axis, keepdims)


def prod(x: Any, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The product over `axis` (None: all axes). Empty: 1. The gradient is right where elements are zero."""
    return reduce("prod", _as(x, dtype), axis, keepdims)


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element; NaN where there is one. Ties share the gradient evenly. Empty: ValueError."""
    return reduce("max", x, axis, keepdims)


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element; NaN where there is one. Ties share the gradient evenly. Empty: ValueError."""
    return reduce("min", x, axis, keepdims)


def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element is not zero (NaN is not). Empty: False."""
    return reduce("any", x, axis, keepdims)


def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether every element is not zero (NaN is not). Empty: True."""
    return reduce("all", x, axis, keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The arithmetic mean; of integers in the default float. Empty: NaN."""
    x = _floating(x)
    return multiply(reduce("sum", x, axis, keepdims), _inverse(_count(x, axis)))


def var(x: Any, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """The variance, sum((x - mean)**2) / (n - correction), in two passes so that a large mean does no harm."""
    x = _floating(x)
    centred = subtract(x, mean(x, axis, keepdims=True))
    total = reduce("sum", square(centred), axis, keepdims)
    return multiply(total, _inverse(_count(x, axis) - correction))


def std(x: Any, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """The standard deviation, sqrt(var). Its gradient is infinite where the variance is 0."""
    return sqrt(var(x, axis, correction, keepdims))


def _as(x: Any, dtype: Any) -> Tensor:
    x = tensor_of("sum", x)
    return x if dtype is None else cast(x, _dtype(dtype))


def _dtype(dtype: Any) -> Any:
    from ..dtypes import as_dtype

    return as_dtype(dtype)


def _floating(x: Any) -> Tensor:
    x = tensor_of("mean", x)
    return x if x.dtype.kind == "f" else cast(x, _dtype(float))


def _count(x: Tensor, axis: Axis) -> int:
    return math.prod(x.shape[a] for a in normalize_axes("mean", axis, x.ndim))


def _inverse(count: float) -> float:
    return 1.0 / count if count > 0 else math.nan
