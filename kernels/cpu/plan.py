"""Many kernels in a row, walked by one: what a compiled function replays, at about 20 ns a kernel.

operands: the steps, then arrays from outside. A step is five integers: a kernel, where its operands' addresses stand,
where its meta stands, lo and hi. meta: the number of patches, and for each where an address is to be written, the array
from outside that it is in (a number), and how many bytes behind its first element. The range counts steps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import native, threads
from ..intrinsics import call_kernel, pointer


def kernel(operands, meta, lo, hi):
    """Patch, then run the steps."""
    for k in range(meta[0]):
        pointer(meta[1 + 3 * k], np.int64)[0] = operands[1 + meta[2 + 3 * k]] + meta[3 + 3 * k]
    steps = pointer(operands[0], np.int64)
    for i in range(5 * lo, 5 * hi, 5):
        call_kernel(
            steps[i], pointer(steps[i + 1], np.int64), pointer(steps[i + 2], np.int64), steps[i + 3], steps[i + 4]
        )


def launch(steps: int, patches: Sequence[int]) -> threads.Launch:
    """A launch of a table of steps; its operands are that table, then the arrays from outside. Runs on one thread."""
    return threads.Launch(native.kernel(kernel), [len(patches) // 3, *patches], steps, 1 << 62)
