"""What this machine can do at most, measured on it: multiply-adds on data in the nearest cache, and a large copy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .timing import seconds

COPY_BYTES = 1 << 26  # for each thread: more than any cache
ROUNDS = 20
PRODUCT = (24, 128, 32)  # A, B and C together are 31 KB
STACK = 256


class Peaks(NamedTuple):
    """Floating-point operations, and bytes read and written, in a second."""

    flops: float
    bandwidth: float

    def attainable(self, intensity: float) -> float:
        """The roofline: operations a second at so many operations a byte (Williams, Waterman, Patterson 2009)."""
        return min(self.flops, self.bandwidth * intensity)


def measure(threads: int) -> Peaks:
    """With so many threads."""
    return Peaks(_flops(threads), _bandwidth(threads))


def _flops(threads: int) -> float:
    """The better of our product and NumPy's, of one pair of small matrices again and again, in float32."""
    from tinygrad_lite_kernels.cpu.matmul import matmul

    m, k, n = PRODUCT
    stack = STACK * threads
    a = np.broadcast_to(np.ones((m, k), np.float32), (stack, m, k))
    b = np.broadcast_to(np.ones((k, n), np.float32), (stack, k, n))
    single: list[Any] = [np.matmul] if threads == 1 else []  # NumPy goes through a stack on one thread
    best = min(seconds(partial(f, a, b)) for f in (matmul, *single) for _ in range(ROUNDS))
    return 2 * stack * m * k * n / best


def _bandwidth(threads: int) -> float:
    sources = [np.ones(COPY_BYTES, np.uint8) for _ in range(threads)]
    targets = [np.ones_like(s) for s in sources]
    with ThreadPoolExecutor(threads) as pool:
        best = min(seconds(lambda: list(pool.map(np.copyto, targets, sources))) for _ in range(ROUNDS))
    return 2 * COPY_BYTES * threads / best
