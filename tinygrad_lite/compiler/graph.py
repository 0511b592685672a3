"""What a traced function did, as data: kernels in their order, and the memory that they read and write."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from tinygrad_lite_kernels.expr import Program

_numbers = itertools.count()


class Buffer:
    """A piece of memory.

    kind: "input" (of a call, `position` says which), "outside" (an array that lives on, `owner`: a parameter, say),
    "made" (an array that the function made from values known at tracing; it starts each call as it was), or "inside" (a
    result that nobody outside sees).
    """

    __slots__ = ("kind", "number", "owner", "position", "size", "start")

    def __init__(self, kind: str, owner: np.ndarray, position: int = -1):
        self.kind, self.owner, self.position = kind, owner, position
        self.size, self.number = owner.nbytes, next(_numbers)
        self.start = 0  # of an input: where its first element is

    def __repr__(self) -> str:
        return f"{self.kind}{self.number}"


class View(NamedTuple):
    """Elements in a buffer: where the first one is (bytes), and how they lie."""

    buffer: Buffer
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype

    def array(self, memory: np.ndarray) -> np.ndarray:
        """The same elements of `memory` (bytes), an array that shares it."""
        return np.ndarray(self.shape, self.dtype, memory, self.offset, self.strides)

    @property
    def span(self) -> tuple[int, int]:
        """The first byte and the one behind the last."""
        reach = [s * (n - 1) for s, n in zip(self.strides, self.shape, strict=True) if n > 1]
        low = self.offset + sum(r for r in reach if r < 0)
        high = self.offset + sum(r for r in reach if r > 0) + self.dtype.itemsize
        return low, high if 0 not in self.shape else low

    def overlaps(self, other: View) -> bool:
        """Whether the two may share an element."""
        if self.buffer is not other.buffer:
            return False
        (a, b), (c, d) = self.span, other.span
        return a < d and c < b


class Node:
    """One kernel: what it reads and writes, and `kind` with `what` saying which it is.

    "elementwise": `what` is the Program; "matmul": whether to add to the output; "matmul_then": see `Then`;
    "reduce": (name, axes, keepdims); "rows": see `rows.Rows`; "totals" (inside of these only): see `totals.Totals`;
    "call": a function of arrays, see `Call`; "check": see `Check`.
    """

    __slots__ = ("accumulates", "device", "kind", "origin", "reads", "what", "writes")

    def __init__(self, kind: str, device: Any, what: Any, reads: list[View], writes: list[View]):
        self.kind, self.device, self.what, self.reads, self.writes = kind, device, what, reads, writes
        self.accumulates = False  # whether it sums up the gradients of several uses of a tensor
        self.origin: tuple[str, int] | None = None  # file and line of the code that asked for it

    def but(self, what: Any, reads: list[View], writes: list[View]) -> Node:
        """The same with other contents."""
        changed = Node(self.kind, self.device, what, reads, writes)
        changed.accumulates, changed.origin = self.accumulates, self.origin
        return changed

    def __repr__(self) -> str:
        name = self.what.name if self.kind == "call" else self.kind
        reads = ", ".join(f"{v.buffer}{list(v.shape)}" for v in self.reads)
        return f"{', '.join(f'{v.buffer}{list(v.shape)}' for v in self.writes)} = {name}({reads})"


class Call(NamedTuple):
    """A kernel that runs through Python. `arguments` has `Slot(i)` where the i-th array that is read stands.

    in_place: the numbers of arrays that it writes to; they stand first among the writes.
    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    in_place: tuple[int, ...] = ()


class Then(NamedTuple):
    """A program that takes a matrix product as its input number `at`. The node reads both factors, then the others."""

    program: Program
    at: int


class Check(NamedTuple):
    """A function that raises where the program `good` is not true for all elements of the array that is read."""

    name: str
    good: Program
    function: Callable[[np.ndarray], None]


class Slot(NamedTuple):
    """The place of an array among the arguments of a call."""

    number: int


def replaced(value: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    """Nested tuples, lists and dicts with every instance of `kind` changed."""
    if isinstance(value, kind):
        return change(value)
    if type(value) in (tuple, list):
        return type(value)(replaced(v, kind, change) for v in value)
    if type(value) is dict:
        return {k: replaced(v, kind, change) for k, v in value.items()}
    return value


def readers(nodes: Iterable[Node]) -> dict[Buffer, list[Node]]:
    """The nodes that read from each buffer."""
    found: dict[Buffer, list[Node]] = {}
    for node in nodes:
        for view in node.reads:
            found.setdefault(view.buffer, []).append(node)
    return found


def views(nodes: list[Node]) -> Iterator[View]:
    """Every view that is read or written."""
    return (view for node in nodes for view in (*node.reads, *node.writes))
