"""Sorts on both devices against Python's own, whose order is stable, and against each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from kernel_arrays import DTYPES, laid_out, same_for_thread_counts
from tinygrad_lite_kernels.cpu import sort as cpu
from tinygrad_lite_kernels.cpu.sort import SHORT, TASK
from tinygrad_lite_kernels.reference import sort as reference

DEVICES = pytest.mark.parametrize("device", [reference, cpu], ids=["numpy", "cpu"])


def pythons(row, descending):
    """Positions in order: NaN is larger than all else, equal ones as they came."""
    return sorted(
        range(len(row)), key=lambda i: (row[i] != row[i], 0 if row[i] != row[i] else row[i]), reverse=descending
    )


@DEVICES
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.uint64, np.bool_])
@given(data=st.data())
@settings(deadline=None, max_examples=25)
def test_one_row(device, dtype, data):
    elements = hnp.from_dtype(np.dtype(dtype))
    few = data.draw(st.lists(elements, min_size=1, max_size=4))  # so that there are equal ones
    a = data.draw(hnp.arrays(dtype, st.integers(0, 60), elements=st.sampled_from(few) | elements))
    for descending in (False, True):
        places = device.argsort(a, 0, descending)
        assert places.dtype == np.int64
        assert places.tolist() == pythons(a.tolist(), descending)
        np.testing.assert_array_equal(device.sort(a, 0, descending), a[places])


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_shapes_layouts_and_axes(dtype, data):
    a = data.draw(laid_out(dtype).filter(lambda a: a.ndim > 0))
    axis, descending = data.draw(st.integers(-a.ndim, a.ndim - 1)), data.draw(st.booleans())
    before = a.copy()
    for name in ("sort", "argsort"):
        got, wanted = (getattr(device, name)(a, axis, descending) for device in (cpu, reference))
        assert (type(got), got.dtype, got.shape) == (np.ndarray, wanted.dtype, wanted.shape)
        np.testing.assert_array_equal(got, wanted)
        assert not np.shares_memory(got, a)
    np.testing.assert_array_equal(a, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int64, np.uint32])
@pytest.mark.parametrize("size", [SHORT - 1, SHORT, SHORT + 1, 255, 256, 257, TASK - 1, TASK, TASK + 1, 20_000])
def test_sizes_around_the_edges(size, dtype):
    rng = np.random.default_rng(size)
    a = (rng.standard_normal((3, size)) * 300).astype(np.int64).astype(dtype)
    a[1] = np.sort(a[1])[::-1]
    a[2] = 7
    for descending in (False, True):
        np.testing.assert_array_equal(cpu.argsort(a, 1, descending), reference.argsort(a, 1, descending))


def test_zeros_of_both_signs_and_nan_of_all_kinds_keep_their_order():
    a = np.array([0.0, -0.0, np.nan, -1.0, -0.0, np.copysign(np.nan, -1), np.inf, 0.0, -np.inf, 1e-45], np.float32)
    assert cpu.argsort(a).tolist() == [8, 3, 0, 1, 4, 7, 9, 6, 2, 5]
    assert cpu.argsort(a, descending=True).tolist() == [2, 5, 6, 9, 0, 1, 4, 7, 3, 8]
    np.testing.assert_array_equal(np.signbit(cpu.sort(a))[2:6], [False, True, True, False])


@pytest.mark.parametrize("shape", [(1000, 700), (90_000, 9), (3, 60_000)])
def test_thread_counts_give_the_same_order(shape):
    a = np.random.default_rng(0).integers(0, 99, shape).astype(np.float32)
    np.testing.assert_array_equal(same_for_thread_counts(lambda: cpu.argsort(a)), reference.argsort(a))


@DEVICES
@pytest.mark.parametrize("name", ["sort", "argsort"])
def test_bad_arguments(device, name):
    for a, axis in [(np.zeros(3), 1), (np.zeros(3), -2), (np.array(1.0), -1)]:
        with pytest.raises(ValueError, match=f"^{name}: axis {axis} is out of range"):
            getattr(device, name)(a, axis)
    with pytest.raises(TypeError, match=f"^{name}: a must be a NumPy array"):
        getattr(device, name)(np.zeros(3, "f2"))
