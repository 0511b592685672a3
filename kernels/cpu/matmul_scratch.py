"""Memory that a product copies its operands to, kept between calls: the system clears what it is asked for anew."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import native
from ..intrinsics import free, malloc
from ..native import Intrinsic

BYTES = 1 << 20  # of every piece
SLOT = np.zeros(1, np.int64)  # the address of a piece that nobody uses, or 0


@Intrinsic
def exchange(context: Any, address: Any, value: Any) -> Any:
    """Put a 64-bit integer at an address; what was there, so that no two threads get the same."""
    from numba import types

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], arguments[1].type.as_pointer())
        return builder.atomic_rmw("xchg", place, arguments[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@native.helper
def borrow(slot):
    """The piece from the slot, or a new one."""
    memory = exchange(slot, 0)
    return memory if memory != 0 else malloc(BYTES)


@native.helper
def give_back(slot, memory):
    """Leave a piece in the slot; that of another thread, left meanwhile, goes."""
    free(exchange(slot, memory))
