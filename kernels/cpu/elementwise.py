"""Elementwise operations: a program is printed as the body of a loop, which Numba compiles and LLVM vectorises.

meta of a printed kernel: inner, rank, shape[rank], and for every operand its inner stride (elements) and strides[rank].
The range counts elements in row order. A kernel serves every shape of its layout class: along the innermost axis each
operand is contiguous ("c"), one value that repeats ("s"), or strided ("x", then all are).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .. import native, threads
from ..expr import Program, step_dtypes
from ..layout import broadcast_shape, broadcast_strides, collapse, slow_to_fast
from .printer import kernel_function

GRAIN_STEPS = 1 << 19  # elements times steps that are worth a thread
MAX_PLANS = 4096
SUPPORTED = "?bhilqBHILQfd"

Plan = tuple[Callable[..., Any], tuple[int, ...], tuple[np.dtype, ...], tuple[int, ...] | None]


class Elementwise:
    """A program ready to run on arrays: one plan for every combination of shapes, strides and dtypes that came."""

    def __init__(self, program: Program):
        self.program = program
        self.plans: dict[bytes, Plan] = {}

    def __call__(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        plan = self.plans.get(threads.signature(*arrays))
        if plan is None:
            arrays = _checked(self.program, arrays)
            plan = _remember(self.plans, threads.signature(*arrays), self._plan(arrays))
        run, shape, dtypes, order = plan
        outputs = [np.empty(shape, dtype) for dtype in dtypes]
        if order is not None:
            outputs = [a.transpose(order) for a in outputs]
        run(*outputs, *arrays)
        return tuple(outputs)

    def one(self, *arrays: np.ndarray) -> np.ndarray:
        """The only output of a program that has one, without the detour over a tuple."""
        plan = self.plans.get(threads.signature(*arrays))
        if plan is None:
            return self(*arrays)[0]
        run, shape, dtypes, order = plan
        output = np.empty(shape, dtypes[0])
        if order is not None:
            output = output.transpose(order)
        run(output, *arrays)
        return output

    def _plan(self, arrays: tuple[np.ndarray, ...]) -> Plan:
        shape = broadcast_shape("elementwise", [a.shape for a in arrays])
        dtypes = step_dtypes(self.program, [a.dtype for a in arrays])
        kinds = tuple(dtypes[i] for i in self.program.outputs)
        order = slow_to_fast(arrays, shape)
        outer_shape = tuple(shape[axis] for axis in order)
        inverse = tuple(int(i) for i in np.argsort(order))
        outputs = [np.empty(outer_shape, kind).transpose(inverse) for kind in kinds]
        run = _launch(self.program, outputs, arrays, shape, order, ()).run
        return run, outer_shape, kinds, None if inverse == tuple(range(len(shape))) else inverse


class ElementwiseInto:
    """The same with the outputs given. An output may be one of the inputs; it must not overlap one in part."""

    def __init__(self, program: Program):
        self.program = program
        self.plans: dict[tuple[bytes, tuple[Any, ...]], Callable[..., Any]] = {}

    def __call__(self, *arrays: np.ndarray) -> None:
        self.bind(*arrays)(*arrays)

    def bind(self, *arrays: np.ndarray) -> Callable[..., Any]:
        """The launch for these arrays and for any others of the same layouts, without a further check of them."""
        count = len(self.program.outputs)
        same = tuple([(i, j) for i in range(count) for j in range(count, len(arrays)) if arrays[i] is arrays[j]])
        run = self.plans.get((threads.signature(*arrays), same))
        if run is None:
            _checked(self.program, arrays[count:])
            run = _remember(self.plans, (threads.signature(*arrays), same), self._plan(arrays, same))
        return run

    def _plan(self, arrays: tuple[np.ndarray, ...], same: tuple[Any, ...]) -> Callable[..., Any]:
        count = len(self.program.outputs)
        outputs, inputs = arrays[:count], arrays[count:]
        dtypes = step_dtypes(self.program, [a.dtype for a in inputs])
        shape = broadcast_shape("elementwise", [a.shape for a in inputs])
        for out, i in zip(outputs, self.program.outputs, strict=True):
            if type(out) is not np.ndarray or out.shape != shape or out.dtype != dtypes[i] or not out.flags.writeable:
                raise ValueError(f"elementwise: an output must be a writable array of shape {shape} and {dtypes[i]}")
        return _launch(self.program, outputs, inputs, shape, slow_to_fast(outputs, shape), same).run


def bind(program: Program, outputs: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> threads.Step:
    """The program bound to the layouts of arrays, of which outputs may be inputs; it takes outputs, then inputs."""
    shape = outputs[0].shape
    return _launch(program, outputs, inputs, shape, slow_to_fast(outputs, shape), _same(outputs, inputs))


def printed(program: Program, outputs: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> Any:
    """The Python function that `bind` has compiled for arrays of at least one element."""
    shape = outputs[0].shape
    _, letters = _layout(outputs, inputs, shape, slow_to_fast(outputs, shape))
    return kernel_function(program, "".join(a.dtype.char for a in inputs), letters, _same(outputs, inputs))


def _same(outputs: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> tuple[Any, ...]:
    """Which outputs are which operands."""
    places = [(a.__array_interface__["data"], a.strides, a.shape) for a in (*outputs, *inputs)]
    count = len(outputs)
    return tuple((i, j) for i in range(count) for j in range(count, len(places)) if places[i] == places[j])


def _remember(plans: dict[Any, Any], key: Any, plan: Any) -> Any:
    if len(plans) >= MAX_PLANS:
        plans.clear()
    if key:
        plans[key] = plan
    return plan


@lru_cache(MAX_PLANS)
def elementwise(program: Program) -> Elementwise:
    """A function of the program's input arrays (broadcast together) that returns its outputs as new arrays."""
    return Elementwise(program)


@lru_cache(MAX_PLANS)
def elementwise_into(program: Program) -> ElementwiseInto:
    """Like `elementwise`, with the output arrays as first arguments; they may be the inputs themselves."""
    return ElementwiseInto(program)


def _checked(program: Program, arrays: Sequence[Any]) -> tuple[np.ndarray, ...]:
    """The arrays as plain ones whose addresses a kernel may be given."""
    if len(arrays) != program.input_count or len(arrays) + len(program.outputs) > threads.MAX_OPERANDS:
        raise TypeError(f"elementwise: the program takes {program.input_count} arrays, got {len(arrays)}")
    for a in arrays:
        if not isinstance(a, np.ndarray) or a.dtype.char not in SUPPORTED or not a.dtype.isnative:
            kind = getattr(a, "dtype", type(a).__name__)
            raise TypeError(f"elementwise takes NumPy arrays of numbers or truth values, got {kind}; convert it first")
    return tuple(np.asarray(a) for a in arrays)


def _launch(
    program: Program,
    outputs: Sequence[np.ndarray],
    arrays: Sequence[np.ndarray],
    shape: tuple[int, ...],
    order: list[int],
    same: tuple[Any, ...],
) -> threads.Step:
    """Bind a kernel to a layout. `same` lists which output is which input."""
    size = math.prod(shape)
    if size == 0:
        return threads.NOTHING
    meta, letters = _layout(outputs, arrays, shape, order)
    address = _kernel(program, "".join(a.dtype.char for a in arrays), letters, same)
    return threads.Launch(address, meta, size, _grain(program))


def _layout(
    outputs: Sequence[np.ndarray], arrays: Sequence[np.ndarray], shape: tuple[int, ...], order: list[int]
) -> tuple[list[int], str]:
    """The meta for a kernel, and the letters of its layout class."""
    operands = [*outputs, *arrays]
    strides = [[s[axis] for axis in order] for s in (broadcast_strides(a, shape) for a in operands)]
    sizes, merged = collapse([shape[axis] for axis in order], strides)
    items = [a.itemsize for a in operands]
    if any(s[-1] % item for s, item in zip(merged, items, strict=True)):  # a field of a structured array, say
        raise ValueError("elementwise: an array's strides are not multiples of its item size; copy it first")
    inner = [s[-1] // item for s, item in zip(merged, items, strict=True)]
    meta = [sizes[-1], len(sizes) - 1, *sizes[:-1]]
    for step, s in zip(inner, merged, strict=True):
        meta += [step, *s[:-1]]
    letters = "".join({0: "s", 1: "c"}.get(step, "x") for step in inner)
    letters = "x" * len(inner) if "x" in letters or "s" in letters[: len(outputs)] else letters
    return meta, letters


def _grain(program: Program) -> int:
    return max(1 << 12, GRAIN_STEPS // len(program.steps) // 64 * 64)


@lru_cache(MAX_PLANS)
def _kernel(program: Program, dtypes: str, letters: str, same: tuple[Any, ...]) -> int:
    """The address of the kernel for one layout class."""
    return native.kernel(kernel_function(program, dtypes, letters, same))
