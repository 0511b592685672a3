"""Running sums and products along an axis."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..tensor import Tensor
from . import creation
from . import movement as m
from .manipulation import concat
from .primitive import Primitive
from .reduce import normalize_axis
from .spelling import both_spellings

running_sum = Primitive("cumulative_sum", lambda device, a, axis: device.scan.cumulative("sum", a, axis))
running_prod = Primitive("cumulative_prod", lambda device, a, axis: device.scan.cumulative("prod", a, axis))


@both_spellings
def cumulative_sum(x: Any, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Tensor:
    """The sum of the elements up to each one; include_initial puts a 0 in front. axis=None only for a vector.

    >>> import tinygrad_lite as tg
    >>> tg.cumulative_sum(tg.tensor([1.0, 2.0, 3.0]))
    Tensor([1., 3., 6.])
    """
    return _scan(running_sum, x, axis, dtype, 0 if include_initial else None)


@both_spellings
def cumulative_prod(x: Any, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Tensor:
    """The product of the elements up to each one; include_initial puts a 1 in front. axis=None only for a vector."""
    return _scan(running_prod, x, axis, dtype, 1 if include_initial else None)


def _scan(operation: Primitive, x: Any, axis: int | None, dtype: Any, initial: int | None) -> Tensor:
    x = m.tensor_of(operation.name, x)
    if axis is None and x.ndim != 1:
        raise ValueError(f"{operation.name}: axis is needed for a tensor with {x.ndim} axes")
    axis = normalize_axis(operation.name, axis or 0, x.ndim)
    result = operation(x if dtype is None else m.cast(x, dtypes.as_dtype(dtype)), axis)
    if initial is None:
        return result
    shape = tuple(1 if i == axis else n for i, n in enumerate(x.shape))
    return concat([creation.full(shape, initial, result.dtype, x._device), result], axis)
