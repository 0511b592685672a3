"""Several kernels over the same rows, block by block, so that what one leaves the next finds in cache.

Softmax, normalisation, a loss and their gradients are a few passes over each row; done for a few rows at a time, all
but the first pass find them in cache, and what only the passes see needs no memory but scratch.

operands: arrays. meta: number of kernels, rows, rows of a block, bytes of scratch; then for each kernel its address,
the address of its meta, how much of its range a row has, how many operands it has, and for each of these either its
number and 0, or -1 - its place in scratch and the bytes of a row. The range counts blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .. import native, threads
from ..intrinsics import call_kernel, free, malloc, pointer, stack

GRAIN_BYTES = 1 << 21  # of all that a thread touches


class Scratch(NamedTuple):
    """An operand that lives only within a block: its place for the first row, and the bytes of a row."""

    place: int
    row: int


class Pass(NamedTuple):
    """One kernel: what it does to a row, and which operands it takes: numbers of arrays, or scratch."""

    launch: threads.Launch
    unit: int
    operands: Sequence[int | Scratch]


def kernel(operands, meta, lo, hi):
    """Every pass for a block of rows, then for the next."""
    memory = malloc(meta[3] + 64)
    scratch = (memory + 63) // 64 * 64
    own = stack(64)
    for block in range(lo, hi):
        first = block * meta[2]
        last = min(first + meta[2], meta[1])
        at = 4
        for _ in range(meta[0]):
            for i in range(meta[at + 3]):
                number, row = meta[at + 4 + 2 * i], meta[at + 5 + 2 * i]
                own[i] = operands[number] if number >= 0 else scratch - 1 - number - first * row
            unit = meta[at + 2]
            call_kernel(meta[at], own, pointer(meta[at + 1], np.int64), first * unit, last * unit)
            at += 4 + 2 * meta[at + 3]
    free(memory)


def bind(passes: Sequence[Pass], rows: int, block: int, scratch: int, row_bytes: int) -> threads.Launch:
    """A launch of all passes over `rows` rows, `block` at a time, with so many bytes of scratch for a block."""
    meta = [len(passes), rows, block, scratch]
    for launch, unit, operands in passes:
        meta += [int(launch.record[0]), launch.record.ctypes.data + 16, unit, len(operands)]
        for operand in operands:
            meta += [-1 - operand.place, operand.row] if isinstance(operand, Scratch) else [operand, 0]
    grain = max(1, GRAIN_BYTES // (block * row_bytes * len(passes)))
    result = threads.Launch(native.kernel(kernel), meta, -(-rows // block), grain)
    result.kept = passes
    return result
