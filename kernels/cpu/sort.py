"""Sorting by digits: every element becomes an unsigned integer that orders as it does, a key, and the keys are sorted
byte by byte, each of them taking its position along. That is stable, and takes the same time whatever the order was.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .. import native, threads
from ..intrinsics import address_of, pointer, stack
from ..reference.sort import check_sort
from .reduce_plan import memory_type

GRAIN = 1 << 13  # elements worth a thread
TASK = 1 << 12  # elements that share one workspace, if a row has fewer
SHORT = 40  # a row of so many elements is sorted by insertion
MAX_LAUNCHES = 4096

T: Any = np.float32  # of the elements
BITS: Any = np.uint32  # unsigned integers of the same size
K: Any = np.uint32  # of keys
SIZE = KEY_SIZE = DIGITS = 0  # bytes of an element, of a key, and those of them that matter
SIGN = ONES = 0  # the highest bit and all bits of an element
KIND = "f"


@native.helper
def key_of(x, bits):
    """An unsigned integer that orders as the element does. NaN is the largest, and -0 equals 0."""
    if KIND == "f":
        if x != x:
            return K(ONES)
        if x == 0:
            return K(SIGN)
        return K(bits ^ BITS(ONES)) if bits & BITS(SIGN) else K(bits | BITS(SIGN))
    return K(bits ^ BITS(SIGN)) if KIND == "i" else K(bits)


@native.helper(inline=False)
def insertion_sort(keys, places, count):
    """For few elements."""
    for i in range(1, count):
        key, place, j = keys[i], places[i], i
        while j > 0 and keys[j - 1] > key:
            keys[j], places[j] = keys[j - 1], places[j - 1]
            j -= 1
        keys[j], places[j] = key, place


@native.helper(inline=False)
def sort_by_digit(keys, places, new_keys, new_places, count, starts, shift):
    """Move everything to where the counts of smaller digits say; False where all digits are the same."""
    for i in range(256):
        starts[i] = 0
    for i in range(count):
        starts[np.int64(keys[i] >> shift) & 255] += 1
    if starts[np.int64(keys[0] >> shift) & 255] == count:
        return False
    total = 0
    for i in range(256):
        starts[i], total = total, total + starts[i]
    for i in range(count):
        digit = np.int64(keys[i] >> shift) & 255
        to = starts[digit]
        starts[digit] = to + 1
        new_keys[to], new_places[to] = keys[i], places[i]
    return True


def kernel(operands, meta, lo, hi):
    """Each task sorts some rows. operands: positions, elements, workspace of (16 + 8) bytes an element for every task.

    meta: elements of a row, rows, rows of a task, 1 for descending.
    """
    count, rows, share, flip = meta[0], meta[1], meta[2], K(ONES) if meta[3] else K(0)
    starts = stack(256)
    for task in range(lo, hi):
        work = operands[2] + task * count * 24
        for row in range(task * share, min(task * share + share, rows)):
            elements, bits = (
                pointer(operands[1] + row * count * SIZE, T),
                pointer(operands[1] + row * count * SIZE, BITS),
            )
            keys, new_keys = pointer(work, K), pointer(work + count * 8, K)
            result, new_places = pointer(operands[0] + row * count * 8, np.int64), pointer(work + count * 16, np.int64)
            places = result
            for i in range(count):
                keys[i], places[i] = key_of(elements[i], bits[i]) ^ flip, i
            if count <= SHORT:
                insertion_sort(keys, places, count)
                continue
            for digit in range(DIGITS):
                if sort_by_digit(keys, places, new_keys, new_places, count, starts, K(8 * digit)):
                    keys, new_keys, places, new_places = new_keys, keys, new_places, places
            if address_of(places) != address_of(result):
                for i in range(count):
                    result[i] = places[i]


def argsort(a: np.ndarray, axis: int = -1, descending: bool = False, stable: bool = True) -> np.ndarray:
    """The positions (int64) that sort `a` along an axis. Equal elements keep their order, also with descending=True.

    NaN counts as the largest value: it comes last, and first with descending=True. Always stable, whatever `stable`
    says. ValueError where there is no such axis, TypeError for other dtypes than numbers and truth values.

    >>> argsort(np.array([3.0, 1.0, 2.0]), descending=True)
    array([0, 2, 1])
    """
    a = check_sort("argsort", a, axis)
    rows = np.ascontiguousarray(np.moveaxis(a, axis, -1))
    places = np.empty(rows.shape, np.int64)
    if a.size:
        count = rows.shape[-1]
        launch = _launch(a.dtype, count, a.size // count, descending)
        launch(places, rows, np.empty(launch.size * count * 3, np.int64))
    return np.moveaxis(places, -1, axis)


def sort(a: np.ndarray, axis: int = -1, descending: bool = False) -> np.ndarray:
    """The elements in order along an axis, as `argsort` orders them.

    >>> sort(np.array([3.0, np.nan, 2.0]))
    array([ 2.,  3., nan])
    """
    a = check_sort("sort", a, axis)
    return np.take_along_axis(a, argsort(a, axis, descending), axis)


@lru_cache(MAX_LAUNCHES)
def _launch(dtype: np.dtype, count: int, rows: int, descending: bool) -> threads.Launch:
    share = max(1, TASK // count)
    return threads.Launch(
        _kernel(dtype), [count, rows, share, int(descending)], -(-rows // share), -(-GRAIN // (count * share))
    )


@lru_cache(None)
def _kernel(dtype: np.dtype) -> int:
    """The address of the kernel for elements of a dtype."""
    size = dtype.itemsize
    constants = {
        "T": memory_type(dtype),
        "BITS": np.dtype(f"u{size}").type,
        "K": np.uint64 if size == 8 else np.uint32,
        "SIZE": size,
        "DIGITS": size,
        "SIGN": 1 << (8 * size - 1),
        "ONES": (1 << 8 * size) - 1,
        "KIND": dtype.kind,
    }
    return native.kernel(*native.specialized(kernel, constants))
