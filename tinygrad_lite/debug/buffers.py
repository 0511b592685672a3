"""The memory of a plan: what lies where, and from which kernel to which."""

from __future__ import annotations

from typing import NamedTuple

from ..compiler.memory import lives
from ..compiler.plan import Plan
from .names import Names


class Placed(NamedTuple):
    """A result: its bytes, where it starts (None: in an array that the call returns), its first and last kernel."""

    name: str
    bytes: int
    place: int | None
    first: int
    last: int


class Memory(NamedTuple):
    """buffers: by the time of their first use. size: bytes of the memory that they share."""

    buffers: list[Placed]
    size: int

    @property
    def peak(self) -> int:
        """The most bytes that are in use at once, without what is returned; `size` can be no less."""
        shared = [b for b in self.buffers if b.place is not None]
        return max(
            (sum(b.bytes for b in shared if b.first <= i <= b.last) for i in {b.first for b in shared}), default=0
        )


def memory(plan: Plan, names: Names) -> Memory:
    """The memory of a plan."""
    found = [
        Placed(names.buffer(buffer), buffer.size, plan.places.get(buffer), *life)
        for buffer, life in lives(plan.nodes, set()).items()
    ]
    return Memory(sorted(found, key=lambda b: (b.first, b.last)), plan.size)
