"""Several kernels over the same rows, block by block, so that what one leaves the next finds in cache.

Softmax, normalisation, a loss and their gradients are a few passes over each row; done for a few rows at a time, all
but the first pass find them in cache, and what only the passes see needs no memory but scratch.

Memory would be idle while a kernel computes, and the other way round. So each pass first asks for a share of what the
next block reads or writes outside.

operands: arrays. meta: number of kernels, rows, rows of a block, bytes of scratch; how many arrays are asked for ahead,
and for each its number and the bytes of a row; then for each kernel its address, the address of its meta, how much of
its range a row has, how many operands it has, and for each of these either its number and 0, or -1 - its place in
scratch and the bytes of a row. The range counts blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .. import native, threads
from ..intrinsics import SECOND_LEVEL, call_kernel, free, malloc, pointer, prefetch, stack

GRAIN_BYTES = 1 << 21  # of all that a thread touches
LINE = 64  # bytes of cache


class Scratch(NamedTuple):
    """An operand that lives only within a block: its place for the first row, and the bytes of a row."""

    place: int
    row: int


class Pass(NamedTuple):
    """One kernel: what it does to a row, and which operands it takes: numbers of arrays, or scratch."""

    launch: threads.Launch
    unit: int
    operands: Sequence[int | Scratch]


@native.helper
def ask_for_share(operands, meta, row, share):
    """Ask for one of as many shares as there are kernels of the block that starts at a row."""
    rows, shares = min(meta[2], meta[1] - row), meta[0]
    for i in range(5, 5 + 2 * meta[4], 2):
        start, size = operands[meta[i]] + row * meta[i + 1], rows * meta[i + 1]
        for place in range(size * share // shares, size * (share + 1) // shares, LINE):
            prefetch(start + place, SECOND_LEVEL)


def kernel(operands, meta, lo, hi):
    """Every pass for a block of rows, then for the next."""
    memory = malloc(meta[3] + 64)
    scratch = (memory + 63) // 64 * 64
    own = stack(64)
    for block in range(lo, hi):
        first = block * meta[2]
        last = min(first + meta[2], meta[1])
        at = 5 + 2 * meta[4]
        for number in range(meta[0]):
            ask_for_share(operands, meta, last, number)
            for i in range(meta[at + 3]):
                which, row = meta[at + 4 + 2 * i], meta[at + 5 + 2 * i]
                own[i] = operands[which] if which >= 0 else scratch - 1 - which - first * row
            unit = meta[at + 2]
            call_kernel(meta[at], own, pointer(meta[at + 1], np.int64), first * unit, last * unit)
            at += 4 + 2 * meta[at + 3]
    free(memory)


def bind(
    passes: Sequence[Pass], rows: int, block: int, scratch: int, row_bytes: int, ahead: Sequence[tuple[int, int]]
) -> threads.Launch:
    """A launch of all passes over `rows` rows, `block` at a time, with so many bytes of scratch for a block.

    ahead: numbers of the arrays whose next rows are asked for early, and the bytes of a row.
    """
    meta = [len(passes), rows, block, scratch, len(ahead), *(number for array in ahead for number in array)]
    for launch, unit, operands in passes:
        meta += [int(launch.record[0]), launch.record.ctypes.data + 16, unit, len(operands)]
        for operand in operands:
            meta += [-1 - operand.place, operand.row] if isinstance(operand, Scratch) else [operand, 0]
    grain = max(1, GRAIN_BYTES // (block * row_bytes * len(passes)))
    result = threads.Launch(native.kernel(kernel), meta, -(-rows // block), grain)
    result.kept = passes
    return result
