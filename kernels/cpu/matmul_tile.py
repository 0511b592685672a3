"""The innermost piece of the matrix product, written as LLVM vector code.

LLVM does not find a register tile by itself: given scalar accumulators it shuffles and spills. Given vector values that
live across the loop it keeps them in registers, so that is what these intrinsics emit. Every operand has run-time
strides; the last vector of a row is masked, so no size needs padding or a remainder loop.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..native import Intrinsic
from .matmul_emit import Emit, caller, definer, vector_bytes

ROWS = (1, 2, 3, 4, 6, 8, 12)  # heights of tiles; other heights are put together from these
WIDE = {1: 8, 2: 4}  # vectors side by side for low tiles, so that enough sums are under way; 2 for the others
HALF_VECTOR = 0  # as a number of vectors: half the work for a few columns that are left
ROWS_16_REGISTERS = (1, 2, 3, 4, 6)
COPY = 16 * 16  # added to the shape of the tallest tiles: they copy B into a panel on the way


def tile_rows() -> tuple[int, ...]:
    """The heights of tiles that fit into the host's registers."""
    return ROWS if vector_bytes() == 64 else ROWS_16_REGISTERS


def _tiles() -> list[tuple[int, int]]:
    some = (HALF_VECTOR, 1, 2)
    plain = [(rows, n) for rows in tile_rows() for n in sorted({*some, WIDE.get(rows, 2)})]
    return plain + [(tile_rows()[-1] + COPY // 16, n) for n in some]


class Operands(NamedTuple):
    """What `tile` is given."""

    a: Any
    rsa: Any
    csa: Any
    b: Any
    ldb: Any
    c: Any
    ldc: Any
    k: Any
    shape: Any
    lanes: Any
    add: Any
    panel: Any
    ahead: Any


@Intrinsic
def tile(context: Any, T: Any, a: Any, rsa: Any, csa: Any, b: Any, ldb: Any, c: Any, ldc: Any, k: Any, shape: Any,
         lanes: Any, add: Any, panel: Any, ahead: Any) -> Any:  # fmt: skip
    """C[rows, vectors] (+)= A[rows, k] B[k, vectors], for shape = rows * 16 + vectors and k > 0.

    a, b, c: addresses; rsa, csa, ldb, ldc: strides in elements; lanes: of the last vector; add: whether to add to C.
    With COPY in the shape, B also goes to `panel`, of two vectors a row, and is asked for `ahead` elements before.
    """
    return caller("tile", 13)(context, T)


@Intrinsic
def define_tile(context: Any, T: Any) -> Any:
    """The body of `tile`, once a kernel."""
    return definer("tile", 13, _tile)(context, T)


def _tile(e: Emit, arguments: Any) -> None:
    given = Operands(*arguments)
    a, b, c, panel = e.pointers(given.a, given.b, given.c, given.panel)
    given = given._replace(a=a, b=b, c=c, panel=panel, add=e.b.icmp_signed("!=", given.add, e.i64(0)))
    half = Emit(e.b, e.scalar, e.lanes // 2)
    for (rows, vectors), done in e.cases(given.shape, _tiles()):
        own = half if vectors == HALF_VECTOR else e
        masks = [None] * (vectors - 1) + [own.first_lanes(given.lanes)]
        pitch = 2 * e.lanes if rows > COPY // 16 else 0
        _store_tile(own, _multiply(own, rows % (COPY // 16), masks, given, pitch), masks, given, done)


def _multiply(e: Emit, rows: int, masks: list[Any], given: Operands, pitch: int) -> list[list[Any]]:
    """The loop over k: the sums of a tile in registers. pitch: of the panel, if B is to be copied to one."""
    builder = e.b
    starts = [e.at(given.a, builder.mul(given.rsa, e.i64(i))) for i in range(rows)]
    before, loop, after = builder.block, builder.append_basic_block("k"), builder.append_basic_block("store")
    builder.branch(loop)
    builder.position_at_end(loop)
    zero, none = e.ir.Constant(e.vector, None), e.i64(0)
    first = [none, none, given.b, given.panel, *[zero] * rows * len(masks)]
    phis = step, along, row, panel, *sums = [builder.phi(value.type) for value in first]
    columns = [e.load(e.at(row, v * e.lanes), mask) for v, mask in enumerate(masks)]
    if pitch:
        _copy_row(e, columns, e.at(row, given.ahead), panel)
    factors = [e.splat(builder.load(e.at(start, along))) for start in starts]
    pairs = [(factor, column) for factor in factors for column in columns]
    new = [e.fma(*pair, old) for pair, old in zip(pairs, sums, strict=True)]
    later = [builder.add(step, e.i64(1)), builder.add(along, given.csa), e.at(row, given.ldb), e.at(panel, pitch), *new]
    for phi, start, value in zip(phis, first, later, strict=True):
        phi.add_incoming(start, before)
        phi.add_incoming(value, loop)
    e.stay_rolled(builder.cbranch(builder.icmp_signed("<", later[0], given.k), loop, after))
    builder.position_at_end(after)
    return [new[i : i + len(masks)] for i in range(0, len(new), len(masks))]


def _copy_row(e: Emit, columns: list[Any], ahead: Any, panel: Any) -> None:
    for v, column in enumerate(columns):
        e.prefetch(e.at(ahead, v * e.lanes))
        e.store(column, e.at(panel, v * e.lanes))


def _store_tile(e: Emit, sums: list[list[Any]], masks: list[Any], given: Operands, done: Any) -> None:
    """The sums go to C or are added to it."""
    builder = e.b
    adds, puts = builder.append_basic_block("add"), builder.append_basic_block("put")
    places = [[e.at(given.c, e.b.mul(given.ldc, e.i64(i)), v * e.lanes) for v in range(len(masks))]
              for i in range(len(sums))]  # fmt: skip
    builder.cbranch(given.add, adds, puts)
    for block, adding in ((adds, True), (puts, False)):
        builder.position_at_end(block)
        for row, spots in zip(sums, places, strict=True):
            for value, place, mask in zip(row, spots, masks, strict=True):
                e.store(builder.fadd(value, e.load(place, mask)) if adding else value, place, mask)
        builder.branch(done)
