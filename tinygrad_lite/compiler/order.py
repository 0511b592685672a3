"""Which kernel must come after which, also when some of them have become one."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from .graph import Buffer, Node, View

Table = dict[Buffer, list[tuple[int, View]]]


class Order:
    """Sets of nodes, as bits of integers: direct[i] must run right before node i, before[i] somewhere before, after[i]
    somewhere after it. group[i] is what node i has been joined with, itself included; a group runs as one.
    """

    def __init__(self, nodes: Sequence[Node]):
        self.direct = list(_direct(nodes))
        self.before: list[int] = []
        for i, near in enumerate(self.direct):
            self.before.append(near)
            for j in bits(near):
                self.before[i] |= self.before[j]
        self.after = [0] * len(nodes)
        for i in reversed(range(len(nodes))):
            for j in bits(self.direct[i]):
                self.after[j] |= self.after[i] | 1 << i
        self.group = [1 << i for i in range(len(nodes))]

    def can_join(self, a: int, b: int) -> bool:
        """Whether no way leads out of the two groups together and back into them."""
        both = self.group[a] | self.group[b]
        return not (self.before[a] | self.before[b]) & (self.after[a] | self.after[b]) & ~both

    def join(self, a: int, b: int) -> None:
        """Make the groups of two nodes one."""
        both = self.group[a] | self.group[b]
        before, after = (self.before[a] | self.before[b]) & ~both, (self.after[a] | self.after[b]) & ~both
        for i in bits(both):
            self.group[i], self.before[i], self.after[i] = both, before, after
        for i in bits(after):
            self.before[i] |= before | both
        for i in bits(before):
            self.after[i] |= after | both

    def groups(self) -> list[list[int]]:
        """The groups in an order that can be run, each as late as its last member stood."""
        waits: dict[int, int] = {}
        for i, group in enumerate(self.group):
            waits[group] = waits.get(group, 0) | self.direct[i] & ~group
        feeds: dict[int, set[int]] = {}
        count: dict[int, int] = {}
        for group, needs in waits.items():
            sources = {self.group[i] for i in bits(needs)}
            count[group] = len(sources)
            for source in sources:
                feeds.setdefault(source, set()).add(group)
        ready = [(g.bit_length(), g) for g, n in count.items() if not n]
        heapq.heapify(ready)
        order = []
        while ready:
            _, group = heapq.heappop(ready)
            order.append(list(bits(group)))
            for other in feeds.get(group, ()):
                count[other] -= 1
                if not count[other]:
                    heapq.heappush(ready, (other.bit_length(), other))
        return order


def _direct(nodes: Sequence[Node]) -> Iterator[int]:
    """For each node those that wrote what it reads, or touched what it writes."""
    writers: Table = {}
    readers: Table = {}
    for i, node in enumerate(nodes):
        near = 0
        for view in node.reads:
            near |= _touching(writers, view)
        for view in node.writes:
            near |= _touching(writers, view) | _touching(readers, view)
        yield near
        for table, views in ((readers, node.reads), (writers, node.writes)):
            for view in views:
                table.setdefault(view.buffer, []).append((i, view))


def _touching(table: Table, view: View) -> int:
    found = 0
    for i, other in table.get(view.buffer, ()):
        if view.overlaps(other):
            found |= 1 << i
    return found


def bits(number: int) -> Iterator[int]:
    """The positions of the ones, lowest first."""
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low
