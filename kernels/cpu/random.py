"""Random bits from a counter: Philox4x32-10, the same words as `reference.random`.

The range of every kernel counts blocks of four words.
"""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

from .. import native, threads
from ..draws import DRAWS
from ..draws import uniform as drawn_uniform
from ..intrinsics import pointer
from ..reference.random import M0, M1, ROUNDS, W0, W1, check_bits

LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
GRAIN = 1 << 15
NUMBERS = {"f": 4, "d": 2}  # that a block has random bits for


@native.helper
def philox(block, key):
    """The four words of a block."""
    x0, x1, x2, x3 = block & LOW, block >> HALF, np.uint64(0), np.uint64(0)
    k0, k1 = key & LOW, key >> HALF
    for _ in range(ROUNDS):
        p0, p1 = M0 * x0, M1 * x2
        x0, x1, x2, x3 = (p1 >> HALF) ^ x1 ^ k0, p1 & LOW, (p0 >> HALF) ^ x3 ^ k1, p0 & LOW
        k0, k1 = (k0 + np.uint64(W0)) & LOW, (k1 + np.uint64(W1)) & LOW
    return x0, x1, x2, x3


def _bits(operands, meta, lo, hi):
    """meta: first block, key."""
    out = pointer(operands[0], np.uint32)
    first, key = np.uint64(meta[0]), np.uint64(meta[1])
    for i in range(lo, hi):
        x0, x1, x2, x3 = philox(first + np.uint64(i), key)
        out[4 * i] = np.uint32(x0)
        out[4 * i + 1] = np.uint32(x1)
        out[4 * i + 2] = np.uint32(x2)
        out[4 * i + 3] = np.uint32(x3)


@native.helper
def uniform32(word):
    """A number in [0, 1) with 24 random bits."""
    return np.float32(np.int32(word >> np.uint64(8))) * np.float32(2**-24)


@native.helper
def uniform64(low, high):
    """A number in [0, 1) with 53 random bits."""
    return np.float64(np.int64((low | (high << HALF)) >> np.uint64(11))) * 2.0**-53


def _uniform32(operands, meta, lo, hi):
    """operands: numbers, state (key, first block). meta: how many numbers."""
    out, state = pointer(operands[0], np.float32), pointer(operands[1], np.uint64)
    key, first, whole = state[0], state[1], meta[0] // 4
    for i in range(lo, min(hi, whole)):
        x0, x1, x2, x3 = philox(first + np.uint64(i), key)
        out[4 * i] = uniform32(x0)
        out[4 * i + 1] = uniform32(x1)
        out[4 * i + 2] = uniform32(x2)
        out[4 * i + 3] = uniform32(x3)
    if hi > whole:
        x0, x1, x2, _ = philox(first + np.uint64(whole), key)
        for i in range(meta[0] - 4 * whole):
            out[4 * whole + i] = uniform32(x0 if i == 0 else x1 if i == 1 else x2)


def _uniform64(operands, meta, lo, hi):
    """The same in float64."""
    out, state = pointer(operands[0], np.float64), pointer(operands[1], np.uint64)
    key, first, whole = state[0], state[1], meta[0] // 2
    for i in range(lo, min(hi, whole)):
        x0, x1, x2, x3 = philox(first + np.uint64(i), key)
        out[2 * i] = uniform64(x0, x1)
        out[2 * i + 1] = uniform64(x2, x3)
    if hi > whole:
        x0, x1, _, _ = philox(first + np.uint64(whole), key)
        out[2 * whole] = uniform64(x0, x1)


def _advance(operands, meta, lo, hi):
    """Count the blocks that were drawn. meta: their number."""
    pointer(operands[0], np.uint64)[1] += np.uint64(meta[0])


@lru_cache(1024)
def bind_uniform(count: int, dtype: np.dtype) -> tuple[threads.Step, threads.Step]:
    """What draws so many numbers in [0, 1), of (numbers, state), and what moves the state on, of (state,)."""
    if not count:
        return threads.NOTHING, threads.NOTHING
    blocks = -(-count // NUMBERS[dtype.char])
    draw = native.kernel({"f": _uniform32, "d": _uniform64}[dtype.char])
    return threads.Launch(draw, [count], blocks, GRAIN), threads.Launch(native.kernel(_advance), [blocks], 1)


def uniform(state: np.ndarray, count: int, dtype: np.dtype) -> np.ndarray:
    """Numbers in [0, 1): 24 random bits each in float32, 53 in float64. See `draws`."""
    if dtype.char not in NUMBERS or type(state) is not np.ndarray or not state.flags.carray or state.dtype != np.uint64:
        return drawn_uniform(state, count, dtype, bits)
    draw, advance = bind_uniform(count, dtype)
    out = np.empty(count, dtype)
    draw.run(out, state)
    advance.run(state)
    return out


def bits(key: int, start: int, count: int) -> np.ndarray:
    """`count` random words (uint32) of the stream `key` (64 bits), from block `start` (of four words, 64 bits) on."""
    key, start, count = check_bits(key, start, count)
    blocks = (count + 3) // 4
    out = np.empty(4 * blocks, np.uint32)
    if blocks:
        meta = np.array([start % 2**64, key % 2**64], np.uint64).view(np.int64)
        threads.Launch(native.kernel(_bits), meta, blocks, GRAIN)(out)
    return out[:count]


draw, _, normal, integers, permutation = (partial(f, bits=bits) for f in DRAWS)
