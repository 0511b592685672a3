"""How tensors look."""

from __future__ import annotations

import numpy as np

from . import devices, dtypes
from .tensor import Tensor


def tensor_text(x: Tensor) -> str:
    """`Tensor([1., 2.], dtype=..., device=..., requires_grad=True)`, naming only what is not the default."""
    body = np.array2string(x._data, separator=", ", prefix="Tensor(", threshold=200, edgeitems=3)
    usual = {"f": dtypes.DEFAULT_FLOAT, "i": dtypes.DEFAULT_INT}.get(x.dtype.kind, x.dtype)
    notes = [body]
    notes += [f"dtype={x.dtype}"] if x.dtype != usual or x.size == 0 else []
    notes += [f"shape={x.shape}"] if x.size == 0 and x.ndim > 1 else []
    notes += [f"device={x.device!r}"] if x._device is not devices.get() else []
    if x._node is not None:
        notes.append(f"from={x._node.primitive.name}")
    elif x.requires_grad:
        notes.append("requires_grad=True")
    return f"Tensor({', '.join(notes)})"
