"""Random bits from a counter: Philox4x32-10, the same words as `reference.random`.

The range counts blocks of four words. meta: first block, key.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from .. import native, threads
from ..draws import DRAWS
from ..intrinsics import pointer
from ..reference.random import M0, M1, ROUNDS, W0, W1, check_bits

LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
GRAIN = 1 << 15


def _philox(operands, meta, lo, hi):
    out = pointer(operands[0], np.uint32)
    first, key = np.uint64(meta[0]), np.uint64(meta[1])
    for i in range(lo, hi):
        block = first + np.uint64(i)
        x0, x1, x2, x3 = block & LOW, block >> HALF, np.uint64(0), np.uint64(0)
        k0, k1 = key & LOW, key >> HALF
        for _ in range(ROUNDS):
            p0, p1 = M0 * x0, M1 * x2
            x0, x1, x2, x3 = (p1 >> HALF) ^ x1 ^ k0, p1 & LOW, (p0 >> HALF) ^ x3 ^ k1, p0 & LOW
            k0, k1 = (k0 + np.uint64(W0)) & LOW, (k1 + np.uint64(W1)) & LOW
        out[4 * i] = np.uint32(x0)
        out[4 * i + 1] = np.uint32(x1)
        out[4 * i + 2] = np.uint32(x2)
        out[4 * i + 3] = np.uint32(x3)


def bits(key: int, start: int, count: int) -> np.ndarray:
    """`count` random words (uint32) of the stream `key` (64 bits), from block `start` (of four words, 64 bits) on."""
    key, start, count = check_bits(key, start, count)
    blocks = (count + 3) // 4
    out = np.empty(4 * blocks, np.uint32)
    if blocks:
        meta = np.array([start % 2**64, key % 2**64], np.uint64).view(np.int64)
        threads.Launch(native.kernel(_philox), meta, blocks, GRAIN)(out)
    return out[:count]


draw, uniform, normal, integers, permutation = (partial(f, bits=bits) for f in DRAWS)
