"""Elementwise functions that are expressions of others. Those made by `_define` are one kernel each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tinygrad_lite_kernels.expr import Expr, functions, inputs
from tinygrad_lite_kernels.layout import broadcast_shape

from ..dtypes import float64
from ..tensor import Tensor
from .creation import zeros_like
from .elementwise import OPERATIONS, Elementwise
from .movement import cast, tensor_of
from .primitive import as_tensors

_f = functions
where, equal, both = _f["where"], _f["equal"], _f["logical_and"]


def _logaddexp(a: Expr, b: Expr) -> Expr:
    """log(exp(a) + exp(b)), from the larger one on; equal infinities stay, and their difference is not formed."""
    gap = where(a > b, b - a, where(both(equal(a, b), _f["isinf"](a)), 0, a - b))
    return where(a > b, a, b) + _f["log1p"](_f["exp"](gap))


def _xlogy(x: Expr, y: Expr) -> Expr:
    """x log(y), and 0 where x is 0 and y is not NaN."""
    zero = both(equal(x, 0), equal(y, y))
    return where(zero, 0, x * _f["log"](where(zero, 1, y)))


def _clip_low(x: Expr, low: Expr) -> Expr:
    return where(x < low, low, x)


def _clip_high(x: Expr, high: Expr) -> Expr:
    return where(x > high, high, x)


def _define(name: str, function: Any, count: int) -> Elementwise:
    return Elementwise(name, function(*inputs(count)), count)


logaddexp = _define("logaddexp", _logaddexp, 2)
xlogy = _define("xlogy", _xlogy, 2)
reciprocal = _define("reciprocal", lambda x: 1.0 / x, 1)
clip_low = _define("clip_low", _clip_low, 2)
clip_high = _define("clip_high", _clip_high, 2)


def clip(x: Any, min: Any = None, max: Any = None) -> Tensor:
    """The elements limited to [min, max], numbers or tensors that broadcast. None is no limit.

    The gradient of `x` passes inside and on the bounds. Where min > max the result is max, NaN stays NaN.

    >>> import tinygrad_lite as tg
    >>> tg.clip(tg.tensor([-2.0, 0.5, 3.0]), 0, 1)
    Tensor([0. , 0.5, 1. ])
    """
    x, *bounds = _fitting("clip", x, *(bound for bound in (min, max) if bound is not None))
    x = x if min is None else clip_low(x, bounds[0])
    return x if max is None else clip_high(x, bounds[-1])


def _fitting(name: str, *args: Any) -> Sequence[Tensor]:
    """The arguments as tensors that broadcast together."""
    tensors = as_tensors(name, args)
    broadcast_shape(name, [t.shape for t in tensors])
    return tensors


def positive(x: Any) -> Tensor:
    """The tensor itself.

    >>> import tinygrad_lite as tg
    >>> +tg.tensor([1, -2])
    Tensor([ 1, -2])
    """
    return tensor_of("positive", x)


def real(x: Any) -> Tensor:
    """The real part: the tensor itself, as no tensor is complex.

    >>> import tinygrad_lite as tg
    >>> tg.real(tg.tensor([1, -2]))
    Tensor([ 1, -2])
    """
    return tensor_of("real", x)


def conj(x: Any) -> Tensor:
    """The complex conjugate: the tensor itself, as no tensor is complex.

    >>> import tinygrad_lite as tg
    >>> tg.conj(tg.tensor([1, -2]))
    Tensor([ 1, -2])
    """
    return tensor_of("conj", x)


def imag(x: Any) -> Tensor:
    """The imaginary part: zeros, as no tensor is complex.

    >>> import tinygrad_lite as tg
    >>> tg.imag(tg.tensor([1, -2]))
    Tensor([0, 0])
    """
    return zeros_like(tensor_of("imag", x))


def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether |x1 - x2| <= atol + rtol |x2|, or both are the same infinity (or NaN, with equal_nan=True).

    >>> import tinygrad_lite as tg
    >>> tg.isclose(tg.tensor([1.0, 2.0]), tg.tensor([1.0 + 1e-7, 2.1]))
    Tensor([ True, False])
    """
    operations = OPERATIONS
    a, b = _fitting("isclose", x1, x2)
    if "f" not in (a.dtype.kind, b.dtype.kind):  # differences of integers can wrap around
        a, b = cast(a, float64), cast(b, float64)
    size = operations["abs"](b)
    bound = operations["add"](operations["multiply"](size, rtol), atol)
    near = operations["less_equal"](operations["abs"](operations["subtract"](a, b)), bound)
    close = operations["logical_or"](
        operations["equal"](a, b), operations["logical_and"](near, operations["less"](size, math.inf))
    )
    if not equal_nan:
        return close
    return operations["logical_or"](close, operations["logical_and"](operations["isnan"](a), operations["isnan"](b)))


def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether all elements are close, as `isclose` has it.

    >>> import tinygrad_lite as tg
    >>> tg.allclose(tg.tensor([1.0, 2.0]), [1.0, 2.0])
    True
    """
    return bool(isclose(x1, x2, rtol, atol, equal_nan)._data.all())
