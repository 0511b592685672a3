"""One traced function: its plan, what must hold for it to be used, and what a call does besides running it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd.graph import version_cell
from ..errors import TraceError
from ..tensor import Tensor, changes, wrap
from .arguments import Arguments, replaced, tensors_in
from .arrays import Traced, owner
from .graph import View
from .passes import passes
from .plan import Plan
from .simplify import checks_first, written
from .trace import Tracer, active

_numbers = itertools.count()


class Result:
    """A tensor that a call returns: argument `position`, a tensor from outside, or the output of that number."""

    def __init__(self, position: int | None, outside: Tensor | None, output: int, device: Any):
        self.position, self.outside, self.output, self.device = position, outside, output, device


class Compiled:
    """A plan with its surroundings."""

    def __init__(
        self, tracer: Tracer, plan: Plan, result: Any, results: list[Result], gradients: list[Any], given: Arguments
    ):
        self.tracer, self.plan, self.result, self.results, self.gradients = tracer, plan, result, results, gradients
        self.number = next(_numbers)
        self.names, self.key = given.names, given.key
        self.absent = [leaf for leaf, before in tracer.touched.values() if before is None]
        self.present = [(leaf, layout(before)) for leaf, before in tracer.touched.values() if before is not None]
        self.modules = list(tracer.modules.values())
        self.changes = changes[0]
        changed = written(plan.nodes)
        self.changed_outside = {id(b.owner) for b in changed if b.kind == "outside"}
        self.changed_inputs = [b.position for b in changed if b.kind == "input" and b.position < tracer.arguments]

    def fits(self) -> bool:
        """Whether the modes of modules, the existence of gradients and the rules of optimizers are as when traced."""
        if self.changes != changes[0]:
            return False
        for leaf in self.absent:
            if leaf._grad is not None:
                return False
        for module, training in self.modules:
            if module.training is not training:
                return False
        return all([layout(x._grad) == a for x, a in self.present]) and all([g() for g in self.tracer.guards])

    def run(self, tensors: Sequence[Tensor]) -> Any:
        """Replay on the tensors of a call."""
        inputs = [x._data for x in tensors]
        if self.changed_outside or self.changed_inputs:
            self._check_changed(inputs)
        if self.tracer.gradients:
            inputs += [leaf._grad._data for leaf in self.tracer.gradients.values()]
        outside = self.plan.start(inputs)
        for prepare in self.tracer.each_call:
            prepare()
        arrays = self.plan.run(outside)
        for cell in self.tracer.cells.values():
            cell[0] += 1
        for position in self.changed_inputs:
            version_cell(tensors[position])[0] += 1
        for target, position, output in self.gradients:
            leaf = target if position is None else tensors[position]
            leaf._grad = None if output is None else wrap(arrays[output], leaf._device)
        made = iter(self.results)
        return replaced(self.result, lambda _: self._tensor(next(made), tensors, arrays))

    def _check_changed(self, inputs: Sequence[np.ndarray]) -> None:
        """Memory that the function changes must be reached in one way (TraceError), and be writable (ValueError)."""
        owners = [id(a) if a.base is None else id(owner(a)) for a in inputs]
        if not self.changed_inputs and self.changed_outside.isdisjoint(owners):
            return
        for i in self.changed_inputs:
            if not inputs[i].flags.writeable:
                raise ValueError(f"jit: {self.names[i]} is changed in place, but its memory is read-only; pass a copy")
        for i, known in enumerate(owners):
            if known in self.changed_outside or any(owners[k] == known for k in self.changed_inputs if k != i):
                raise TraceError(
                    f"jit: {self.names[i]} shares memory with another tensor that the function changes in place; "
                    "pass a copy (.clone()), or reach the tensor in one way only"
                )

    def _tensor(self, result: Result, tensors: Sequence[Tensor], arrays: Sequence[np.ndarray]) -> Tensor:
        if result.position is not None:
            return tensors[result.position]
        return result.outside if result.outside is not None else wrap(arrays[result.output], result.device)


def compile(function: Callable[..., Any], args: Any, options: Any, arguments: Arguments) -> Compiled:
    """Trace, simplify, fuse, lay out, plan."""
    tracer = Tracer(len(arguments.tensors))
    stand_ins = {id(x): _stand_in(tracer, x, i) for i, x in enumerate(arguments.tensors)}
    positions = {id(s): i for i, s in enumerate(stand_ins.values())}
    change = lambda x: stand_ins[id(x)]  # noqa: E731
    try:
        with active(tracer):
            result = function(*replaced(tuple(args), change), **replaced(options, change))
            outputs = _Outputs(tracer)
            results = [outputs.result(x, positions) for x in tensors_in(result)]
            gradients = _gradients(tracer, outputs, positions)
    finally:
        for leaf, before in tracer.touched.values():
            leaf._grad = before
    return Compiled(tracer, _plan(tracer, outputs), result, results, gradients, arguments)


def _stand_in(tracer: Tracer, x: Tensor, position: int) -> Tensor:
    stand_in = wrap(tracer.input(x._data, position), x._device)
    stand_in.__class__ = x.__class__
    stand_in.requires_grad = x.requires_grad
    return stand_in


class _Outputs:
    """The arrays that a call returns, each in memory of its own."""

    def __init__(self, tracer: Tracer):
        self.tracer = tracer
        self.views: list[View] = []

    def result(self, x: Tensor, positions: dict[int, int]) -> Result:
        position = positions.get(id(x))
        outside = x if position is None and not self._is_new(x) else None
        number = -1 if position is not None or outside is not None else self.add(x)
        return Result(position, outside, number, x._device)

    def _is_new(self, x: Tensor) -> bool:
        return isinstance(x._data, Traced) or self.tracer.view(x._data).buffer.kind == "made"

    def add(self, x: Tensor) -> int:
        """The number of a new output with the values of a tensor."""
        view = self.tracer.view(x._data)
        if view.buffer.kind != "inside" or view.buffer in {v.buffer for v in self.views}:
            copy = x._device.movement.copy(x._data)
            view = self.tracer.view(copy)
        self.views.append(view)
        return len(self.views) - 1


def _gradients(tracer: Tracer, outputs: _Outputs, positions: dict[int, int]) -> list[tuple[Any, Any, Any]]:
    """What is left in `.grad`: (tensor, number of its argument, number of the output), None for what is not there.

    Where there was a gradient, the new one is written over it; one that an optimizer took otherwise stays inside.
    """
    found: list[tuple[Any, Any, Any]] = []
    for leaf, before in tracer.touched.values():
        after, position = leaf._grad, positions.get(id(leaf))
        place = (None, position) if position is not None else (leaf, None)
        if before is not None and after is None:
            found.append((*place, None))
        elif before is not None:
            _overwrite(tracer, leaf, after)
        elif after is not None and id(leaf) not in tracer.used:
            found.append((*place, outputs.add(after)))
    return found


def _overwrite(tracer: Tracer, leaf: Tensor, after: Any) -> None:
    memory = tracer.stand_ins[tracer.arguments + list(tracer.gradients).index(id(leaf))]
    if after._data is not memory:
        leaf._device.movement.copy_into(memory, after._data)


def layout(gradient: Tensor | None) -> Any:
    """Of a gradient what a plan depends on."""
    return None if gradient is None else (gradient._data.strides, gradient._data.dtype)


def _plan(tracer: Tracer, outputs: _Outputs) -> Plan:
    inputs = [b for b in tracer.buffers.values() if b.kind == "input"]
    inputs.sort(key=lambda b: b.position)
    needed = {v.buffer for v in outputs.views}
    checks, nodes = checks_first(tracer.nodes)
    *_, (_, nodes) = passes(nodes, needed)
    return Plan(nodes, inputs, outputs.views, checks)
