"""Which kernel must come after which, also when some of them have become one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .graph import Buffer, Node, View

Table = dict[Buffer, list[tuple[int, View]]]


class Order:
    """Groups of nodes (at first one each) in an order in which they can run, kept valid while groups are joined.

    A way from one group to another leads only through groups that stand between them, so that a question about two
    neighbours looks at few others however many there are (as in Pearce and Kelly, 2006).
    """

    def __init__(self, nodes: Sequence[Node]):
        self.members = [[i] for i in range(len(nodes))]
        self.after: list[set[int]] = [set() for _ in nodes]  # groups that need something of this one
        for i, near in enumerate(_direct(nodes)):
            for j in near:
                self.after[j].add(i)
        self.name = list(range(len(nodes)))  # of the group that a node is in
        self.sequence: list[int | None] = list(range(len(nodes)))
        self.place = list(range(len(nodes)))

    def group(self, i: int) -> list[int]:
        """The nodes that run with node i, itself included, in their order."""
        return self.members[self.name[i]]

    def groups(self) -> list[list[int]]:
        """All groups, in an order in which they can run."""
        return [self.members[g] for g in self.sequence if g is not None]

    def can_join(self, a: int, b: int) -> bool:
        """Whether two nodes are in different groups, and no way leads out of one and back into the other."""
        first, second = self._sorted(a, b)
        if first == second:
            return False
        return not any(second in self._users(g) for g in self._between(first, second))

    def join(self, a: int, b: int) -> None:
        """Make the groups of two nodes one, at the place of the later one; what needs the earlier one comes behind."""
        first, second = self._sorted(a, b)
        start, stop = self.place[first], self.place[second] + 1
        behind = self._between(first, second)
        window = [g for g in self.sequence[start:stop] if g is not None and g not in (first, second)]
        window = [g for g in window if g not in behind] + [second] + [g for g in window if g in behind]
        gap: list[int | None] = [None] * (stop - start - len(window))
        self.sequence[start:stop] = [*gap, *window]
        for at in range(start, stop):
            if (g := self.sequence[at]) is not None:
                self.place[g] = at
        for i in self.members[first]:
            self.name[i] = second
        self.members[second] = sorted(self.members[first] + self.members[second])
        self.after[second] |= self.after[first]

    def _sorted(self, a: int, b: int) -> tuple[int, int]:
        first, second = self.name[a], self.name[b]
        return (first, second) if self.place[first] <= self.place[second] else (second, first)

    def _users(self, group: int) -> set[int]:
        return {self.name[i] for i in self.after[group]} - {group}

    def _between(self, first: int, second: int) -> set[int]:
        """The groups that need the first one and stand before the second."""
        found: set[int] = set()
        work, limit = [first], self.place[second]
        while work:
            new = {g for g in self._users(work.pop()) if self.place[g] < limit} - found
            found |= new
            work += new
        return found


def _direct(nodes: Sequence[Node]) -> Iterator[set[int]]:
    """For each node those that wrote what it reads, or touched what it writes."""
    writers: Table = {}
    readers: Table = {}
    for i, node in enumerate(nodes):
        near: set[int] = set()
        for view in node.reads:
            near |= _touching(writers, view)
        for view in node.writes:
            near |= _touching(writers, view) | _touching(readers, view)
        yield near - {i}
        for table, views in ((readers, node.reads), (writers, node.writes)):
            for view in views:
                table.setdefault(view.buffer, []).append((i, view))


def _touching(table: Table, view: View) -> set[int]:
    return {i for i, other in table.get(view.buffer, ()) if view.overlaps(other)}
