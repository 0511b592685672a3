"""The matrix product C (+)= A B for float32 and float64, any strides, stacks of matrices.

Large products go block by block (`matmul_blocks`), those with few rows or columns their own ways (`matmul_few`).

meta: unit of the range (0 rows, 1 columns, 2 matrices of the stack, 3 columns, with A and B exchanged), M, N, K,
strides in elements rsa, csa, rsb, csb, ldc, add, way, `matmul_scratch.slot()`, rank of the stack, its shape,
its strides in elements for C, A and B.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import native, threads
from ..layout import broadcast_strides
from ..reference import matmul as reference
from . import matmul_blocks, matmul_few, matmul_scratch
from .matmul_blocks import BLOCK_K_64, BLOCK_N_64, PACK_ROWS, PAGE, blocks
from .matmul_copy import define_transpose
from .matmul_dot import define_dot_tile, dot_rows
from .matmul_emit import vector_bytes
from .matmul_few import FEW, dots, one_row, sideways, turned
from .matmul_row import define_add_rows
from .matmul_tile import define_tile, tile_rows

DOT_ROWS_MOST, DOT_VECTORS = 64, 16  # more rows if the depth has so many vectors: copying a B for them costs more
TURN_ROWS = 32  # that are worth turning B round
ROW_BYTES = 1 << 20  # a B in the level-2 cache is read as fast by tiles
COPY_BYTES = 1 << 20  # a smaller B of contiguous rows is copied at next to no cost
GRAIN_FLOPS = 1 << 22
LEAST_COLUMNS = 128  # worth sharing
MAX_PLANS = 4096
BLOCKS, DOTS, TURNED, SIDEWAYS, ONE_ROW = range(5)
HEAD = 13  # integers of meta before those of the stack


def kernel(operands, meta, lo, hi):
    """The part of the product that the range names; see the module's text for `meta`."""
    c, a, b = operands[0], operands[1], operands[2]
    unit, m, n, rsa, csb, ldc = meta[0], meta[1], meta[2], meta[4], meta[7], meta[8]
    way, rank = meta[10], meta[12]
    define_tile(T)
    define_dot_tile(T)
    define_add_rows(T)
    define_transpose(T)
    if unit == 3:
        a, b = b, a
    last = hi if unit == 2 else lo + 1
    for item in range(lo, last):
        rest, oc, oa, ob = item, 0, 0, 0
        if unit == 0:
            oc, oa, m = lo * ldc, lo * rsa, hi - lo
        elif unit != 2:
            oc, ob, n = lo, lo * csb, hi - lo
        for d in range(rank):
            axis = rank - 1 - d
            place = rest % meta[HEAD + axis]
            rest = rest // meta[HEAD + axis]
            oc += place * meta[HEAD + rank + axis]
            oa += place * meta[HEAD + 2 * rank + axis]
            ob += place * meta[HEAD + 3 * rank + axis]
        c_part, a_part, b_part = c + oc * SIZE, a + oa * SIZE, b + ob * SIZE
        if way == DOTS:
            dots(c_part, a_part, b_part, meta, m, n)
        elif way == TURNED:
            turned(c_part, a_part, b_part, meta, m, n)
        elif way == SIDEWAYS:
            sideways(c_part, a_part, b_part, meta, m, n)
        elif way == ONE_ROW:
            one_row(c_part, a_part, b_part, meta, n)
        else:
            blocks(c_part, a_part, b_part, meta, m, n)


_addresses: dict[Any, int] = {}
_plans: dict[bytes, Any] = {}
# of a dtype: each has kernels and helpers of its own
T: Any = np.float32
SIZE = 0


def _kernel(function: Any, dtype: np.dtype) -> int:
    """The address of a kernel for a dtype and the host's vectors."""
    key = function, dtype.char
    if key not in _addresses:
        _addresses[key] = native.kernel(*native.specialized(function, _constants(dtype)))
    return _addresses[key]


def _constants(dtype: np.dtype) -> dict[str, Any]:
    """What kernels and helpers see of a dtype: sizes, and helpers of other modules that see the same."""
    lanes = vector_bytes() // dtype.itemsize
    known = {"T": dtype.type, "SIZE": dtype.itemsize, "LANES": lanes, "HALF": lanes // 2, "PANEL": 2 * lanes}
    known |= {"MOST": tile_rows()[-1], "DOT_ROWS": dot_rows()}
    if dtype.itemsize == 8:
        known |= {"BLOCK_K": BLOCK_K_64, "BLOCK_N": BLOCK_N_64}
    known["blocks"] = native.specialized_helpers(vars(matmul_blocks), known)["blocks"]
    few = native.specialized_helpers(vars(matmul_few), known)
    return known | {name: few[name] for name in ("dots", "turned", "sideways", "one_row")}


def matmul(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None, accumulate: bool = False) -> np.ndarray:
    """a @ b with NumPy's rules for vectors and stacks; into `out` if given, added to it with accumulate=True.

    a: (..., m, k) or (k,); b: (..., k, n) or (k,), of one dtype. Raises ValueError where shapes do not fit.
    """
    plan = _plans.get(threads.signature(a, b)) if out is None else None
    if plan is None:
        return _first(a, b, out, accumulate)
    run, shape, dtype = plan
    result = np.empty(shape, dtype)
    run(result, a, b)
    return result


def _first(a: np.ndarray, b: np.ndarray, out: np.ndarray | None, accumulate: bool) -> np.ndarray:
    """A product of shapes that have not come yet, or into given memory."""
    a, b = np.asarray(a), np.asarray(b)
    reference.check(a, b)
    if a.dtype.char not in "fd" or not a.dtype.isnative:
        return reference.matmul(a, b, out, accumulate)
    a2, b2 = a[None, :] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b
    stack = np.broadcast_shapes(a2.shape[:-2], b2.shape[:-2])
    full = (*stack, a2.shape[-2], b2.shape[-1])
    shape = stack + full[-2:-1] * (a.ndim > 1) + full[-1:] * (b.ndim > 1)
    if out is not None:
        return _into(a2, b2, full, shape, out, accumulate)
    step = _bind(a2, b2, full, False)
    if step is None:
        return matmul(_plain(a), _plain(b))
    if len(_plans) >= MAX_PLANS:
        _plans.clear()
    if key := threads.signature(a, b):
        _plans[key] = step.run, shape, a.dtype
    result = np.empty(shape, a.dtype)
    step.run(result, a, b)
    return result


def _into(a: np.ndarray, b: np.ndarray, full: Any, shape: Any, out: np.ndarray, accumulate: bool) -> np.ndarray:
    reference.check_out(out, shape, a.dtype)
    direct = type(out) is np.ndarray and out.flags.c_contiguous
    if direct and not np.may_share_memory(out, a) and not np.may_share_memory(out, b):
        step = _bind(a, b, full, accumulate)
        if step is not None:
            step.run(out, a, b)
            return out
    result = matmul(a, b).reshape(shape)
    out[...] = out + result if accumulate else result
    return out


def _plain(a: np.ndarray) -> np.ndarray:
    return np.array(a, order="C", subok=False)


def bind(a: np.ndarray, b: np.ndarray, accumulate: bool, by_rows: bool = False) -> threads.Step | None:
    """The product bound to the layouts of two arrays; it takes the result (rows first), `a` and `b`.

    by_rows: the range shall count rows of the result. None where an operand must be copied first.
    """
    a2, b2 = a[None, :] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b
    full = (*np.broadcast_shapes(a2.shape[:-2], b2.shape[:-2]), a2.shape[-2], b2.shape[-1])
    return _bind(a2, b2, full, accumulate, by_rows)


def _bind(
    a: np.ndarray, b: np.ndarray, full: tuple[int, ...], accumulate: bool, by_rows: bool = False
) -> threads.Step | None:
    """The product of matrices bound to a layout. None where an operand must be copied first."""
    if any(type(x) is not np.ndarray or any(s % x.itemsize for s in x.strides) for x in (a, b)):
        return None
    (m, n), k, stack = full[-2:], a.shape[-1], full[:-2]
    if 0 in full:
        return threads.NOTHING
    if k == 0:
        return threads.NOTHING if accumulate else threads.Function(lambda c, *_: c.fill(0))
    size = a.itemsize
    rsa, csa, rsb, csb = (s // size for s in (*a.strides[-2:], *b.strides[-2:]))
    if a.shape[-2] == 1:
        rsa = 0
    if n == 1:  # a single column has no stride that matters
        csb = 1
    if rsb != 1 and csb != 1:
        return None
    add = int(accumulate)
    # by columns each thread copies only its own part of B
    rows_first = by_rows or (n < m and (csb == 1 or n < LEAST_COLUMNS))
    unit, length = (2, math.prod(stack)) if stack else (0, m) if rows_first else (1, n)
    if not stack and n == 1 and not by_rows and 1 in (rsa, csa):  # in memory the same as the row of the transpose
        m, n, rsa, csa, rsb, csb, unit = 1, m, 0, rsb, csa, rsa, 3
    own = [math.prod(stack[i + 1 :]) * m * n for i in range(len(stack))]
    way = _way(m, n, k, (rsa, csa, rsb, csb), vector_bytes() // size, size)
    meta = [unit, m, n, k, rsa, csa, rsb, csb, n, add, way, matmul_scratch.slot(), len(stack), *stack, *own]
    meta += [*_stack_strides(a, stack), *_stack_strides(b, stack)]
    return threads.Launch(_kernel(kernel, a.dtype), meta, length, _grain(m, n, k, unit))


def _way(m: int, n: int, k: int, strides: tuple[int, int, int, int], lanes: int, size: int) -> int:
    """Which way to go is up to the whole product, not to a part of it: the sizes of parts must not change the bits."""
    rsa, csa, rsb, csb = strides
    if csa == rsb == 1 and k >= 4 * lanes and (min(m, n) <= FEW or (m <= DOT_ROWS_MOST and k >= DOT_VECTORS * lanes)):
        return DOTS
    across, half = -(-2 * n // lanes) * k, 2 * (k / lanes + 4) * n  # half vectors: of columns, along the depth
    if csa == csb == 1 and n <= FEW and m >= TURN_ROWS and 1.1 * half < across:
        return TURNED
    if rsa == 1 and n <= FEW and m >= 4 * lanes:
        return SIDEWAYS
    return ONE_ROW if m == csb == 1 and n >= 4 * lanes and n * k * size > ROW_BYTES else BLOCKS


def is_packed(m: int, n: int, k: int, down: int, along: int, size: int) -> bool:
    """Whether B is copied at a cost that is worth sharing by many rows; down, along: its strides in bytes."""
    return along != size or (m >= PACK_ROWS and (k * n * size > COPY_BYTES or down % PAGE == 0))


def _stack_strides(a: np.ndarray, stack: tuple[int, ...]) -> list[int]:
    inner = a[..., 0, 0]
    return [s // a.itemsize for s in broadcast_strides(inner, stack)]


def _grain(m: int, n: int, k: int, unit: int) -> int:
    """The range's smallest piece worth a thread, in whole tiles."""
    work = 2 * m * n * k if unit == 2 else 2 * k * (n if unit == 0 else m)
    piece, whole = max(1, GRAIN_FLOPS // max(work, 1)), (96, 32, 1, 32)[unit]
    return -(-piece // whole) * whole
