"""Losses between predictions and targets, element by element; those over classes are in `cross_entropy`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import Expr, functions, inputs, program

from ..devices import checked
from ..ops.derivatives import rule
from ..ops.elementwise import OPERATIONS, Elementwise
from ..ops.linalg import promoted
from ..ops.movement import broadcast_to
from ..ops.primitive import Primitive, as_tensors, number
from ..tensor import Tensor
from .activation import soft_positive
from .cross_entropy import cross_entropy, nll_loss
from .module import Module
from .reduction import check_reduction, reduce_loss

where, log, maximum = (functions[name] for name in ("where", "log", "maximum"))


def _formula(name: str, count: int, formula: Callable[..., Any]) -> Elementwise:
    return Elementwise(name, formula(*inputs(count)), count, registered=False)


def _huber(x: Any, t: Any, delta: Any) -> Expr:
    d = functions["abs"](x - t)
    return where(d <= delta, 0.5 * (x - t) ** 2, delta * (d - 0.5 * delta))


_squared = _formula("mse_loss", 2, lambda x, t: (x - t) ** 2)
_absolute = _formula("l1_loss", 2, lambda x, t: functions["abs"](x - t))
_huber_loss = _formula("huber_loss", 3, _huber)
_logits = _formula(
    "binary_cross_entropy_with_logits",
    3,
    lambda x, t, pos: (1 - t) * x + (1 + (pos - 1) * t) * soft_positive(-x),
)

# PyTorch's limits: logarithms not below -100, the denominator of the gradient not below 1e-12
_p, _t, _g = inputs(3)
_BCE = program(-(_t * maximum(log(_p), -100) + (1 - _t) * maximum(log(1 - _p), -100)), 2)
_entropy = Primitive(
    "binary_cross_entropy", lambda device, *arrays: device.elementwise.elementwise(_BCE).one(*arrays), 2
)
_entropy_slope = _formula("binary_cross_entropy gradient", 3, lambda g, p, t: g * (p - t) / maximum(p * (1 - p), 1e-12))
_entropy_target = _formula(
    "binary_cross_entropy target gradient",
    2,
    lambda g, p: g * (maximum(log(1 - p), -100) - maximum(log(p), -100)),
)
rule(
    "binary_cross_entropy",
    lambda g, y, p, t: _entropy_slope(g, p, t),
    lambda g, y, p, t: _entropy_target(g, p),
    needs=[(0, 1), (0,)],
)


def _pair(name: str, input: Any, target: Any, reduction: str) -> tuple[Any, Any]:
    """Both as tensors of one shape: broadcasting (N,) against (N, 1) is hardly ever meant."""
    check_reduction(name, reduction)
    input, target = as_tensors(name, [input, target])
    if input.shape != target.shape and target.ndim:
        raise ValueError(
            f"{name}: input has shape {input.shape} and target {target.shape}; they must agree, so reshape one of them"
        )
    return input, target


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """(input - target)². Both of one shape, or the target a number."""
    return reduce_loss(_squared(*_pair("mse_loss", input, target, reduction)), reduction)


def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """|input - target|. Both of one shape, or the target a number."""
    return reduce_loss(_absolute(*_pair("l1_loss", input, target, reduction)), reduction)


def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Half the square of the difference up to `delta`, a straight line from there on. Huber, 1964."""
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be positive, got {delta!r}")
    return reduce_loss(_huber_loss(*_pair("huber_loss", input, target, reduction), delta), reduction)


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean"
) -> Tensor:
    """-(t · log(p) + (1 - t) · log(1 - p)) of probabilities p and targets t between 0 and 1.

    Logarithms are limited to -100, as in PyTorch. Prefer `binary_cross_entropy_with_logits`, which needs no limit.
    """
    pair: Any = promoted("binary_cross_entropy", *_pair("binary_cross_entropy", input, target, reduction))
    p, t = pair
    checked("binary_cross_entropy", p._device, _PROBABLE, _check_probabilities, p._data)
    return reduce_loss(_weighted(_entropy(p, t if t.shape == p.shape else broadcast_to(t, p.shape)), weight), reduction)


(_p,) = inputs(1)
_PROBABLE = program(functions["logical_and"](_p >= 0, _p <= 1), 1)


def _check_probabilities(p: np.ndarray) -> None:
    if p.size and not (p.min() >= 0 and p.max() <= 1):
        raise ValueError(
            "binary_cross_entropy: the input must be probabilities between 0 and 1, got values from "
            f"{p.min()} to {p.max()}; for logits use binary_cross_entropy_with_logits"
        )


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """`binary_cross_entropy` of sigmoid(input), for any size of the logits.

    weight: a factor for each element. pos_weight: a factor for the part of the loss that belongs to target 1.
    """
    x, t = _pair("binary_cross_entropy_with_logits", input, target, reduction)
    positive = number(1.0, x) if pos_weight is None else pos_weight
    return reduce_loss(_weighted(_logits(x, t, positive), weight), reduction)


def _weighted(losses: Tensor, weight: Tensor | None) -> Tensor:
    return losses if weight is None else OPERATIONS["multiply"](losses, weight)


class Loss(Module):
    """A module that compares an input with a target by a function, with the options it was made with."""

    function: Callable[..., Tensor]

    def __init__(self, **options: Any):
        super().__init__()
        for name, value in options.items():
            self.register_buffer(name, value, persistent=False) if isinstance(value, Tensor) else setattr(
                self, name, value
            )
        self._options = tuple(options)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return type(self).function(input, target, **{name: getattr(self, name) for name in self._options})

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value!r}" for name in self._options if (value := getattr(self, name)) is not None)


class MSELoss(Loss):
    """`functional.mse_loss` as a module."""

    function = staticmethod(mse_loss)

    def __init__(self, reduction: str = "mean"):
        super().__init__(reduction=reduction)


class L1Loss(Loss):
    """`functional.l1_loss` as a module."""

    function = staticmethod(l1_loss)

    def __init__(self, reduction: str = "mean"):
        super().__init__(reduction=reduction)


class HuberLoss(Loss):
    """`functional.huber_loss` as a module."""

    function = staticmethod(huber_loss)

    def __init__(self, reduction: str = "mean", delta: float = 1.0):
        super().__init__(reduction=reduction, delta=delta)


class CrossEntropyLoss(Loss):
    """`functional.cross_entropy` as a module."""

    function = staticmethod(cross_entropy)

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ):
        super().__init__(weight=weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing)


class NLLLoss(Loss):
    """`functional.nll_loss` as a module."""

    function = staticmethod(nll_loss)

    def __init__(self, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean"):
        super().__init__(weight=weight, ignore_index=ignore_index, reduction=reduction)


class BCELoss(Loss):
    """`functional.binary_cross_entropy` as a module."""

    function = staticmethod(binary_cross_entropy)

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean"):
        super().__init__(weight=weight, reduction=reduction)


class BCEWithLogitsLoss(Loss):
    """`functional.binary_cross_entropy_with_logits` as a module."""

    function = staticmethod(binary_cross_entropy_with_logits)

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean", pos_weight: Tensor | None = None):
        super().__init__(weight=weight, reduction=reduction, pos_weight=pos_weight)
