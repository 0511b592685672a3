"""New tensors. Every function takes dtype (float32 where nothing says otherwise), device and requires_grad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import devices, dtypes
from ..devices import tracing
from ..tensor import Tensor, wrap
from . import movement as m
from .movement import tensor_of

Shape = int | Sequence[int]


def _made(data: np.ndarray, device: Any, requires_grad: bool) -> Tensor:
    result = wrap(data, devices.get(device))
    if tracing.tracer is not None:
        tracing.tracer.made(data)
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

    Tensors are copied without their history. TypeError for other dtypes, ValueError for lists of unequal lengths.

    >>> import tinygrad_lite as tg
    >>> tg.tensor([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    return Tensor(data, dtype, device, requires_grad)


def asarray(
    obj: Any, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor from the object, sharing memory with a NumPy array where nothing must change.

    A tensor comes back as it is, with its history, or converted. copy: True always copies, False raises ValueError
    where a copy would be needed.

    >>> import numpy as np, tinygrad_lite as tg
    >>> a = np.zeros(2)
    >>> tg.asarray(a).numpy() is a
    True
    """
    kind = None if dtype is None else dtypes.as_dtype(dtype)
    place = devices.get(device) if device is not None or not isinstance(obj, Tensor) else obj._device
    data = obj._data if isinstance(obj, Tensor) else obj
    native = isinstance(data, np.ndarray) and data.dtype.isnative and data.dtype.char in dtypes._CHARS
    shares = native and kind in (None, data.dtype) and (not isinstance(obj, Tensor) or place is obj._device)
    if copy is False and not shares:
        raise ValueError(f"asarray: {type(obj).__name__} cannot become a tensor without a copy; leave copy out")
    if isinstance(obj, Tensor):
        result = _converted(obj, kind, place, bool(copy))
    else:
        result = wrap(np.asarray(data), place) if shares and not copy else Tensor(obj, dtype, place)
    return result.requires_grad_() if requires_grad and not result.requires_grad else result


def _converted(x: Tensor, kind: Any, place: devices.Device, copy: bool) -> Tensor:
    result = m.to_device(x if kind in (None, x.dtype) else m.cast(x, kind), place)
    return m.copy(x) if copy and result is x else result


def from_dlpack(x: Any, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory of an object that speaks DLPack; copy=True in memory of its own.

    >>> import numpy as np, tinygrad_lite as tg
    >>> tg.from_dlpack(np.arange(3))
    Tensor([0, 1, 2])
    """
    if not hasattr(x, "__dlpack__"):
        raise TypeError(f"from_dlpack: {type(x).__name__} does not speak DLPack; use asarray")
    return asarray(np.from_dlpack(x), device=device, copy=copy)


def zeros(shape: Shape, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros.

    >>> import tinygrad_lite as tg
    >>> tg.zeros((1, 2))
    Tensor([[0., 0.]])
    """
    return _made(np.zeros(_shape("zeros", shape), _float(dtype)), device, requires_grad)


def ones(shape: Shape, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones.

    >>> import tinygrad_lite as tg
    >>> tg.ones(3, dtype=tg.int64)
    Tensor([1, 1, 1])
    """
    return _made(np.ones(_shape("ones", shape), _float(dtype)), device, requires_grad)


def empty(shape: Shape, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Whatever the memory holds.

    >>> import tinygrad_lite as tg
    >>> tg.empty((2, 0)).shape
    (2, 0)
    """
    return _made(np.empty(_shape("empty", shape), _float(dtype)), device, requires_grad)


def full(shape: Shape, fill_value: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """One value everywhere; its dtype follows from the value.

    >>> import tinygrad_lite as tg
    >>> tg.full(2, 7)
    Tensor([7, 7])
    """
    value = Tensor(fill_value, dtype)._data
    return _made(np.full(_shape("full", shape), value, value.dtype), device, requires_grad)


def zeros_like(x: Tensor, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape, dtype and on the device of `x`.

    >>> import tinygrad_lite as tg
    >>> tg.zeros_like(tg.tensor([1, 2]))
    Tensor([0, 0])
    """
    return zeros(*_like(x, dtype, device), requires_grad)


def _like(x: Any, dtype: Any, device: Any) -> tuple[Any, Any, Any]:
    x = tensor_of("like", x)
    return x.shape, x.dtype if dtype is None else dtype, x._device if device is None else device


def ones_like(x: Tensor, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape, dtype and on the device of `x`.

    >>> import tinygrad_lite as tg
    >>> tg.ones_like(tg.tensor([1, 2]), dtype=tg.float32)
    Tensor([1., 1.])
    """
    return ones(*_like(x, dtype, device), requires_grad)


def empty_like(x: Tensor, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Memory in the shape, dtype and on the device of `x`.

    >>> import tinygrad_lite as tg
    >>> tg.empty_like(tg.ones((2, 3))).shape
    (2, 3)
    """
    return empty(*_like(x, dtype, device), requires_grad)


def full_like(x: Tensor, fill_value: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """One value in the shape, dtype and on the device of `x`.

    >>> import tinygrad_lite as tg
    >>> tg.full_like(tg.ones(2), 3)
    Tensor([3., 3.])
    """
    shape, kind, place = _like(x, dtype, device)
    return full(shape, fill_value, kind, place, requires_grad)


def arange(
    start: float, stop: float | None = None, step: float = 1, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """start, start + step, ... up to but without stop. Integers give int64, floats float32.

    >>> import tinygrad_lite as tg
    >>> tg.arange(5, 0, -2)
    Tensor([5, 3, 1])
    """
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
    """`num` evenly spaced numbers from start to stop (with stop, unless endpoint=False).

    >>> import tinygrad_lite as tg
    >>> tg.linspace(0, 1, 5)
    Tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    return _made(np.linspace(start, stop, num, endpoint=endpoint).astype(_float(dtype)), device, requires_grad)


def eye(
    n_rows: int, n_cols: int | None = None, k: int = 0, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Ones on the k-th diagonal, zeros elsewhere.

    >>> import tinygrad_lite as tg
    >>> tg.eye(2, 3, k=1)
    Tensor([[0., 1., 0.],
            [0., 0., 1.]])
    """
    return _made(np.eye(n_rows, n_cols, k, _float(dtype)), device, requires_grad)


def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Tensor]:
    """Coordinates of a grid from one vector for each axis; "xy" swaps the first two axes as NumPy does.

    >>> import tinygrad_lite as tg
    >>> tg.meshgrid(tg.arange(2), tg.arange(3), indexing="ij")[0]
    Tensor([[0, 0, 0],
            [1, 1, 1]])
    """
    vectors = [tensor_of("meshgrid", a) for a in arrays]
    if indexing not in ("xy", "ij") or any(v.ndim > 1 for v in vectors):
        shapes = ", ".join(str(v.shape) for v in vectors)
        raise ValueError(f'meshgrid: needs vectors and indexing "xy" or "ij", got shapes {shapes} and {indexing!r}')
    shape = tuple(v.size for v in vectors)
    grids = [
        m.broadcast_to(m.reshape(v, tuple(n if i == axis else 1 for i, n in enumerate(shape))), shape)
        for axis, v in enumerate(vectors)
    ]
    if indexing == "ij" or len(grids) < 2:
        return grids
    return [m.permute(g, (1, 0, *range(2, g.ndim))) for g in grids]
