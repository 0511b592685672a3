"""Arrays without values: what tensors hold while a function is traced.

They are NumPy arrays over memory that nobody has written to, so shapes, strides and views are NumPy's own and cost no
pages; whoever asks for a value gets an error that says what to do instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import TraceError

VIEWS = {np.broadcast_to, np.broadcast_arrays, np.flip, np.shape, np.ndim, np.may_share_memory, np.shares_memory}
READING = (
    "all any argmax argmin argpartition argsort astype byteswap choose clip compress copy cumprod cumsum dot dump "
    "dumps fill item itemset max mean min nonzero partition prod ptp put repeat resize round searchsorted sort std "
    "sum take tobytes tofile tolist trace var __array__ __bool__ __complex__ __contains__ __copy__ __deepcopy__ "
    "__float__ __index__ __int__ __iter__ __reduce__ __reduce_ex__ __dlpack__"
).split()


class Traced(np.ndarray):
    """An array whose values are not known yet."""

    def __array_ufunc__(self, ufunc: Any, *args: Any, **options: Any) -> Any:
        raise _unknown(f"numpy.{ufunc.__name__}")

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if function not in VIEWS:
            raise _unknown(f"numpy.{getattr(function, '__name__', function)}")
        return super().__array_function__(function, types, args, options)

    def __getitem__(self, index: Any) -> Any:
        part = super().__getitem__(index)
        if part.size and not np.may_share_memory(part, self):
            raise _unknown("indexing an array")
        return part

    def __setitem__(self, index: Any, value: Any) -> None:
        raise _unknown("writing into an array")

    def __repr__(self) -> str:
        return f"<no values yet: shape {self.shape}, {self.dtype}>"

    __str__ = __repr__


def _unknown(what: str) -> TraceError:
    return TraceError(
        f"{what} needs values, but while a jitted function is traced its tensors have none: the function runs once, "
        "and what it did is repeated on the values of every later call. Use tensor operations (tg.where instead of if, "
        "tensors instead of float), or do this outside of the jitted function"
    )


def _refuse(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **options: Any) -> Any:
        raise _unknown(name.strip("_"))

    return method


for _name in READING:
    setattr(Traced, _name, _refuse(_name))


def empty(shape: tuple[int, ...], dtype: np.dtype, order: tuple[int, ...] | None = None) -> Traced:
    """New memory; `order` lists the axes from slow to fast."""
    if order is None:
        return np.empty(shape, dtype).view(Traced)
    inverse = [int(i) for i in np.argsort(order)]
    return np.empty([shape[axis] for axis in order], dtype).view(Traced).transpose(inverse)


def owner(a: np.ndarray) -> np.ndarray:
    """The array whose memory a view looks at."""
    while isinstance(a.base, np.ndarray):
        a = a.base
    return a
