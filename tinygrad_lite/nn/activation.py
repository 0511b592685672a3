"""Activations: each is one line of scalar arithmetic, from which its kernels, forward and backward, are printed.

The formulas are chosen so that their derivatives of every order are right at 0 and at both infinities too.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from tinygrad_lite_kernels.expr import Expr, functions, inputs

from ..ops.elementwise import OPERATIONS, Elementwise
from ..tensor import Tensor
from .module import Module

erfc, exp, expm1, log1p, sigmoid_, where = (functions[name] for name in "erfc exp expm1 log1p sigmoid where".split())
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def _operation(formula: Callable[..., Expr]) -> Elementwise:
    count = formula.__code__.co_argcount
    return Elementwise(formula.__name__.strip("_"), formula(*inputs(count)), count)


@_operation
def _leaky_relu(x: Any, slope: Any) -> Expr:
    return where(x > 0, x, slope * x)


@_operation
def _elu(x: Any, alpha: Any) -> Expr:
    return where(x > 0, x, alpha * expm1(where(x > 0, 0, x)))  # the inner choice keeps infinity out of the gradient


@_operation
def _selu(x: Any) -> Expr:
    return where(x > 0, SELU_SCALE * x, SELU_SCALE * SELU_ALPHA * expm1(where(x > 0, 0, x)))


def _gated(x: Any, limit: float, gated: Callable[[Any, Any], Any]) -> Expr:
    """`gated(x, x)`: x times what, in float64 too, has become 1 above the limit and 0 below its negative.

    The second x stays within the limit, so that in the gradient infinity meets no zero.
    """
    above = where(x < -limit, -limit, x)
    return gated(above, where(above > limit, limit, above))


@_operation
def _gelu(x: Any) -> Expr:
    return _gated(x, 40.0, lambda x, inside: 0.5 * x * erfc(inside * -math.sqrt(0.5)))


@_operation
def _gelu_tanh(x: Any) -> Expr:
    slope = 2 * math.sqrt(2 / math.pi)  # (1 + tanh(u)) / 2 is sigmoid(2 u), which loses no digits
    return _gated(x, 40.0, lambda x, inside: x * sigmoid_(slope * (inside + 0.044715 * inside**3)))


@_operation
def _silu(x: Any) -> Expr:
    return _gated(x, 800.0, lambda x, inside: x * sigmoid_(inside))


def soft_positive(x: Any) -> Expr:
    """log(1 + exp(x)) without overflow, as an expression whose derivatives are right at 0 as well."""
    return where(x > 0, x, 0) + log1p(exp(where(x > 0, -x, x)))


@_operation
def _softplus(x: Any, beta: Any) -> Expr:
    return soft_positive(beta * x) / beta


@_operation
def _logsigmoid(x: Any) -> Expr:
    return -soft_positive(-x)


@_operation
def _hardtanh(x: Any, low: Any, high: Any) -> Expr:
    return where(x > high, high, where(x < low, low, x))


def relu(x: Tensor) -> Tensor:
    """max(x, 0); slope 0 at 0."""
    return OPERATIONS["relu"](x)


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return OPERATIONS["sigmoid"](x)


def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return OPERATIONS["tanh"](x)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x above 0, negative_slope · x up to 0."""
    return _leaky_relu(x, negative_slope)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """x above 0, alpha · (exp(x) - 1) up to 0. Clevert and others, 2015."""
    return _elu(x, alpha)


def selu(x: Tensor) -> Tensor:
    """A scaled `elu` whose two constants keep mean 0 and variance 1. Klambauer and others, 2017."""
    return _selu(x)


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """x · Φ(x), Φ the normal distribution; approximate="tanh": the formula with tanh. Hendrycks and Gimpel, 2016."""
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return (_gelu if approximate == "none" else _gelu_tanh)(x)


def silu(x: Tensor) -> Tensor:
    """x · sigmoid(x), also called swish."""
    return _silu(x)


def softplus(x: Tensor, beta: float = 1.0) -> Tensor:
    """log(1 + exp(beta · x)) / beta, without overflow."""
    return _softplus(x, beta)


def logsigmoid(x: Tensor) -> Tensor:
    """log(sigmoid(x)), without overflow."""
    return _logsigmoid(x)


def hardtanh(x: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """x, limited to [min_val, max_val]; slope 1 on the bounds."""
    if not min_val <= max_val:
        raise ValueError(f"hardtanh: min_val {min_val} is above max_val {max_val}")
    return _hardtanh(x, min_val, max_val)


class Activation(Module):
    """A module that applies a function with the options it was made with."""

    function: Callable[..., Tensor]
    options: dict[str, Any]
    signature: inspect.Signature

    def __init__(self, *args: Any, **options: Any):
        super().__init__()
        bound = self.signature.bind(*args, **options)
        bound.apply_defaults()
        self.options = bound.arguments

    def forward(self, x: Tensor) -> Tensor:
        """The function's value at every position."""
        return type(self).function(x, **self.options)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items())


def as_module(name: str, function: Callable[..., Tensor], module: str = __name__) -> type[Activation]:
    """The class of modules that apply `function`; its options (all arguments but the first) go to the constructor."""
    _, *options = inspect.signature(function).parameters.values()
    signature = inspect.Signature(options)
    members = {"function": staticmethod(function), "signature": signature, "__signature__": signature}
    return type(name, (Activation,), {**members, "__doc__": function.__doc__, "__module__": module})


ReLU = as_module("ReLU", relu)
LeakyReLU = as_module("LeakyReLU", leaky_relu)
ELU = as_module("ELU", elu)
SELU = as_module("SELU", selu)
GELU = as_module("GELU", gelu)
SiLU = as_module("SiLU", silu)
Sigmoid = as_module("Sigmoid", sigmoid)
Tanh = as_module("Tanh", tanh)
Softplus = as_module("Softplus", softplus)
LogSigmoid = as_module("LogSigmoid", logsigmoid)
Hardtanh = as_module("Hardtanh", hardtanh)
