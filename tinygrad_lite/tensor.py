"""The tensor: an array, the device whose kernels work on it, and its place in the graph.

Operations live in `ops/`; `ops/methods.py` hands them to this class as methods and operators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import devices, dtypes
from .devices import tracing

changes = [0]  # how often tensors that exist got other memory, or were frozen or thawed: plans made before are void


class Tensor:
    """An n-dimensional array that can be differentiated. Make one with `tg.tensor`, `tg.zeros`, `tg.randn`, ...

    data: anything NumPy can make an array of. dtype: floats become float32 unless told otherwise.
    requires_grad: whether `backward` shall leave a gradient in `.grad`.

    >>> import tinygrad_lite as tg
    >>> x = tg.Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    Tensor([2., 4.])
    """

    # What most tensors share; an instance stores only what differs.
    requires_grad: bool = False
    _node: Any = None  # the recorded operation that made it
    _index: int = 0  # which of that operation's outputs it is
    _cell: list[int] | None = None  # version counters, see autograd/graph.py
    _born: int = 0  # the version when this tensor was made
    _view: bool = False
    _source: Any = None  # of a view: what it was indexed from, and the index, see ops/views.py
    _grad: Tensor | None = None
    _hooks: Any = None
    _retains: bool = False

    _data: np.ndarray
    _device: devices.Device

    __array_priority__ = 1000
    __hash__ = object.__hash__

    def __init__(self, data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False):
        self._data = as_array(data, dtype)
        self._device = devices.get(device)
        if tracing.tracer is not None:
            tracing.tracer.made(self._data)
        if requires_grad:
            self.requires_grad_()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self._data.shape

    @property
    def dtype(self) -> np.dtype:
        """Data type of the elements."""
        return self._data.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._data.size

    @property
    def device(self) -> str:
        """Name of the device."""
        return self._device.name

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` has left here, None where there is none."""
        if tracing.tracer is not None:
            tracing.tracer.touch(self)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if tracing.tracer is not None:
            tracing.tracer.touch(self)
        self._grad = value

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it; only leaves get a `.grad` by themselves."""
        return self._node is None

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d tensor: it has no axis; use .size or .item()")
        return self.shape[0]

    def __repr__(self) -> str:
        from .printing import tensor_text

        return tensor_text(self)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for a gradient (or no longer), in place. Only tensors of floats can have one."""
        if requires_grad and not dtypes.is_floating(self.dtype):
            raise TypeError(
                f"requires_grad: only float32 and float64 tensors can have gradients, this one is {self.dtype}; "
                "convert it with .astype(tg.float32) first"
            )
        if not requires_grad and self._node is not None:
            raise RuntimeError("requires_grad_(False): this tensor was computed from others; use .detach() instead")
        if "requires_grad" in self.__dict__ and self.requires_grad != requires_grad:
            changes[0] += 1
        self.requires_grad = requires_grad
        return self

    def rebind(self, data: np.ndarray, device: devices.Device) -> None:
        """Give the tensor other memory. Its identity stays, so optimizers and modules that hold it see the change."""
        self._data, self._device = data, device
        changes[0] += 1


def as_array(data: Any, dtype: Any = None) -> np.ndarray:
    """A new array of a supported dtype, from numbers, nested lists, arrays or tensors."""
    if isinstance(data, Tensor):
        return data._device.movement.astype(data._data, data.dtype if dtype is None else dtypes.as_dtype(dtype))
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    is_numpy = isinstance(data, (np.ndarray, np.generic))
    if not is_numpy and hasattr(data, "__dlpack__"):
        data, is_numpy = np.from_dlpack(data), True
    if isinstance(data, (list, tuple)):
        data = _nested(data)
    try:
        array = np.array(data, dtype=wanted)
    except ValueError as error:
        raise ValueError(f"tensor: the data is not a regular array of numbers ({error})") from None
    if wanted is None and not is_numpy and array.dtype == np.float64:
        array = array.astype(dtypes.DEFAULT_FLOAT)
    dtype = dtypes.check(array.dtype, "tensor")
    return array.astype(dtype, copy=False)


def _nested(data: Any) -> Any:
    """Nested lists with their tensors replaced by arrays."""
    if isinstance(data, Tensor):
        return data._data
    return [_nested(x) for x in data] if isinstance(data, (list, tuple)) else data


def wrap(data: np.ndarray, device: devices.Device) -> Tensor:
    """A tensor around an array, without a copy or a check: for operations, whose results are right by construction."""
    tensor = Tensor.__new__(Tensor)
    tensor._data = data
    tensor._device = device
    return tensor


def alias(tensor: Tensor) -> Tensor:
    """Another tensor object with the same memory, versions and place in the graph."""
    if tensor._cell is None:
        tensor._cell = [0, 0]
    other = wrap(tensor._data, tensor._device)
    other.__dict__.update(tensor.__dict__)
    return other
