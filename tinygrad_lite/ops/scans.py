"""Running sums and products along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..tensor import Tensor
from . import creation
from . import movement as m
from .elementwise import OPERATIONS
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
    """The product of the elements up to each one; include_initial puts a 1 in front. axis=None only for a vector.

    >>> import tinygrad_lite as tg
    >>> tg.cumulative_prod(tg.tensor([2, 3, 4]), include_initial=True)
    Tensor([ 1,  2,  6, 24])
    """
    return _scan(running_prod, x, axis, dtype, 1 if include_initial else None)


@both_spellings
def diff(x: Any, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Tensor:
    """The differences of neighbours along an axis, `n` times over, after joining what to prepend and append.

    n = 0 gives the tensor itself, ValueError for a negative n. Of truth values the difference is whether they differ.

    >>> import tinygrad_lite as tg
    >>> tg.diff(tg.tensor([1, 4, 9, 16]))
    Tensor([3, 5, 7])
    """
    x = m.tensor_of("diff", x)
    axis = normalize_axis("diff", axis, x.ndim)
    if not isinstance(n, (int, np.integer)) or n < 0:
        raise ValueError(f"diff: n must be an integer that is not negative, got {n!r}")
    if n == 0:
        return x
    x = concat([part for part in (prepend, x, append) if part is not None], axis)
    minus = OPERATIONS["not_equal" if x.dtype.kind == "b" else "subtract"]
    for _ in range(min(n, x.shape[axis])):
        x = minus(_part(x, axis, slice(1, None)), _part(x, axis, slice(0, -1)))
    return x


def _part(x: Tensor, axis: int, part: slice) -> Tensor:
    return m.slice_view(x, (slice(None),) * axis + (part,))


def _scan(operation: Primitive, x: Any, axis: int | None, dtype: Any, initial: int | None) -> Tensor:
    x = m.tensor_of(operation.name, x)
    if axis is None and x.ndim != 1:
        raise ValueError(f"{operation.name}: axis is needed for a tensor with {x.ndim} axes")
    axis = normalize_axis(operation.name, 0 if axis is None else axis, x.ndim)
    kind = x.dtype if dtype is None else dtypes.as_dtype(dtype)
    result = operation(x if x.dtype == kind else m.cast(x, kind), axis)
    if dtype is not None and result.dtype != kind:
        result = m.cast(result, kind)
    if initial is None:
        return result
    shape = tuple(1 if i == axis else n for i, n in enumerate(x.shape))
    return concat([creation.full(shape, initial, result.dtype, x._device), result], axis)
