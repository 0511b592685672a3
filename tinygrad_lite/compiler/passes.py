"""What happens to a traced function before it is bound to memory, pass by pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .epilogue import fuse_epilogues
from .fuse import fuse
from .graph import Buffer, Node
from .rows import fuse_rows
from .simplify import simplify

PASSES: dict[str, Callable[[list[Node], set[Buffer]], list[Node]]] = {
    "simplified": simplify,
    "fused": fuse,
    "epilogues": fuse_epilogues,
    "rows": fuse_rows,
}


def passes(nodes: Sequence[Node], needed: set[Buffer]) -> Iterator[tuple[str, list[Node]]]:
    """The name of each pass, and the nodes after it. needed: buffers that outputs look at."""
    now = list(nodes)
    for name, work in PASSES.items():
        now = work(now, needed)
        yield name, now
