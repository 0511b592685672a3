"""Class numbers as targets: checked, brought into shape beside the logits, and weighted."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import Program, functions, inputs, program

from ..devices import checked, tracing
from ..errors import TraceError
from ..ops.elementwise import OPERATIONS
from ..ops.movement import reshape
from ..ops.primitive import number
from ..tensor import Tensor, wrap


class Classes:
    """The targets of a loss over classes.

    axis: of the classes, in the logits. numbers: 0 to C - 1 along that axis. target: the class numbers, with size 1
    along that axis. weights: one for each target (0: it does not count), None where all are 1.
    """

    def __init__(self, name: str, x: Tensor, target: Any, weight: Tensor | None, ignore_index: int):
        self.x, self.axis = x, class_axis(name, x)
        self.count = x.shape[self.axis]
        target = _integers(name, target, x, self.axis)
        self.ignored = _check_range(name, target, self.count, ignore_index)
        if self.ignored is not None:
            target = wrap(np.where(self.ignored, -1, target._data), x._device)
        self.weights = None if weight is None else _weight_of(name, weight, x, self.axis)[target._data]
        if self.weights is not None and self.ignored is not None:
            self.weights = np.where(self.ignored, 0, self.weights)
        self.target = reshape(target, (*x.shape[: self.axis], 1, *x.shape[self.axis + 1 :]))
        self.numbers = _numbers(self.count, x.ndim - 1 - self.axis, x._device)

    @property
    def _counting(self) -> Any:
        """1 for each target, 0 where it is ignored; None where all are 1."""
        return None if self.ignored is None else (~self.ignored).astype(self.x.dtype)

    @property
    def _total(self) -> float:
        """What a mean divides by."""
        factors = self._counting if self.weights is None else self.weights
        return float(self.target.size if factors is None else factors.sum(dtype=np.float64))

    def scale(self, reduction: str) -> Tensor:
        """The factor of each target's loss: its weight, for a mean divided by the sum of the weights."""
        return self._divided(self._counting if self.weights is None else self.weights, reduction)

    def kept_scale(self, reduction: str) -> Tensor:
        """The same without the class weights."""
        return self._divided(self._counting, reduction)

    def _divided(self, factors: Any, reduction: str) -> Tensor:
        divisor = (self._total or 1.0) if reduction == "mean" else 1.0
        if factors is None:
            return number(1.0 / divisor, self.x)
        return wrap(np.asarray(factors / divisor, self.x.dtype).reshape(self.target.shape), self.x._device)

    def summed(self, reduction: str) -> tuple[int, ...]:
        """The axes over which the losses are summed up."""
        return (self.axis,) if reduction == "none" else tuple(range(self.x.ndim))

    def finished(self, loss: Tensor, reduction: str) -> Tensor:
        """The mean of nothing is not a number."""
        return OPERATIONS["multiply"](loss, math.nan) if reduction == "mean" and not self._total else loss


def class_axis(name: str, x: Any) -> int:
    """The axis of the classes: 1 in a batch (N, C, ...), 0 for one sample (C,)."""
    if not isinstance(x, Tensor) or x.dtype.kind != "f":
        raise TypeError(f"{name}: the input must be a float32 or float64 tensor, got {getattr(x, 'dtype', type(x))}")
    axis = min(x.ndim - 1, 1)
    if axis < 0 or not x.shape[axis]:
        raise ValueError(f"{name}: the input must have shape (N, C), (C,) or (N, C, ...) with classes C, got {x.shape}")
    return axis


def class_weights(name: str, weight: Tensor | None, x: Tensor) -> Any:
    """The weights along the axis of the classes, 1.0 for None."""
    axis = class_axis(name, x)
    if weight is None:
        return 1.0
    _weight_of(name, weight, x, axis)
    return reshape(weight, (x.shape[axis], *[1] * (x.ndim - 1 - axis)))


def _weight_of(name: str, weight: Any, x: Tensor, axis: int) -> np.ndarray:
    shape = getattr(weight, "shape", None)
    if not isinstance(weight, Tensor) or shape != (x.shape[axis],) or weight.dtype != x.dtype:
        raise ValueError(
            f"{name}: weight must be a tensor of {x.dtype} and shape ({x.shape[axis]},), one for each class, got "
            f"{getattr(weight, 'dtype', type(weight).__name__)} {shape}"
        )
    return weight._data


def _integers(name: str, target: Any, x: Tensor, axis: int) -> Tensor:
    target = target if isinstance(target, Tensor) else Tensor(target, device=x._device)
    expected = x.shape[:axis] + x.shape[axis + 1 :]
    if target.shape != expected:
        raise ValueError(
            f"{name}: an input of shape {x.shape} needs class numbers of shape {expected}, got {target.shape}"
        )
    if target._data.dtype == np.int64:
        return target
    if target.dtype.kind not in "iu":
        raise TypeError(f"{name}: class numbers must be integers, got {target.dtype}")
    return wrap(target._device.movement.astype(target._data, np.dtype(np.int64)), x._device)


def _check_range(name: str, tensor: Tensor, count: int, ignore_index: int) -> np.ndarray | None:
    """Which targets are to be ignored, None for none; IndexError where another one is not a class."""
    target = tensor._data
    if tracing.tracer is not None and target.size:
        if 0 <= ignore_index < count:
            raise TraceError(f"{name}: in a jitted function ignore_index cannot be one of the {count} classes")
        checked(name, tensor._device, _in_range(count), lambda values: _check_all(name, values, count), target)
        return None
    ignorable = 0 <= ignore_index < count
    if not ignorable and (not target.size or target.view(np.uint64).max() < count):  # negative ones look huge
        return None
    ignored = target == ignore_index
    bad = ~ignored & ((target < 0) | (target >= count))
    if bad.any():
        raise IndexError(
            f"{name}: target {target[bad].flat[0]} is not a class: the input has {count} classes, 0 to {count - 1}"
        )
    return ignored


@lru_cache
def _in_range(count: int) -> Program:
    (x,) = inputs(1)
    return program(functions["logical_and"](x >= 0, x < count), 1)


def _check_all(name: str, target: np.ndarray, count: int) -> None:
    """The same while a function is jitted, where what is ignored cannot be known beforehand."""
    if target.view(np.uint64).max() >= count:
        bad = target[(target < 0) | (target >= count)]
        raise IndexError(
            f"{name}: target {bad.flat[0]} is not a class: the input has {count} classes, 0 to {count - 1} (a jitted "
            "function cannot ignore targets: leave them out)"
        )


@lru_cache(256)
def _numbers(count: int, trailing: int, device: Any) -> Tensor:
    return wrap(np.arange(count).reshape(count, *[1] * trailing), device)
