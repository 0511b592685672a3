"""Memory that a product copies its operands to, kept between calls: the system clears what it is asked for anew."""

from __future__ import annotations

from functools import cache

from .. import native
from ..atomics import atomic_set, shared_words
from ..intrinsics import free, malloc

BYTES = 1 << 20  # of every piece


@cache
def slot() -> int:
    """The address of a word that has the address of a piece that nobody uses, or 0."""
    return shared_words(1)


@native.helper
def borrow(slot):
    """The piece from the slot, or a new one. No two threads get the same."""
    memory = atomic_set(slot, 0)
    return memory if memory != 0 else malloc(BYTES)


@native.helper
def give_back(slot, memory):
    """Leave a piece in the slot; that of another thread, left meanwhile, goes."""
    free(atomic_set(slot, memory))
