"""The loops of reductions: along rows (what is reduced is contiguous) and down columns (what is kept is).

The names in capitals, `combine` and `combine_eight` stand for what `reduce_plan` puts in their place for an operation
and a dtype.

Every kernel does whole tasks, and a task is the same work whoever does it: results do not depend on the threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import native
from ..intrinsics import address_of, load, pointer, stack, store

PART = 4096  # bytes of elements summed in vector lanes before the sum goes into a compensated total
PIECE = 256  # of a row in which an extreme is searched
FOLD = 256  # short rows are read as one long row of up to so many elements, which fills the vectors

T: Any = np.float32  # of what is read
A: Any = np.float32  # of what is written
SIZE = 0  # bytes of T
IDENTITY: Any = 0  # what changes nothing
COMPENSATE = False  # whether rounding errors are worth being kept
ORDERED = False  # whether the order of the elements must be kept
combine: Any = None  # what the operation does with a total and an element
combine_eight: Any = None  # the same with an element of each of eight rows


@native.helper
def gathered(total, lost, part):
    """A total and what all its roundings have lost, with a part added: Knuth's two-sum."""
    after = total + part
    moved = after - total
    return after, lost + ((total - (after - moved)) + (part - moved))


@native.helper
def rounded(total, lost):
    """The sum of the two; what an infinite total lost is NaN."""
    return total + lost if lost == lost else total


@native.helper
def row(address, count):
    """Combine contiguous elements; a long sum keeps what its roundings lose."""
    total, lost = A(IDENTITY), A(0)
    size = PART // SIZE if COMPENSATE else count
    for start in range(0, count, size):
        elements, part = pointer(address + start * SIZE, T), A(IDENTITY)
        for i in range(min(size, count - start)):
            part = combine(part, elements[i])
        if COMPENSATE:
            total, lost = gathered(total, lost, part)
        else:
            total = combine(total, part)
    return rounded(total, lost) if COMPENSATE else total


@native.helper
def place_of(axes, rank, index):
    """The offsets in bytes of input and output at a position of the axes (size, input stride, output stride)."""
    source, target = 0, 0
    for d in range(rank):
        axis = 3 * (rank - 1 - d)
        place = index % axes[axis]
        index = index // axes[axis]
        source += place * axes[axis + 1]
        target += place * axes[axis + 2]
    return source, target


def places_kernel(operands, meta, lo, hi):
    """Each task finds the first place of the extreme of a contiguous row, or of NaN. meta: elements of a row."""
    n, places = meta[0], pointer(operands[0], np.int64)
    for i in range(lo, hi):
        address = operands[1] + i * n * SIZE
        best, place, start = A(IDENTITY), 0, 0
        while start < n and best == best:  # which piece has it
            extreme = combine(best, row(address + start * SIZE, min(PIECE, n - start)))
            if extreme != best:
                best, place = extreme, start
            start += PIECE
        elements = pointer(address, T)
        while place < n - 1 and elements[place] != best and elements[place] == elements[place]:
            place += 1
        places[i] = place


def rows_kernel(operands, meta, lo, hi):
    """Each task combines one row, or a block of one.

    meta: elements of a row, elements of a block, elements between blocks (0 where a row is one block), rank, then
    (size, input stride, output stride) of every axis of tasks. Blocks are numbered along the last of them.
    """
    n, block, step, outer = meta[0], meta[1], meta[2], meta[3] - 1
    axes = pointer(address_of(meta) + 8 * 4, np.int64)
    size, along, target_along = axes[3 * outer], axes[3 * outer + 1], axes[3 * outer + 2]
    task = lo
    while task < hi:
        first = task % size
        source, target = place_of(axes, outer, task // size)
        stop = min(size, first + hi - task)
        for i in range(first, stop):
            result = row(operands[1] + source + i * along, min(block, n - i * step))
            pointer(operands[0] + target + i * target_along, A)[0] = result
        task += stop - first


@native.helper(inline=False)
def columns(totals, address, rows, stride, width):
    """Combine into `totals` the rows below each other."""
    whole = 0 if ORDERED else rows // 8 * 8
    for r in range(0, whole, 8):
        for j in range(width):
            store(totals, j, combine_eight(load(totals, j, 0), T, address + r * stride, stride, j), 0)
    for r in range(whole, rows):
        elements = pointer(address + r * stride, T)
        for j in range(width):
            store(totals, j, combine(load(totals, j, 0), load(elements, j, 1)), 0)


def columns_kernel(operands, meta, lo, hi):
    """Each task combines a block of rows into one, in a strip of columns.

    meta: rows, their stride, rows of a block, columns, columns of a strip, rows without gaps that are read as one,
    rank, then (size, input stride, output stride) of every axis of tasks, of which the last two are blocks and strips.
    """
    rows, stride, block, width, strip, fold, rank = meta[0], meta[1], meta[2], meta[3], meta[4], meta[5], meta[6]
    axes, wide = pointer(address_of(meta) + 8 * 7, np.int64), pointer(address_of(stack(256)), A)
    blocks, strips = axes[3 * rank - 6], axes[3 * rank - 3]
    for task in range(lo, hi):
        source, target = place_of(axes, rank, task)
        address, result = operands[1] + source, pointer(operands[0] + target, A)
        height = min(block, rows - task // strips % blocks * block)
        across = min(strip, width - task % strips * strip)
        totals, whole = wide if fold > 1 else result, height // fold
        for j in range(fold * across):
            totals[j] = A(IDENTITY)
        columns(totals, address, whole, fold * stride, fold * across)
        if fold > 1:
            columns(totals, address + whole * fold * stride, height - whole * fold, stride, across)
            left = fold
            while left > 1:  # the second half onto the first
                half = (left + 1) // 2
                for j in range((left - half) * across):
                    totals[j] = combine(totals[j], totals[half * across + j])
                left = half
            for j in range(across):
                result[j] = totals[j]
