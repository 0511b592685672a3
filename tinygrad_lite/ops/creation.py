"""New tensors. Every function takes dtype (float32 where nothing says otherwise), device and requires_grad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import devices, dtypes
from ..tensor import Tensor, wrap
from .movement import tensor_of

Shape = int | Sequence[int]


def _made(data: np.ndarray, device: Any, requires_grad: bool) -> Tensor:
    result = wrap(data, devices.get(device))
    return result.requires_grad_() if requires_grad else result


def _shape(name: str, shape: Shape) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if any(not isinstance(n, (int, np.integer)) or n < 0 for n in sizes):
        raise ValueError(f"{name}: a shape is made of integers that are not negative, got {shape!r}")
    return tuple(int(n) for n in sizes)


def _float(dtype: Any) -> np.dtype:
    return dtypes.DEFAULT_FLOAT if dtype is None else dtypes.as_dtype(dtype)


def tensor(data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of the data: numbers, nested lists, arrays, tensors. Python floats become float32.

    >>> import tinygrad_lite as tg
    >>> tg.tensor([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    return Tensor(data, dtype, device, requires_grad)


def asarray(obj: Any, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor from the object, sharing memory with a NumPy array or tensor where nothing must change.

    copy: True always copies, False raises ValueError where a copy would be needed.
    """
    kind = None if dtype is None else dtypes.as_dtype(dtype)
    data = obj._data if isinstance(obj, Tensor) else obj
    shares = isinstance(data, np.ndarray) and kind in (None, data.dtype) and data.dtype.char in dtypes._CHARS
    if copy is False and not shares:
        raise ValueError(f"asarray: {type(obj).__name__} cannot become a tensor without a copy; leave copy out")
    if copy or not shares:
        return Tensor(obj, dtype, device)
    return wrap(data, devices.get(device) if device is not None or not isinstance(obj, Tensor) else obj._device)


def from_dlpack(x: Any, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory of an object that speaks DLPack."""
    data = np.from_dlpack(x)
    return asarray(data, device=device, copy=copy)


def zeros(shape: Shape, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros."""
    return _made(np.zeros(_shape("zeros", shape), _float(dtype)), device, requires_grad)


def ones(shape: Shape, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones."""
    return _made(np.ones(_shape("ones", shape), _float(dtype)), device, requires_grad)


def empty(shape: Shape, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Whatever the memory holds."""
    return _made(np.empty(_shape("empty", shape), _float(dtype)), device, requires_grad)


def full(shape: Shape, fill_value: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """One value everywhere; its dtype follows from the value."""
    kind = Tensor(fill_value).dtype if dtype is None else dtypes.as_dtype(dtype)
    return _made(np.full(_shape("full", shape), fill_value, kind), device, requires_grad)


def zeros_like(x: Tensor, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape, dtype and on the device of `x`."""
    return zeros(x.shape, dtype or x.dtype, device or x._device, requires_grad)


def ones_like(x: Tensor, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape, dtype and on the device of `x`."""
    return ones(x.shape, dtype or x.dtype, device or x._device, requires_grad)


def empty_like(x: Tensor, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Memory in the shape, dtype and on the device of `x`."""
    return empty(x.shape, dtype or x.dtype, device or x._device, requires_grad)


def full_like(x: Tensor, fill_value: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """One value in the shape, dtype and on the device of `x`."""
    return full(x.shape, fill_value, dtype or x.dtype, device or x._device, requires_grad)


def arange(
    start: float, stop: float | None = None, step: float = 1, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """start, start + step, ... up to but without stop. Integers give int64, floats float32."""
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ValueError("arange: step must not be 0")
    whole = all(isinstance(v, (int, np.integer)) for v in (start, stop, step))
    kind = (dtypes.DEFAULT_INT if whole else dtypes.DEFAULT_FLOAT) if dtype is None else dtypes.as_dtype(dtype)
    return _made(np.arange(start, stop, step).astype(kind), device, requires_grad)


def linspace(
    start: float, stop: float, num: int, dtype: Any = None, device: Any = None, endpoint: bool = True,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`num` evenly spaced numbers from start to stop (with stop, unless endpoint=False)."""
    return _made(np.linspace(start, stop, num, endpoint=endpoint).astype(_float(dtype)), device, requires_grad)


def eye(
    n_rows: int, n_cols: int | None = None, k: int = 0, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Ones on the k-th diagonal, zeros elsewhere."""
    return _made(np.eye(n_rows, n_cols, k, _float(dtype)), device, requires_grad)


def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Tensor]:
    """Coordinates of a grid from one vector for each axis; "xy" swaps the first two axes as NumPy does."""
    from .manipulation import swapaxes
    from .movement import broadcast_to, reshape

    vectors = [tensor_of("meshgrid", a) for a in arrays]
    shape = tuple(v.size for v in vectors)
    grids = [
        broadcast_to(reshape(v, tuple(-1 if i == axis else 1 for i in range(len(vectors)))), shape)
        for axis, v in enumerate(vectors)
    ]
    return [swapaxes(g, 0, 1) for g in grids] if indexing == "xy" and len(grids) > 1 else grids
