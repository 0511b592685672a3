"""Sorting: a merge sort of positions, from short sorted runs upwards. NaN counts as the largest value.

The range counts rows. meta: length of a row, 1 for descending. operands: positions, room for as many, values.
"""

from __future__ import annotations

import numpy as np

from .. import native, threads
from ..intrinsics import pointer

T = np.float32
RUN = 16
GRAIN = 1 << 13


@native.helper
def before(a, b, descending):
    """Whether a must stand before b; equal ones keep their order."""
    if descending:
        return b < a or (a != a and b == b)
    return a < b or (b != b and a == a)


@native.helper(inline=False)
def sort_runs(places, values, count, descending):
    """Insertion sort of every RUN positions."""
    for start in range(0, count, RUN):
        for i in range(start + 1, min(start + RUN, count)):
            place = places[i]
            j = i
            while j > start and before(values[place], values[places[j - 1]], descending):
                places[j] = places[j - 1]
                j -= 1
            places[j] = place


@native.helper(inline=False)
def merge(source, target, values, lo, middle, hi, descending):
    """Merge two sorted runs; of equal elements those of the first come first."""
    i, j = lo, middle
    for k in range(lo, hi):
        if i < middle and (j >= hi or not before(values[source[j]], values[source[i]], descending)):
            target[k] = source[i]
            i += 1
        else:
            target[k] = source[j]
            j += 1


def _argsort(operands, meta, lo, hi):
    count, descending = meta[0], meta[1] != 0
    for row in range(lo, hi):
        places, room = operands[0] + row * count * 8, operands[1] + row * count * 8
        values = pointer(operands[2] + row * count * SIZE, T)
        result = pointer(places, np.int64)
        for i in range(count):
            result[i] = i
        sort_runs(result, values, count, descending)
        width = RUN
        while width < count:
            source, target = pointer(places, np.int64), pointer(room, np.int64)
            for start in range(0, count, 2 * width):
                middle = min(start + width, count)
                merge(source, target, values, start, middle, min(start + 2 * width, count), descending)
            places, room = room, places
            width *= 2
        if places != operands[0] + row * count * 8:
            sorted_places = pointer(places, np.int64)
            for i in range(count):
                result[i] = sorted_places[i]


SIZE = 4


def argsort(a: np.ndarray, axis: int = -1, descending: bool = False) -> np.ndarray:
    """The positions (int64) that sort `a` along an axis, stable in both directions."""
    rows = np.ascontiguousarray(np.moveaxis(a, axis, -1))
    places = np.empty(rows.shape, np.int64)
    if a.size:
        memory = np.uint8 if a.dtype.kind == "b" else a.dtype.type
        function, constants = native.specialized(_argsort, {"T": memory, "SIZE": a.itemsize})
        count = rows.shape[-1]
        launch = threads.Launch(native.kernel(function, constants), [count, int(descending)], a.size // count,
                                max(1, GRAIN // count))  # fmt: skip
        launch(places, np.empty_like(places), rows)
    return np.moveaxis(places, -1, axis)


def sort(a: np.ndarray, axis: int = -1, descending: bool = False) -> np.ndarray:
    """The elements in order along an axis."""
    return np.take_along_axis(a, argsort(a, axis, descending), axis)
