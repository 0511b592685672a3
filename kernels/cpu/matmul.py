"""The matrix product C (+)= A B for float32 and float64, any strides, stacks of matrices.

Blocks of B (BLOCK_K x BLOCK_N, most of a level-2 cache) stay close while tiles run over the rows of A. A is read where
it lies: a broadcast load costs the same for any stride. B is copied into panels as wide as a tile where its rows are
not contiguous, or so large that reading them in place would miss the cache.

meta: unit of the range (0 rows, 1 columns, 2 matrices of the stack), M, N, K, strides in elements rsa, csa, rsb, csb,
ldc, add, rank of the stack, its shape, its strides in elements for C, A and B.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import native, threads
from ..intrinsics import free, malloc, pointer
from ..layout import broadcast_strides
from ..reference import matmul as reference
from .matmul_tile import tile, tile_rows, transpose_square, vector_bytes

BLOCK_K, BLOCK_N = 384, 512
PACK_ROWS = 24  # with fewer rows than this, copying a contiguous B costs more than it saves
PACK_BYTES = 1 << 20
GRAIN_FLOPS = 1 << 22
MAX_PLANS = 4096


@native.helper
def height(rows):
    """The tallest tile that fits into `rows`."""
    if rows >= MOST:
        return MOST
    if rows >= 8 and MOST >= 8:
        return 8
    if rows >= 6:
        return 6
    return min(rows, 4)


@native.helper(inline=False)
def pack(buffer, b, rsb, csb, depth, width):
    """Copy B[depth, width] into panels of PANEL columns, each row of a panel contiguous; missing columns are zero."""
    for j in range(0, width, PANEL):
        panel = buffer + j * depth * SIZE
        columns = min(PANEL, width - j)
        if rsb == 1:
            pack_columns(panel, b + j * csb * SIZE, csb, depth, columns)
        else:
            source, target = pointer(b + j * csb * SIZE, T), pointer(panel, T)
            for k in range(depth):
                for i in range(columns):
                    target[k * PANEL + i] = source[k * rsb + i * csb]
                for i in range(columns, PANEL):
                    target[k * PANEL + i] = 0


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
def product(c, a, b, meta, m, n):
    """C[m, n] (+)= A[m, K] B[K, n] from the given addresses."""
    depth, rsa, csa, rsb, csb, ldc, add = meta[3], meta[4], meta[5], meta[6], meta[7], meta[8], meta[9]
    packed = csb != 1 or (m >= PACK_ROWS and (depth * n * SIZE > PACK_BYTES or rsb * SIZE % 4096 == 0))
    buffer = malloc((BLOCK_K * (BLOCK_N + PANEL)) * SIZE + 64) if packed else 0
    aligned = (buffer + 63) // 64 * 64
    for jc in range(0, n, BLOCK_N):
        width = min(BLOCK_N, n - jc)
        for pc in range(0, depth, BLOCK_K):
            block = min(BLOCK_K, depth - pc)
            start = b + (pc * rsb + jc * csb) * SIZE
            if packed:
                pack(aligned, start, rsb, csb, block, width)
            i = 0
            while i < m:
                rows = height(m - i)
                wide = PANEL if packed else LANES * (8 if rows == 1 else 4 if rows == 2 else 2)
                row, j = a + (i * rsa + pc * csa) * SIZE, 0
                while j < width:
                    columns = wide if width - j >= wide else min(PANEL, width - j)
                    vectors = (columns + LANES - 1) // LANES
                    place = aligned + j * block * SIZE if packed else start + j * SIZE
                    target = c + (i * ldc + jc + j) * SIZE
                    tile(T, row, rsa, csa, place, PANEL if packed else rsb, target, ldc, block,
                         rows * 16 + vectors, columns - (vectors - 1) * LANES, add + pc)  # fmt: skip
                    j += columns
                i += rows
    if packed:
        free(buffer)


def kernel(operands, meta, lo, hi):
    """The part of the product that the range names; see the module's text for `meta`."""
    c, a, b = operands[0], operands[1], operands[2]
    unit, m, n, rsa, csb, ldc, rank = meta[0], meta[1], meta[2], meta[4], meta[7], meta[8], meta[10]
    if unit == 0:
        product(c + lo * ldc * SIZE, a + lo * rsa * SIZE, b, meta, hi - lo, n)
    elif unit == 1:
        product(c + lo * SIZE, a, b + lo * csb * SIZE, meta, m, hi - lo)
    else:
        for item in range(lo, hi):
            rest, oc, oa, ob = item, 0, 0, 0
            for d in range(rank):
                axis = rank - 1 - d
                place = rest % meta[11 + axis]
                rest = rest // meta[11 + axis]
                oc += place * meta[11 + rank + axis]
                oa += place * meta[11 + 2 * rank + axis]
                ob += place * meta[11 + 3 * rank + axis]
            product(c + oc * SIZE, a + oa * SIZE, b + ob * SIZE, meta, m, n)


@native.helper(flags=native.FASTMATH | {"reassoc"}, inline=False)
def dot(a, b, count):
    """The sum of products of two contiguous vectors, in as many partial sums as the vectors have lanes."""
    x, y = pointer(a, T), pointer(b, T)
    total = T(0)
    for i in range(count):
        total += x[i] * y[i]
    return total


def vector_kernel(operands, meta, lo, hi):
    """A matrix with contiguous rows times a vector. meta: which operand is it, K, row stride, result stride, add."""
    matrix, vector = operands[meta[0]], operands[3 - meta[0]]
    result = pointer(operands[0], T)
    for i in range(lo, hi):
        total = dot(matrix + i * meta[2] * SIZE, vector, meta[1])
        result[i * meta[3]] = total + (result[i * meta[3]] if meta[4] else T(0))


_addresses: dict[Any, int] = {}
_plans: dict[bytes, Any] = {}
# helpers see constants through their module: each dtype has its own copies of them
T: Any = np.float32
SIZE = LANES = PANEL = MOST = 0


def _kernel(function: Any, dtype: np.dtype) -> int:
    """The address of a kernel for a dtype and the host's vectors."""
    key = function, dtype.char
    if key not in _addresses:
        lanes = vector_bytes() // dtype.itemsize
        sizes = {"SIZE": dtype.itemsize, "LANES": lanes, "PANEL": 2 * lanes, "MOST": tile_rows()[-1]}
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
    if not stack and n == 1 and csa == 1 and rsb == 1 and not by_rows:
        return threads.Launch(_kernel(vector_kernel, a.dtype), [1, k, rsa, 1, add], m, _grain(m, n, k, 0))
    if not stack and m == 1 and csa == 1 and rsb == 1 and not by_rows:
        return threads.Launch(_kernel(vector_kernel, a.dtype), [2, k, csb, 1, add], n, _grain(m, n, k, 1))
    unit, length = (2, math.prod(stack)) if stack else (0, m) if by_rows or n < m else (1, n)
    own = [math.prod(stack[i + 1 :]) * m * n for i in range(len(stack))]
    meta = [unit, m, n, k, rsa, csa, rsb, csb, n, add, len(stack), *stack, *own]
    meta += [*_stack_strides(a, stack), *_stack_strides(b, stack)]
    return threads.Launch(_kernel(kernel, a.dtype), meta, length, _grain(m, n, k, unit))


def is_packed(m: int, n: int, k: int, down: int, along: int, size: int) -> bool:
    """Whether B is copied into panels; down, along: its strides in bytes. As `product` decides."""
    return along != size or (m >= PACK_ROWS and (k * n * size > PACK_BYTES or down % 4096 == 0))


def _stack_strides(a: np.ndarray, stack: tuple[int, ...]) -> list[int]:
    inner = a[..., 0, 0]
    return [s // a.itemsize for s in broadcast_strides(inner, stack)]


def _grain(m: int, n: int, k: int, unit: int) -> int:
    """The range's smallest piece worth a thread, in whole tiles."""
    work = 2 * m * n * k if unit == 2 else 2 * k * (n if unit == 0 else m)
    piece = max(1, GRAIN_FLOPS // max(work, 1))
    return piece if unit == 2 else -(-piece // 96) * 96
