"""Reductions over any axes, and the places of extremes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .. import native, threads
from ..reference.reduce import check_argreduce, check_reduce
from . import reduce_kernels as loops
from .reduce_plan import GRAIN, Plan, constants, plan

MAX_PLANS = 4096

_plans: dict[Any, Plan] = {}


def reduce(name: str, a: np.ndarray, axes: tuple[int, ...], keepdims: bool = False) -> np.ndarray:
    """sum, prod, max, min, any or all over `axes` (sorted, from 0; none of them leaves every element alone).

    Sums and products of integers and truth values have 64 bits, any and all are truth values, the rest keeps its dtype.
    NaN wins in max and min and is true in any and all. Of nothing, sum is 0, prod 1, any False and all True; max and
    min raise ValueError. TypeError for other dtypes. The rounding error of a float sum does not grow with its length.

    >>> reduce("sum", np.ones((2, 3), np.float32), (1,))
    array([3., 3.], dtype=float32)
    """
    key = name, axes, keepdims, threads.signature(a)
    found = _plans.get(key)
    if found is None:
        a = check_reduce(name, a, axes)
        found = _remember((name, axes, keepdims, threads.signature(a)), plan(name, a, axes, keepdims))
    for step, shape, dtype in found.steps:
        out = np.empty(shape, dtype)
        step.run(out, a)
        a = out
    return a if found.order is None else a.transpose(found.order)


def bind(name: str, a: np.ndarray, axes: tuple[int, ...], keepdims: bool) -> Plan:
    """The steps of a reduction bound to the layout of an array."""
    return plan(name, check_reduce(name, a, axes), axes, keepdims)


def _remember(key: Any, plan: Plan) -> Plan:
    if len(_plans) >= MAX_PLANS:
        _plans.clear()
    _plans[key] = plan
    return plan


def argreduce(name: str, a: np.ndarray, axis: int | None, keepdims: bool = False) -> np.ndarray:
    """argmax or argmin along an axis (None: of all elements in row order), as int64.

    The first of equal ones, or the first NaN where there is one. ValueError where the axis is empty.

    >>> argreduce("argmax", np.array([[1, 5, 5], [7, 0, 0]]), 1)
    array([1, 0])
    """
    a = check_argreduce(name, a, axis)
    rows = np.ascontiguousarray(a.reshape(-1) if axis is None else _last(a, axis % a.ndim))
    places = np.empty(rows.shape[:-1], np.int64)
    _places(name, a.dtype, rows.shape[-1], places.size)(places, rows)
    if not keepdims:
        return places
    return places.reshape((1,) * a.ndim) if axis is None else np.expand_dims(places, axis)


def _last(a: np.ndarray, axis: int) -> np.ndarray:
    """The array with that axis as its last; moving it would cost more than finding the extremes of a small array."""
    return a if axis == a.ndim - 1 else np.moveaxis(a, axis, -1)


@lru_cache(MAX_PLANS)
def _places(name: str, dtype: np.dtype, n: int, count: int) -> threads.Launch:
    """A launch that finds the places of the extremes of `count` rows of `n` elements."""
    return threads.Launch(_places_kernel(name, dtype), [n], count, -(-GRAIN // n))


@lru_cache(None)
def _places_kernel(name: str, dtype: np.dtype) -> int:
    number = np.dtype(np.uint8) if dtype.kind == "b" else dtype
    return native.kernel(*native.specialized(loops.places_kernel, constants(name[3:], number, number)))
