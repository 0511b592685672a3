"""A plan: what a traced function did, bound to memory, as a table of kernels that one native call walks."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from itertools import groupby

import numpy as np
from tinygrad_lite_kernels import threads
from tinygrad_lite_kernels.cpu.plan import launch as plan_launch

from .bind import Operand, Step, Test, steps
from .graph import Buffer, Node, View
from .memory import aligned, lay_out

Outside = Sequence[np.ndarray]  # the arrays of the inputs, then those of the outputs
Item = Callable[[Outside], None]
MOST_OUTSIDE = threads.MAX_OPERANDS - 1


class Plan:
    """Kernels on memory of their own, on arrays that live on outside, and on those that each call brings.

    nodes: in the order in which they run. inputs: the buffers of the inputs. outputs: views of buffers from inside.
    checks: nodes that look at the inputs, and at what lives outside, before anything is changed.
    """

    def __init__(
        self, nodes: Sequence[Node], inputs: Sequence[Buffer], outputs: Sequence[View], checks: Sequence[Node] = ()
    ):
        self.nodes, self.outputs = nodes, outputs
        returned = list(dict.fromkeys(v.buffer for v in outputs))
        self.outside = {b: i for i, b in enumerate([*inputs, *returned])}
        self.returned = [(b.owner.shape, b.owner.dtype) for b in returned]
        self.size, self.places = lay_out(nodes, set(returned))
        self.memory = aligned(self.size)
        first, then = ([s for node in part for s in steps(node, self.stand_in)] for part in (checks, nodes))
        self.table = Table(self, [*first, *then])
        self.tests = self.table.items(0, len(first), patch=True)
        self.items = self.table.items(len(first), len(first) + len(then))

    def start(self, inputs: Sequence[np.ndarray]) -> Outside:
        """Make room for the outputs, and raise what is to be said about the inputs; nothing else is changed."""
        outside = [*inputs, *[np.empty(shape, dtype) for shape, dtype in self.returned]]
        for item in self.tests:
            item(outside)
        return outside

    def run(self, outside: Outside) -> list[np.ndarray]:
        """Do the work on what `start` gave; the arrays of the outputs."""
        for item in self.items:
            item(outside)
        return [_output(view, outside[self.outside[view.buffer]]) for view in self.outputs]

    def base(self, buffer: Buffer) -> int:
        """The address of a buffer; for one from outside, that of the memory that stood for it while tracing."""
        if buffer in self.places:
            return address(self.memory) + self.places[buffer]
        return address(buffer.owner)

    def stand_in(self, view: View) -> np.ndarray:
        """An array of the layout of a view."""
        return at(self.base(view.buffer), view)

    def number(self, operand: Operand) -> int | None:
        """Which of the arrays from outside an operand is in; None where it is in none."""
        return None if isinstance(operand, np.ndarray) else self.outside.get(operand.buffer)

    def array(self, operand: Operand, outside: Outside = ()) -> np.ndarray:
        """The elements of an operand during a call."""
        if isinstance(operand, np.ndarray):
            return operand
        number = self.outside.get(operand.buffer)
        base = self.base(operand.buffer) if number is None else address(outside[number]) - operand.buffer.start
        return at(base, operand)


class Table:
    """The steps of a plan as rows of integers, and the addresses of all their operands in one array."""

    def __init__(self, plan: Plan, todo: Sequence[Step]):
        self.plan, self.todo = plan, todo
        self.operands = np.zeros(max(1, sum(len(s.operands) for s in todo)), np.int64)
        self.patches: list[int] = []
        self.rows = np.zeros((len(todo), 5), np.int64)
        slot = 0
        for row, step in zip(self.rows, todo, strict=True):
            if isinstance(step.run, threads.Launch):
                record = step.run.record
                row[:] = (
                    record[0],
                    address(self.operands) + 8 * slot,
                    address(record) + 16,
                    step.run.size,
                    step.run.grain,
                )
                for operand in step.operands:
                    self._place(slot, operand)
                    slot += 1

    def _place(self, slot: int, operand: Operand) -> None:
        """Write the address of an operand, or note where that of an array from outside is to be written."""
        number = self.plan.number(operand)
        if number is None:
            self.operands[slot] = address(self.plan.array(operand))
        else:
            assert isinstance(operand, View)
            self.patches += [address(self.operands) + 8 * slot, number, operand.offset - operand.buffer.start]

    def items(self, start: int, stop: int, patch: bool = False) -> list[Item]:
        """What runs some of the steps: runs of kernels in one call each, and all others alone."""
        found = self._patching() if patch and self.patches else []
        for native, group in groupby(range(start, stop), lambda i: isinstance(self.todo[i].run, threads.Launch)):
            numbers = list(group)
            if native:
                found.append(self._walk(numbers[0], numbers[-1] + 1))
            else:
                found += [self._alone(i) for i in numbers if self.todo[i].run is not threads.NOTHING]
        return found

    def _patching(self) -> list[Item]:
        """Writes the addresses of arrays from outside to where they belong; a launch can take only so many."""
        if len(self.plan.outside) <= MOST_OUTSIDE:
            return [self._walk(0, 0, self.patches)]
        slots, numbers, offsets = np.array(self.patches, np.int64).reshape(-1, 3).T
        slots = (slots - address(self.operands)) // 8

        def patch(outside: Outside) -> None:
            self.operands[slots] = np.array([address(a) for a in outside])[numbers] + offsets

        return [patch]

    def _walk(self, start: int, stop: int, patches: Sequence[int] = ()) -> Item:
        rows = self.rows[start:stop]
        sizes, grains = rows[:, 3], rows[:, 4]
        large, long = bool((sizes >= 2 * grains).any()), bool((sizes / grains).sum() >= 2)
        run = plan_launch(stop - start, patches, large, long).run
        return (lambda outside: run(rows, *outside)) if patches else lambda outside: run(rows)

    def _alone(self, number: int) -> Item:
        run, operands, array = self.todo[number].run, self.todo[number].operands, self.plan.array
        call = lambda outside: run.run(*[array(x, outside) for x in operands])  # noqa: E731
        if isinstance(run, Test):
            passed = run.passed
            return lambda outside: None if passed.item() else call(outside)
        return call


def _output(view: View, array: np.ndarray) -> np.ndarray:
    if view.shape == array.shape and view.strides == array.strides:
        return array
    return np.ndarray(view.shape, view.dtype, array.reshape(-1).view(np.uint8), view.offset, view.strides)


def address(a: np.ndarray) -> int:
    """Where the first element is."""
    return a.__array_interface__["data"][0]


def at(base: int, view: View) -> np.ndarray:
    """The elements of a view of the buffer that starts at an address."""
    low, high = view.span
    memory = (ctypes.c_ubyte * (high - low)).from_address(base + low)
    return np.ndarray(view.shape, view.dtype, memory, view.offset - low, view.strides)  # type: ignore[arg-type]
