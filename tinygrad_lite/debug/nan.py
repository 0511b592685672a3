"""Where the first NaN or infinity comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..compiler.graph import Node, View, views
from .lookup import Call
from .names import Names
from .private import Private
from .report import code_at
from .text import operation


class Found(NamedTuple):
    """The first operation whose result holds NaN or infinity; `operation` is None where it was there before.

    name: of the result, argument or parameter. line: of the code that asked for it. nans, infinities: how many.
    inputs: for each operand its name, least and greatest value.
    """

    name: str
    operation: str | None
    line: str | None
    nans: int
    infinities: int
    inputs: list[tuple[str, float, float]]

    def __str__(self) -> str:
        counts = [f"{n} {what}" for n, what in ((self.nans, "NaN"), (self.infinities, "infinite")) if n]
        if self.operation is None:
            return f"{self.name} holds them before the call: {' and '.join(counts)}"
        place = f" ({self.line})" if self.line else ""
        ranges = [f"\n  {name} from {low:.6g} to {high:.6g}" for name, low, high in self.inputs]
        return f"{self.name} = {self.operation}{place}: {' and '.join(counts)}, from{''.join(ranges) or ' nothing'}"


def find_nan(jitted: Any, *args: Any, infinity: bool = True, **options: Any) -> Found | None:
    """Run a call operation by operation, unfused, and say which result is the first with NaN or infinity in it.

    None where all results are finite. infinity=False looks for NaN only: masks often hold infinities on purpose.
    Nothing is changed: the operations work on copies of parameters and states.

    >>> import tinygrad_lite as tg
    >>> step = tg.jit(lambda x: (tg.log(x - 1) * 2).sum())
    >>> found = tg.debug.find_nan(step, tg.tensor([3.0, 0.5]))
    >>> found.operation, found.nans, found.inputs
    ('log(%0)', 1, [('%0', -0.5, 2.0)])
    """
    call = Call("find_nan", jitted, args, options)
    compiled = call.compiled()
    names, private = Names(compiled), Private(call, compiled, "simplified")
    with np.errstate(all="ignore"):
        return next(_search(private, names, infinity), None)


def _search(private: Private, names: Names, infinity: bool) -> Iterator[Found]:
    made = {v.buffer for node in private.nodes for v in node.writes if v.buffer.kind == "inside"}
    for view in dict.fromkeys(v for v in views(private.nodes) if v.buffer.kind in ("input", "outside")):
        if view.buffer not in made and _is_read_first(view, private.nodes):
            yield from _checked(private, view, None, names, infinity)
    for node in _running(private):
        for view in node.writes:
            yield from _checked(private, view, node, names, infinity)


def _is_read_first(view: View, nodes: Sequence[Node]) -> bool:
    """Whether what was there before the call is used."""
    first = next(n for n in nodes if any(view.overlaps(v) for v in (*n.reads, *n.writes)))
    return any(view.overlaps(v) for v in first.reads)


def _running(private: Private) -> Iterator[Node]:
    """Each node, when it has run."""
    for node, numbers in private.steps():
        for item in private.plan.table.items(numbers.start, numbers.stop):
            item(private.outside)
        yield node


def _checked(private: Private, view: View, node: Node | None, names: Names, infinity: bool) -> Iterator[Found]:
    if view.dtype.kind != "f":
        return
    values = private.array(view)
    nans, infinities = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    if nans or (infinity and infinities):
        what = operation(node, names) if node else None
        line = code_at(node.origin) if node and node.origin else None
        name = names.view(view) if node else names.buffer(view.buffer)
        yield Found(name, what, line, nans, infinities, list(_ranges(private, view, node, names)))


def _ranges(private: Private, result: View, node: Node | None, names: Names) -> Iterator[tuple[str, float, float]]:
    """Of the operands that the node has not written over."""
    for view in dict.fromkeys(node.reads if node else []):
        if view.buffer.kind != "made" and 0 not in view.shape and not any(view.overlaps(v) for v in node.writes):  # type: ignore[union-attr]
            values = private.array(view)
            yield names.view(view), float(np.min(values)), float(np.max(values))
