"""Numbers from random bits, for any device's bits.

state: [seed, number of blocks drawn] as uint64; drawing moves it on.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Bits = Callable[[int, int, int], np.ndarray]


def draw(state: np.ndarray, count: int, bits: Bits) -> np.ndarray:
    """The next `count` words of a stream; what is left of the last block of four is skipped."""
    words = bits(int(state[0]), int(state[1]), count)
    with np.errstate(over="ignore"):  # after the last block comes the first
        state[1] += np.uint64((count + 3) // 4)
    return words


def _words64(state: np.ndarray, count: int, bits: Bits) -> np.ndarray:
    return draw(state, 2 * count, bits).view(np.uint64)


def uniform(state: np.ndarray, count: int, dtype: np.dtype, bits: Bits) -> np.ndarray:
    """Numbers in [0, 1): 24 random bits each in float32, 53 in float64."""
    if dtype == np.float32:
        return (draw(state, count, bits) >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)
    return (_words64(state, count, bits) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(state: np.ndarray, count: int, dtype: np.dtype, bits: Bits) -> np.ndarray:
    """Standard normal numbers by the transformation of Box and Muller, in float64."""
    half = (count + 1) // 2
    u, v = uniform(state, 2 * half, np.dtype(np.float64), bits).reshape(2, half)
    radius = np.sqrt(-2.0 * np.log1p(-u))
    pairs = np.stack([radius * np.cos(2 * math.pi * v), radius * np.sin(2 * math.pi * v)])
    return pairs.reshape(-1)[:count].astype(dtype)


def integers(state: np.ndarray, low: int, high: int, count: int, bits: Bits) -> np.ndarray:
    """Integers in [low, high), by the high half of a product (the bias is below 2**-32)."""
    span = high - low
    if span <= 2**32:
        words = _words64(state, count, bits)
        upper, lower = words >> np.uint64(32), words & np.uint64(0xFFFFFFFF)
        product = upper * np.uint64(span) + ((lower * np.uint64(span)) >> np.uint64(32))
        return (product >> np.uint64(32)).astype(np.int64) + low
    return np.array([low + (int(w) * span >> 64) for w in _words64(state, count, bits)], np.int64)


def permutation(state: np.ndarray, count: int, bits: Bits) -> np.ndarray:
    """The integers from 0 to count - 1 in random order: the order of random words."""
    return np.argsort(_words64(state, count, bits), kind="stable").astype(np.int64)


DRAWS = (draw, uniform, normal, integers, permutation)
