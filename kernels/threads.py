"""The executor: decides who runs which part of a kernel's range.

A range is cut into chunks whose size does not depend on the number of threads, and each thread takes a run of chunks:
results are the same bits for one thread and for many.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise
from threading import main_thread
from typing import Any

import numpy as np

from .intrinsics import OBJECT_HEAD, address_of, array_data, call_kernel, new_bytes, pointer, stack, take_reference
from .native import python_callable

MAX_OPERANDS = 64


class Launch:
    """A kernel with its meta and its range, ready to run on any arrays of the layout that it was made for.

    kernel: address. meta: 64-bit integers. size: the range is [0, size). grain: the smallest piece worth a thread.
    """

    __slots__ = ("grain", "kept", "record", "run", "size")

    def __init__(self, kernel: int, meta: Any, size: int, grain: int = 1 << 17):
        self.record = np.array([kernel, size, *meta], np.int64)
        self.size, self.grain = size, max(grain, 1)
        self.kept: Any = None  # what the meta points to
        self.run = self._parallel if size >= 2 * self.grain else partial(_compiled_launch(), self.record)

    def __call__(self, *operands: np.ndarray) -> None:
        """Run on the operands, whose addresses the kernel sees in this order."""
        self.run(*operands)

    def _parallel(self, *operands: np.ndarray) -> None:
        """Large work runs without Python's global lock, on as many threads as it has chunks for."""
        addresses = np.array([a.__array_interface__["data"][0] for a in operands], np.int64)
        self.run_parallel(addresses.ctypes.data, addresses, operands)

    def run_parallel(self, operands: int, *alive: Any) -> None:
        """The same, given where the addresses of the operands stand, and what must not be freed before all is done."""
        threads = get_num_threads() if main_thread().is_alive() else 1  # a pool is no use when Python shuts down
        chunks = -(-self.size // self.grain)
        bounds = [min(self.size, self.grain * (chunks * t // threads)) for t in range(threads + 1)]
        parts = [(lo, hi) for lo, hi in pairwise(bounds) if lo < hi]
        waiting = [_pool().submit(self._part, operands, lo, hi, alive) for lo, hi in parts[1:]]
        self._part(operands, *parts[0], alive)
        for part in waiting:
            part.result()

    def _part(self, operands: int, lo: int, hi: int, alive: Any) -> None:
        """Holding on to `alive` matters when Ctrl-C ends the wait for the other parts."""
        _entry(int(self.record[0]))(operands, self.record.ctypes.data + 16, lo, hi)


class Function:
    """A step that runs through Python, where a kernel would stand."""

    __slots__ = ("run",)

    def __init__(self, run: Callable[..., None]):
        self.run = run


Step = Launch | Function
NOTHING = Function(lambda *_: None)


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
    take_reference(arguments[0])
    return arguments[0]


def _signature(self, arguments, count):
    words = stack(8448)  # 64 arrays of NumPy's 64 dimensions
    n = 0
    for i in range(1, count):
        if pointer(arguments[i], np.int64)[OBJECT_HEAD // 8 - 1] != arguments[0]:  # its class is not NumPy's array
            return new_bytes(0, 0)
        fields = pointer(arguments[i] + OBJECT_HEAD, np.int64)  # data, ndim, shape, strides, base, dtype
        rank = pointer(arguments[i] + OBJECT_HEAD + 8, np.int32)[0]
        words[n] = rank
        words[n + 1] = pointer(fields[5] + OBJECT_HEAD + 8, np.int64)[0]  # kind, letter, byte order, number
        n += 2
        for axis in range(rank):
            words[n] = pointer(fields[2], np.int64)[axis]
            words[n + 1] = pointer(fields[3], np.int64)[axis]
            n += 2
    return new_bytes(address_of(words), n * 8)


@cache
def _compiled_launch() -> Any:
    """`launch(record, *operands)`: run `record = [kernel, size, *meta]` on this thread."""
    return python_callable(_launch)


def _compile_signature(*arrays: np.ndarray) -> bytes:
    """Shapes, strides and dtypes of at most 64 arrays as a key; empty where one is not exactly a NumPy array.

    The first call compiles it and puts the compiled function in its place.
    """
    global signature
    signature = partial(python_callable(_signature), np.ndarray)
    return signature(*arrays)


signature: Callable[..., bytes] = _compile_signature
_threads = 0
_executor: Any = None


def set_num_threads(count: int) -> None:
    """Use at most `count` threads for one operation (the calling one included)."""
    global _threads, _executor
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"set_num_threads: the count must be a positive integer, got {count!r}")
    _threads, _executor = count, None  # the old pool ends when nobody uses it any more


def get_num_threads() -> int:
    """How many threads one operation may use: as set, else `$TINYGRAD_LITE_NUM_THREADS`, else one for every core."""
    global _threads
    if not _threads:
        wish = os.environ.get("TINYGRAD_LITE_NUM_THREADS", "")
        _threads = int(wish) if wish.isdigit() and int(wish) else _cores()
    return _threads


def _cores() -> int:
    """Those that this process may run on, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _pool() -> Any:
    global _executor
    if _executor is None:
        _executor = ThreadPoolExecutor(max(1, get_num_threads() - 1), "tinygrad_lite")
    return _executor


def _forget_pool() -> None:
    global _executor
    _executor = None  # a forked child has the object but not its threads


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
