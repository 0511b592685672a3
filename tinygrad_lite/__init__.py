"""tinygrad_lite: an autograd engine with a compiled hot path. `import tinygrad_lite as tg`."""

import importlib as _importlib
from typing import Any as _Any

from . import autograd, devices, scalar
from .autograd import sweep as _sweep
from .autograd.function import Function
from .autograd.modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .devices import set_default_device
from .ops import derivatives as _derivatives
from .ops import methods as _methods
from .ops.elementwise import OPERATIONS as _OPERATIONS
from .ops.elementwise import elementwise
from .tensor import Tensor

_sweep.add = _OPERATIONS["add"]  # type: ignore[assignment]
_methods.install()

_LAZY = {"nn", "optim", "data", "io"}  # imported when first used


def __getattr__(name: str) -> _Any:
    if name in _LAZY:
        return _importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
