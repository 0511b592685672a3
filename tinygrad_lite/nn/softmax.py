"""Softmax and its logarithm: three passes over the elements, the largest taken off first so that nothing overflows."""

from __future__ import annotations

from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import functions, inputs, program

from ..ops.derivatives import rule
from ..ops.elementwise import OPERATIONS, Elementwise
from ..ops.movement import tensor_of
from ..ops.primitive import Primitive
from ..ops.reduce import PRIMITIVES, normalize_axis
from ..tensor import Tensor
from .activation import as_module

_exp, _log, multiply = functions["exp"], functions["log"], OPERATIONS["multiply"]
_x, _top, _total = inputs(3)
SHIFTED_EXP = program(_exp(_x - _top), 2)
_SHARE, _SCALED = program(1 / _x, 1), program(_x * _top, 2)  # one division for a row
_LOG_RATIO = program(_x - _top - _log(_total), 3)


def exponentials(device: Any, x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The largest element along an axis, exp(x - largest), and its sum; the axis stays, with size 1."""
    top = device.reduce.reduce("max", x, (axis,), True)
    powers = device.elementwise.elementwise(SHIFTED_EXP).one(x, top)
    return top, powers, device.reduce.reduce("sum", powers, (axis,), True)


def _forward(device: Any, x: np.ndarray, axis: int) -> np.ndarray:
    _, powers, total = exponentials(device, x, axis)
    share = device.elementwise.elementwise(_SHARE).one(total)
    return device.elementwise.elementwise(_SCALED).one(powers, share)


def _log_forward(device: Any, x: np.ndarray, axis: int) -> np.ndarray:
    top, _, total = exponentials(device, x, axis)
    return device.elementwise.elementwise(_LOG_RATIO).one(x, top, total)


def _sum(x: Tensor, axis: int) -> Tensor:
    return PRIMITIVES["sum"](x, (axis,), True)


_softmax, _log_softmax = Primitive("softmax", _forward), Primitive("log_softmax", _log_forward)
_g, _y, _s = inputs(3)
_weighted = Elementwise("softmax gradient", _y * (_g - _s), 3, registered=False)
_log_weighted = Elementwise("log_softmax gradient", _g - _exp(_y) * _s, 3, registered=False)
rule("softmax", lambda g, y, x, axis: _weighted(g, y, _sum(multiply(g, y), axis)), needs=[("y",)])
rule("log_softmax", lambda g, y, x, axis: _log_weighted(g, y, _sum(g, axis)), needs=[("y",)])


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along `dim`: positive and of sum 1, whatever the size of `x`.

    >>> import tinygrad_lite as tg
    >>> tg.nn.functional.softmax(tg.Tensor([1000.0, 1000.0]))
    Tensor([0.5, 0.5])
    """
    return _softmax(*_arguments("softmax", x, dim))


def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """The logarithm of `softmax`, exact also where that is too small for a float."""
    return _log_softmax(*_arguments("log_softmax", x, dim))


def _arguments(name: str, x: Any, dim: int) -> tuple[Tensor, int]:
    x = tensor_of(name, x)
    if x.dtype.kind != "f":
        raise TypeError(f"{name}: the input must be float32 or float64, got {x.dtype}; convert it with .astype")
    axis = normalize_axis(name, dim, x.ndim)
    if not x.shape[axis]:
        raise ValueError(f"{name}: axis {dim} has size 0; shape {x.shape}")
    return x, axis


Softmax = as_module("Softmax", softmax, __name__)
LogSoftmax = as_module("LogSoftmax", log_softmax, __name__)
