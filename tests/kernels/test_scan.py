"""Running sums and products on both devices against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_arrays import DTYPES, laid_out, same_for_thread_counts
from tinygrad_lite_kernels.cpu import scan as cpu
from tinygrad_lite_kernels.reference import scan as reference

DEVICES = pytest.mark.parametrize("device", [reference, cpu], ids=["numpy", "cpu"])


@DEVICES
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sum", "prod"])
@given(data=st.data())
@settings(deadline=None, max_examples=15)
def test_shapes_layouts_and_axes(device, name, dtype, data):
    a = data.draw(laid_out(dtype).filter(lambda a: a.ndim > 0))
    axis = data.draw(st.integers(-a.ndim, a.ndim - 1))
    before = a.copy()
    got = device.cumulative(name, a, axis)
    with np.errstate(all="ignore"):
        wanted = {"sum": np.cumsum, "prod": np.cumprod}[name](a, axis=axis)
    assert (type(got), got.dtype, got.shape) == (np.ndarray, wanted.dtype, wanted.shape)
    np.testing.assert_array_equal(got, wanted)  # the same order, so the same rounding
    np.testing.assert_array_equal(a, before)
    assert not np.shares_memory(got, a)


@pytest.mark.parametrize("shape, axis", [((1000,), 0), ((3, 257, 65), 1), ((257, 3), 0), ((5, 1000), 1)])
def test_long_axes(shape, axis):
    a = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    np.testing.assert_array_equal(cpu.cumulative("sum", a, axis), np.cumsum(a, axis))


def test_nan_stays_in_its_row():
    a = np.ones((4, 5))
    a[1, 2] = np.nan
    np.testing.assert_array_equal(
        np.isnan(cpu.cumulative("sum", a, 1)), np.arange(5) >= np.where(np.arange(4) == 1, 2, 9)[:, None]
    )
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(cpu.cumulative("prod", a, 0))), [7, 12, 17])


def test_thread_counts_give_the_same_bits():
    a = np.random.default_rng(0).standard_normal((4000, 300)).astype(np.float32)
    same_for_thread_counts(lambda: cpu.cumulative("sum", a, 1))


@DEVICES
def test_bad_arguments(device):
    with pytest.raises(ValueError, match="one of sum, prod, got 'max'"):
        device.cumulative("max", np.zeros(3), 0)
    for a, axis in [(np.zeros(3), 1), (np.zeros(3), -2), (np.array(1.0), 0)]:
        with pytest.raises(ValueError, match=f"cumulative_sum: axis {axis} is out of range"):
            device.cumulative("sum", a, axis)
    with pytest.raises(TypeError, match="cumulative_prod: a must be a NumPy array"):
        device.cumulative("prod", np.zeros(3, complex), 0)
