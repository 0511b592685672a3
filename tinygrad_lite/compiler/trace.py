"""Tracing: while a tracer is active, devices hand out the recorders below instead of kernels.

A recorder has a kernel's name and arguments. It works out what shape the result has, makes an array without values for
it, and notes what was to be done. Nothing above the devices knows the difference.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from tinygrad_lite_kernels.cpu.reduce_plan import result_dtype
from tinygrad_lite_kernels.expr import Program, cast, inputs, program, step_dtypes
from tinygrad_lite_kernels.layout import broadcast_shape, slow_to_fast
from tinygrad_lite_kernels.reference.matmul import check as check_matmul
from tinygrad_lite_kernels.reference.reduce import check_reduce

from .. import devices
from ..devices import tracing
from ..tensor import wrap
from .arrays import Traced, empty, owner
from .graph import Buffer, Call, Check, Node, Slot, View, replaced


class Tracer:
    """Notes what a function does.

    nodes: the kernels, in order; those without outputs look at values and may raise.
    each_call: functions that prepare a call (they count steps, say); `by=-1` takes that back.
    guards: what must hold, or it is traced anew.
    touched: tensors whose gradient the function looked at or changed, with the gradient that they had before.
    gradients: those of them that had one; it is an input after the arguments. used: those whose gradient an optimizer
    took. modules: those that ran, and whether for training.
    cells: version counters of outside tensors that are changed in place.
    """

    def __init__(self, arguments: int = 0) -> None:
        self.arguments = arguments
        self.nodes: list[Node] = []
        self.each_call: list[Callable[..., None]] = []
        self.guards: list[Callable[[], bool]] = []
        self.touched: dict[int, tuple[Any, Any]] = {}
        self.gradients: dict[int, Any] = {}
        self.stand_ins: dict[int, Traced] = {}
        self.used: set[int] = set()
        self.modules: dict[int, tuple[Any, bool]] = {}
        self.cells: dict[int, list[int]] = {}
        self.buffers: dict[int, Buffer] = {}

    # ---- memory ----

    def input(self, array: np.ndarray, position: int) -> Traced:
        """A stand-in for an argument, of the same layout."""
        whole = View(Buffer("input", array), 0, array.shape, array.strides, array.dtype)
        low, high = whole.span
        memory = np.empty(high - low, np.uint8)
        self.buffers[id(memory)] = buffer = Buffer("input", memory, position)
        buffer.start = -low
        self.stand_ins[position] = whole._replace(offset=-low).array(memory).view(Traced)
        return self.stand_ins[position]

    def made(self, array: np.ndarray) -> None:
        """Note an array that the function makes from values that it has now."""
        if not isinstance(array, Traced):
            root = owner(array)
            self.buffers.setdefault(id(root), Buffer("made", root))

    def empty(self, shape: tuple[int, ...], dtype: np.dtype, order: Any = None) -> Traced:
        """Memory for a result."""
        array = empty(shape, dtype, order)
        root = owner(array)
        self.buffers[id(root)] = Buffer("inside", root)
        return array

    def view(self, array: np.ndarray) -> View:
        """Which elements of which buffer an array has."""
        root = owner(array)
        buffer = self.buffers.get(id(root))
        if buffer is None:
            buffer = self.buffers[id(root)] = Buffer("outside", root)
        offset = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
        return View(buffer, offset, array.shape, array.strides, array.dtype)

    # ---- what happened ----

    def record(self, kind: str, device: Any, what: Any, reads: Sequence[Any], writes: Sequence[Any]) -> None:
        """Note a kernel."""
        node = Node(kind, device, what, [self.view(a) for a in reads], [self.view(a) for a in writes])
        node.origin = _user_line()
        self.nodes.append(node)

    def accumulated(self, add: Callable[..., Any], a: Any, b: Any) -> Any:
        """The sum of two gradients, noted as such."""
        result = add(a, b)
        self.nodes[-1].accumulates = True
        return result

    def check(self, name: str, device: Any, good: Program, function: Callable[..., None], array: Any) -> None:
        """Note a function that raises where values are not what they must be: where `good` is not true for all."""
        self.record("check", device, Check(name, good, function), [array], [])

    def touch(self, leaf: Any) -> None:
        """Note the gradient of a leaf before it is looked at or changed for the first time."""
        if id(leaf) not in self.touched:
            before = leaf._grad
            self.touched[id(leaf)] = leaf, before
            if before is not None:
                leaf._grad = wrap(self.input(before._data, self.arguments + len(self.gradients)), before._device)
                self.gradients[id(leaf)] = leaf

    def changed(self, cell: list[int]) -> None:
        """Note that a tensor is changed in place."""
        self.cells[id(cell)] = cell

    def family(self, device: Any, name: str) -> Family:
        """The recorders of a family of kernels."""
        return Family(self, device, name)


def _user_line() -> tuple[str, int] | None:
    """The innermost line that runs now and is not ours."""
    frame: Any = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("tinygrad_lite"):
        frame = frame.f_back
    return frame and (frame.f_code.co_filename, frame.f_lineno)


@contextmanager
def active(tracer: Tracer) -> Iterator[None]:
    """Record what this thread does instead of doing it."""
    before, tracing.tracer = tracing.tracer, tracer
    try:
        yield
    finally:
        tracing.tracer = before


class Family:
    """Recorders by the names of kernels: a rule of its own, or `_call` for kernels that run through Python."""

    def __init__(self, tracer: Tracer, device: Any, name: str):
        self.tracer, self.device, self.name = tracer, device, name

    def __getattr__(self, function: str) -> Callable[..., Any]:
        rule = RULES.get((self.name, function))
        return partial(rule, self.tracer, self.device) if rule else partial(_call, self, function)


# ---- rules: the shape of the result, and a note ----

(_x,) = inputs(1)
IDENTITY = program([_x], 1)


class _Elementwise:
    def __init__(self, tracer: Tracer, device: Any, program: Program):
        self.tracer, self.device, self.program = tracer, device, program

    def __call__(self, *arrays: np.ndarray, in_rows: bool = False) -> tuple[Traced, ...]:
        shape = broadcast_shape("elementwise", [a.shape for a in arrays])
        kinds = step_dtypes(self.program, [a.dtype for a in arrays])
        order = None if in_rows else slow_to_fast(arrays, shape)
        outputs = tuple(self.tracer.empty(shape, kinds[i], order) for i in self.program.outputs)
        self.tracer.record("elementwise", self.device, self.program, arrays, outputs)
        return outputs

    def one(self, *arrays: np.ndarray) -> Traced:
        return self(*arrays)[0]


class _ElementwiseInto:
    def __init__(self, tracer: Tracer, device: Any, program: Program):
        self.tracer, self.device, self.program = tracer, device, program

    def __call__(self, *arrays: np.ndarray) -> None:
        count = len(self.program.outputs)
        self.tracer.record("elementwise", self.device, self.program, arrays[count:], arrays[:count])


def _copy(tracer: Tracer, device: Any, a: np.ndarray) -> Traced:
    return _Elementwise(tracer, device, IDENTITY)(a, in_rows=True)[0]


def _copy_into(tracer: Tracer, device: Any, out: np.ndarray, a: np.ndarray) -> None:
    if np.may_share_memory(out, a):
        _call(Family(tracer, device, "movement"), "copy_into", out, a)
    else:
        tracer.record("elementwise", device, IDENTITY, [a], [out])


def _astype(tracer: Tracer, device: Any, a: np.ndarray, dtype: Any) -> Any:
    kind = np.dtype(dtype)
    if a.dtype.kind == "f" and kind.kind in "iu":
        return _call(Family(tracer, device, "movement"), "astype", a, kind)
    return _Elementwise(tracer, device, program([cast(_x, kind.char)], 1))(a, in_rows=True)[0]


def _matmul(tracer: Tracer, device: Any, a: Any, b: Any, out: Any = None, accumulate: bool = False) -> Any:
    check_matmul(a, b)
    if a.dtype.kind != "f":
        return _call(Family(tracer, device, "matmul"), "matmul", a, b)
    stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    shape = stack + a.shape[-2:-1] * (a.ndim > 1) + b.shape[-1:] * (b.ndim > 1)
    result = tracer.empty(shape, a.dtype) if out is None else out
    tracer.record("matmul", device, accumulate, [a, b, result] if accumulate else [a, b], [result])
    return result


def _reduce(tracer: Tracer, device: Any, name: str, a: Any, axes: tuple[int, ...], keepdims: bool = False) -> Traced:
    check_reduce(name, a, axes)
    kept = [(i, n) for i, n in enumerate(a.shape) if keepdims or i not in axes]
    result = tracer.empty(tuple(1 if i in axes else n for i, n in kept), result_dtype(name, a.dtype))
    tracer.record("reduce", device, (name, axes, keepdims), [a], [result])
    return result


RULES: dict[tuple[str, str], Callable[..., Any]] = {
    ("elementwise", "elementwise"): _Elementwise,
    ("elementwise", "elementwise_into"): _ElementwiseInto,
    ("movement", "copy"): _copy,
    ("movement", "copy_into"): _copy_into,
    ("movement", "astype"): _astype,
    ("matmul", "matmul"): _matmul,
    ("reduce", "reduce"): _reduce,
}

# Kernels that write to some of their arguments (by number)
IN_PLACE = {
    ("movement", "copy_into"): (0,),
    ("indexing", "gather_add"): (0,),
    ("indexing", "put"): (0,),
    **{("random", name): (0,) for name in ("draw", "uniform", "normal", "integers", "permutation")},
}


def _call(family: Family, function: str, *args: Any, **options: Any) -> Any:
    """Any other kernel: its results have the shapes that the reference gives for zeros."""
    arrays: list[np.ndarray] = []

    def slot(array: np.ndarray) -> Slot:
        arrays.append(array)
        return Slot(len(arrays) - 1)

    arguments = replaced(args, np.ndarray, slot)
    in_place = IN_PLACE.get((family.name, function), ())
    dummies = [
        np.zeros(a.shape, a.dtype) if isinstance(a, Traced) or i in in_place else a for i, a in enumerate(arrays)
    ]
    reference = getattr(devices.get("numpy").module(family.name), function)
    with np.errstate(all="ignore"):
        found = reference(*replaced(arguments, Slot, lambda s: dummies[s.number]), **options)
    results = replaced(found, np.ndarray, lambda a: family.tracer.empty(a.shape, a.dtype))
    new: list[Traced] = []
    replaced(results, Traced, new.append)
    kernel = getattr(family.device.module(family.name), function)
    call = Call(function, kernel, arguments, options, in_place)
    family.tracer.record("call", family.device, call, arrays, [*(arrays[i] for i in in_place), *new])
    return results
