"""The scalar engine: numbers that remember their history (`Value`), and derivatives of plain Python functions.

`exp`, `log`, `sin`, `tanh`, `where`, `maximum` and so on take Values, traced values, plain numbers and tensors.
"""

from typing import Any as _Any

from .draw import dot, svg, tree
from .functions import FUNCTIONS as _FUNCTIONS
from .nn import MLP, Layer, Module, Neuron
from .value import Value, derivative

globals().update(_FUNCTIONS)

_COMPILED = ("compile", "grad", "value_and_grad", "hessian", "jacobian", "Compiled")  # these load the kernels


def __getattr__(name: str) -> _Any:
    if name in _COMPILED:
        from . import compiled

        return getattr(compiled, name)
    raise AttributeError(
        f"tinygrad_lite.scalar has no function {name!r}; it has {', '.join([*_COMPILED[:-1], *_FUNCTIONS])}"
    )
