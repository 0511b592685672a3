"""Dropout: noise that keeps a network from leaning on single units."""

from __future__ import annotations

from tinygrad_lite_kernels.expr import functions, inputs

from ..ops.elementwise import Elementwise
from ..ops.random import rand
from ..tensor import Tensor
from .module import Module

_x, _u, _p, _scale = inputs(4)
_drop = Elementwise("dropout", functions["where"](_u < _p, 0, _x * _scale), 4)


def dropout(x: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """In training, set each element to 0 with probability p and divide the others by 1 - p; else return `x` itself.

    Srivastava and others, 2014. `tg.manual_seed` makes it repeat itself.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is a probability between 0 and 1, got {p!r}")
    if not training or p == 0:
        return x
    return _drop(x, rand(x.shape, dtype=x.dtype, device=x._device), p, 1 / (1 - p) if p < 1 else 0.0)


class Dropout(Module):
    """`dropout` while the module is training, nothing afterwards (`model.eval()`)."""

    def __init__(self, p: float = 0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is a probability between 0 and 1, got {p!r}")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """x with some elements set to 0."""
        return dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"
