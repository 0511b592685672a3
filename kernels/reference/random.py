"""Random bits from a counter: Philox4x32-10 (Salmon and others, Parallel random numbers: as easy as 1, 2, 3, 2011).

Word i of a stream depends on the key and on i alone, so every device and every number of threads gives the same bits.
"""

from __future__ import annotations

from functools import partial
from operator import index

import numpy as np

from ..draws import DRAWS

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10
_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)


def check_bits(*arguments: int) -> list[int]:
    """The arguments of `bits` as integers. TypeError where they are none, ValueError for a negative count."""
    try:
        numbers = [index(n) for n in arguments]
    except TypeError:
        raise TypeError(f"bits: the key, the first block and the count must be integers, got {arguments}") from None
    if numbers[2] < 0:
        raise ValueError(f"bits: the count must not be negative, got {numbers[2]}")
    return numbers


def bits(key: int, start: int, count: int) -> np.ndarray:
    """`count` random words (uint32) of the stream `key` (64 bits), from block `start` (of four words, 64 bits) on.

    >>> bits(0, 0, 2)
    array([1713891541, 3781805453], dtype=uint32)
    """
    key, start, count = check_bits(key, start, count)
    blocks = np.uint64(start % 2**64) + np.arange((count + 3) // 4, dtype=np.uint64)
    x0, x1 = blocks & _LOW, blocks >> _32
    x2 = x3 = np.zeros_like(blocks)
    k0, k1 = key & 0xFFFFFFFF, (key >> 32) & 0xFFFFFFFF
    for _ in range(ROUNDS):
        p0, p1 = M0 * x0, M1 * x2
        x0, x1, x2, x3 = (p1 >> _32) ^ x1 ^ np.uint64(k0), p1 & _LOW, (p0 >> _32) ^ x3 ^ np.uint64(k1), p0 & _LOW
        k0, k1 = (k0 + W0) & 0xFFFFFFFF, (k1 + W1) & 0xFFFFFFFF
    return np.stack([x0, x1, x2, x3], axis=1).reshape(-1)[:count].astype(np.uint32)


draw, uniform, normal, integers, permutation = (partial(f, bits=bits) for f in DRAWS)
