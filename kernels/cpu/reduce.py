"""Reductions. Axes are put in the order in which they lie in memory and merged; then one of them is reduced at a time.

A long axis is reduced in blocks of a fixed size, whose results are reduced in turn: that keeps rounding errors small,
gives threads something to share, and makes the result independent of how many there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import native, threads
from ..reference.reduce import check_reduce
from . import reduce_kernels as loops

ROW_BLOCK = 1 << 16
COLUMN_BLOCK = 128
STRIP = 1024
GRAIN = 1 << 18  # elements worth a thread
MAX_PLANS = 4096

Step = tuple[Callable[..., None], tuple[int, ...], np.dtype]


@dataclass(frozen=True)
class Axis:
    """One axis of an array, or several that are walked as one: its size, its stride in bytes, whether it is reduced."""

    size: int
    stride: int
    reduced: bool


@dataclass(frozen=True)
class Operation:
    """What a reduction does with integers and with floats, and what it starts from."""

    integers: Any
    floats: Any
    identity: Callable[[np.dtype], Any]
    truth: bool = False


def _lowest(dtype: np.dtype) -> Any:
    return -math.inf if dtype.kind == "f" else int(np.iinfo(dtype).min)


def _highest(dtype: np.dtype) -> Any:
    return math.inf if dtype.kind == "f" else int(np.iinfo(dtype).max)


OPERATIONS = {
    "sum": Operation(loops.add, loops.add, lambda dtype: 0),
    "prod": Operation(loops.multiply, loops.multiply, lambda dtype: 1),
    "max": Operation(loops.larger, loops.largest, _lowest),
    "min": Operation(loops.smaller, loops.smallest, _highest),
    "any": Operation(loops.either, loops.either, lambda dtype: 0, truth=True),
    "all": Operation(loops.both, loops.both, lambda dtype: 1, truth=True),
}
OF_TRUTH = {"max": "any", "min": "all"}  # of truth values these are the same, and have a dtype to start from

_plans: dict[Any, tuple[list[Step], tuple[int, ...] | None]] = {}
_addresses: dict[Any, int] = {}


def reduce(name: str, a: np.ndarray, axes: tuple[int, ...], keepdims: bool = False) -> np.ndarray:
    """sum, prod, max, min, any or all over `axes` (sorted, from 0; none of them leaves every element alone).

    Sums and products of integers and truth values have 64 bits, any and all are truth values, the rest keeps its dtype.
    NaN wins in max and min and is true in any and all. Of nothing, sum is 0, prod 1, any False and all True; max and
    min raise ValueError. TypeError for other dtypes. The rounding error of a float sum does not grow with its length.

    >>> reduce("sum", np.ones((2, 3), np.float32), (1,))
    array([3., 3.], dtype=float32)
    """
    signature = threads.signature(a)
    plan = _plans.get((name, axes, keepdims, signature))
    if plan is None:
        a = check_reduce(name, a, axes)
        plan = _remember((name, axes, keepdims, threads.signature(a)), _plan(name, a, axes, keepdims))
    steps, order = plan
    for run, shape, dtype in steps:
        out = np.empty(shape, dtype)
        run(out, a)
        a = out
    return a if order is None else a.transpose(order)


def _remember(key: Any, plan: Any) -> Any:
    if len(_plans) >= MAX_PLANS:
        _plans.clear()
    _plans[key] = plan
    return plan


def result_dtype(name: str, dtype: np.dtype) -> np.dtype:
    """The dtype of a reduction of an array of `dtype`."""
    if name in ("any", "all"):
        return np.dtype(bool)
    if name in ("max", "min") or dtype.kind == "f":
        return dtype
    return np.dtype(np.uint64 if dtype.kind == "u" else np.int64)


def _plan(name: str, a: np.ndarray, axes: tuple[int, ...], keepdims: bool) -> Any:
    """The steps that reduce an array of this layout, and the order of the result's axes where it is not theirs."""
    memory = sorted(range(a.ndim), key=lambda axis: -abs(a.strides[axis]) if a.strides[axis] else -math.inf)
    kept = [axis for axis in memory if keepdims or axis not in axes]
    shape = tuple(1 if axis in axes else a.shape[axis] for axis in kept)
    order = tuple(int(i) for i in np.argsort(kept))
    dtype = result_dtype(name, a.dtype)
    steps = _steps(OF_TRUTH.get(name, name) if a.dtype.kind == "b" else name, a, memory, axes, dtype)
    steps[-1] = (steps[-1][0], shape, dtype)
    return steps, None if order == tuple(range(len(kept))) else order


def _steps(name: str, a: np.ndarray, memory: list[int], axes: tuple[int, ...], dtype: np.dtype) -> list[Step]:
    merged = _merge([Axis(a.shape[axis], a.strides[axis], axis in axes) for axis in memory])
    if a.size == 0:
        identity = OPERATIONS[name].identity(dtype)
        return [(lambda out, _: out.fill(identity), (), dtype)]
    if not any(axis.reduced for axis in merged):
        order = [*memory]
        return [(lambda out, a: np.copyto(out, a.transpose(order).reshape(out.shape), casting="unsafe"), (), dtype)]
    steps, source = [], a.dtype
    while any(axis.reduced for axis in merged):
        step, merged = _one_axis(name, merged, source, dtype)
        steps.append(step)
        source = dtype
    return steps


def _merge(axes: list[Axis]) -> list[Axis]:
    """Without axes of size 1, and with neighbours as one where they are walked and treated as one."""
    merged: list[Axis] = []
    for axis in axes:
        before = merged[-1] if merged else None
        if axis.size == 1:
            continue
        if before and before.reduced == axis.reduced and before.stride == axis.stride * axis.size:
            merged[-1] = Axis(before.size * axis.size, axis.stride, axis.reduced)
        else:
            merged.append(axis)
    return merged


def _one_axis(name: str, axes: list[Axis], source: np.dtype, dtype: np.dtype) -> tuple[Step, list[Axis]]:
    """The step that reduces the fastest of the axes to be reduced, in blocks, and the axes that are left then."""
    at = max(i for i, axis in enumerate(axes) if axis.reduced)
    down, by_rows = axes[at], at == len(axes) - 1
    fold = 1 if by_rows else _fold(name, down, axes[at + 1 :], source)
    block = ROW_BLOCK if by_rows else COLUMN_BLOCK * fold
    block = down.size if name == "prod" else min(block, down.size)
    blocks = -(-down.size // block)
    shape = [axis.size for axis in axes]
    shape[at] = blocks
    strides = [dtype.itemsize * math.prod(shape[i + 1 :]) for i in range(len(shape))]
    rest = _merge([Axis(*left) for left in zip(shape, strides, [axis.reduced for axis in axes], strict=True)])
    outer = [(axis.size, axis.stride, stride) for axis, stride in zip(axes, strides, strict=True)]
    blocked = (blocks, block * down.stride, strides[at])
    bind = _rows if by_rows else _columns
    run = bind(name, source, dtype, down, block, fold, [*outer[:at], *outer[at + 1 :]], blocked)
    return (run, (math.prod(shape),), dtype), rest


def _fold(name: str, down: Axis, kept: list[Axis], source: np.dtype) -> int:
    """How many rows of a narrow matrix without gaps are read as one."""
    narrow = len(kept) == 1 and kept[0].stride == source.itemsize and down.stride == kept[0].size * source.itemsize
    return max(1, loops.FOLD // kept[0].size) if narrow and name != "prod" else 1


def _rows(
    name: str, source: np.dtype, dtype: np.dtype, down: Axis, block: int, _: int, outer: list[Any], blocked: Any
) -> Callable[..., None]:
    axes = [*outer, blocked] if blocked[0] > 1 else outer or [(1, 0, 0)]
    step = block if blocked[0] > 1 else 0
    meta = [down.size, down.stride, block, step, len(axes), *(number for axis in axes for number in axis)]
    size = math.prod(axis[0] for axis in axes)
    return threads.Launch(_kernel(loops.rows_kernel, name, source, dtype), meta, size, -(-GRAIN // block)).run


def _columns(
    name: str, source: np.dtype, dtype: np.dtype, down: Axis, block: int, fold: int, outer: list[Any], blocked: Any
) -> Callable[..., None]:
    width, step, target = outer[-1]
    strip = min(STRIP, width)
    axes = [*outer[:-1], blocked, (-(-width // strip), strip * step, strip * target)]
    meta = [down.size, down.stride, block, width, step, strip, fold, len(axes)]
    meta += [number for axis in axes for number in axis]
    size = math.prod(axis[0] for axis in axes)
    return threads.Launch(
        _kernel(loops.columns_kernel, name, source, dtype), meta, size, -(-GRAIN // (block * strip))
    ).run


def _kernel(function: Any, name: str, source: np.dtype, dtype: np.dtype) -> int:
    """The address of a kernel for an operation and the dtypes that it reads and writes."""
    key = function, name, source.char, dtype.char
    if key not in _addresses:
        operation, is_float = OPERATIONS[name], dtype.kind == "f"
        constants = {
            "T": _memory_type(source),
            "A": _memory_type(dtype),
            "SIZE": source.itemsize,
            "IDENTITY": operation.identity(dtype),
            "TRUTH": operation.truth,
            "COMPENSATE": name == "sum" and is_float,
            "ORDERED": name == "prod",
            "combine": operation.floats if is_float else operation.integers,
        }
        _addresses[key] = native.kernel(*native.specialized(function, constants))
    return _addresses[key]


def _memory_type(dtype: np.dtype) -> Any:
    return np.uint8 if dtype.kind == "b" else dtype.type
