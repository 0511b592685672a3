"""Pieces of matrices copied, turned round or asked for, written as LLVM vector code."""

from __future__ import annotations

from typing import Any

from ..intrinsics import SECOND_LEVEL
from ..native import Intrinsic
from .matmul_emit import Emit, caller, definer, inlined

AHEAD_BYTES = 512  # along each row of a square that is turned round


@Intrinsic
def copy_vectors(context: Any, T: Any, source: Any, target: Any, ahead: Any) -> Any:
    """Copy two vectors, and ask for what lies `ahead` elements further in the source."""
    return inlined(3, _copy_vectors)(context, T)


def _copy_vectors(e: Emit, arguments: Any) -> None:
    source, target = e.pointers(*arguments[:2])
    places = [e.at(source, v * e.lanes) for v in range(2)]
    for place in places:
        e.prefetch(e.at(place, arguments[2]), SECOND_LEVEL)
    for v, value in enumerate([e.load(place) for place in places]):
        e.store(value, e.at(target, v * e.lanes))


@Intrinsic
def copy_lanes(context: Any, T: Any, source: Any, target: Any, count: Any, ahead: Any) -> Any:
    """Copy a part of a vector, with zeros behind it, and ask for what lies `ahead` elements further in the source."""
    return inlined(4, _copy_lanes)(context, T)


def _copy_lanes(e: Emit, arguments: Any) -> None:
    source, target = e.pointers(*arguments[:2])
    e.prefetch(e.at(source, arguments[3]))
    e.store(e.load(source, e.first_lanes(arguments[2])), target)


@Intrinsic
def transpose_square(context: Any, T: Any, source: Any, lds: Any, target: Any, ldt: Any) -> Any:
    """target[j, i] = source[i, j] for one square as wide as a vector."""
    return caller("transpose", 4)(context, T)


@Intrinsic
def define_transpose(context: Any, T: Any) -> Any:
    """The body of `transpose_square`, once a kernel."""
    return definer("transpose", 4, _transpose)(context, T)


def _transpose(e: Emit, arguments: Any) -> None:
    """Pieces of 16 bytes are put together such that only they have to be turned: loads place them, not shuffles."""
    (source, target), lds, ldt = e.pointers(*arguments[::2]), arguments[1], arguments[3]
    places = [e.at(source, e.b.mul(lds, e.i64(i))) for i in range(e.lanes)]
    for place in places:
        e.prefetch(e.at(place, AHEAD_BYTES // e.align), SECOND_LEVEL)
    piece = Emit(e.b, e.scalar, 16 // e.align)
    for column in range(0, e.lanes, piece.lanes):
        parts = [[piece.load(e.at(place, column)) for place in places[i :: piece.lanes]] for i in range(piece.lanes)]
        for i, row in enumerate(_butterflies(e, [e.joined(rows) for rows in parts])):
            e.store(row, e.at(target, e.b.mul(ldt, e.i64(column + i))))


def _butterflies(e: Emit, rows: list[Any]) -> list[Any]:
    """Exchange ever larger blocks across the diagonals of the squares that lie side by side in the rows."""
    distance, lanes = 1, range(e.lanes)
    while distance < len(rows):
        for i in (i for i in range(len(rows)) if not i & distance):
            first, second = rows[i], rows[i + distance]
            low = [j if not j & distance else e.lanes + j - distance for j in lanes]
            high = [j + distance if not j & distance else e.lanes + j for j in lanes]
            rows[i], rows[i + distance] = e.shuffle(first, low, second), e.shuffle(first, high, second)
        distance *= 2
    return rows
