"""Hypothesis strategies for shapes and tensors: edge cases first, and failures shrink to small ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from .. import devices, dtypes
from ..tensor import Tensor, wrap

Shape = tuple[int, ...]
SPECIAL = (0.0, -0.0, np.inf, -np.inf, np.nan)
LIMITS = ("max", "tiny", "smallest_subnormal")

# The same elements at other places in memory; "repeated" has only those of the first row, all rows at one place.
LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "contiguous": lambda a: a,
    "transposed": lambda a: np.array(a, order="F"),
    "gaps": lambda a: np.repeat(a[..., None], 2, axis=-1)[..., 0],
    "backwards": lambda a: np.flip(np.array(np.flip(a), order="C")),
    "repeated": lambda a: np.broadcast_to(a[:1], a.shape) if a.ndim and a.size else a,
}
DISTINCT_LAYOUTS = ("contiguous", "transposed", "gaps", "backwards")


def shapes(
    min_dims: int = 0, max_dims: int = 4, min_side: int = 0, max_side: int = 5
) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes with numbers of axes and sizes between bounds: () and axes of size 0 and 1 among them.

    >>> from hypothesis import find
    >>> find(shapes(min_dims=2), lambda shape: shape[1] > 1)
    (0, 2)
    """
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


def broadcastable_shapes(
    count: int = 2, min_dims: int = 0, max_dims: int = 4, min_side: int = 0, max_side: int = 5
) -> st.SearchStrategy[tuple[tuple[int, ...], ...]]:
    """Tuples of `count` shapes that broadcast together.

    >>> from hypothesis import given
    >>> from tinygrad_lite.testing import broadcastable_shapes, tensors
    >>> @given(broadcastable_shapes().flatmap(lambda both: st.tuples(*map(tensors, both))))
    ... def test_sums_commute(xs):
    ...     x, y = xs
    ...     assert (x + y).tolist() == (y + x).tolist()
    >>> test_sums_commute()
    """
    drawn = hnp.mutually_broadcastable_shapes(
        num_shapes=count, min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side
    )
    return drawn.map(lambda found: found.input_shapes)


def tensors(
    shape: Any = None,
    dtype: Any = "float64",
    *,
    low: float = -10.0,
    high: float = 10.0,
    special: bool = False,
    elements: st.SearchStrategy[Any] | None = None,
    unique: bool = False,
    layouts: Sequence[str] = DISTINCT_LAYOUTS,
    device: Any = None,
    requires_grad: Any = False,
) -> st.SearchStrategy[Tensor]:
    """Tensors. shape (default: `shapes()`), dtype, device and requires_grad: a value, or a strategy of values.

    low, high: bounds of the values. special: also NaN, infinities, zeros of both signs, the largest and the smallest
    floats. elements: a strategy of the values, instead of these. unique: no two values are equal.
    layouts: how the elements may lie in memory, of "contiguous", "transposed", "gaps" (every second place), "backwards"
    and "repeated" (rows at one place: not for what is changed in place, and refused by `tg.gradcheck`).
    Raises ValueError for an unknown layout.

    >>> import tinygrad_lite as tg
    >>> from hypothesis import given
    >>> @given(tensors(shape=(3,), low=0.5, requires_grad=True))
    ... def test_gradient_of_log(x):
    ...     x.log().sum().backward()
    ...     assert tg.allclose(x.grad, 1 / x)
    >>> test_gradient_of_log()
    """
    unknown = [name for name in layouts if name not in LAYOUTS]
    if unknown or not layouts:
        raise ValueError(f"tensors: layouts must be of {', '.join(LAYOUTS)}; got {list(layouts)}")
    shape = shapes() if shape is None else shape

    def values(kind: np.dtype) -> st.SearchStrategy[Any]:
        return _values(kind, low, high, special) if elements is None else elements

    return _tensors(shape, dtype, values, unique, st.sampled_from(layouts), device, requires_grad)


@st.composite
def _tensors(
    draw: Any, shape: Any, dtype: Any, values: Any, unique: bool, layout: Any, device: Any, requires_grad: Any
) -> Tensor:
    shape, dtype, device, requires_grad = (_drawn(draw, x) for x in (shape, dtype, device, requires_grad))
    kind = dtypes.as_dtype(dtype)
    array = draw(hnp.arrays(kind, shape, elements=values(kind), unique=unique))
    tensor = wrap(np.asarray(LAYOUTS[draw(layout)](array)), devices.get(device))  # of 0-d NumPy makes scalars
    return tensor.requires_grad_() if requires_grad else tensor


def _drawn(draw: Any, x: Any) -> Any:
    return draw(x) if isinstance(x, st.SearchStrategy) else x


def _values(kind: np.dtype, low: float, high: float, special: bool) -> st.SearchStrategy[Any]:
    """What elements of a dtype may be."""
    if kind.kind == "b":
        return st.booleans()
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        return st.integers(max(int(np.ceil(low)), limits.min), min(int(np.floor(high)), limits.max))
    usual = st.floats(*_inside(kind, low, high), width=64 if kind.itemsize == 8 else 32, allow_subnormal=special)
    return usual | st.sampled_from(_special(kind)) if special else usual


def _inside(kind: np.dtype, low: float, high: float) -> tuple[float, float]:
    """The bounds as numbers of that dtype, not outside of what was asked for."""
    first, last = kind.type(low), kind.type(high)
    if float(first) < low:
        first = np.nextafter(first, kind.type(np.inf))
    if float(last) > high:
        last = np.nextafter(last, kind.type(-np.inf))
    return float(first), float(last)


def _special(kind: np.dtype) -> list[float]:
    limits = [float(getattr(np.finfo(kind), name)) for name in LIMITS]
    return [*SPECIAL, *limits, *(-x for x in limits)]
