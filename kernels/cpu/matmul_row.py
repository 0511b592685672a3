"""A vector times a large matrix whose rows are contiguous, written as LLVM vector code.

Every element of the matrix is used once, so only the speed of memory counts: some rows at a time are read side by side,
each along itself, while the piece of the result that they are added to stays in the nearest cache.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ..intrinsics import SECOND_LEVEL
from ..native import Intrinsic
from .matmul_emit import Emit, caller, definer

FAR = 1  # added to the shape for most rows: they come from memory and are asked for in time
AHEAD_BYTES = 1024


@Intrinsic
def add_rows(context: Any, T: Any, x: Any, step: Any, b: Any, ldb: Any, y: Any, n: Any, shape: Any) -> Any:
    """y[n] += x[rows] B[rows, n], for shape = rows * 16 with 1, 2, 4 or 8 rows, or 8 * 16 + FAR.

    x, b, y: addresses; step, ldb: strides in elements of x and of rows of B; the others are 1.
    """
    return caller("rows", 7)(context, T)


@Intrinsic
def define_add_rows(context: Any, T: Any) -> Any:
    """The body of `add_rows`, once a kernel."""
    return definer("rows", 7, _add_rows)(context, T)


def _add_rows(e: Emit, arguments: Any) -> None:
    step, ldb, n, shape = (arguments[i] for i in (1, 3, 5, 6))
    x, b, y = e.pointers(*arguments[:5:2])
    whole = e.b.and_(n, e.i64(-e.lanes))
    for (rows, far), done in e.cases(shape, [(1, 0), (2, 0), (4, 0), (8, 0), (8, FAR)]):
        factors = [e.splat(e.b.load(e.at(x, e.b.mul(step, e.i64(i))))) for i in range(rows)]
        sources = [e.at(b, e.b.mul(ldb, e.i64(i))) for i in range(rows)]
        add = partial(_add, e, list(zip(factors, sources, strict=True)), y, far)
        add(_along(e, whole, add), e.first_lanes(e.b.sub(n, whole)))
        e.b.branch(done)


def _along(e: Emit, whole: Any, body: Any) -> Any:
    """A loop over whole vectors; where it ended."""
    before, (head, inside, after) = e.b.block, (e.b.append_basic_block(name) for name in ("head", "inside", "after"))
    e.b.branch(head)
    e.b.position_at_end(head)
    at = e.b.phi(e.i64)
    e.b.cbranch(e.b.icmp_signed("<", at, whole), inside, after)
    e.b.position_at_end(inside)
    body(at)
    at.add_incoming(e.i64(0), before)
    at.add_incoming(e.b.add(at, e.i64(e.lanes)), inside)
    e.stay_rolled(e.b.branch(head))
    e.b.position_at_end(after)
    return at


def _add(e: Emit, pairs: Any, y: Any, far: int, at: Any, mask: Any = None) -> None:
    """One vector of y. The products are added up first: that does not wait for y."""
    total = e.ir.Constant(e.vector, None)
    for factor, source in pairs:
        if far:
            e.prefetch(e.at(source, at, AHEAD_BYTES // e.align), SECOND_LEVEL)
        total = e.fma(factor, e.load(e.at(source, at), mask), total)
    place = e.at(y, at)
    e.store(e.b.fadd(e.load(place, mask), total), place, mask)
