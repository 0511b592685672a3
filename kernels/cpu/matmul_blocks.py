"""The matrix product block by block of B: what is copied where, and which tiles run over it.

Blocks of B (BLOCK_K x BLOCK_N, most of a level-2 cache) stay close while tiles run over the rows of A. A is read where
it lies: a broadcast load costs the same for any stride. B is copied into panels as wide as a tile where its rows are
not contiguous, or so large that reading them in place would miss the cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import native
from ..intrinsics import NEAREST, pointer, prefetch
from .matmul_copy import copy_lanes, copy_vectors, transpose_square
from .matmul_scratch import borrow, give_back
from .matmul_tile import COPY, tile

BLOCK_K, BLOCK_N = 384, 512  # of float32
BLOCK_K_64, BLOCK_N_64 = 256, 384  # of float64: some rows of A shall stay in the nearest cache
PACK_ROWS = 24  # with fewer rows than this, copying a contiguous B costs more than it saves
PACK_BYTES = 1 << 18
NEAR_BYTES = 7 << 19  # a B in some cache is copied by the first tiles that read it; larger ones in the order of memory
HUGE_BYTES = 16 << 20  # comes from memory
FLAT_ROWS, FLAT_K, FLAT_N = 12, 8, 4096  # few rows times a B from memory: it is read once, along its rows
AHEAD, AHEAD_FAR = 16, 8  # rows of B asked for before they are copied
FETCH_BYTES, FETCH_K = 1 << 20, 64  # a C from so far, if there is work to do meanwhile
PAGE = 4096  # lines so far apart share few places in the nearest cache
# of a dtype: each has helpers of its own
T: Any = np.float32
SIZE = LANES = HALF = PANEL = MOST = 0


@native.helper
def height(rows):
    """The tallest tile for `rows` more rows; two of middling height rather than a tall one and a low one."""
    if MOST >= 8 and (rows == 8 or rows == 11 or rows == 14 or rows == 16):
        return 8
    if rows >= MOST:
        return MOST
    return 6 if rows >= 6 and rows != 7 else min(rows, 4)


@native.helper(inline=False)
def pack_rows(panels, b, rsb, depth, width):
    """Copy B[depth, width] into panels of PANEL columns, each row of a panel contiguous.

    The rows of B are contiguous: they are read in the order of memory, and asked for some rows ahead of use.
    """
    whole = width // PANEL * PANEL
    for k in range(depth):
        source, row = b + k * rsb * SIZE, panels + k * PANEL * SIZE
        for j in range(0, whole, PANEL):
            copy_vectors(T, source + j * SIZE, row + j * depth * SIZE, AHEAD_FAR * rsb)
        for j in range(whole, width, LANES):
            target = row + (whole * depth + j - whole) * SIZE
            copy_lanes(T, source + j * SIZE, target, min(LANES, width - j), AHEAD_FAR * rsb)


@native.helper(inline=False)
def pack_columns(panels, b, csb, depth, width):
    """The same where the columns of B are contiguous: a transposition, square by square."""
    whole_k, whole_j = depth // LANES * LANES, width // LANES * LANES
    for start in range(0, width, PANEL):
        panel, end = panels + start * depth * SIZE, min(start + PANEL, width)
        for k in range(0, whole_k, LANES):
            for j in range(start, min(end, whole_j), LANES):
                transpose_square(T, b + (j * csb + k) * SIZE, csb, panel + (k * PANEL + j - start) * SIZE, PANEL)
        source, target = pointer(b, T), pointer(panel, T)
        for k in range(depth):
            for j in range(max(start, min(whole_j, end)) if k < whole_k else start, end):
                target[k * PANEL + j - start] = source[j * csb + k]


@native.helper(inline=False)
def copy_a(target, a, rsa, csa, rows, depth):
    """Rows of A: contiguous ones with some distance in between, others turned round, LANES and more to each k."""
    if csa == 1:
        for r in range(rows):
            x, y = pointer(a + r * rsa * SIZE, T), pointer(target + r * (BLOCK_K + 16) * SIZE, T)
            for k in range(depth):
                y[k] = x[k]
    else:
        for k in range(depth):
            for r in range(0, rows, LANES):
                source = a + (k * csa + r) * SIZE
                copy_lanes(T, source, target + (k * 16 + r) * SIZE, min(rows - r, LANES), AHEAD * csa)


@native.helper
def strip(a, rsa, csa, b, ldb, panels, copying, c, ldc, depth, rows, width, add, far):
    """Tiles of one height side by side. b: where B lies; panels: where its copy lies, or shall lie (copying), or 0."""
    widest = PANEL if panels else LANES * (8 if rows == 1 else 4 if rows == 2 else 2)
    read = panels and not copying
    j = 0
    while j < width:
        left = width - j
        columns = widest if left >= widest else LANES if LANES < left <= LANES + HALF else min(left, PANEL)
        vectors = (columns + LANES - 1) // LANES if columns > HALF else 0
        panel = panels + (j // PANEL * depth * PANEL + j % PANEL) * SIZE
        target = c + j * SIZE
        if far:
            for r in range(rows):
                prefetch(target + r * ldc * SIZE, NEAREST)
                prefetch(target + (r * ldc + LANES) * SIZE, NEAREST)
        tile(T, a, rsa, csa, panel if read else b + j * SIZE, PANEL if read else ldb, target, ldc, depth,
             rows * 16 + vectors + (COPY if copying else 0), columns - max(vectors - 1, 0) * LANES, add, panel,
             AHEAD * ldb)  # fmt: skip
        j += columns


@native.helper(inline=False)
def blocks(c, a, b, meta, m, n):
    """Rows and columns of the product, m x n of them."""
    depth, rsa, csa, rsb, csb, ldc, add = meta[3], meta[4], meta[5], meta[6], meta[7], meta[8], meta[9]
    size = depth * meta[2] * SIZE  # of B
    far = meta[1] * meta[2] * SIZE > FETCH_BYTES and depth >= FETCH_K
    flat = size > HUGE_BYTES and csb == 1 and meta[1] < FLAT_ROWS
    packed = csb != 1 or (m >= PACK_ROWS and (size > PACK_BYTES or rsb * SIZE % PAGE == 0))
    near = csb == 1 and size < NEAR_BYTES
    # rows of A that would push one another out of the nearest cache are copied, where columns enough make up for it
    spread = csa == 1 and rsa * SIZE % PAGE == 0 and n >= LANES
    steep = rsa == 1 and csa * SIZE % (PAGE // 2) == 0 and n >= 2 * PANEL and depth >= FETCH_K
    crowded = m >= MOST and (spread or steep)
    most_k, most_n = (FLAT_K, FLAT_N) if flat else (BLOCK_K, BLOCK_N)
    memory = borrow(meta[11]) if packed or crowded else 0
    copied = (memory + 63) // 64 * 64  # rows of A
    panels = copied + 16 * (BLOCK_K + 16) * SIZE
    for left in range(0, n, most_n):
        width = min(most_n, n - left)
        for top in range(0, depth, most_k):
            block = min(most_k, depth - top)
            start = b + (top * rsb + left * csb) * SIZE
            if csb != 1:
                pack_columns(panels, start, csb, block, width)
            elif packed and not near:
                pack_rows(panels, start, rsb, block, width)
            i = 0
            while i < m:
                rows = height(m - i)
                x, down, along = a + (i * rsa + top * csa) * SIZE, rsa, csa
                if crowded:
                    copy_a(copied, x, rsa, csa, rows, block)
                    x, down, along = copied, BLOCK_K + 16 if csa == 1 else 1, 1 if csa == 1 else 16
                strip(x, down, along, start, rsb, panels if packed else 0, packed and near and i == 0,
                      c + (i * ldc + left) * SIZE, ldc, block, rows, width, add + top, far)  # fmt: skip
                i += rows
    if packed or crowded:
        give_back(meta[11], memory)
