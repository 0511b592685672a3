"""Between tensors and the rest of Python: NumPy, DLPack, numbers, pickles, copies, devices."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import devices, dtypes
from .autograd.graph import version_cell
from .ops import numpy_functions
from .ops.elementwise import OPERATIONS
from .ops.manipulation import astype
from .ops.movement import to_device
from .tensor import Tensor


def numpy(x: Tensor) -> np.ndarray:
    """The elements as a NumPy array on the same memory. RuntimeError for a tensor that requires a gradient.

    What NumPy changes in that memory is not noticed by the version counters.

    >>> import tinygrad_lite as tg
    >>> tg.tensor([1.0, 2.0]).numpy()
    array([1., 2.], dtype=float32)
    """
    if x.requires_grad:
        raise RuntimeError(
            "numpy: this tensor requires a gradient, which NumPy would not follow; use .detach().numpy() for its values"
        )
    return x._data


def to_array(x: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """For `np.asarray(tensor)`."""
    return np.array(numpy(x), dtype=dtype, copy=copy)


def item(x: Tensor) -> Any:
    """The only element as a Python number. ValueError where there is not exactly one.

    >>> import tinygrad_lite as tg
    >>> tg.tensor([[2.5]]).item()
    2.5
    """
    if x.size != 1:
        raise ValueError(f"item: needs a tensor with one element, this one has shape {x.shape}; use .tolist()")
    return x._data.item()


def tolist(x: Tensor) -> Any:
    """The elements as nested lists of Python numbers; the number itself for a 0-d tensor.

    >>> import tinygrad_lite as tg
    >>> tg.tensor([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    return x._data.tolist()


def to(x: Tensor, *targets: Any, device: Any = None, dtype: Any = None) -> Tensor:
    """On another device or in another dtype (either, or both), or like another tensor.

    The tensor itself where nothing changes, else a copy. Gradients come back in the dtype and on the device of `x`.

    >>> import tinygrad_lite as tg
    >>> tg.ones(2).to("numpy", tg.float64).device
    'numpy'
    """
    for target in (*targets, device, dtype):
        if isinstance(target, Tensor):
            x = astype(to_device(x, target._device), target.dtype, copy=False)
        elif isinstance(target, devices.Device) or (isinstance(target, str) and target not in dtypes.ALL):
            x = to_device(x, target)
        elif target is not None:
            x = astype(x, target, copy=False)
    return x


def copy(x: Tensor) -> Tensor:
    """For `copy.copy`: another tensor on the same memory, with the same versions and the same place in the graph."""
    version_cell(x)
    other = type(x).__new__(type(x))
    other.__dict__.update(x.__dict__)
    return other


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
    return (x[i] for i in range(x.shape[0]))  # type: ignore[index]


def _contains(x: Tensor, value: Any) -> bool:
    return bool(OPERATIONS["equal"](x, value)._data.any())


def _format(x: Tensor, specification: str) -> str:
    """f"{loss:.3f}" for a 0-d tensor; otherwise what `repr` gives."""
    return format(x._data.item() if x.ndim == 0 and specification else repr(x), specification)


def _truth(x: Tensor) -> bool:
    if x.size != 1:
        raise ValueError(f"the truth value of a tensor of shape {x.shape} is ambiguous; use .any() or .all()")
    return bool(x._data.item())


def _index(x: Tensor) -> int:
    if x.size != 1 or x.dtype.kind not in "iu":
        raise TypeError(f"only a tensor with one integer can be used as an index, this one is {x.dtype} {x.shape}")
    return int(x._data.item())


def dlpack(
    x: Tensor, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
) -> Any:
    """For `from_dlpack` of other libraries. RuntimeError where a gradient is required, BufferError for a copy-less one
    of read-only memory to a library that cannot keep it so."""
    return numpy(x).__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)


def namespace(x: Tensor, api_version: str | None = None) -> Any:
    """For code written to the array API standard: the module with the functions."""
    if api_version not in (None, *API_VERSIONS):
        raise ValueError(f"__array_namespace__: version {api_version!r} is not known; known: {', '.join(API_VERSIONS)}")
    return importlib.import_module(__package__)


API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")


def _in_place_copy(x: Tensor, other: Any) -> Tensor:
    x[...] = to_device(other, x._device) if isinstance(other, Tensor) else other
    return x


def _fill(x: Tensor, value: float) -> Tensor:
    x[...] = value
    return x


METHODS: dict[str, Any] = {
    "numpy": numpy, "item": item, "tolist": tolist, "to": to, "fill_": _fill, "copy_": _in_place_copy,
    "zero_": lambda x: _fill(x, 0), "cpu": lambda x: to(x, "cpu"), "float": lambda x: to(x, dtypes.float32),
    "double": lambda x: to(x, dtypes.float64), "long": lambda x: to(x, dtypes.int64),
    "int": lambda x: to(x, dtypes.int32), "numel": lambda x: x.size,
    "bool": lambda x: to(x, dtypes.bool_), "__format__": _format, "__array_namespace__": namespace,
    "__array__": to_array, "__copy__": copy, "__deepcopy__": deepcopy, "__reduce_ex__": reduce_ex, "__iter__": _iterate,
    "__bool__": _truth,
    "__float__": lambda x: float(item(x)), "__complex__": lambda x: complex(item(x)),
    "__int__": lambda x: int(item(x)), "__index__": _index,
    "__contains__": _contains,
    "__dlpack__": dlpack,
    "__dlpack_device__": lambda x: x._data.__dlpack_device__(),
    "__array_ufunc__": numpy_functions.ufunc, "__array_function__": numpy_functions.function,
}  # fmt: skip
