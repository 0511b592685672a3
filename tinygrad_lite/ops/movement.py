"""Movement: the same elements in another arrangement. Views wherever NumPy gives one."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import devices
from ..autograd.graph import version_cell
from ..tensor import Tensor, wrap
from .primitive import Primitive, as_tensors

reshape_view = Primitive("reshape", lambda device, a, shape: a.reshape(shape), view=True)
permute = Primitive("permute_dims", lambda device, a, axes: a.transpose(axes), view=True)
expand = Primitive("broadcast_to", lambda device, a, shape: np.broadcast_to(a, shape, subok=True), view=True)
flip_view = Primitive("flip", lambda device, a, axes: np.flip(a, axes), view=True)
slice_view = Primitive("slice", lambda device, a, index: a[index], view=True)
unslice = Primitive("unslice", lambda device, a, shape, index: _unslice(device, a, shape, index))
copy = Primitive("copy", lambda device, a: device.movement.copy(a))
cast = Primitive("astype", lambda device, a, dtype: device.movement.astype(a, dtype))
pad_constant = Primitive("pad", lambda device, a, widths, value: device.movement.pad(a, widths, value))
concatenate = Primitive("concat", lambda device, *args: device.movement.concat(args[:-1], args[-1]), inputs=None)
tril_part = Primitive("tril", lambda device, a, k: device.movement.tril(a, k))
triu_part = Primitive("triu", lambda device, a, k: device.movement.triu(a, k))
copied = copy  # for functions with an argument of that name
copy_to = Primitive("to_device", lambda device, a, target: target.movement.copy(a))


def _unslice(device: Any, a: np.ndarray, shape: tuple[int, ...], index: Any) -> np.ndarray:
    """Zeros with `a` where the slice was taken: the adjoint of a slice."""
    result = device.movement.full(shape, 0, a.dtype)
    device.movement.copy_into(result[index], a)
    return result


def tensor_of(name: str, x: Any) -> Tensor:
    """The argument as a tensor."""
    return as_tensors(name, [x])[0]


def two_axes(name: str, x: Any) -> Tensor:
    """The argument as a matrix or a stack of them; ValueError where it has fewer axes."""
    x = tensor_of(name, x)
    if x.ndim < 2:
        raise ValueError(f"{name}: needs at least two axes, the shape is {x.shape}")
    return x


def whole_numbers(name: str, what: str, given: Any) -> tuple[int, ...]:
    """One integer or several as a tuple. TypeError where there is anything else."""
    numbers = given if isinstance(given, (tuple, list)) else np.atleast_1d(given).tolist()
    try:
        return tuple([operator.index(n) for n in numbers])
    except TypeError:
        raise TypeError(f"{name}: {what} made of integers, got {given!r}") from None


def reshape(x: Any, shape: int | Sequence[int], copy: bool | None = None) -> Tensor:
    """The elements in row order in another shape; one size may be -1, meaning what is left. A view where possible.

    copy: True always copies, False never does. ValueError where that cannot be, or where the sizes do not multiply to
    the number of elements.

    >>> import tinygrad_lite as tg
    >>> tg.reshape(tg.arange(6), (2, -1))
    Tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    x = tensor_of("reshape", x)
    sizes = whole_numbers("reshape", "a shape is", shape)
    if copy:
        x = copied(x)
    if sizes == x.shape:
        return x
    if sizes.count(-1) == 1:
        rest = math.prod(n for n in sizes if n != -1)
        sizes = tuple((x.size // rest if rest else -1) if n == -1 else n for n in sizes)
    if math.prod(sizes) != x.size or any(n < 0 for n in sizes):
        raise ValueError(f"reshape: {x.size} elements of shape {x.shape} do not fit into shape {shape!r}")
    if not _merges(x._data, sizes):
        if copy is False:
            raise ValueError(f"reshape: a copy is needed for shape {shape!r}, as the elements do not lie in row order")
        x = copied(x)
    return reshape_view(x, sizes)


def _merges(a: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether the array can take that shape without a copy."""
    if a.flags.c_contiguous:
        return True
    if not _CAN_ASK:  # NumPy before 2.1
        return np.may_share_memory(a, a.reshape(shape))
    try:
        a.reshape(shape, copy=False)
    except ValueError:
        return False
    return True


_CAN_ASK = np.lib.NumpyVersion(np.__version__) >= "2.1.0"


def permute_dims(x: Any, axes: Sequence[int]) -> Tensor:
    """The axes in another order: axis i of the result is axis axes[i] of `x`. A view.

    >>> import tinygrad_lite as tg
    >>> tg.permute_dims(tg.ones((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    x = tensor_of("permute_dims", x)
    order = whole_numbers("permute_dims", "axes are", axes)
    if sorted(a % max(x.ndim, 1) for a in order) != list(range(x.ndim)) or any(
        not -x.ndim <= a < x.ndim for a in order
    ):
        raise ValueError(f"permute_dims: axes {order} are not a permutation of the {x.ndim} axes")
    return permute(x, tuple(a % x.ndim for a in order))


def broadcast_to(x: Any, shape: int | Sequence[int]) -> Tensor:
    """Repeat along axes of size 1 and new leading axes, without a copy (the view is read-only).

    >>> import tinygrad_lite as tg
    >>> tg.broadcast_to(tg.tensor([1, 2]), (2, 2))
    Tensor([[1, 2],
            [1, 2]])
    """
    x = tensor_of("broadcast_to", x)
    sizes = whole_numbers("broadcast_to", "a shape is", shape)
    if sizes == x.shape:
        return x
    try:
        return expand(x, sizes)
    except ValueError:
        raise ValueError(f"broadcast_to: shape {x.shape} does not broadcast to {sizes}") from None


def detach(x: Tensor) -> Tensor:
    """The same memory without history: gradients stop here. Changes in place are seen by both.

    >>> import tinygrad_lite as tg
    >>> tg.ones(2, requires_grad=True).detach().requires_grad
    False
    """
    result = wrap(x._data, x._device)
    result._cell = version_cell(x)
    result._born = result._cell[0]
    return result


def to_device(x: Tensor, device: Any, *, stream: Any = None) -> Tensor:
    """A copy on another device; the tensor itself where it is there already. Gradients travel back.

    stream: only None, the devices of today have no streams.

    >>> import tinygrad_lite as tg
    >>> tg.ones(2).to_device("numpy").device
    'numpy'
    """
    if stream is not None:
        raise ValueError(f"to_device: device {device} has no streams, got stream={stream!r}")
    target = devices.get(device)
    if x._device is target:
        return x
    result = copy_to(x, target)
    result._device = target
    return result
