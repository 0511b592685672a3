"""Parameters: the tensors that a module learns."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Tensor


class Parameter(Tensor):
    """A leaf tensor that a module finds among its attributes; it requires a gradient unless told otherwise.

    data: anything `tg.Tensor` takes; the values are copied.

    >>> import tinygrad_lite as tg
    >>> tg.nn.Parameter([1.0, 2.0])
    Parameter([1., 2.], requires_grad=True)
    """

    def __init__(self, data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = True):
        if isinstance(data, Tensor) and device is None:
            device = data._device
        super().__init__(data, dtype, device, requires_grad)

    def __repr__(self) -> str:
        return super().__repr__().replace("Tensor(", "Parameter(", 1)


def clear_grad(parameter: Tensor, set_to_none: bool) -> None:
    """Forget a gradient, or replace it by zeros."""
    if set_to_none or parameter.grad is None:
        parameter.grad = None
    else:
        parameter.grad = Tensor(np.zeros(parameter.grad.shape, parameter.grad.dtype), device=parameter.grad._device)
