"""What people call the memory that a plan works on."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from ..compiler.arrays import owner
from ..compiler.compiled import Compiled
from ..compiler.graph import Buffer, View, views
from ..ops.random import default_generator
from ..optim.optimizer import Optimizer
from ..tensor import Tensor


class Names:
    """Names of buffers: those of arguments and parameters, "result 0", "%0" for what is inside."""

    def __init__(self, compiled: Compiled):
        self.tensors = {id(x): name for name, x in _tensors(compiled)}
        self._arrays = dict(_arrays(compiled))
        self._modules = {id(m): n for whole, _ in reversed(compiled.modules) for n, m in whole.named_modules()}
        leaves = [f"gradient of {self.of(x)}" for x in compiled.tracer.gradients.values()]
        self._inputs = [*compiled.names, *leaves]
        self._counts: dict[str, Iterator[int]] = {}
        self._known = {buffer.number: name for buffer, name in self._returned(compiled)}
        for view in views(compiled.tracer.nodes):
            self.buffer(view.buffer)

    def of(self, x: Tensor) -> str:
        """The name of a parameter or argument."""
        return self.tensors.get(id(x), f"a tensor {list(x.shape)}")

    def module(self, module: Any) -> str:
        """The kind of a module, and where it is in the whole."""
        name = self._modules.get(id(module))
        return type(module).__name__ + (f" {name}" if name else "")

    def buffer(self, buffer: Buffer) -> str:
        """The name of a piece of memory."""
        if buffer.number not in self._known:
            self._known[buffer.number] = self._new(buffer)
        return self._known[buffer.number]

    def view(self, view: View) -> str:
        """The name of elements: their buffer's, with which of it, counted from its first."""
        name, size = self.buffer(view.buffer), view.dtype.itemsize
        if skipped := (view.offset - view.buffer.start) // size:
            name += f"[{skipped}:]" if view.shape else f"[{skipped}]"
        rows_last = len(view.shape) == 2 and view.strides == (size, size * view.shape[0]) and min(view.shape) > 1
        return name + ".T" * rows_last

    def _new(self, buffer: Buffer) -> str:
        if buffer.kind == "input":
            return self._inputs[buffer.position]
        if buffer.kind == "outside" and id(buffer.owner) in self._arrays:
            return self._arrays[id(buffer.owner)]
        if buffer.kind == "made" and buffer.owner.size == 1:
            return str(buffer.owner.reshape(-1)[0])
        if buffer.kind == "inside":
            return f"%{self._next('%')}"
        return f"{buffer.kind} {self._next(buffer.kind)}"

    def _next(self, kind: str) -> int:
        return next(self._counts.setdefault(kind, itertools.count()))

    def _returned(self, compiled: Compiled) -> Iterator[tuple[Buffer, str]]:
        outputs = compiled.plan.outputs
        for i, result in enumerate(compiled.results):
            if result.output >= 0:
                yield outputs[result.output].buffer, f"result {i}"
        for leaf, position, number in compiled.gradients:
            if number is not None:
                name = self.of(leaf) if position is None else compiled.names[position]
                yield outputs[number].buffer, f"gradient of {name}"


def _tensors(compiled: Compiled) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers of modules, those inside by the names of the whole."""
    seen: set[int] = set()
    for module, _ in compiled.modules:
        for name, x in (*module.named_parameters(), *module.named_buffers()):
            if id(x) not in seen:
                seen.add(id(x))
                yield name, x


def _arrays(compiled: Compiled) -> Iterator[tuple[int, str]]:
    """The identity of arrays outside, and what is in them."""
    names = dict(_tensors(compiled))
    yield id(owner(default_generator.state)), "random state"
    for optimizer in optimizers(compiled):
        yield from _of_optimizer(optimizer, {id(x): name for name, x in names.items()})
    for name, x in names.items():
        yield id(owner(x._data)), name


def _of_optimizer(optimizer: Optimizer, names: dict[int, str]) -> Iterator[tuple[int, str]]:
    kind = type(optimizer).__name__
    for memory, _ in optimizer._numbers.values():
        yield id(owner(memory)), f"numbers of {kind}"
    for number, p in enumerate(p for group in optimizer.param_groups for p in group["params"]):
        name = names.get(id(p), f"parameter {number}")
        yield id(owner(p._data)), name
        for slot, value in optimizer.state.get(p, {}).items():
            if isinstance(value, Tensor):
                yield id(owner(value._data)), f"{slot} of {name}"


def optimizers(compiled: Compiled) -> Iterable[Optimizer]:
    """Those that take a step in the function."""
    owners: list[Any] = [getattr(getattr(f, "func", f), "__self__", None) for f in compiled.tracer.each_call]
    return {id(o): o for o in owners if isinstance(o, Optimizer)}.values()
