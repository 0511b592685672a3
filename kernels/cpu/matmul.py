"""The matrix product C (+)= A B for float32 and float64, any strides, stacks of matrices.

Blocks of B (BLOCK_K x BLOCK_N, most of a level-2 cache) stay close while tiles run over the rows of A. A is read where
it lies: a broadcast load costs the same for any stride. B is copied into panels as wide as a tile where its rows are
not contiguous, or so large that reading them in place would miss the cache.

Where few rows of A meet contiguous columns of B, or the other way round, nothing is copied: `dots`. Few columns
otherwise would fill a part of each vector: `sideways`. Tried and of no use: asking ahead for rows of B inside tiles.

meta: unit of the range (0 rows, 1 columns, 2 matrices of the stack, 3 columns, with A and B exchanged), M, N, K,
strides in elements rsa, csa, rsb, csb, ldc, add, rank of the stack, its shape, its strides in elements for C, A and B.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import native, threads
from ..intrinsics import free, malloc, pointer, stack
from ..layout import broadcast_strides
from ..reference import matmul as reference
from .matmul_dot import define_dot_tile, dot_rows, dot_tile
from .matmul_tile import copy_vectors, define_tile, define_transpose, tile, tile_rows, transpose_square, vector_bytes

BLOCK_K, BLOCK_N = 384, 512  # of float32; float64 has half as deep blocks: some rows of A stay in the nearest cache
PACK_ROWS = 24  # with fewer rows than this, copying a contiguous B costs more than it saves
PACK_BYTES = 1 << 20
HUGE_BYTES, PACK_ROWS_HUGE = 16 << 20, 4  # a B that comes from memory is worth copying for fewer rows
FEW = 16  # rows or columns
DOT_K = 1024
FLAT_K, FLAT_N = 8, 4096  # blocks of a B from memory that is read once
AHEAD = 4  # rows asked for before they are copied
GRAIN_FLOPS = 1 << 22
MAX_PLANS = 4096


@native.helper
def height(rows):
    """The tallest tile for `rows` more rows; two of middling height rather than a tall one and a low one."""
    if rows >= MOST and not (rows == 16 and MOST == 12):
        return MOST
    if rows >= 8 and MOST >= 8:
        return 8
    if rows >= 6:
        return 6
    return min(rows, 4)


@native.helper(inline=False)
def pack_rows(buffer, b, rsb, depth, width):
    """Copy B[depth, width] into panels of PANEL columns, each row of a panel contiguous; missing columns are zero.

    The rows of B are contiguous: they are read in the order of memory, and asked for some rows ahead of use.
    """
    whole = width // PANEL * PANEL
    for k in range(depth):
        source, row = b + k * rsb * SIZE, buffer + k * PANEL * SIZE
        for j in range(0, whole, PANEL):
            copy_vectors(T, source + j * SIZE, row + j * depth * SIZE, AHEAD * rsb)
        if whole < width:
            x, y = pointer(source + whole * SIZE, T), pointer(row + whole * depth * SIZE, T)
            for i in range(width - whole):
                y[i] = x[i]
            for i in range(width - whole, PANEL):
                y[i] = 0


@native.helper(inline=False)
def pack_columns(panel, b, csb, depth, columns):
    """The same for one panel where the columns of B are contiguous: a transposition, square by square."""
    source, target = pointer(b, T), pointer(panel, T)
    whole_k, whole_j = depth // LANES * LANES, columns // LANES * LANES
    for k in range(0, whole_k, LANES):
        for j in range(0, whole_j, LANES):
            transpose_square(T, b + (j * csb + k) * SIZE, csb, panel + (k * PANEL + j) * SIZE, PANEL)
    for k in range(depth):
        for j in range(whole_j if k < whole_k else 0, columns):
            target[k * PANEL + j] = source[j * csb + k]
        for j in range(columns, PANEL):
            target[k * PANEL + j] = 0


@native.helper(inline=False)
def dots(c, a, b, meta, m, n):
    """The product where few rows of A meet columns of B, or the other way round, and both are contiguous."""
    depth, rsa, csb, ldc, add = meta[3], meta[4], meta[7], meta[8], meta[9]
    for pc in range(0, depth, DOT_K):
        block = min(DOT_K, depth - pc)
        j = 0
        while j < n:
            columns = 8 if m == 1 and n - j >= 8 else 4 if n - j >= 4 else 2 if n - j >= 2 else 1
            i = 0
            while i < m:
                rows = DOT_ROWS if m - i >= DOT_ROWS else 1
                dot_tile(T, a + (i * rsa + pc) * SIZE, rsa, b + (j * csb + pc) * SIZE, csb, c + (i * ldc + j) * SIZE,
                         ldc, block, rows * 16 + columns, add + pc)  # fmt: skip
                i += rows
            j += columns


@native.helper(inline=False)
def sideways(c, a, b, meta, m, n):
    """Few columns: the transpose is computed, whose rows are long, and turned."""
    own, rsa, ldc, add = stack(11), meta[4], meta[8], meta[9]
    buffer = malloc(n * BLOCK_N * SIZE)
    own[1], own[2], own[3], own[8], own[9] = meta[2], meta[1], meta[3], BLOCK_N, 0
    for i in range(4):  # the strides of the transposes of B and A
        own[4 + i] = meta[7 - i]
    source, target = pointer(buffer, T), pointer(c, T)
    for ic in range(0, m, BLOCK_N):
        rows = min(BLOCK_N, m - ic)
        blocks(buffer, b, a + ic * rsa * SIZE, own, n, rows)
        for i in range(rows):
            for j in range(n):
                at = (ic + i) * ldc + j
                target[at] = source[j * BLOCK_N + i] + (target[at] if add else T(0))
    free(buffer)


@native.helper(inline=False)
def blocks(c, a, b, meta, m, n):
    """The product block by block of B, which tiles then run over."""
    depth, rsa, csa, rsb, csb, ldc, add = meta[3], meta[4], meta[5], meta[6], meta[7], meta[8], meta[9]
    large = depth * meta[2] * SIZE > PACK_BYTES
    huge = depth * meta[2] * SIZE > HUGE_BYTES
    packed = csb != 1 or (m >= PACK_ROWS_HUGE and huge) or (m >= PACK_ROWS and (large or rsb * SIZE % 4096 == 0))
    flat = huge and csb == 1 and meta[1] < PACK_ROWS_HUGE  # B is read once: along its rows
    most_k, most_n = (FLAT_K, FLAT_N) if flat else (BLOCK_K, BLOCK_N)
    # rows of A at such distances fall into the same few lines of the nearest cache: they are copied further apart
    crowded = csa == 1 and rsa * SIZE % 4096 == 0 and m >= MOST and n >= 2 * PANEL
    panels = min(BLOCK_K, depth) * (min(BLOCK_N, n) + PANEL) if packed else 0
    buffer = malloc((panels + MOST * (BLOCK_K + 16)) * SIZE + 64) if packed or crowded else 0
    aligned = (buffer + 63) // 64 * 64
    rows_of_a = aligned + panels * SIZE
    for jc in range(0, n, most_n):
        width = min(most_n, n - jc)
        for pc in range(0, depth, most_k):
            block = min(most_k, depth - pc)
            start = b + (pc * rsb + jc * csb) * SIZE
            if packed and csb == 1:
                pack_rows(aligned, start, rsb, block, width)
            elif packed:
                for j in range(0, width, PANEL):
                    pack_columns(aligned + j * block * SIZE, start + j * csb * SIZE, csb, block, min(PANEL, width - j))
            i = 0
            while i < m:
                rows = height(m - i)
                row, down = a + (i * rsa + pc * csa) * SIZE, rsa
                if crowded:
                    for r in range(rows):
                        x, y = pointer(row + r * rsa * SIZE, T), pointer(rows_of_a + r * (BLOCK_K + 16) * SIZE, T)
                        for k in range(block):
                            y[k] = x[k]
                    row, down = rows_of_a, (BLOCK_K + 16)
                wide = PANEL if packed else LANES * (8 if rows == 1 else 4 if rows == 2 else 2)
                j = 0
                while j < width:
                    columns = wide if width - j >= wide else min(PANEL, width - j)
                    vectors = (columns + LANES - 1) // LANES
                    place = aligned + j * block * SIZE if packed else start + j * SIZE
                    target = c + (i * ldc + jc + j) * SIZE
                    tile(T, row, down, csa, place, PANEL if packed else rsb, target, ldc, block,
                         rows * 16 + vectors, columns - (vectors - 1) * LANES, add + pc)  # fmt: skip
                    j += columns
                i += rows
    if packed or crowded:
        free(buffer)


def kernel(operands, meta, lo, hi):
    """The part of the product that the range names; see the module's text for `meta`."""
    c, a, b = operands[0], operands[1], operands[2]
    unit, m, n, rsa, csb, ldc, rank = meta[0], meta[1], meta[2], meta[4], meta[7], meta[8], meta[10]
    define_tile(T)
    define_dot_tile(T)
    define_transpose(T)
    if unit == 3:
        a, b = b, a
    # which way to go is up to the whole product, not to this part of it: the parts' sizes must not change the bits
    along = meta[5] == 1 and meta[6] == 1 and meta[3] >= 4 * LANES
    most = FEW if rsa == 1 else LANES // 2 if meta[5] == 1 else 0  # turning rows of A round costs more for more columns
    narrow = meta[2] <= most and meta[1] >= 4 * LANES
    last = hi if unit == 2 else lo + 1
    for item in range(lo, last):
        rest, oc, oa, ob = item, 0, 0, 0
        if unit == 0:
            oc, oa, m = lo * ldc, lo * rsa, hi - lo
        elif unit != 2:
            oc, ob, n = lo, lo * csb, hi - lo
        for d in range(rank):
            axis = rank - 1 - d
            place = rest % meta[11 + axis]
            rest = rest // meta[11 + axis]
            oc += place * meta[11 + rank + axis]
            oa += place * meta[11 + 2 * rank + axis]
            ob += place * meta[11 + 3 * rank + axis]
        if along and min(meta[1], meta[2]) <= FEW:
            dots(c + oc * SIZE, a + oa * SIZE, b + ob * SIZE, meta, m, n)
        elif narrow:
            sideways(c + oc * SIZE, a + oa * SIZE, b + ob * SIZE, meta, m, n)
        else:
            blocks(c + oc * SIZE, a + oa * SIZE, b + ob * SIZE, meta, m, n)


_addresses: dict[Any, int] = {}
_plans: dict[bytes, Any] = {}
# helpers see constants through their module: each dtype has its own copies of them
T: Any = np.float32
SIZE = LANES = PANEL = MOST = DOT_ROWS = 0


def _kernel(function: Any, dtype: np.dtype) -> int:
    """The address of a kernel for a dtype and the host's vectors."""
    key = function, dtype.char
    if key not in _addresses:
        lanes = vector_bytes() // dtype.itemsize
        sizes = {"SIZE": dtype.itemsize, "LANES": lanes, "PANEL": 2 * lanes, "MOST": tile_rows()[-1]}
        sizes |= {"BLOCK_K": BLOCK_K * 4 // dtype.itemsize, "DOT_ROWS": dot_rows()}
        _addresses[key] = native.kernel(*native.specialized(function, {"T": dtype.type, **sizes}))
    return _addresses[key]


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
    unit, length = (2, math.prod(stack)) if stack else (0, m) if by_rows or n < m else (1, n)
    if not stack and n == 1 and not by_rows and 1 in (rsa, csa):  # in memory the same as the row of the transpose
        m, n, rsa, csa, rsb, csb, unit = 1, m, 0, rsb, csa, rsa, 3
    own = [math.prod(stack[i + 1 :]) * m * n for i in range(len(stack))]
    meta = [unit, m, n, k, rsa, csa, rsb, csb, n, add, len(stack), *stack, *own]
    meta += [*_stack_strides(a, stack), *_stack_strides(b, stack)]
    return threads.Launch(_kernel(kernel, a.dtype), meta, length, _grain(m, n, k, unit))


def is_packed(m: int, n: int, k: int, down: int, along: int, size: int) -> bool:
    """Whether B is copied into panels; down, along: its strides in bytes. As `blocks` decides."""
    if along != size or (m >= PACK_ROWS_HUGE and k * n * size > HUGE_BYTES):
        return True
    return m >= PACK_ROWS and (k * n * size > PACK_BYTES or down % 4096 == 0)


def _stack_strides(a: np.ndarray, stack: tuple[int, ...]) -> list[int]:
    inner = a[..., 0, 0]
    return [s // a.itemsize for s in broadcast_strides(inner, stack)]


def _grain(m: int, n: int, k: int, unit: int) -> int:
    """The range's smallest piece worth a thread, in whole tiles."""
    work = 2 * m * n * k if unit == 2 else 2 * k * (n if unit == 0 else m)
    piece = max(1, GRAIN_FLOPS // max(work, 1))
    return piece if unit == 2 else -(-piece // 96) * 96
