"""The executor: decides who runs which part of a kernel's range.

A range is cut into pieces whose size does not depend on the number of threads (`grain`), and each thread takes runs of
pieces: results are the same bits for one thread and for many.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from .intrinsics import (
    OBJECT_HEAD,
    address_of,
    array_data,
    call_kernel,
    external,
    new_bytes,
    pointer,
    stack,
    take_reference,
)
from .native import python_callable
from .pool import AVAILABLE, address, run_shared, set_helpers

MAX_OPERANDS = 64


class Launch:
    """A kernel with its meta and its range, ready to run on any arrays of the layout that it was made for.

    kernel: address. meta: 64-bit integers. size: the range is [0, size). grain: the smallest piece worth a thread.
    long: takes so long that other Python threads should run meanwhile, however small its range.
    """

    __slots__ = ("grain", "kept", "record", "run", "size")

    def __init__(self, kernel: int, meta: Any, size: int, grain: int = 1 << 17, long: bool = False):
        self.record = np.array([kernel, size, *meta], np.int64)
        self.size, self.grain = size, max(grain, 1)
        self.kept: Any = None  # what the meta points to
        if long or self.is_large:
            self.run = partial(_compiled_share(), self.record, np.array([pool_address(), self.grain], np.int64))
        else:
            self.run = partial(_compiled_launch(), self.record)

    def __call__(self, *operands: np.ndarray) -> None:
        """Run on the operands, whose addresses the kernel sees in this order."""
        self.run(*operands)

    @property
    def is_large(self) -> bool:
        """Whether it is worth more than one thread."""
        return self.size >= 2 * self.grain


class Function:
    """A step that runs through Python, where a kernel would stand."""

    __slots__ = ("run",)

    def __init__(self, run: Callable[..., None]):
        self.run = run


Step = Launch | Function
NOTHING = Function(lambda *_: None)

save_thread = external("PyEval_SaveThread", 0)  # gives Python's global lock to others
restore_thread = external("PyEval_RestoreThread", 1, returns=False)


def _launch(self, arguments, count):
    record = pointer(array_data(arguments[0]), np.int64)
    operands = stack(MAX_OPERANDS)
    for i in range(1, count):
        operands[i - 1] = array_data(arguments[i])
    call_kernel(record[0], operands, pointer(array_data(arguments[0]) + 16, np.int64), 0, record[1])
    take_reference(arguments[0])
    return arguments[0]


def _share(self, arguments, count):
    record, job = pointer(array_data(arguments[0]), np.int64), pointer(array_data(arguments[1]), np.int64)
    operands = stack(MAX_OPERANDS)
    for i in range(2, count):
        operands[i - 2] = array_data(arguments[i])
    thread = save_thread()
    run_shared(job[0], record[0], operands, pointer(array_data(arguments[0]) + 16, np.int64), record[1], job[1])
    restore_thread(thread)
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


@cache
def _compiled_share() -> Any:
    """`share(record, [pool, grain], *operands)`: the same on several threads, without Python's global lock."""
    return python_callable(_share)


def _compile_signature(*arrays: np.ndarray) -> bytes:
    """Shapes, strides and dtypes of at most 64 arrays as a key; empty where one is not exactly a NumPy array.

    The first call compiles it and puts the compiled function in its place.
    """
    global signature
    signature = partial(python_callable(_signature), np.ndarray)
    return signature(*arrays)


signature: Callable[..., bytes] = _compile_signature
_threads = 0


def set_num_threads(count: int) -> None:
    """Use at most `count` threads for one operation (the calling one included). Results do not depend on it.

    Raises ValueError where the count is not a positive integer. On Windows everything runs on one thread.

    >>> before = get_num_threads()
    >>> set_num_threads(1)
    >>> get_num_threads()
    1
    >>> set_num_threads(before)
    """
    global _threads
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"set_num_threads: the count must be a positive integer, got {count!r}")
    _threads = count if AVAILABLE else 1
    set_helpers(_threads - 1)


def get_num_threads() -> int:
    """How many threads one operation may use.

    What was set last, else the environment's `TINYGRAD_LITE_NUM_THREADS`, else its `OMP_NUM_THREADS`, else one for
    every core that this process may run on.

    >>> get_num_threads() >= 1
    True
    """
    global _threads
    if not _threads:
        _threads = (_asked() or _cores()) if AVAILABLE else 1
    return _threads


def _asked() -> int:
    """The wish of the environment; 0 where there is none."""
    wish = os.environ.get("TINYGRAD_LITE_NUM_THREADS", "")
    if wish and not (wish.isdigit() and int(wish)):
        raise ValueError(f"TINYGRAD_LITE_NUM_THREADS must be a positive integer, got {wish!r}; change or unset it")
    others = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]  # a number for each level of nesting
    return int(wish or (others if others.isdigit() else 0))


def pool_address() -> int:
    """Where the pool of threads that help the calling one is, which is told how many they are."""
    set_helpers(get_num_threads() - 1)
    return address()


def _cores() -> int:
    """Those that this process may run on, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
