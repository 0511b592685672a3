"""Products of few rows by few columns at a time where both operands lie along the depth, written as LLVM vector code.

Vectors run along the depth, so nothing is rearranged first; what a tile of the other kind cannot do for a transposed
B. Each element has one vector of partial sums, added up in one fixed order: a tile's size does not change its bits.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ..intrinsics import SECOND_LEVEL
from ..native import Intrinsic
from .matmul_emit import Emit, caller, definer, vector_bytes

FAR = 16 * 16  # added to the shape of the widest tile: its columns come from memory and are asked for in time
AHEAD_BYTES = 1024


@cache
def dot_rows() -> int:
    """Rows of a tile: their sums by four columns fit into the host's registers."""
    return 4 if vector_bytes() == 64 else 2


def _tiles() -> list[tuple[int, int]]:
    return [(rows, columns) for rows in (1, dot_rows()) for columns in (1, 2, 4)] + [(1, 8), (1 + FAR // 16, 8)]


@Intrinsic
def dot_tile(context: Any, T: Any, a: Any, rsa: Any, b: Any, csb: Any, c: Any, ldc: Any, k: Any, shape: Any,
             add: Any) -> Any:  # fmt: skip
    """C[rows, columns] (+)= A[rows, k] B[k, columns], for shape = rows * 16 + columns, one of `_tiles`,
    perhaps with FAR.

    a, b, c: addresses; rsa, csb, ldc: strides in elements of rows of A, columns of B, rows of C; the others are 1.
    """
    return caller("dot", 9)(context, T)


@Intrinsic
def define_dot_tile(context: Any, T: Any) -> Any:
    """The body of `dot_tile`, once a kernel."""
    return definer("dot", 9, _dot)(context, T)


def _dot(e: Emit, arguments: Any) -> None:
    a, rsa, b, csb, c, ldc, k, shape, add = arguments
    builder = e.b
    pointers = e.pointers(a, b, c)
    adding, whole = builder.icmp_signed("!=", add, e.i64(0)), builder.and_(k, e.i64(-e.lanes))
    zeros = builder.alloca(e.vector)
    builder.store(e.ir.Constant(e.vector, None), zeros)
    zero = builder.bitcast(zeros, pointers[2].type)
    for (rows, columns), done in e.cases(shape, _tiles()):
        _one_dot(e, rows, columns, pointers, (rsa, csb, ldc), (whole, k), (adding, zero))
        builder.branch(done)


def _one_dot(e: Emit, rows: int, columns: int, pointers: Any, strides: Any, depth: Any, addend: Any) -> None:
    (a, b, c), (rsa, csb, ldc), (whole, k), builder = pointers, strides, depth, e.b
    far, rows = rows > FAR // 16, rows % (FAR // 16)
    lefts = [e.at(a, builder.mul(rsa, e.i64(i))) for i in range(rows)]
    rights = [e.at(b, builder.mul(csb, e.i64(j))) for j in range(columns)]
    before, function = builder.block, builder.function
    head, body, tail = (function.append_basic_block(name) for name in ("head", "body", "tail"))
    builder.branch(head)

    builder.position_at_end(head)
    step = builder.phi(e.i64)
    sums = [builder.phi(e.vector) for _ in range(rows * columns)]
    builder.cbranch(builder.icmp_signed("<", step, whole), body, tail)

    builder.position_at_end(body)
    for right in rights if far else []:
        e.prefetch(e.at(right, step, AHEAD_BYTES // e.align), SECOND_LEVEL)
    new = _add_products(e, lefts, rights, sums, step)
    for phi, value in zip([step, *sums], [builder.add(step, e.i64(e.lanes)), *new], strict=True):
        phi.add_incoming(e.ir.Constant(phi.type, None), before)
        phi.add_incoming(value, body)
    e.stay_rolled(builder.branch(head))

    builder.position_at_end(tail)
    last = _add_products(e, lefts, rights, sums, step, e.first_lanes(builder.sub(k, whole)))
    _put(e, _totals(e, last), columns, rows * columns, c, ldc, addend)


def _add_products(e: Emit, lefts: Any, rights: Any, sums: Any, step: Any, mask: Any = None) -> list[Any]:
    """The sums with the products of one vector of each row and column."""
    xs, ys = ([e.load(e.at(side, step), mask) for side in sides] for sides in (lefts, rights))
    pairs = [(x, y) for x in xs for y in ys]
    return [e.fma(x, y, s) for (x, y), s in zip(pairs, sums, strict=True)]


def _fold(e: Emit, x: Any, y: Any, width: int) -> Any:
    """Each run of 2 * width lanes of x, then of y, becomes the sums of its halves."""
    low = [start + i for start in range(0, 2 * e.lanes, 2 * width) for i in range(width)]
    return e.b.fadd(e.shuffle(x, low, y), e.shuffle(x, [i + width for i in low], y))


def _totals(e: Emit, vectors: list[Any]) -> list[Any]:
    """The sum of each vector's lanes, half by half, side by side: two vectors share one as they become shorter."""
    width = e.lanes
    while width > 1:
        width //= 2
        pairs = zip(vectors[::2], vectors[1::2] or vectors, strict=True)
        vectors = [_fold(e, x, y, width) for x, y in pairs]
    return vectors


def _put(e: Emit, totals: list[Any], columns: int, count: int, c: Any, ldc: Any, addend: Any) -> None:
    """Store the sums, row by row, or add them to what is there."""
    adding, zero = addend
    part = Emit(e.b, e.scalar, min(columns, e.lanes))
    for n in range(0, count, part.lanes):
        place = e.at(c, e.b.mul(ldc, e.i64(n // columns)), n % columns)
        sums = part.shuffle(totals[n // e.lanes], [n % e.lanes + i for i in range(part.lanes)])
        part.store(e.b.fadd(sums, part.load(e.b.select(adding, place, zero))), place)
