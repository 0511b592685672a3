"""The matrix product."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .primitive import Primitive

product = Primitive("matmul", lambda device, a, b: device.matmul.matmul(a, b), inputs=2)


def matmul(x1: Any, x2: Any) -> Tensor:
    """The matrix product with NumPy's rules for vectors and stacks of matrices. Also written `x1 @ x2`.

    x1: (..., m, k) or (k,). x2: (..., k, n) or (k,); leading axes broadcast. Both of one dtype.
    Raises ValueError where the sizes k differ.
    """
    return product(x1, x2)
