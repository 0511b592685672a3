"""The affine map."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import inputs, program

from ..ops.derivatives import rule, transpose
from ..ops.matmul import product
from ..ops.movement import reshape
from ..ops.primitive import Primitive
from ..ops.reduce import sum_to
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import Parameter

_x, _y = inputs(2)
_ADD = program(_x + _y, 2)


def _forward(device: Any, x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    out = device.matmul.matmul(x, weight.T)
    device.elementwise.elementwise_into(_ADD)(out, out, bias)
    return out


def _rows(x: Tensor) -> Tensor:
    """All axes but the last as one."""
    return x if x.ndim == 2 else reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _weight(g: Tensor, y: Any, x: Tensor, weight: Any, bias: Any) -> Tensor:
    return product(transpose(_rows(g)), _rows(x))


# One operation instead of transpose, product and sum: the gradient of the weight then comes in the weight's own layout.
affine = Primitive("linear", _forward, inputs=3)
rule(
    "linear",
    lambda g, y, x, weight, bias: product(g, weight),
    _weight,
    lambda g, y, x, weight, bias: sum_to(g, bias.shape),
    needs=[(1,), (0,), ()],
)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x @ weight.T + bias. x: (..., in), weight: (out, in), bias: (out,) or None; result: (..., out).

    Raises ValueError where the sizes do not fit and TypeError where the dtypes differ.
    """
    if bias is None:
        return product(x, transpose(weight))
    if x.ndim == 0 or weight.ndim != 2 or x.shape[-1] != weight.shape[1] or bias.shape != weight.shape[:1]:
        raise ValueError(
            f"linear: input of shape {x.shape}, weight {weight.shape} and bias {bias.shape} do not fit; needed are "
            "(..., in), (out, in) and (out,)"
        )
    if not x.dtype == weight.dtype == bias.dtype:
        raise TypeError(
            f"linear: input, weight and bias have dtypes {x.dtype}, {weight.dtype} and {bias.dtype}; "
            "convert the input with .astype or the module with .to(dtype)"
        )
    return affine(x, weight, bias)


class Linear(Module):
    """An affine map with a learned weight (out_features, in_features) and bias (out_features,).

    Both start uniform in [-1/sqrt(in_features), 1/sqrt(in_features)], as in PyTorch (Kaiming uniform with a = sqrt(5)).
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = float):
        super().__init__()
        for name, n in (("in_features", in_features), ("out_features", out_features)):
            if not isinstance(n, (int, np.integer)) or n < 0:
                raise ValueError(f"Linear: {name} must be an integer and not negative, got {n!r}")
        self.in_features, self.out_features = int(in_features), int(out_features)
        self.weight = Parameter(np.zeros((self.out_features, self.in_features)), dtype, device)
        self.bias = Parameter(np.zeros(self.out_features), dtype, device) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., in_features) to (..., out_features)."""
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
