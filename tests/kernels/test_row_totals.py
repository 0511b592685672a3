"""Programs along rows whose outputs are stored or reduced in one loop, against the same kernels one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_arrays import same_for_thread_counts
from tinygrad_lite_kernels import native
from tinygrad_lite_kernels.cpu import elementwise, reduce, row_totals
from tinygrad_lite_kernels.expr import functions, inputs, program
from tinygrad_lite_kernels.layout import broadcast_strides

A, B = inputs(2)
STEP = program([functions["exp"](A - B), A * B, A * B], 2)
REDUCTIONS = ("", "sum", "max")


def run(a, b, count):
    """The outputs of STEP along `count` rows of an array, reduced as REDUCTIONS says."""
    shape, item = a.shape, a.itemsize
    outputs = [np.empty(shape, a.dtype), np.empty(count, a.dtype), np.empty(count, a.dtype)]
    repeated = [x.reshape(count, *(1,) * (len(shape) - 1)) for x in outputs[1:]]
    operands = [outputs[0], *repeated, a, b]
    layout = row_totals.layout(shape, count, [broadcast_strides(x, shape) for x in operands], [item] * 5)
    launch = row_totals.bind(STEP, REDUCTIONS, a.dtype.char * 2, layout, count)
    launch(*outputs, a, b)
    return outputs


def one_by_one(a, b):
    stored, product, _ = elementwise.elementwise(STEP)(a, np.broadcast_to(b, a.shape))
    axes = tuple(range(1, a.ndim))
    return [stored, reduce.reduce("sum", product, axes), reduce.reduce("max", product, axes)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(st.integers(1, 5), st.sampled_from([2, 15, 17, 1023, 1024, 1025, 2500]), st.data())
def test_sizes_and_repeated_operands(dtype, rows, size, data):
    rng = np.random.default_rng(rows * 7919 + size)
    a = rng.standard_normal((rows, size)).astype(dtype)
    b = rng.standard_normal(data.draw(st.sampled_from([(rows, size), (rows, 1), (1, size), (1, 1), (size,)]))).astype(
        dtype
    )
    eps = np.finfo(dtype).eps
    stored, total, most = run(a, b, rows)
    wanted = one_by_one(a, b)
    np.testing.assert_array_equal(stored, wanted[0])
    np.testing.assert_array_equal(most, wanted[2])
    np.testing.assert_array_less(np.abs(total - wanted[1]), 8 * eps * np.abs(a * b).sum(axis=1) + np.finfo(dtype).tiny)


def test_rows_of_several_axes():
    a, b = (np.random.default_rng(i).standard_normal((3, 4, 50)) for i in range(2))
    for found, wanted in zip(run(a, b, 3), one_by_one(a, b), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_special_values_stay_in_their_rows():
    a, b = np.ones((4, 1500), np.float32), np.ones((1, 1), np.float32)
    a[1, 1400], a[2, 7] = np.nan, np.inf
    with np.errstate(all="ignore"):
        for found, wanted in zip(run(a, b, 4), one_by_one(a, b), strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    "strides, count", [([(400, 8)], 10), ([(400, 4), (4, 40)], 10), ([(4000, 400, 4), (400, 4000, 4)], 4)]
)
def test_what_does_not_lie_in_rows_has_no_layout(strides, count):
    shape = (10, 100) if len(strides[0]) == 2 else (2, 2, 100)
    assert row_totals.layout(shape, count, strides, [4] * len(strides)) is None


def test_thread_counts_give_the_same_bits():
    a, b = (np.random.default_rng(i).standard_normal((3000, 700)).astype(np.float32) for i in range(2))
    same_for_thread_counts(lambda: run(a, b, 3000)[1])


def test_no_compilation_for_another_shape():
    run(np.ones((2, 3)), np.ones((2, 3)), 2)
    before = len(native._loaded)
    run(np.ones((7, 5000)), np.ones((7, 5000)), 7)
    assert len(native._loaded) == before
