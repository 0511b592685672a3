"""Starting values for parameters. Every function writes into its tensor, unrecorded, and returns it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..autograd.modes import no_grad
from ..ops.elementwise import OPERATIONS
from ..ops.primitive import in_place
from ..ops.random import rand, randn
from ..tensor import Tensor, wrap


def _drawn(draw: Callable[..., Tensor], like: Tensor) -> Tensor:
    return draw(like.shape, dtype=like.dtype, device=like._device)


def _line(x: Tensor, slope: float, start: float) -> Tensor:
    return OPERATIONS["add"](OPERATIONS["multiply"](x, slope), start)


def _fill(tensor: Tensor, compute: Callable[[Tensor], Tensor], name: str) -> Tensor:
    with no_grad():
        return in_place(tensor, compute, name)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Uniform in [a, b)."""
    return _fill(tensor, lambda x: _line(_drawn(rand, x), b - a, a), "uniform_")


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Normal with this mean and standard deviation."""
    return _fill(tensor, lambda x: _line(_drawn(randn, x), std, mean), "normal_")


def constant_(tensor: Tensor, value: float) -> Tensor:
    """The same number everywhere."""
    return _fill(tensor, lambda x: wrap(np.full(x.shape, value, x.dtype), x._device), "constant_")


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere."""
    return constant_(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return constant_(tensor, 1)


def _fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs an output sums, and how many outputs an input feeds, in a layer with weight (out, in, ...)."""
    if tensor.ndim < 2:
        raise ValueError(
            f"init: a weight needs at least two axes (out, in, ...) to count its inputs, got {tensor.shape}"
        )
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


GAINS: dict[str, Callable[[float], float]] = {
    **{name: lambda _: 1.0 for name in ("linear", "conv1d", "conv2d", "conv3d", "sigmoid", "identity")},
    "tanh": lambda _: 5 / 3,
    "relu": lambda _: math.sqrt(2),
    "leaky_relu": lambda slope: math.sqrt(2 / (1 + slope**2)),
    "selu": lambda _: 3 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much to widen a layer's starting values so that signals keep their size through this nonlinearity.

    param: the negative slope of "leaky_relu" (default 0.01). The values are PyTorch's.
    """
    if nonlinearity not in GAINS:
        raise ValueError(f"calculate_gain: {nonlinearity!r} is not known; known: {', '.join(GAINS)}")
    return GAINS[nonlinearity](0.01 if param is None else param)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Uniform with variance gain² · 2 / (inputs + outputs). Glorot and Bengio, 2010."""
    bound = math.sqrt(3) * _xavier(tensor, gain)
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Normal with variance gain² · 2 / (inputs + outputs). Glorot and Bengio, 2010."""
    return normal_(tensor, 0.0, _xavier(tensor, gain))


def _xavier(tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2 / max(sum(_fans(tensor)), 1))


def kaiming_uniform_(tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> Tensor:
    """Uniform with variance gain² / fan. He and others, 2015. a: negative slope of "leaky_relu"."""
    bound = math.sqrt(3) * _kaiming(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> Tensor:
    """Normal with variance gain² / fan. He and others, 2015. a: negative slope of "leaky_relu"."""
    return normal_(tensor, 0.0, _kaiming(tensor, a, mode, nonlinearity))


def _kaiming(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fans = dict(zip(("fan_in", "fan_out"), _fans(tensor), strict=True))
    if mode not in fans:
        raise ValueError(f"init: mode must be 'fan_in' or 'fan_out', got {mode!r}")
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fans[mode], 1))
