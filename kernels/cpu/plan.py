"""Many kernels in a row, walked by one: what a compiled function replays, at about 20 ns a kernel.

operands: the steps, then arrays from outside. A step is five integers: a kernel, where its operands' addresses stand,
where its meta stands, the size of its range and the grain of it. meta: the pool of threads that help with large steps,
the number of patches, and for each where an address is to be written, the array from outside that it is in (a number),
and how many bytes behind its first element. The range counts steps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import native, threads
from ..intrinsics import pointer
from ..pool import run_shared


def kernel(operands, meta, lo, hi):
    """Patch, then run the steps."""
    for k in range(meta[1]):
        pointer(meta[2 + 3 * k], np.int64)[0] = operands[1 + meta[3 + 3 * k]] + meta[4 + 3 * k]
    steps = pointer(operands[0], np.int64)
    for i in range(5 * lo, 5 * hi, 5):
        places, sizes = pointer(steps[i + 1], np.int64), pointer(steps[i + 2], np.int64)
        run_shared(meta[0], steps[i], places, sizes, steps[i + 3], steps[i + 4])


def launch(steps: int, patches: Sequence[int], large: bool, long: bool) -> threads.Launch:
    """A launch of a table of steps; its operands are that table, then the arrays from outside.

    large: whether a step is worth several threads. long: whether other Python threads should run meanwhile.
    """
    meta = [threads.pool_address() if large else 0, len(patches) // 3, *patches]
    return threads.Launch(native.kernel(kernel), meta, steps, 1 << 60, long)
