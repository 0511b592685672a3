"""Matrix products with few rows or few columns.

Where both operands lie along the depth, vectors do too, and nothing is rearranged (`dots`). Few columns would fill a
part of each vector, so they are made to lie along the depth (`turned`), or the transpose is computed (`sideways`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import native
from ..intrinsics import free, malloc, pointer, stack
from .matmul_blocks import AHEAD, BLOCK_N, HUGE_BYTES, PAGE, blocks
from .matmul_copy import copy_lanes, transpose_square
from .matmul_dot import FAR, dot_tile
from .matmul_row import FAR as FAR_ROWS
from .matmul_row import add_rows

FEW = 16  # rows or columns
DOT_K, DOT_K_ONE_ROW = 1024, 4096
ROW_N = 4096  # columns of the result that stay in the nearest cache
# of a dtype: each has helpers of its own
T: Any = np.float32
SIZE = LANES = DOT_ROWS = 0


@native.helper(inline=False)
def dots(c, a, b, meta, m, n):
    """The product where few rows of A meet columns of B, or the other way round, and both are contiguous."""
    depth, rsa, csb, ldc, add = meta[3], meta[4], meta[7], meta[8], meta[9]
    far = FAR if meta[1] == 1 and depth * meta[2] * SIZE > HUGE_BYTES else 0
    most_k = DOT_K_ONE_ROW if meta[1] == 1 else DOT_K
    most = DOT_ROWS if n <= FEW and n < m else m  # rows that meet all columns before the next ones do
    for pc in range(0, depth, most_k):
        block = min(most_k, depth - pc)
        for top in range(0, m, most):
            bottom = min(m, top + most)
            j = 0
            while j < n:
                columns = 8 if m == 1 and n - j >= 8 else 4 if n - j >= 4 else 2 if n - j >= 2 else 1
                i = top
                while i < bottom:
                    rows = DOT_ROWS if bottom - i >= DOT_ROWS else 1
                    shape = rows * 16 + columns + (far if columns == 8 else 0)
                    dot_tile(T, a + (i * rsa + pc) * SIZE, rsa, b + (j * csb + pc) * SIZE, csb,
                             c + (i * ldc + j) * SIZE, ldc, block, shape, add + pc)  # fmt: skip
                    i += rows
                j += columns


@native.helper(inline=False)
def turned(c, a, b, meta, m, n):
    """Few columns of a B whose rows are contiguous: they are copied to lie along the depth, square by square."""
    own, depth, rsb = stack(12), meta[3], meta[6]
    for i in range(11):
        own[i] = meta[i]
    pitch = depth + 2 * LANES  # not whole pages, which would fall into the same lines of the nearest cache
    own[6], own[7] = 1, pitch
    columns = malloc(((FEW + LANES) * pitch + LANES * LANES) * SIZE)
    square = columns + (FEW + LANES) * pitch * SIZE
    for j in range(0, n, LANES):
        for k in range(0, depth, LANES):
            for i in range(min(LANES, depth - k)):
                row = b + ((k + i) * rsb + j) * SIZE
                copy_lanes(T, row, square + i * LANES * SIZE, min(LANES, n - j), AHEAD * rsb)
            transpose_square(T, square, LANES, columns + (j * pitch + k) * SIZE, pitch)
    dots(c, a, columns, own, m, n)
    free(columns)


@native.helper(inline=False)
def sideways(c, a, b, meta, m, n):
    """Few columns: the transpose is computed, whose rows are long, and turned."""
    own, rsa, ldc, add = stack(12), meta[4], meta[8], meta[9]
    buffer = malloc(n * BLOCK_N * SIZE)
    own[1], own[2], own[3], own[8], own[9] = meta[2], meta[1], meta[3], BLOCK_N, 0
    own[11] = meta[11]
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
def one_row(c, a, b, meta, n):
    """A vector times a matrix whose rows are contiguous."""
    depth, csa, rsb, add = meta[3], meta[5], meta[6], meta[9]
    far = depth * meta[2] * SIZE > HUGE_BYTES
    most = 8 if far or rsb * SIZE % PAGE else 4  # rows whole pages apart share few lines of the nearest cache
    y = pointer(c, T)
    for left in range(0, n, ROW_N):
        width = min(ROW_N, n - left)
        for j in range(left, left + width if add == 0 else left):
            y[j] = 0
        k = 0
        while k < depth:
            rows = most if depth - k >= most else 4 if depth - k >= 4 else 2 if depth - k >= 2 else 1
            shape = rows * 16 + (FAR_ROWS if far and rows == 8 else 0)
            add_rows(T, a + k * csa * SIZE, csa, b + (k * rsb + left) * SIZE, rsb, c + left * SIZE, width, shape)
            k += rows
