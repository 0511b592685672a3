"""Products of few rows by few columns at a time where both operands lie along the depth, written as LLVM vector code.

Vectors run along the depth, so nothing is rearranged first; what a tile of the other kind cannot do for a transposed
B. Each element has one vector of partial sums, added up in one fixed order: a tile's size does not change its bits.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ..native import Intrinsic
from .matmul_tile import Emit, caller, definer, vector_bytes


@cache
def dot_rows() -> int:
    """Rows of a tile: their sums by four columns fit into the host's registers."""
    return 4 if vector_bytes() == 64 else 2


def _tiles() -> list[tuple[int, int]]:
    return [(rows, columns) for rows in (1, dot_rows()) for columns in (1, 2, 4)] + [(1, 8)]


@Intrinsic
def dot_tile(context: Any, T: Any, a: Any, rsa: Any, b: Any, csb: Any, c: Any, ldc: Any, k: Any, shape: Any,
             add: Any) -> Any:  # fmt: skip
    """C[rows, columns] (+)= A[rows, k] B[k, columns], for shape = rows * 16 + columns, one of `_tiles`.

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
    pointers = [builder.inttoptr(p, e.scalar.as_pointer()) for p in (a, b, c)]
    adding, whole = builder.icmp_signed("!=", add, e.i64(0)), builder.and_(k, e.i64(-e.lanes))
    zero = builder.alloca(e.scalar)
    builder.store(e.ir.Constant(e.scalar, 0), zero)
    for (rows, columns), done in e.cases(shape, _tiles()):
        _one_dot(e, rows, columns, pointers, (rsa, csb, ldc), (whole, k), (adding, zero))
        builder.branch(done)


def _one_dot(e: Emit, rows: int, columns: int, pointers: Any, strides: Any, depth: Any, addend: Any) -> None:
    (a, b, c), (rsa, csb, ldc), (whole, k), (adding, zero), builder = pointers, strides, depth, addend, e.b
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
    new = _add_products(e, lefts, rights, sums, step)
    for phi, value in zip([step, *sums], [builder.add(step, e.i64(e.lanes)), *new], strict=True):
        phi.add_incoming(e.ir.Constant(phi.type, None), before)
        phi.add_incoming(value, body)
    e.stay_rolled(builder.branch(head))

    builder.position_at_end(tail)
    last = _add_products(e, lefts, rights, sums, step, e.first_lanes(builder.sub(k, whole)))
    totals = [_total(e, value) for value in last]
    places = [e.at(c, builder.mul(ldc, e.i64(n // columns)), n % columns) for n in range(rows * columns)]
    for total, place in zip(totals, places, strict=True):
        before = builder.load(builder.select(adding, place, zero))
        builder.store(builder.fadd(total, before), place)


def _add_products(e: Emit, lefts: Any, rights: Any, sums: Any, step: Any, mask: Any = None) -> list[Any]:
    """The sums with the products of one vector of each row and column."""
    xs, ys = ([e.load(e.at(side, step), mask) for side in sides] for sides in (lefts, rights))
    pairs = [(x, y) for x in xs for y in ys]
    return [e.intrinsic(f"llvm.fma.{e.suffix}", e.vector, x, y, s) for (x, y), s in zip(pairs, sums, strict=True)]


def _total(e: Emit, value: Any) -> Any:
    """The sum of a vector's lanes, half by half."""
    lanes = e.lanes
    while lanes > 1:
        lanes //= 2
        masks = (e.ir.Constant(e.ir.VectorType(e.i32, lanes), [e.i32(i + s) for i in range(lanes)]) for s in (0, lanes))
        low, high = (e.b.shuffle_vector(value, value, mask) for mask in masks)
        value = e.b.fadd(low, high)
    return e.b.extract_element(value, e.i32(0))
