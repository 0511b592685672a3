"""The derivative rules of the structural primitives, one line each, in tensor operations.

A rule gets the gradient `g` of the output, the output `y`, the inputs, and the parameters of the call. Elementwise
operations are not here: theirs follow from the scalar table in `scalar/derivatives.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd.graph import edge, now
from ..autograd.modes import enable_grad, is_grad_enabled
from ..autograd.sweep import arriving
from ..devices import tracing
from ..tensor import Tensor, wrap
from . import indexing, scans
from . import movement as m
from .elementwise import OPERATIONS
from .matmul import product
from .primitive import REGISTRY
from .reduce import PRIMITIVES as REDUCTIONS
from .reduce import sum_to

multiply, divide, equal = OPERATIONS["multiply"], OPERATIONS["divide"], OPERATIONS["equal"]


def rule(name: str, *rules: Callable[..., Any], needs: Sequence[tuple[Any, ...]] = ()) -> None:
    """Give a primitive its rules, one for each input. needs[i]: the values that rule i reads ("y" or input numbers)."""
    REGISTRY[name].rules = rules
    REGISTRY[name].needs = needs or ((),) * len(rules)


def transpose(x: Tensor) -> Tensor:
    """Swap the last two axes."""
    return m.permute(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


# ---- reductions ----


def restore_axes(g: Tensor, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """Put reduced axes back with size 1."""
    return g if keepdims else m.reshape(g, tuple(1 if i in axes else n for i, n in enumerate(shape)))


def _sum(g: Tensor, y: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    return m.broadcast_to(restore_axes(g, x.shape, axes, keepdims), x.shape)


def _extremum(g: Tensor, y: Tensor, x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """Ties share the gradient evenly."""
    chosen = m.cast(equal(x, restore_axes(y, x.shape, axes, keepdims)), x.dtype)
    share = divide(chosen, REDUCTIONS["sum"](chosen, axes, True))
    return multiply(restore_axes(g, x.shape, axes, keepdims), share)


def _prod(g: Tensor, y: Tensor, x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor | None:
    """product / x where nothing is zero; else the gradient of the product written as a tree of multiplications."""
    if tracing.tracer is None and np.all(x._data != 0):  # a traced value is not known
        return multiply(restore_axes(multiply(g, y), x.shape, axes, keepdims), divide(1.0, x))
    return through(lambda x: _product_tree(x, axes), x, restore_axes(g, x.shape, axes, keepdims))


def through(function: Callable[[Tensor], Tensor], x: Tensor, g: Tensor) -> Tensor | None:
    """The gradient of `x`, given that of function(x), by going back through that function alone."""
    before, create = now(), is_grad_enabled()
    with enable_grad():
        y = function(x)
    return arriving([y], [g], before, create, create)(edge(x))


def _product_tree(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    for axis in axes:
        while x.shape[axis] > 1:
            half = x.shape[axis] // 2
            first, second = along(x, axis, 0, half), along(x, axis, half, 2 * half)
            pairs = multiply(first, second)
            odd = along(x, axis, 2 * half, x.shape[axis])
            x = m.concatenate.apply([pairs, odd], axis) if odd.shape[axis] else pairs
    return x


def along(x: Tensor, axis: int, start: int, stop: int) -> Tensor:
    """The part from `start` to `stop` of one axis."""
    return m.slice_view(x, (slice(None),) * axis + (slice(start, stop),))


rule("sum", _sum)
rule("prod", _prod, needs=[("y", 0)])
rule("max", _extremum, needs=[("y", 0)])
rule("min", _extremum, needs=[("y", 0)])


# ---- matrix product ----


def _matrices(g: Tensor, a: Any, b: Any) -> Tensor:
    """The gradient with the axes that a vector operand dropped from the result."""
    shape = g.shape
    if b.ndim == 1:
        shape = (*shape, 1)
    if a.ndim == 1:
        shape = (*shape[:-1], 1, shape[-1])
    return m.reshape(g, shape)


def _left(g: Tensor, y: Any, a: Any, b: Tensor) -> Tensor:
    b2 = m.reshape(b, (b.shape[0], 1)) if b.ndim == 1 else b
    da = product(_matrices(g, a, b), transpose(b2))
    return m.reshape(sum_to(da, (1, *a.shape) if a.ndim == 1 else a.shape), a.shape)


def _right(g: Tensor, y: Any, a: Tensor, b: Any) -> Tensor:
    g2 = _matrices(g, a, b)
    a2 = m.reshape(a, (1, a.shape[0])) if a.ndim == 1 else a
    if b.ndim <= 2 and a2.ndim > 2:  # one product over all rows instead of a stack of products to be summed
        a2, g2 = m.reshape(a2, (-1, a2.shape[-1])), m.reshape(g2, (-1, g2.shape[-1]))
    db = product(transpose(a2), g2)
    return m.reshape(sum_to(db, (*b.shape, 1) if b.ndim == 1 else b.shape), b.shape)


rule("matmul", _left, _right, needs=[(1,), (0,)])


# ---- movement ----


def _inverse(axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argsort(axes))


def _inside(g: Tensor, y: Any, x: Any, widths: Any, value: float) -> Tensor:
    return m.slice_view(g, tuple(slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True)))


def _concat(edges: Sequence[Any], g: Tensor, y: Any, xs: Sequence[Any], axis: int) -> list[Tensor | None]:
    """All at once: many inputs would each count the sizes of those before them."""
    sizes = [x.shape[axis] for x in xs]
    starts = itertools.accumulate(sizes, initial=0)
    return [None if e is None else along(g, axis, start, start + size)
            for e, start, size in zip(edges, starts, sizes, strict=False)]  # fmt: skip


rule("reshape", lambda g, y, x, shape: m.reshape(g, x.shape))
rule("permute_dims", lambda g, y, x, axes: m.permute(g, _inverse(axes)))
rule("broadcast_to", lambda g, y, x, shape: sum_to(g, x.shape))
rule("flip", lambda g, y, x, axes: m.flip_view(g, axes))
rule("slice", lambda g, y, x, index: m.unslice(g, x.shape, index))
rule("unslice", lambda g, y, x, shape, index: m.slice_view(g, index))
rule("copy", lambda g, y, x: g)
rule("to_device", lambda g, y, x, target: m.to_device(g, x.device))
rule("astype", lambda g, y, x, dtype: m.cast(g, x.dtype))
rule("pad", _inside)
rule("tril", lambda g, y, x, k: m.tril_part(g, k))
rule("triu", lambda g, y, x, k: m.triu_part(g, k))
m.concatenate.variadic_rule = _concat


# ---- indexing ----


def _zeroed(g: Tensor, y: Any, x: Any, values: Any, parts: Any) -> Tensor:
    """What was overwritten has no gradient."""
    hidden = wrap(np.zeros(x.shape, np.bool_), g._device)
    indexing.write(hidden, parts, np.broadcast_to(True, indexing.result_shape(hidden._data[parts.basic].shape, parts)))
    return OPERATIONS["where"](hidden, 0, g)


def _kept(g: Tensor, y: Any, x: Any, value: Any, parts: Any) -> Tensor:
    """Of places that were written more than once, the last value has stayed."""
    found = indexing.read(g, parts)
    if parts.places:
        numbers = Tensor(np.arange(found.size).reshape(found.shape), device=g._device)
        last = wrap(np.zeros(x.shape, np.int64), g._device)
        indexing.write(last, parts, numbers._data)
        found = OPERATIONS["where"](equal(indexing.read(last, parts), numbers), found, 0)
    return sum_to(found, value.shape)


rule("gather", lambda g, y, x, places: indexing.scatter_rows(g, x.shape, places))
rule("gather_add", lambda g, y, x, shape, places: indexing.gather_rows(g, places))
rule("put_add", lambda g, y, x, values, places: g, lambda g, y, x, values, places: indexing.gather_rows(g, places))
rule("setitem", _zeroed, _kept)


# ---- scans ----


def _reversed_sum(g: Tensor, axis: int) -> Tensor:
    return m.flip_view(scans.running_sum(m.flip_view(g, (axis,)), axis), (axis,))


def _running_prod(g: Tensor, y: Tensor, x: Tensor, axis: int) -> Tensor | None:
    """As for `prod`: divide where nothing is zero, else differentiate the same thing written in multiplications."""
    if tracing.tracer is None and np.all(x._data != 0):  # a traced value is not known
        return divide(_reversed_sum(multiply(g, y), axis), x)
    return through(lambda x: _product_scan(x, axis), x, g)


def _product_scan(x: Tensor, axis: int) -> Tensor:
    """Running products by doubling the reach of every element."""
    reach, size = 1, x.shape[axis]
    while reach < size:
        moved = multiply(along(x, axis, reach, size), along(x, axis, 0, size - reach))
        x = m.concatenate.apply([along(x, axis, 0, reach), moved], axis)
        reach *= 2
    return x


rule("cumulative_sum", lambda g, y, x, axis: _reversed_sum(g, axis))
rule("cumulative_prod", _running_prod, needs=[("y", 0)])
