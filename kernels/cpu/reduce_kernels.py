"""The loops of reductions: along rows (what is reduced is contiguous) and down columns (what is kept is).

The names in capitals and `combine` stand for what `cpu.reduce` puts in their place for an operation and a dtype.
Every kernel does whole tasks, and a task is the same work whoever does it: results do not depend on the threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import native
from ..intrinsics import address_of, llvm_function, load, pointer, stack, store

PART = 2048  # so many elements are summed in vector lanes before the sum goes into a compensated total
FOLD = 256  # short rows are read as one long row of up to so many elements, which fills the vectors

T: Any = np.float32  # of what is read
A: Any = np.float32  # of what is written
SIZE = 0  # bytes of T
IDENTITY: Any = 0  # what changes nothing
TRUTH = False  # whether elements count as true or false only
COMPENSATE = False  # whether rounding errors are worth being kept
ORDERED = False  # whether the order of the elements must be kept
combine: Any = None

largest = llvm_function("maximum", 2)  # of which LLVM knows the vector form, and in which NaN wins
smallest = llvm_function("minimum", 2)


@native.helper(flags=native.FASTMATH | {"reassoc"})
def add(a, b):
    """a + b in whatever order is quick."""
    return a + b


@native.helper
def multiply(a, b):
    """a * b in the order of the elements, so that it overflows where NumPy's does."""
    return a * b


@native.helper
def larger(a, b):
    """The larger of two integers."""
    return a if a > b else b


@native.helper
def smaller(a, b):
    """The smaller of two integers."""
    return a if a < b else b


@native.helper
def either(a, b):
    """Whether one of two is true."""
    return a | b


@native.helper
def both(a, b):
    """Whether both are true."""
    return a & b


@native.helper
def lift(x):
    """An element as the accumulator takes it."""
    return A(x != 0) if TRUTH else A(x)


@native.helper
def run(address, count, stride):
    """Combine `count` elements that lie `stride` bytes apart."""
    total = A(IDENTITY)
    if stride == SIZE:
        elements = pointer(address, T)
        for i in range(count):
            total = combine(total, lift(elements[i]))
    else:
        for i in range(count):
            total = combine(total, lift(pointer(address + i * stride, T)[0]))
    return total


@native.helper
def row(address, count, stride):
    """`run` with an error that does not grow with the count (Knuth's two-sum keeps what each addition loses)."""
    if not COMPENSATE or count <= PART:
        return run(address, count, stride)
    total, lost = A(0), A(0)
    for start in range(0, count, PART):
        part = run(address + start * stride, min(PART, count - start), stride)
        larger_total = total + part
        moved = larger_total - total
        lost += (total - (larger_total - moved)) + (part - moved)
        total = larger_total
    return total + lost if lost == lost else total  # what an infinite total lost is NaN


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


@native.helper
def shifted(integers, count):
    """A pointer to the integers after the first `count`."""
    return pointer(address_of(integers) + 8 * count, np.int64)


def rows_kernel(operands, meta, lo, hi):
    """Each task combines one row, or a block of one.

    meta: elements of a row, their stride, elements of a block, elements between blocks (0 where a row is one block),
    rank, then (size, input stride, output stride) of every axis of tasks. Blocks are numbered along the last of them.
    """
    n, stride, block, step, outer = meta[0], meta[1], meta[2], meta[3], meta[4] - 1
    last = shifted(meta, 5 + 3 * outer)
    size = last[0]
    task = lo
    while task < hi:
        first = task % size
        source, target = place_of(shifted(meta, 5), outer, task // size)
        stop = min(size, first + hi - task)
        for i in range(first, stop):
            count = min(block, n - i * step)
            result = row(operands[1] + source + i * last[1], count, stride)
            pointer(operands[0] + target + i * last[2], A)[0] = result
        task += stop - first


@native.helper
def eight(total, x, j, stride):
    """A total combined with an element from each of eight rows."""
    a, b = lift(load(pointer(x, T), j, 1)), lift(load(pointer(x + stride, T), j, 1))
    c, d = lift(load(pointer(x + 2 * stride, T), j, 1)), lift(load(pointer(x + 3 * stride, T), j, 1))
    e, f = lift(load(pointer(x + 4 * stride, T), j, 1)), lift(load(pointer(x + 5 * stride, T), j, 1))
    g, h = lift(load(pointer(x + 6 * stride, T), j, 1)), lift(load(pointer(x + 7 * stride, T), j, 1))
    if ORDERED:
        pair = combine(combine(combine(combine(total, a), b), c), d)
        return combine(combine(combine(combine(pair, e), f), g), h)
    first, second = combine(combine(a, b), combine(c, d)), combine(combine(e, f), combine(g, h))
    return combine(total, combine(first, second))


@native.helper
def columns(totals, address, rows, stride, width):
    """Combine into `totals` the rows below each other. Both are contiguous."""
    whole = rows // 8 * 8
    for r in range(0, whole, 8):
        for j in range(width):
            store(totals, j, eight(load(totals, j, 0), address + r * stride, j, stride), 0)
    for r in range(whole, rows):
        elements = pointer(address + r * stride, T)
        for j in range(width):
            store(totals, j, combine(load(totals, j, 0), lift(load(elements, j, 1))), 0)


@native.helper
def spread_columns(totals, address, rows, stride, width, step):
    """The same where neighbours in a row lie `step` bytes apart."""
    for r in range(rows):
        for j in range(width):
            totals[j] = combine(totals[j], lift(pointer(address + r * stride + j * step, T)[0]))


@native.helper
def fill(totals, count):
    """Totals of nothing."""
    for j in range(count):
        totals[j] = A(IDENTITY)


@native.helper
def folded_columns(totals, address, rows, stride, width, fold):
    """`columns` of rows that follow each other without a gap: `fold` of them are read as one row."""
    wide = pointer(address_of(stack(256)), A)
    fill(wide, fold * width)
    whole = rows // fold
    columns(wide, address, whole, fold * stride, fold * width)
    columns(wide, address + whole * fold * stride, rows - whole * fold, stride, width)
    while fold > 1:
        half = (fold + 1) // 2
        for j in range((fold - half) * width):
            wide[j] = combine(wide[j], wide[half * width + j])
        fold = half
    for j in range(width):
        totals[j] = wide[j]


def columns_kernel(operands, meta, lo, hi):
    """Each task combines a block of rows into one, in a strip of columns.

    meta: rows, their stride, rows of a block, columns, their stride, columns of a strip, rows read as one, rank, then
    (size, input stride, output stride) of every axis of tasks. The last two of them are those of blocks and strips.
    """
    rows, stride, block, width, step, strip, fold, rank = (
        meta[0], meta[1], meta[2], meta[3], meta[4], meta[5], meta[6], meta[7],
    )  # fmt: skip
    blocks, strips = meta[8 + 3 * (rank - 2)], meta[8 + 3 * (rank - 1)]
    for task in range(lo, hi):
        source, target = place_of(shifted(meta, 8), rank, task)
        address, totals = operands[1] + source, pointer(operands[0] + target, A)
        height = min(block, rows - task // strips % blocks * block)
        across = min(strip, width - task % strips * strip)
        if fold > 1:
            folded_columns(totals, address, height, stride, across, fold)
            continue
        fill(totals, across)
        if step == SIZE:
            columns(totals, address, height, stride, across)
        else:
            spread_columns(totals, address, height, stride, across, step)
