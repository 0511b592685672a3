"""A plan: what a traced function did, bound to memory, as a table of kernels that one native call walks."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence

import numpy as np
from tinygrad_lite_kernels import threads
from tinygrad_lite_kernels.cpu.plan import launch as plan_launch

from .bind import Operand, Step, steps
from .graph import Buffer, Node, View
from .memory import aligned, lay_out

Item = Callable[[Sequence[np.ndarray]], None]  # of the arrays from outside: the inputs, then the outputs
MOST_OUTSIDE = threads.MAX_OPERANDS - 1


class Plan:
    """Run it on the arrays of the inputs; it returns new arrays for the outputs.

    nodes: in the order in which they run. inputs: the buffers of the inputs. outputs: views of buffers from inside.
    checks: nodes that look at the inputs, and at what lives outside, before anything runs.
    """

    def __init__(
        self, nodes: Sequence[Node], inputs: Sequence[Buffer], outputs: Sequence[View], checks: Sequence[Node] = ()
    ):
        self.nodes, self.outputs = nodes, outputs
        returned = list(dict.fromkeys(v.buffer for v in outputs))
        self.outside = {b: i for i, b in enumerate([*inputs, *returned])}
        self.input_count, self.returned = len(inputs), [(b.owner.shape, b.owner.dtype) for b in returned]
        self.size, self.places = lay_out(nodes, set(returned))
        self.memory = aligned(self.size)
        self.address = self.memory.__array_interface__["data"][0]
        self.checks = [self._python(step) for node in checks for step in steps(node, self._stand_in)]
        self.items = self._items([step for node in nodes for step in steps(node, self._stand_in)])

    def check(self, inputs: Sequence[np.ndarray]) -> None:
        """Raise what is to be said about the values of the inputs."""
        for item in self.checks:
            item(inputs)

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The arrays of the outputs."""
        arrays = [np.empty(shape, dtype) for shape, dtype in self.returned]
        outside = [*inputs, *arrays]
        for item in self.items:
            item(outside)
        new = dict(zip(self.outside, outside, strict=True))
        return [self._output(view, new[view.buffer]) for view in self.outputs]

    def _output(self, view: View, array: np.ndarray) -> np.ndarray:
        if view.shape == array.shape and view.strides == array.strides:
            return array
        return np.ndarray(view.shape, view.dtype, array.reshape(-1).view(np.uint8), view.offset, view.strides)

    # ---- where things are ----

    def _base(self, buffer: Buffer) -> int:
        """The address of a buffer; for one from outside, that of the memory that stood for it while tracing."""
        if buffer in self.places:
            return self.address + self.places[buffer]
        return buffer.owner.__array_interface__["data"][0]

    def _stand_in(self, view: View) -> np.ndarray:
        return at(self._base(view.buffer), view)

    def _array(self, operand: Operand, outside: Sequence[np.ndarray]) -> np.ndarray:
        if isinstance(operand, np.ndarray):
            return operand
        number = self.outside.get(operand.buffer)
        if number is None:
            return at(self._base(operand.buffer), operand)
        base = outside[number].__array_interface__["data"][0] - operand.buffer.start
        return at(base, operand)

    # ---- the table ----

    def _items(self, todo: Sequence[Step]) -> list[Item]:
        """Runs of kernels on one thread; between them what is shared by threads, or runs through Python."""
        native = [s for s in todo if isinstance(s.run, threads.Launch)]
        self.operands = np.zeros(max(1, sum(len(s.operands) for s in native)), np.int64)
        patches = self._fill(native)
        self.table = np.array(self._rows(native), np.int64).reshape(-1, 5)
        items, start, row = [self._patching(patches)], 0, 0
        for step in todo:
            if step.run is threads.NOTHING:
                continue
            alone = not isinstance(step.run, threads.Launch)
            if alone or step.run.size >= 2 * step.run.grain:
                items += [self._walk(start, row), self._python(step) if alone else self._parallel(step, row)]
                start = row if alone else row + 1
            row += not alone
        items.append(self._walk(start, row))
        return [item for item in items if item is not None]

    def _fill(self, native: Sequence[Step]) -> list[int]:
        """Write the addresses of operands, and list where those of arrays from outside are to be written."""
        patches, slot, base = [], 0, self.operands.ctypes.data
        for step in native:
            for operand in step.operands:
                number = None if isinstance(operand, np.ndarray) else self.outside.get(operand.buffer)
                if number is None:
                    self.operands[slot] = self._array(operand, ()).__array_interface__["data"][0]
                else:
                    patches += [base + 8 * slot, number, operand.offset - operand.buffer.start]  # type: ignore[union-attr]
                slot += 1
        return patches

    def _rows(self, native: Sequence[Step]) -> list[list[int]]:
        self.kept = native  # their records hold what the table points to
        rows, slot = [], self.operands.ctypes.data
        for step in native:
            launch = step.run
            assert isinstance(launch, threads.Launch)
            rows.append([int(launch.record[0]), slot, launch.record.ctypes.data + 16, 0, launch.size])
            slot += 8 * len(step.operands)
        return rows

    def _patching(self, patches: list[int]) -> Item | None:
        if not patches:
            return None
        if len(self.outside) <= MOST_OUTSIDE:
            run = plan_launch(0, patches).run
            return lambda outside: run(self.table, *outside)
        slots, numbers, offsets = np.array(patches).reshape(-1, 3).T
        slots = (slots - self.operands.ctypes.data) // 8

        def patch(outside: Sequence[np.ndarray]) -> None:
            addresses = np.array([a.__array_interface__["data"][0] for a in outside])
            self.operands[slots] = addresses[numbers] + offsets

        return patch

    def _walk(self, start: int, stop: int) -> Item | None:
        if start == stop:
            return None
        rows, run = self.table[start:stop], plan_launch(stop - start, ()).run
        return lambda outside: run(rows)

    def _parallel(self, step: Step, row: int) -> Item:
        launch, operands = step.run, int(self.table[row, 1])
        assert isinstance(launch, threads.Launch)
        return lambda outside: launch.run_parallel(operands)

    def _python(self, step: Step) -> Item:
        run, operands = step.run.run, step.operands
        return lambda outside: run(*(self._array(x, outside) for x in operands))


def at(base: int, view: View) -> np.ndarray:
    """The elements of a view of the buffer that starts at an address."""
    low, high = view.span
    memory = (ctypes.c_ubyte * (high - low)).from_address(base + low)
    return np.ndarray(view.shape, view.dtype, memory, view.offset - low, view.strides)  # type: ignore[arg-type]
