"""What a plan is made of: the graph after each pass, the kernels, the memory."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from typing import Any

from tinygrad_lite_kernels import threads

from ..compiler.bind import Test, steps
from ..compiler.compiled import Compiled
from ..compiler.graph import Node, View
from ..compiler.passes import passes
from ..compiler.simplify import checks_first
from ..table import plain, print_table
from . import picture, text
from .buffers import Memory, memory
from .lookup import Call
from .names import Names
from .source import source
from .work import flops, moved

HEAD = ["kernel", "kind", "bytes", "operations"]
MEMORY_HEAD = ["result", "bytes", "place", "first", "last"]


class Kernel:
    """One node of a plan.

    kind: "elementwise", "matmul", "matmul_then", "reduce", "rows", "check", or "call": a kernel of another family.
    text: what it computes, `label` in short. bytes, flops: what it moves and computes.
    lines: of the code that asked for it. native: whether it runs without Python.
    """

    def __init__(self, number: int, node: Node, names: Names, native: bool, lines: list[str]):
        self.number, self.node, self.native, self.lines = number, node, native, lines
        self.kind, self.bytes, self.flops = node.kind, moved(node), flops(node)
        self.text = "\n".join(text.lines([node], names))
        self.label = f"{number:2} {text.short(node, names)}"

    @property
    def source(self) -> str:
        """The Python text that was compiled for it."""
        return source(self.node)

    def __repr__(self) -> str:
        return f"<kernel {self.number}: {self.text}>"


class Report:
    """A plan, taken apart; printed, it is a table of kernels and of memory.

    stages: the graph as text after each pass: "traced", "simplified", "fused", "epilogues", "rows".
    kernels: what the plan runs, in order. memory: its buffers, `memory.size` and `memory.peak` in bytes.
    """

    def __init__(self, title: str, compiled: Compiled):
        self.title, self.names = title, Names(compiled)
        self.nodes = stages(compiled)
        self.stages = {name: "\n".join(text.lines(nodes, self.names)) for name, nodes in self.nodes.items()}
        places = _origins(compiled)
        self.kernels = [
            Kernel(i, node, self.names, is_native(compiled, node), sorted(_lines(node, places)))
            for i, node in enumerate(compiled.plan.nodes)
        ]
        self.memory: Memory = memory(compiled.plan, self.names)

    def dot(self, stage: str = "rows") -> str:
        """The graph after a pass in the DOT language of Graphviz."""
        return picture.dot(self._stage("dot", stage), self.names)

    def svg(self, stage: str = "rows") -> str:
        """The graph after a pass as a picture."""
        return picture.svg(self._stage("svg", stage), self.names)

    def _stage(self, name: str, stage: str) -> list[Node]:
        if stage not in self.nodes:
            raise ValueError(f"Report.{name}: stage {stage!r} is not known; known: {', '.join(map(repr, self.nodes))}")
        return self.nodes[stage]

    def _tables(self) -> Iterator[tuple[str, list[str], list[list[str]]]]:
        done = sum(k.bytes for k in self.kernels), sum(k.flops for k in self.kernels)
        title = f"{self.title}: {len(self.kernels)} kernels move {done[0]:,} bytes and do {done[1]:,} operations"
        yield title, HEAD, [_row(k) for k in self.kernels]
        shared = f"memory: {self.memory.size:,} bytes shared by all results, {self.memory.peak:,} in use at the peak"
        rows = [[str(value if value is not None else "returned") for value in b] for b in self.memory.buffers]
        yield shared, MEMORY_HEAD, rows

    def show(self) -> None:
        """Print the tables, by rich where it is installed."""
        for title, head, rows in self._tables():
            print_table(title, head, rows)

    def __str__(self) -> str:
        return "\n\n".join(plain(title, [head, *rows]) for title, head, rows in self._tables())

    def explain(self) -> str:
        """Everything: the graph after each pass, kernels and memory, and the source of every kernel."""
        graphs = [f"---- {name} ----\n{graph}" for name, graph in self.stages.items()]
        sources: dict[str, list[str]] = {}
        for kernel in self.kernels:
            sources.setdefault(kernel.source, []).append(str(kernel.number))
        printed = [f"---- source of kernel {', '.join(numbers)} ----\n{code}" for code, numbers in sources.items()]
        return "\n\n".join([*graphs, f"---- plan ----\n{self}", *printed])


def _row(kernel: Kernel) -> list[str]:
    kind = kernel.kind if kernel.native else f"{kernel.kind} (Python)"
    return [kernel.label, kind, f"{kernel.bytes:,}", f"{kernel.flops:,}"]


def plan(jitted: Any, *args: Any, **options: Any) -> Report:
    """The plan of a call of a jitted function: graph after each pass, kernels, memory. The call itself is not made.

    Where there is no plan yet for such arguments, one is made, as the call would. TypeError for other functions.

    >>> import tinygrad_lite as tg
    >>> double_sum = tg.jit(lambda x: (x + x).sum())
    >>> report = tg.debug.plan(double_sum, tg.ones((2, 3)))
    >>> print(report.stages["traced"])
    %0: float32[2, 3] = (argument 0 + argument 0)
    result 0: float32[] = sum(%0, axis=(0, 1))
    >>> [(k.kind, k.bytes, k.flops) for k in report.kernels]
    [('elementwise', 48, 6), ('reduce', 28, 5)]
    >>> report.memory.peak
    24
    """
    call = Call("plan", jitted, args, options)
    return Report(getattr(call.jitted, "__name__", "jitted function"), call.compiled())


def explain(jitted: Any, *args: Any, **options: Any) -> str:
    """All that there is to say about the plan of a call, as one text, with the source of every kernel.

    >>> import tinygrad_lite as tg
    >>> print(tg.debug.explain(tg.jit(lambda x: tg.exp(x)), tg.ones(3)).split("----")[-1])  # doctest: +ELLIPSIS
    <BLANKLINE>
    def kernel(operands, meta, lo, hi):
    ...
                t1 = exp_float32(x0)
    ...
    """
    return plan(jitted, *args, **options).explain()


def stages(compiled: Compiled) -> dict[str, list[Node]]:
    """The nodes of a traced function as they were noted, and after each pass."""
    needed = {v.buffer for v in compiled.plan.outputs}
    found = {"traced": compiled.tracer.nodes, **dict(passes(checks_first(compiled.tracer.nodes)[1], needed))}
    return found | {list(found)[-1]: list(compiled.plan.nodes)}


def is_native(compiled: Compiled, node: Node) -> bool:
    """Whether it runs without Python."""
    runs = [step.run for step in steps(node, compiled.plan.stand_in)]
    return all(isinstance(run, (threads.Launch, Test)) or run is threads.NOTHING for run in runs)


# ---- lines of the user's code ----


def _origins(compiled: Compiled) -> dict[View, tuple[str, int]]:
    return {v: node.origin for node in compiled.tracer.nodes if node.origin for v in node.writes}


def _lines(node: Node, origins: dict[View, tuple[str, int]]) -> set[str]:
    members = node.what.members if node.kind == "rows" else [node]
    return {code_at(origins[v]) for member in members for v in member.writes if v in origins}


def code_at(origin: tuple[str, int]) -> str:
    """A line of code with its place: "train.py:12: loss.backward()"."""
    file, line = origin
    return f"{file.rpartition('/')[2]}:{line}: {linecache.getline(file, line).strip()}".rstrip(": ")
