"""Operations that work position by position: name, domain, and a formula in NumPy where NumPy has another name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..nn import functional as nnf
from ..ops.composed import clip
from ..ops.primitive import REGISTRY
from .record import (
    ABOVE_ONE,
    BETWEEN,
    NONZERO,
    POSITIVE,
    PROBABILITY,
    REAL,
    SMALL,
    UNIT,
    Domain,
    Operation,
    on,
)

UNARY_CASES = on("2x3"), on("-"), on("0x2")
BINARY_CASES = on("2x3 2x3"), on("2x1 3"), on("- 2"), on("0x2 2")
ANY, REALS, BITS = "fiub", "fiu", "iub"
CHOSEN = Domain(kind="b"), REAL, REAL

_erf, _erfc = (np.vectorize(f, otypes=[np.longdouble]) for f in (math.erf, math.erfc))


def _normal(x: Any) -> Any:
    return 0.5 * _erfc(-x / math.sqrt(2))


def _softplus(x: Any) -> Any:
    return np.logaddexp(x, 0)


def unary(name: str, domain: Domain = REAL, reference: Any = None, dtypes: str = "f", **more: Any) -> Operation:
    """An operation of the registry on one input."""
    operation = REGISTRY[name]
    return Operation(name, operation, reference or getattr(np, name), UNARY_CASES, (domain,), dtypes, name,
                     elementwise=True, **more)  # fmt: skip


def binary(name: str, *domains: Domain, reference: Any = None, dtypes: str = "f", **more: Any) -> Operation:
    """An operation of the registry on two inputs that broadcast."""
    operation = REGISTRY[name]
    return Operation(name, operation, reference or getattr(np, name), BINARY_CASES, domains or (REAL,), dtypes, name,
                     elementwise=True, **more)  # fmt: skip


def activation(name: str, reference: Callable[..., Any], primitive: str = "", **params: Any) -> Operation:
    """A function of `nn.functional` on one input."""
    cases = on("2x3", **params), on("4", **params), on("0x2", **params)
    return Operation(primitive or name, getattr(nnf, name), reference, cases, (NONZERO,), "f", primitive or name,
                     elementwise=True)  # fmt: skip


def _elu(x: Any, alpha: float) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _gelu_tanh(x: Any, approximate: str) -> Any:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.longdouble(np.pi)) * (x + 0.044715 * x**3)))


def _dropped(x: Any, u: Any, p: float, scale: float) -> Any:
    return np.where(u < p, 0, x * scale)


ELEMENTWISE: list[Operation] = [
    *(unary(name) for name in "exp expm1 sin cos atan sinh cosh tanh asinh".split()),
    *(unary(name, POSITIVE) for name in "log log1p log2 log10 sqrt".split()),
    *(unary(name, UNIT) for name in "asin acos atanh".split()),
    unary("tan", Domain(-1.2, 1.2)),
    unary("acosh", ABOVE_ONE),
    unary("rsqrt", POSITIVE, lambda x: 1 / np.sqrt(x)),
    unary("erf", REAL, _erf),
    unary("erfc", SMALL, _erfc),
    unary("sigmoid", REAL, lambda x: 1 / (1 + np.exp(-x))),
    unary("reciprocal", NONZERO, lambda x: 1 / x),
    unary("negative", REAL, dtypes=REALS),
    unary("abs", NONZERO, dtypes=REALS),
    unary("square", REAL, dtypes=REALS),
    unary("relu", NONZERO, lambda x: np.maximum(x, 0), dtypes=REALS),
    unary("sign", NONZERO, dtypes=REALS, flat=True),
    *(unary(name, BETWEEN, dtypes=REALS, flat=True) for name in "floor ceil trunc".split()),
    unary("round", BETWEEN, np.rint, dtypes=REALS, flat=True),
    unary("bitwise_invert", REAL, np.invert, BITS, order=0),
    unary("logical_not", NONZERO, dtypes=ANY, order=0),
    *(unary(name, REAL, dtypes=ANY, order=0) for name in "isnan isinf isfinite".split()),
    unary("signbit", NONZERO, order=0),
    *(binary(name, dtypes=REALS) for name in "add subtract multiply maximum minimum".split()),
    binary("divide", REAL, NONZERO),
    binary("pow", POSITIVE, SMALL, reference=np.power),
    binary("remainder", Domain(3.1, 3.9), Domain(1.1, 1.25), reference=np.mod),
    binary("floor_divide", Domain(3.1, 3.9), Domain(1.0, 3.0), dtypes=REALS, flat=True),
    binary("atan2", NONZERO, NONZERO, reference=np.arctan2),
    binary("hypot", NONZERO),
    binary("copysign", NONZERO),
    binary("nextafter"),
    binary("logaddexp"),
    binary("xlogy", POSITIVE, POSITIVE, reference=lambda x, y: x * np.log(y)),
    binary("clip_low", reference=np.maximum, dtypes=REALS),
    binary("clip_high", reference=np.minimum, dtypes=REALS),
    *(binary(name, reference=getattr(np, name), dtypes=BITS, order=0)
      for name in "bitwise_and bitwise_or bitwise_xor".split()),
    binary("bitwise_left_shift", REAL, Domain(0, 3), reference=np.left_shift, dtypes="iu", order=0),
    binary("bitwise_right_shift", REAL, Domain(0, 3), reference=np.right_shift, dtypes="iu", order=0),
    *(binary(name, dtypes=ANY, order=0)
      for name in "equal not_equal less less_equal greater greater_equal".split()),
    *(binary(name, NONZERO, dtypes=ANY, order=0) for name in "logical_and logical_or logical_xor".split()),
    Operation("where", REGISTRY["where"], np.where, (on("2x3 2x3 2x3"), on("3 2x1 -"), on("2 0x2 2")), CHOSEN, ANY,
              "where", elementwise=True),
    Operation("clip", clip, np.clip, (on("2x4", min=-1, max=1.5), on("3", min=0, max=None)), (NONZERO,),
              elementwise=True),
    activation("leaky_relu", lambda x, negative_slope: np.where(x > 0, x, negative_slope * x), negative_slope=0.1),
    activation("elu", _elu, alpha=1.5),
    activation("selu", lambda x: 1.0507009873554804934193349852946 * _elu(x, 1.6732632423543772848170429916717)),
    activation("gelu", lambda x: x * _normal(x)),
    activation("gelu", _gelu_tanh, "gelu_tanh", approximate="tanh"),
    activation("silu", lambda x: x / (1 + np.exp(-x))),
    activation("softplus", lambda x, beta: _softplus(beta * x) / beta, beta=2.0),
    activation("logsigmoid", lambda x: -_softplus(-x)),
    activation("hardtanh", lambda x, min_val, max_val: np.clip(x, min_val, max_val), min_val=-0.25, max_val=1.5),
    Operation("dropout", REGISTRY["dropout"], _dropped, (on("2x4 2x4 - -"),), (REAL, PROBABILITY), "f", "dropout",
              elementwise=True),
]  # fmt: skip
