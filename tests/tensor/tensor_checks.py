"""What the tests of tensor functions share: arrays to draw, comparison with NumPy, gradients by differences."""

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_lite as tg

DEVICES = ["numpy", "cpu"]
DTYPES = [np.float64, np.float32, np.int64, np.uint8, np.bool_]
both_devices = pytest.mark.parametrize("device", DEVICES)
devices = st.sampled_from(DEVICES)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
filled = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


@st.composite
def arrays(draw, shape=shapes, dtypes=DTYPES):
    """Small whole numbers, exact in every dtype, contiguous, transposed, backwards or with gaps."""
    shape = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    layout = draw(st.sampled_from(["plain", "transposed", "backwards", "gaps"]))
    if layout == "transposed":
        return numbers(rng, shape[::-1], dtype).transpose()
    if layout == "gaps":
        return numbers(rng, (*shape, 2), dtype)[..., 0]
    a = numbers(rng, shape, dtype)
    return np.asarray(np.flip(a)) if layout == "backwards" else a


def numbers(rng, shape, dtype):
    low = 0 if dtype.kind in "ub" else -4
    return np.asarray(rng.integers(low, 2 if dtype.kind == "b" else 5, shape)).astype(dtype)


def axes_of(ndim):
    """One axis, counted from either end."""
    return st.integers(-ndim, ndim - 1)


def tensor(a, device="numpy", requires_grad=False):
    """A tensor on the array's own memory and layout."""
    x = tg.asarray(np.asarray(a), device=device)
    return x.requires_grad_() if requires_grad else x


def same(got, expected, dtype=True):
    """The tensor has exactly the shape, the values and (if it matters) the dtype that NumPy gives."""
    expected = np.asarray(expected)
    assert isinstance(got, tg.Tensor)
    assert got.shape == expected.shape
    if dtype:
        assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got.detach().numpy(), expected)


def close(got, expected, rtol=1e-12, atol=1e-13):
    expected = np.asarray(expected)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got.detach().numpy(), expected, rtol=rtol, atol=atol)


def floats(*shape, seed=0, positive=False, device="numpy"):
    """A float64 leaf with values away from each other and from 0."""
    rng = np.random.default_rng((seed, *shape))
    size = int(np.prod(shape))
    values = (rng.permutation(size) + 1 + rng.uniform(-0.2, 0.2, size)) / 2
    signs = 1 if positive else rng.choice([-1, 1], size)
    return tg.tensor((values * signs).reshape(shape), device=device, requires_grad=True)


def gradients_agree(function, *tensors, second=True):
    """First and second derivatives against central differences."""
    assert tg.gradcheck(function, tensors)
    assert not second or tg.gradgradcheck(function, tensors)
