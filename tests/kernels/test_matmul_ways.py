"""The matrix product around the sizes where it takes another way: exactly, on small whole numbers."""

import ctypes

import numpy as np
import pytest
from kernel_arrays import same_for_thread_counts
from tinygrad_lite_kernels.cpu import matmul as cpu
from tinygrad_lite_kernels.cpu import matmul_scratch
from tinygrad_lite_kernels.cpu.matmul_blocks import (
    BLOCK_K,
    BLOCK_K_64,
    BLOCK_N,
    BLOCK_N_64,
    NEAR_BYTES,
    PACK_BYTES,
    PACK_ROWS,
    PAGE,
)
from tinygrad_lite_kernels.cpu.matmul_emit import vector_bytes
from tinygrad_lite_kernels.cpu.matmul_few import FEW
from tinygrad_lite_kernels.cpu.matmul_tile import tile_rows

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
MR = tile_rows()[-1]


def lanes(dtype):
    return vector_bytes() // np.dtype(dtype).itemsize


def whole(dtype, *shape):
    return np.random.default_rng(sum(shape)).integers(-9, 10, shape).astype(dtype)


def assert_product(a, b):
    """Right into new memory, and added to what is there."""
    wanted = a.astype(np.float64) @ b.astype(np.float64)
    np.testing.assert_array_equal(cpu.matmul(a, b), wanted)
    out = np.ones(wanted.shape, a.dtype)
    cpu.matmul(a, b, out, accumulate=True)
    np.testing.assert_array_equal(out, wanted + 1)


def columns(dtype):
    """Around halves of vectors behind whole ones."""
    half = lanes(dtype) // 2
    return [n * half + d for n in (1, 2, 3, 4, 5, 8) for d in (0, 1)]


@DTYPES
def test_a_half_vector_behind_whole_ones(dtype):
    for n in columns(dtype):
        for m in (1, 2, 3, 5, 7, 9, 10, 11, 14, 16, 3 * MR):
            assert_product(whole(dtype, m, 9), whole(dtype, 9, n))


@DTYPES
@pytest.mark.parametrize("bytes_", [PACK_BYTES, NEAR_BYTES])
def test_copies_of_rows_of_b(dtype, bytes_):
    for n in (columns(dtype)[3] + 512, columns(dtype)[9] + 512):
        for k in {max(BLOCK_K, bytes_ // (n * np.dtype(dtype).itemsize)) + d for d in (-1, 0, 1)}:
            for m in (PACK_ROWS - 1, PACK_ROWS, PACK_ROWS + MR + 1):
                assert_product(whole(dtype, m, k), whole(dtype, k, n))


def test_sizes_around_the_blocks_of_float64():
    for k in (BLOCK_K_64 - 1, BLOCK_K_64 + 1, 2 * BLOCK_K_64 + 17):
        for n in (BLOCK_N_64 - 1, BLOCK_N_64 + 1):
            for order in "CF":
                assert_product(whole(np.float64, PACK_ROWS + 1, k), np.asarray(whole(np.float64, k, n), order=order))


@DTYPES
@pytest.mark.parametrize("layout", ["n", "t"])
def test_few_columns_of_long_rows(dtype, layout):
    for n in (1, 2, 3, FEW // 2, FEW - 5, FEW, FEW + 1):
        for m in (cpu.TURN_ROWS - 1, cpu.TURN_ROWS, cpu.TURN_ROWS + 5):
            for k in (lanes(dtype) - 1, 6 * lanes(dtype), 40 * lanes(dtype) + 3, PAGE // np.dtype(dtype).itemsize):
                assert_product(np.asarray(whole(dtype, m, k), order="F" if layout == "t" else "C"), whole(dtype, k, n))


@DTYPES
def test_some_rows_along_the_depth(dtype):
    start = cpu.DOT_VECTORS * lanes(dtype)
    for m in (FEW + 1, cpu.DOT_ROWS_MOST - 1, cpu.DOT_ROWS_MOST, cpu.DOT_ROWS_MOST + 1):
        for k in (start - 1, start, start + 1, 1500):
            assert_product(whole(dtype, m, k), np.asfortranarray(whole(dtype, k, FEW + 3)))


@DTYPES
def test_rows_of_a_a_page_apart_in_either_direction(dtype):
    page = PAGE // np.dtype(dtype).itemsize
    for n in (lanes(dtype) - 1, lanes(dtype), 4 * lanes(dtype) + 1):
        assert_product(whole(dtype, 3 * MR + 2, page), whole(dtype, page, n))
        for k in (63, 64, BLOCK_K + 1):
            assert_product(np.asfortranarray(whole(dtype, page, k)), whole(dtype, k, n))


@DTYPES
@pytest.mark.parametrize("k, n", [(515, 1031), (8, 70_001), (1029, 1024), (4100, 1100), (2, 300_000)])
def test_one_row_and_one_column(dtype, k, n):
    a, b = whole(dtype, 1, k), whole(dtype, k, n)
    assert_product(a, b)
    assert_product(np.repeat(a, 3, 1)[:, ::3], np.asfortranarray(b))
    assert_product(b, whole(dtype, n, 1))
    assert_product(np.asfortranarray(b), whole(dtype, n, 1))


@pytest.mark.parametrize("k, n, size", [(BLOCK_K, BLOCK_N, 4), (BLOCK_K_64, BLOCK_N_64, 8)])
def test_scratch_memory_holds_a_block_of_b_and_rows_of_a(k, n, size):
    panel = 2 * vector_bytes() // size
    assert (k * (n + panel) + 16 * (k + 16)) * size + 64 <= matmul_scratch.BYTES


def test_scratch_memory_is_kept_between_calls():
    a = whole(np.float32, 100, 300)
    kept = []
    for _ in range(2):
        cpu.matmul(a, np.asfortranarray(whole(np.float32, 300, FEW + 60)))
        kept.append(ctypes.c_int64.from_address(matmul_scratch.slot()).value)
    assert kept[0] == kept[1] != 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("m, k, n", [(1, 600, 1000), (40, 300, 10), (30, 400, 530), (50, 300, 20), (64, 200, 9)])
@pytest.mark.parametrize("layout", ["nn", "nt", "tn"])
def test_special_values_stay_in_their_columns(m, k, n, layout, value):
    a, b = whole(np.float32, m, k), whole(np.float32, k, n)
    b[k // 3, n // 2] = value
    a[a == 0] = 1  # zero times infinity is not a number, in whichever column it stands
    a, b = (np.asfortranarray(x) if order == "t" else x for x, order in zip((a, b), layout, strict=True))
    got = cpu.matmul(a, b)
    assert np.flatnonzero(~np.isfinite(got).all(axis=0)).tolist() == [n // 2]
    np.testing.assert_array_equal(got[:, n // 2], a[:, k // 3] * np.float32(value))


@DTYPES
@pytest.mark.parametrize(
    "shape_a, shape_b, layout",
    [
        ((60, 900), (900, 5000), "nt"),
        ((20_000, 512), (512, 10), "nn"),
        ((1, 2000), (2000, 2500), "nn"),
        ((1, 4500), (4500, 2000), "nt"),
        ((2500, 2000), (2000, 1), "tn"),
        ((1024, 300), (300, 200), "tn"),
    ],
    ids=str,
)
def test_thread_counts_give_the_same_bits(dtype, shape_a, shape_b, layout):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(shape_a).astype(dtype), rng.standard_normal(shape_b).astype(dtype)
    a, b = (np.asfortranarray(x) if order == "t" else x for x, order in zip((a, b), layout, strict=True))
    same_for_thread_counts(lambda: cpu.matmul(a, b))
