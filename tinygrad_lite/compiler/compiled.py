"""One traced function: its plan, what must hold for it to be used, and what a call does besides running it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor, wrap
from .arguments import Arguments, replaced, tensors_in
from .arrays import Traced
from .fuse import fuse
from .graph import Node, View
from .plan import Plan
from .simplify import inline_constants, own_what_is_made, without_dead
from .trace import Tracer, active


class Result:
    """A tensor that a call returns: argument `position`, a tensor from outside, or the output of that number."""

    def __init__(self, position: int | None, outside: Tensor | None, output: int, device: Any):
        self.position, self.outside, self.output, self.device = position, outside, output, device


class Compiled:
    """A plan with its surroundings."""

    def __init__(self, tracer: Tracer, plan: Plan, result: Any, results: list[Result], gradients: list[Any]):
        self.tracer, self.plan, self.result, self.results, self.gradients = tracer, plan, result, results, gradients
        self.existing = [(leaf, before is not None) for leaf, before in tracer.touched.values()]

    def fits(self) -> bool:
        """Whether the modes of modules, the existence of gradients and the rules of optimizers are as when traced."""
        return (
            all([module.training is training for module, training in self.tracer.modules.values()])
            and all([(leaf.grad is not None) is existed for leaf, existed in self.existing])
            and all([guard() for guard in self.tracer.guards])
        )

    def run(self, tensors: Sequence[Tensor]) -> Any:
        """Replay on the tensors of a call."""
        for prepare in self.tracer.each_call:
            prepare()
        arrays = self.plan.run([x._data for x in tensors])
        for cell in self.tracer.cells.values():
            cell[0] += 1
        for target, position, output in self.gradients:
            leaf = target if position is None else tensors[position]
            leaf.grad = wrap(arrays[output], leaf._device)
        made = iter(self.results)
        return replaced(self.result, lambda _: self._tensor(next(made), tensors, arrays))

    def _tensor(self, result: Result, tensors: Sequence[Tensor], arrays: Sequence[np.ndarray]) -> Tensor:
        if result.position is not None:
            return tensors[result.position]
        return result.outside if result.outside is not None else wrap(arrays[result.output], result.device)


def compile(function: Callable[..., Any], args: Any, options: Any, arguments: Arguments) -> Compiled:
    """Trace, simplify, fuse, lay out, plan."""
    tracer = Tracer()
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
            leaf.grad = before
    return Compiled(tracer, _plan(tracer, outputs, arguments), result, results, gradients)


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


def _gradients(tracer: Tracer, outputs: _Outputs, positions: dict[int, int]) -> list[tuple[Any, int | None, int]]:
    """What is to become of the gradients of leaves: added to where there was one, kept inside, or left in `.grad`."""
    found: list[tuple[Any, int | None, int]] = []
    for leaf, before in list(tracer.touched.values()):
        after = leaf.grad
        if after is None or after is before:
            continue
        if before is not None:
            leaf._device.movement.copy_into(before._data, after._data)
        elif id(leaf) not in tracer.used:
            position = positions.get(id(leaf))
            found.append((None if position is not None else leaf, position, outputs.add(after)))
    return found


def _plan(tracer: Tracer, outputs: _Outputs, arguments: Arguments) -> Plan:
    inputs = [b for b in tracer.buffers.values() if b.kind == "input"]
    inputs.sort(key=lambda b: b.position)
    needed = {v.buffer for v in outputs.views}
    nodes = own_what_is_made(_checks_first(tracer), arguments.tensors[0]._device if arguments.tensors else None)
    nodes = fuse(without_dead(inline_constants(nodes), needed), needed)
    return Plan(nodes, inputs, outputs.views)


def _checks_first(tracer: Tracer) -> list[Node]:
    return [*tracer.checks, *tracer.nodes]
