"""Which loops reduce an array of some layout.

Axes are put in the order in which they lie in memory, and neighbours that are walked and treated alike become one.
Then one axis at a time is reduced, the fastest first. A long axis is reduced in blocks of a fixed size, whose results
are reduced in turn: that keeps rounding errors small, gives threads something to share, and makes the result
independent of how many there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .. import native, threads
from . import reduce_kernels as loops
from .reduce_combine import combining, combining_eight

ROW_BLOCK = 1 << 16
COLUMN_BLOCK = 128
STRIP = 1024  # columns of one task
GRAIN = 1 << 18  # elements worth a thread

Step = tuple[threads.Step, tuple[int, ...], np.dtype]  # of the output and the input; the output's shape and dtype


class Plan(NamedTuple):
    """The steps that reduce an array, and how to order the axes of the last result (None: as they are)."""

    steps: list[Step]
    order: tuple[int, ...] | None


class Axis(NamedTuple):
    """One axis of an array, or several that are walked as one: its size, its stride in bytes, whether it is reduced."""

    size: int
    stride: int
    reduced: bool


def _lowest(dtype: np.dtype) -> Any:
    return -math.inf if dtype.kind == "f" else int(np.iinfo(dtype).min)


def _highest(dtype: np.dtype) -> Any:
    return math.inf if dtype.kind == "f" else int(np.iinfo(dtype).max)


# What an operation starts from
IDENTITIES: dict[str, Callable[[np.dtype], Any]] = {
    "sum": lambda dtype: 0,
    "prod": lambda dtype: 1,
    "max": _lowest,
    "min": _highest,
    "any": lambda dtype: 0,
    "all": lambda dtype: 1,
}
OF_TRUTH = {"max": "any", "min": "all"}  # of truth values these are the same


def result_dtype(name: str, dtype: np.dtype) -> np.dtype:
    """The dtype of a reduction of an array of `dtype`."""
    if name in ("any", "all"):
        return np.dtype(bool)
    if name in ("max", "min") or dtype.kind == "f":
        return dtype
    return np.dtype(np.uint64 if dtype.kind == "u" else np.int64)


def plan(name: str, a: np.ndarray, axes: Sequence[int], keepdims: bool) -> Plan:
    """How to reduce an array of this layout over `axes`."""
    memory = sorted(range(a.ndim), key=lambda axis: -abs(a.strides[axis]) if a.strides[axis] else -math.inf)
    kept = [axis for axis in memory if keepdims or axis not in axes]
    shape = tuple(1 if axis in axes else a.shape[axis] for axis in kept)
    order = tuple(int(i) for i in np.argsort(kept))
    dtype = result_dtype(name, a.dtype)
    steps = _steps(OF_TRUTH.get(name, name) if a.dtype.kind == "b" else name, a, memory, axes, dtype)
    steps[-1] = (steps[-1][0], shape, dtype)
    return Plan(steps, None if order == tuple(range(len(kept))) else order)


def _steps(name: str, a: np.ndarray, memory: list[int], axes: Sequence[int], dtype: np.dtype) -> list[Step]:
    if a.size == 0:
        identity = IDENTITIES[name](dtype)
        return [(threads.Function(lambda out, _: out.fill(identity)), (), dtype)]
    left = _merge([Axis(a.shape[axis], a.strides[axis], axis in axes) for axis in memory])
    if not any(axis.reduced for axis in left):
        return [(_copy(memory), (), dtype)]
    source, steps = a.dtype, []
    if left[-1].stride != a.itemsize and any(axis.stride == 0 for axis in left):
        left.append(Axis(1, a.itemsize, False))  # a column of its own: what repeats is not worth a copy
    elif left[-1].stride != a.itemsize:
        shape = [a.shape[axis] for axis in memory]
        steps.append((_copy(memory), tuple(shape), source))
        strides = _dense_strides(shape, a.itemsize)
        left = _merge([Axis(n, s, axis in axes) for n, s, axis in zip(shape, strides, memory, strict=True)])
    while any(axis.reduced for axis in left):
        step, left = _reduce_one(name, left, source, dtype)
        steps.append(step)
        source = dtype
    return steps


def _copy(order: list[int]) -> threads.Step:
    return threads.Function(lambda out, a: np.copyto(out, a.transpose(order).reshape(out.shape), casting="unsafe"))


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


def _dense_strides(shape: list[int], itemsize: int) -> list[int]:
    return [itemsize * math.prod(shape[i + 1 :]) for i in range(len(shape))]


def _reduce_one(name: str, axes: list[Axis], source: np.dtype, dtype: np.dtype) -> tuple[Step, list[Axis]]:
    """The step that reduces the fastest of the axes to be reduced, in blocks, and the axes that are left then."""
    at = max(i for i, axis in enumerate(axes) if axis.reduced)
    down, inner = axes[at], axes[at + 1 :]
    fold = 1 if name == "prod" else _fold(down, inner, source.itemsize)
    most = COLUMN_BLOCK * fold if inner else ROW_BLOCK
    block = down.size if name == "prod" else min(most, down.size)
    shape = [axis.size for axis in axes]
    shape[at] = -(-down.size // block)
    strides = _dense_strides(shape, dtype.itemsize)
    others = [(axis.size, axis.stride, s) for axis, s in zip(axes, strides, strict=True) if axis is not down]
    blocks = (shape[at], block * down.stride, strides[at])
    function = loops.columns_kernel if inner else loops.rows_kernel
    head, tasks, work = _columns(down, block, fold, others, blocks) if inner else _rows(down, block, others, blocks)
    meta = [*head, len(tasks), *(number for task in tasks for number in task)]
    size = math.prod(task[0] for task in tasks)
    launch = threads.Launch(_kernel(function, name, source, dtype), meta, size, -(-GRAIN // work))
    left = [Axis(n, s, axis.reduced) for n, s, axis in zip(shape, strides, axes, strict=True)]
    return (launch, (math.prod(shape),), dtype), _merge(left)


def _fold(down: Axis, inner: list[Axis], itemsize: int) -> int:
    """How many rows of a narrow matrix without gaps are read as one."""
    whole = len(inner) == 1 and down.stride == inner[0].size * itemsize > itemsize
    return max(1, loops.FOLD // inner[0].size) if whole else 1


def _rows(down: Axis, block: int, others: list[Any], blocks: Any) -> tuple[list[int], list[Any], int]:
    """Sizes and axes of tasks of `rows_kernel`, and the elements of a task."""
    several = blocks[0] > 1
    tasks = [*others, blocks] if several or not others else others
    return [down.size, block, block if several else 0], tasks, block


def _columns(down: Axis, block: int, fold: int, others: list[Any], blocks: Any) -> tuple[list[int], list[Any], int]:
    """The same of `columns_kernel`."""
    width, step, target = others[-1]
    strip = min(STRIP, width)
    strips = (-(-width // strip), strip * step, strip * target)
    return [down.size, down.stride, block, width, strip, fold], [*others[:-1], blocks, strips], block * strip


@lru_cache(None)
def _kernel(function: Any, name: str, source: np.dtype, dtype: np.dtype) -> int:
    """The address of a kernel for an operation and the dtypes that it reads and writes."""
    return native.kernel(*native.specialized(function, constants(name, source, dtype)))


def constants(name: str, source: np.dtype, dtype: np.dtype) -> dict[str, Any]:
    """What the names in capitals of `reduce_kernels` stand for."""
    kind, is_float = memory_type(dtype), dtype.kind == "f"
    return {
        "T": memory_type(source),
        "A": kind,
        "SIZE": source.itemsize,
        "IDENTITY": IDENTITIES[name](dtype),
        "COMPENSATE": name == "sum" and is_float,
        "ORDERED": name == "prod" and is_float,
        "combine": combining(name),
        "combine_eight": combining_eight(name),
    }


def memory_type(dtype: np.dtype) -> Any:
    """The type as which a kernel reads and writes a dtype: truth values are bytes, long long is np.int64."""
    return np.uint8 if dtype.kind == "b" else np.dtype(dtype.str).type
