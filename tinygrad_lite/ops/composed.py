"""Elementwise functions that are expressions of others. Each is one kernel, forwards and backwards."""

from __future__ import annotations

import math
from typing import Any

from tinygrad_lite_kernels.expr import Expr, functions, inputs

from ..tensor import Tensor
from .elementwise import OPERATIONS, Elementwise
from .movement import tensor_of

_f = functions
where, exp, log1p, abs_ = _f["where"], _f["exp"], _f["log1p"], _f["abs"]


def _logaddexp(a: Expr, b: Expr) -> Expr:
    """log(exp(a) + exp(b)) without overflow; equal infinities stay."""
    larger = _f["maximum"](a, b)
    return where(_f["equal"](a, b), a + math.log(2), larger + log1p(exp(-abs_(a - b))))


def _softplus(x: Expr) -> Expr:
    return _f["relu"](x) + log1p(exp(-abs_(x)))


def _xlogy(x: Expr, y: Expr) -> Expr:
    """x log(y), and 0 where x is 0."""
    zero = _f["equal"](x, 0)
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
    """The elements limited to [min, max]. The gradient passes inside and on the bounds.

    >>> import tinygrad_lite as tg
    >>> tg.clip(tg.tensor([-2.0, 0.5, 3.0]), 0, 1)
    Tensor([0. , 0.5, 1. ])
    """
    x = tensor_of("clip", x)
    x = x if min is None else clip_low(x, min)
    return x if max is None else clip_high(x, max)


def positive(x: Any) -> Tensor:
    """The tensor itself."""
    return tensor_of("positive", x)


def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8) -> Tensor:
    """Whether |x1 - x2| <= atol + rtol |x2|."""
    a, b = OPERATIONS["subtract"](x1, x2), tensor_of("isclose", x2)
    bound = OPERATIONS["add"](OPERATIONS["multiply"](OPERATIONS["abs"](b), rtol), atol)
    return OPERATIONS["logical_or"](OPERATIONS["equal"](x1, x2), OPERATIONS["less_equal"](OPERATIONS["abs"](a), bound))


def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8) -> bool:
    """Whether all elements are close."""
    return bool(isclose(x1, x2, rtol, atol)._data.all())
