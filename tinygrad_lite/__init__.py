"""tinygrad_lite: an autograd engine with a compiled hot path. `import tinygrad_lite as tg`."""

import importlib as _importlib
from typing import Any as _Any

from tinygrad_lite_kernels.threads import get_num_threads, set_num_threads

from . import autograd, devices, dtypes, scalar
from .autograd import sweep as _sweep
from .autograd.function import Function
from .autograd.modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .devices import set_default_device
from .dtypes import (
    bool_,
    can_cast,
    finfo,
    float32,
    float64,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    isdtype,
    result_type,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .namespace import info as __array_namespace_info__
from .ops import derivatives as _derivatives
from .ops import descriptions as _descriptions
from .ops import methods as _methods
from .ops import random
from .ops.axes import (
    expand_dims,
    flatten,
    flip,
    matrix_transpose,
    moveaxis,
    ravel,
    squeeze,
    swapaxes,
    transpose,
)
from .ops.composed import allclose, clip, conj, imag, isclose, logaddexp, positive, real, reciprocal, xlogy
from .ops.creation import (
    arange,
    asarray,
    empty,
    empty_like,
    eye,
    from_dlpack,
    full,
    full_like,
    linspace,
    meshgrid,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from .ops.einsum import einsum
from .ops.elementwise import OPERATIONS as _OPERATIONS
from .ops.elementwise import elementwise
from .ops.indexing import gather, scatter_add, take, take_along_axis
from .ops.linalg import diagonal, dot, matmul, norm, outer, tensordot, trace, vecdot
from .ops.manipulation import (
    astype,
    broadcast_arrays,
    concat,
    pad,
    repeat,
    roll,
    split,
    stack,
    tile,
    tril,
    triu,
    unstack,
)
from .ops.movement import broadcast_to, permute_dims, reshape
from .ops.movement import copy as _copy
from .ops.random import Generator, manual_seed, rand, randint, randn, randperm
from .ops.scans import cumulative_prod, cumulative_sum, diff
from .ops.sets import unique_all, unique_counts, unique_inverse, unique_values
from .ops.sorting import argmax, argmin, argsort, count_nonzero, nonzero, searchsorted, sort, topk
from .ops.statistics import all, any, log_softmax, logsumexp, max, mean, min, prod, softmax, std, sum, var
from .tensor import Tensor

__version__ = "0.1.0"

_sweep.add = _OPERATIONS["add"]  # type: ignore[assignment]
_sweep.copy = _copy  # type: ignore[assignment]
_methods.install()
_descriptions.describe()
globals().update(_OPERATIONS)  # add, exp, where ...: the array API's elementwise functions

bool = bool_  # the array API's name
cat, unsqueeze, permute, clamp = concat, expand_dims, permute_dims, clip  # PyTorch's names
cumsum, cumprod = cumulative_sum, cumulative_prod
__array_api_version__ = "2024.12"
e, pi, inf, nan, newaxis = 2.718281828459045, 3.141592653589793, float("inf"), float("nan"), None

_LAZY = {"compiler", "data", "debug", "func", "io", "kernels", "nn", "optim", "testing"}  # imported when first used
_NAMES = dict.fromkeys(("GradcheckError", "gradcheck", "gradgradcheck"), "gradient_check")  # functions of that module
_NAMES |= {"softplus": "nn.functional", "jit": "compiler"}


def __getattr__(name: str) -> _Any:
    if name == "kernels":
        return _importlib.import_module("tinygrad_lite_kernels")
    if name in _NAMES:
        return getattr(_importlib.import_module(f".{_NAMES[name]}", __name__), name)
    if name in _LAZY:
        return _importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
