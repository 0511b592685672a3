"""A matrix product whose elements go through an elementwise program while they are in cache; the product is not stored.

It is computed in blocks (rows x columns) in scratch memory, and each block is handed on to the program's kernel: bias
and activation of a layer, or the update of an optimizer that takes the gradient of a weight.

operands: A, B, then those of the program's kernel without the product. meta: rows and columns of a block, item size,
which operand of the program's kernel is the product, how many it has, its address, that of its meta, the address of the
product's kernel, and its meta. The range counts blocks, those of the same columns one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import native, threads
from ..expr import Program
from ..intrinsics import call_kernel, free, malloc, pointer, stack
from . import elementwise, matmul
from .matmul import HEAD

BLOCK_BYTES = 1 << 17
LONG = 1024  # columns that make a good run for the program's kernel
TALL, TALLEST = 128, 504  # rows that share a packed part of B; so many where packing is most of the work


def kernel(operands, meta, lo, hi):
    """Blocks of the product, each followed by the program."""
    height, width, size, position, count = meta[0], meta[1], meta[2], meta[3], meta[4]
    m, n, rsa, csb = meta[9], meta[10], meta[12], meta[15]
    memory = malloc(height * width * size + 64)
    scratch = (memory + 63) // 64 * 64
    own, three, then = stack(HEAD), stack(3), stack(64)
    for i in range(HEAD):
        own[i] = meta[8 + i]
    for i in range(count):
        then[i] = operands[2 + i - (i > position)]
    across = (m + height - 1) // height
    for block in range(lo, hi):
        top, left = block % across * height, block // across * width
        rows, columns = min(height, m - top), min(width, n - left)
        own[2] = own[8] = columns  # a product of its own size, whose rows lie together
        three[0] = scratch
        three[1], three[2] = operands[0] + top * rsa * size, operands[1] + left * csb * size
        call_kernel(meta[7], three, own, 0, rows)
        if columns == n:
            then[position] = scratch - top * n * size
            call_kernel(meta[5], then, pointer(meta[6], np.int64), top * n, (top + rows) * n)
        else:
            for i in range(rows):
                start = (top + i) * n + left
                then[position] = scratch + (i * columns - start) * size
                call_kernel(meta[5], then, pointer(meta[6], np.int64), start, start + columns)
    free(memory)


def bind(
    a: np.ndarray, b: np.ndarray, program: Program, outputs: Sequence[np.ndarray], inputs: Sequence[np.ndarray], at: int
) -> threads.Launch | None:
    """`program(*inputs)` with a @ b in place of input number `at`, bound to layouts: takes a, b, outputs, other inputs.

    a: (m, k), b: (k, n), outputs: (m, n), rows first. None where the product or the program has no kernel of its own.
    """
    first = matmul.bind(a, b, False, by_rows=True)
    then = elementwise.bind(program, outputs, inputs)
    if not isinstance(first, threads.Launch) or not isinstance(then, threads.Launch):
        return None
    (m, k), n = a.shape, b.shape[1]
    height, width = _block(m, n, k, a.itemsize, matmul.is_packed(m, n, k, b.strides[0], b.strides[1], a.itemsize))
    count = len(outputs) + len(inputs)
    meta: list[Any] = [height, width, a.itemsize, len(outputs) + at, count]
    meta += [then.record[0], then.record.ctypes.data + 16, first.record[0], *first.record[2 : 2 + HEAD]]
    work = height * width * (2 * k + 16 * len(program.steps))
    blocks = -(-m // height) * -(-n // width)
    launch = threads.Launch(native.kernel(kernel), meta, blocks, max(1, matmul.GRAIN_FLOPS // work))
    launch.kept = then
    return launch


def pays(m: int, n: int, k: int, down: int, along: int, size: int) -> bool:
    """Whether blocks cost less than storing the product: not where each packs the same long part of B again."""
    return m <= TALL or k <= TALL or not matmul.is_packed(m, n, k, down, along, size)


def _block(m: int, n: int, k: int, size: int, packed: bool) -> tuple[int, int]:
    """Rows and columns of a block: long runs for the program, but tall blocks where B is packed anew for each."""
    if packed and k <= TALL:
        return min(m, TALLEST), min(n, LONG)
    width = min(n, BLOCK_BYTES // (min(m, TALL) * size) // 64 * 64 if packed else LONG)
    most = max(12, BLOCK_BYTES // (width * size))
    return -(-m // -(-m // most)), width
