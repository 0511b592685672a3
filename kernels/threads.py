"""The executor: decides who runs which part of a kernel's range.

A range is cut into chunks whose size does not depend on the number of threads, and each thread takes a run of chunks:
results are the same bits for one thread and for many.
"""

from __future__ import annotations

import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from .intrinsics import array_data, call_kernel, new_reference, pointer, stack
from .native import python_callable

MAX_OPERANDS = 64


class Launch:
    """A kernel with its meta and its range, ready to run on any arrays of the layout that it was made for.

    kernel: address. meta: 64-bit integers. size: the range is [0, size). grain: the smallest piece worth a thread.
    """

    __slots__ = ("grain", "record", "run", "size")

    def __init__(self, kernel: int, meta: Any, size: int, grain: int = 1 << 17):
        self.record = np.array([kernel, size, *meta], np.int64)
        self.size, self.grain = size, max(grain, 1)
        self.run = self._parallel if size >= 2 * self.grain else self._serial

    def __call__(self, *operands: np.ndarray) -> None:
        """Run on the operands, whose addresses the kernel sees in this order."""
        self.run(*operands)

    def _serial(self, *operands: np.ndarray) -> None:
        launch(self.record, *operands)

    def _parallel(self, *operands: np.ndarray) -> None:
        threads = get_num_threads()
        addresses = np.array([a.__array_interface__["data"][0] for a in operands], np.int64)
        arguments = addresses.ctypes.data, self.record.ctypes.data + 16
        call = _entry(int(self.record[0]))
        chunks = -(-self.size // self.grain)
        bounds = [min(self.size, self.grain * (chunks * t // threads)) for t in range(threads + 1)]
        parts = [(lo, hi) for lo, hi in zip(bounds, bounds[1:], strict=False) if lo < hi]
        waiting = [_pool().submit(call, *arguments, lo, hi) for lo, hi in parts[1:]]
        call(*arguments, *parts[0])
        for part in waiting:
            part.result()


def _entry(address: int) -> Any:
    """The kernel at an address as a ctypes function: it runs without Python's global lock."""
    integer = ctypes.c_int64
    return ctypes.CFUNCTYPE(None, integer, integer, integer, integer)(address)


def _launch(self, arguments, count):
    record = pointer(array_data(arguments[0]), np.int64)
    operands = stack(MAX_OPERANDS)
    for i in range(1, count):
        operands[i - 1] = array_data(arguments[i])
    call_kernel(record[0], operands, pointer(array_data(arguments[0]) + 16, np.int64), 0, record[1])
    return new_reference(arguments[0])


def launch(record: np.ndarray, *operands: np.ndarray) -> Any:
    """Run `record = [kernel, size, *meta]` on this thread. Replaced by its compiled self at the first call."""
    global launch
    launch = python_callable(_launch)
    return launch(record, *operands)


_threads = 0
_executor: ThreadPoolExecutor | None = None


def set_num_threads(count: int) -> None:
    """Use at most `count` threads for one operation (the calling one included)."""
    global _threads, _executor
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"set_num_threads: the count must be a positive integer, got {count!r}")
    if _executor is not None:
        _executor.shutdown()
    _threads, _executor = count, None


def get_num_threads() -> int:
    """How many threads one operation may use: as set, else `$TINYGRAD_LITE_NUM_THREADS`, else one for every core."""
    global _threads
    if not _threads:
        wish = os.environ.get("TINYGRAD_LITE_NUM_THREADS", "")
        _threads = int(wish) if wish.isdigit() and int(wish) else len(os.sched_getaffinity(0))
    return _threads


def _pool() -> ThreadPoolExecutor:
    global _executor
    if _executor is None:
        _executor = ThreadPoolExecutor(max(1, get_num_threads() - 1), "tinygrad_lite")
    return _executor


def _forget_pool() -> None:
    global _executor
    _executor = None  # a forked child has the object but not its threads


os.register_at_fork(after_in_child=_forget_pool)
