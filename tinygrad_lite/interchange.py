"""Between tensors and the rest of Python: NumPy, DLPack, numbers, pickles, copies, devices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import UFUNC_NAMES

from . import devices, dtypes
from .ops.elementwise import OPERATIONS
from .ops.manipulation import astype, clone
from .tensor import Tensor, wrap


def numpy(x: Tensor) -> np.ndarray:
    """The elements as a NumPy array on the same memory. RuntimeError for a tensor that requires a gradient."""
    if x.requires_grad:
        raise RuntimeError(
            "numpy: this tensor requires a gradient, which NumPy would not follow; use .detach().numpy() for its values"
        )
    return x._data


def to_array(x: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """For `np.asarray(tensor)`."""
    return np.array(numpy(x), dtype=dtype, copy=copy)


def item(x: Tensor) -> Any:
    """The only element as a Python number. ValueError where there is not exactly one."""
    if x.size != 1:
        raise ValueError(f"item: needs a tensor with one element, this one has shape {x.shape}; use .tolist()")
    return x._data.item()


def tolist(x: Tensor) -> Any:
    """The elements as nested lists of Python numbers."""
    return x._data.tolist()


def to(x: Tensor, *targets: Any) -> Tensor:
    """On another device or in another dtype (either, or both). The tensor itself where nothing changes.

    >>> import tinygrad_lite as tg
    >>> tg.ones(2).to("numpy", tg.float64).device
    'numpy'
    """
    for target in targets:
        if isinstance(target, devices.Device) or (isinstance(target, str) and target not in dtypes.ALL):
            x = _moved(x, devices.get(target))
        else:
            x = astype(x, target, copy=False)
    return x


def _moved(x: Tensor, device: devices.Device) -> Tensor:
    """Both devices of today share the host's memory, so that only the kernels change; a gradient is moved back."""
    if x._device is device:
        return x
    if not x.requires_grad:
        return wrap(x._data, device)
    from .autograd.function import Function

    class Move(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.device = x._device
            return wrap(x._data, device)

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            return _moved(g, ctx.device)

    return Move.apply(x)


def deepcopy(x: Tensor, memo: dict[int, Any]) -> Tensor:
    """For `copy.deepcopy`: values, dtype, device and requires_grad; only leaves, since a history cannot be copied."""
    if x._node is not None:
        raise RuntimeError("deepcopy: only leaf tensors can be copied; use .detach() or .clone()")
    if id(x) not in memo:
        new = type(x).__new__(type(x))
        new._data, new._device = np.array(x._data), x._device
        memo[id(x)] = new
        if x.requires_grad:
            new.requires_grad = True
        if x.grad is not None:
            new.grad = deepcopy(x.grad, memo)
    return memo[id(x)]


def reduce_ex(x: Tensor, protocol: int) -> Any:
    """For pickle: values, dtype, device and requires_grad; a history is not kept."""
    return rebuild, (type(x), np.ascontiguousarray(x._data).reshape(x.shape), x.device, x.requires_grad)


def rebuild(cls: type[Tensor], data: np.ndarray, device: str, requires_grad: bool) -> Tensor:
    """What a pickled tensor is made from."""
    x = cls.__new__(cls)
    x._data, x._device = data, devices.get(device)
    return x.requires_grad_() if requires_grad else x


def _iterate(x: Tensor) -> Iterator[Tensor]:
    if x.ndim == 0:
        raise TypeError("iteration over a 0-d tensor: it has no axis; use .item()")
    return (x[i] for i in range(x.shape[0]))


def _truth(x: Tensor) -> bool:
    if x.size != 1:
        raise ValueError(f"the truth value of a tensor of shape {x.shape} is ambiguous; use .any() or .all()")
    return bool(x._data.item())


def _index(x: Tensor) -> int:
    if x.size != 1 or x.dtype.kind not in "iub":
        raise TypeError(f"only a tensor with one integer can be used as an index, this one is {x.dtype} {x.shape}")
    return int(x._data.item())


def _ufunc(x: Tensor, ufunc: Any, method: str, *args: Any, **options: Any) -> Any:
    """NumPy's functions on tensors are our operations of the same name, so that gradients are not lost."""
    name = UFUNC_NAMES.get(ufunc.__name__, ufunc.__name__)
    if method != "__call__" or options or name not in OPERATIONS:
        raise TypeError(f"numpy.{ufunc.__name__} does not take tensors; use .detach().numpy() for the values")
    return OPERATIONS[name](*args)


def _in_place_copy(x: Tensor, other: Any) -> Tensor:
    x[...] = other
    return x


def _fill(x: Tensor, value: float) -> Tensor:
    x[...] = value
    return x


METHODS: dict[str, Any] = {
    "numpy": numpy, "item": item, "tolist": tolist, "to": to, "clone": clone, "fill_": _fill, "copy_": _in_place_copy,
    "zero_": lambda x: _fill(x, 0), "cpu": lambda x: to(x, "cpu"), "float": lambda x: to(x, dtypes.float32),
    "double": lambda x: to(x, dtypes.float64), "long": lambda x: to(x, dtypes.int64),
    "int": lambda x: to(x, dtypes.int32),
    "bool": lambda x: to(x, dtypes.bool_),
    "__array__": to_array, "__deepcopy__": deepcopy, "__reduce_ex__": reduce_ex, "__iter__": _iterate,
    "__bool__": _truth,
    "__float__": lambda x: float(item(x)), "__int__": lambda x: int(item(x)), "__index__": _index,
    "__contains__": lambda x, value: bool((x._data == getattr(value, "_data", value)).any()),
    "__dlpack__": lambda x, **options: numpy(x).__dlpack__(**options),
    "__dlpack_device__": lambda x: (1, 0), "__array_ufunc__": _ufunc,
}  # fmt: skip
