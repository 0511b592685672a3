"""Reductions on both devices against NumPy and against exact arithmetic."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_arrays import DTYPES, laid_out, same_for_thread_counts
from tinygrad_lite_kernels.cpu import reduce as cpu
from tinygrad_lite_kernels.cpu.reduce_kernels import FOLD
from tinygrad_lite_kernels.cpu.reduce_plan import COLUMN_BLOCK, GRAIN, ROW_BLOCK, STRIP
from tinygrad_lite_kernels.reference import reduce as reference

DEVICES = pytest.mark.parametrize("device", [reference, cpu], ids=["numpy", "cpu"])
NAMES = list(reference.OPERATIONS)


def assert_close(got, wanted, a):
    """Equal, but for the rounding of sums and products of floats."""
    assert (type(got), got.dtype, got.shape) == (np.ndarray, wanted.dtype, wanted.shape)
    if wanted.dtype.kind != "f":
        return np.testing.assert_array_equal(got, wanted)
    eps = np.finfo(wanted.dtype).eps
    scale = np.sum(np.abs(a[np.isfinite(a)]), dtype=np.float64)
    np.testing.assert_allclose(got, wanted, rtol=64 * eps, atol=min(64 * eps * scale, 1e30))


def numpys(name, a, axes, keepdims=False):
    with np.errstate(all="ignore"):
        return np.asarray(getattr(np, name)(a, axis=axes, keepdims=keepdims))


@DEVICES
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(deadline=None, max_examples=15)
def test_shapes_layouts_and_axes(device, name, dtype, data):
    a = data.draw(laid_out(dtype))
    axes = tuple(sorted(data.draw(st.sets(st.integers(0, a.ndim - 1)) if a.ndim else st.just(set()))))
    keepdims = data.draw(st.booleans())
    before = a.copy()
    if name in ("max", "min") and any(a.shape[axis] == 0 for axis in axes):
        with pytest.raises(ValueError, match=f"^{name}: cannot reduce an empty axis"):
            device.reduce(name, a, axes, keepdims)
        return
    got = device.reduce(name, a, axes, keepdims)
    assert_close(got, numpys(name, a, axes, keepdims), a)
    np.testing.assert_array_equal(a, before)
    assert not np.shares_memory(got, a)


EDGES = [1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, COLUMN_BLOCK - 1, COLUMN_BLOCK, COLUMN_BLOCK + 1, FOLD, FOLD + 1]
EDGES += [1023, 1024, 1025, STRIP + 65]


@pytest.mark.parametrize("name", ["sum", "max", "any"])
@given(st.sampled_from(EDGES), st.sampled_from(EDGES), st.sampled_from([(0,), (1,), (0, 1)]), st.booleans())
@settings(deadline=None, max_examples=60)
def test_sizes_around_block_edges(name, rows, width, axes, transposed):
    a = np.random.default_rng(rows * 7919 + width).integers(-9, 10, (rows, width)).astype(np.float32)
    a = a.T if transposed else a
    np.testing.assert_array_equal(cpu.reduce(name, a, axes), getattr(np, name)(a, axis=axes))  # small integers: exact


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [ROW_BLOCK - 1, ROW_BLOCK, ROW_BLOCK + 1, 3 * ROW_BLOCK + 5])
def test_long_rows(name, size):
    a = np.ones((3, size), np.float32)
    a[1, -1], a[2, 0] = 0.0, 2.0
    np.testing.assert_array_equal(cpu.reduce(name, a, (1,)), getattr(np, name)(a, axis=1))
    np.testing.assert_array_equal(cpu.reduce(name, a, (0, 1)), getattr(np, name)(a))


@pytest.mark.parametrize("shape, axes", [((40, 9, 50), (1,)), ((40, 9, 50), (0, 2)), ((5, 300, 7), (1,))])
@pytest.mark.parametrize("name", NAMES)
def test_reduced_and_kept_axes_in_turn(name, shape, axes):
    a = np.random.default_rng(0).integers(0, 2, shape).astype(np.float64)
    for x in (a, a[:, ::2], a[..., ::-1], a.transpose(2, 0, 1)):
        np.testing.assert_array_equal(cpu.reduce(name, x, axes), getattr(np, name)(x, axis=axes))


@DEVICES
def test_nan_stays_in_its_row(device):
    for axis in (0, 1):
        a = np.ones((70, 70), np.float32)
        a[(3, slice(40, 41)) if axis else (slice(40, 41), 3)] = np.nan
        for name in ("sum", "prod", "max", "min"):
            got = np.isnan(device.reduce(name, a, (axis,)))
            assert list(np.flatnonzero(got)) == [3], name
        assert device.reduce("any", a * 0, (axis,)).sum() == 1  # NaN is true


@DEVICES
def test_infinities(device):
    inf, huge = np.float32(np.inf), np.finfo(np.float32).max
    long = np.full(5000, huge)
    assert device.reduce("sum", long, (0,)) == inf
    assert device.reduce("sum", np.append(long / 1e9, inf), (0,)) == inf
    assert np.isnan(device.reduce("sum", np.append(np.full(5000, inf), -inf), (0,)))
    assert device.reduce("max", np.full((3, 100), -inf), (0, 1)) == -inf


@DEVICES
@pytest.mark.parametrize("name, value", [("sum", 0), ("prod", 1), ("any", False), ("all", True)])
def test_reductions_of_nothing(device, name, value):
    for dtype in DTYPES:
        got = device.reduce(name, np.zeros((2, 0, 3), dtype), (1,))
        assert got.shape == (2, 3) and (got == value).all()
        assert device.reduce(name, np.zeros((0, 3), dtype), (1,), True).shape == (0, 1)


@DEVICES
@pytest.mark.parametrize("name", ["max", "min"])
def test_extreme_of_nothing(device, name):
    with pytest.raises(ValueError) as error:
        device.reduce(name, np.zeros((2, 0)), (1,))
    assert str(error.value) == f"{name}: cannot reduce an empty axis; the shape is (2, 0), the axes are (1,)"
    assert device.reduce(name, np.zeros((2, 0)), (0,)).shape == (0,)


@DEVICES
@pytest.mark.parametrize(
    "bad", [np.zeros(2, complex), np.zeros(2, object), np.zeros(2, ">f4"), np.zeros(2, "f2"), [1.0]]
)
def test_what_no_kernel_takes_is_a_type_error(device, bad):
    with pytest.raises(TypeError, match=r"sum: a must be a NumPy array of numbers or truth values, got .*; convert"):
        device.reduce("sum", bad, (0,))


@DEVICES
def test_bad_axes_and_names(device):
    a = np.zeros((2, 3))
    for axes in [(2,), (-3,), (0, 0), (1, 0), (-1,)]:
        with pytest.raises(ValueError, match=r"^sum: ax"):
            device.reduce("sum", a, axes)
    with pytest.raises(ValueError, match="one of sum, prod"):
        device.reduce("median", a, (0,))
    with pytest.raises(ValueError, match="one of argmax, argmin"):
        device.argreduce("max", a, 0)
    with pytest.raises(ValueError, match="argmax: axis 2 is out of range"):
        device.argreduce("argmax", a, 2)


def test_subclasses_and_structured_fields():
    assert type(cpu.reduce("sum", np.ma.ones(3), (0,))) is np.ndarray
    records = np.zeros(50, [("a", np.int8), ("b", np.float64)])
    records["b"] = np.arange(50)
    assert cpu.reduce("sum", records["b"], (0,)) == 1225


def test_sums_of_many_ones_are_exact():
    ones = np.ones(20_000_003, np.float32)  # one after another would stop at 2**24
    assert cpu.reduce("sum", ones, (0,)) == np.float32(20_000_003)
    np.testing.assert_array_equal(cpu.reduce("sum", ones[:20_000_000].reshape(-1, 1)[:, [0]], (0,)), [20_000_000])


@pytest.mark.slow
def test_sums_of_very_many_ones_are_exact():
    assert cpu.reduce("sum", np.ones(100_000_000, np.float32), (0,)) == 1e8
    assert list(cpu.reduce("sum", np.ones((50_000_000, 2), np.float32), (0,))) == [5e7, 5e7]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["uniform", "same", "cancelling", "spread"])
@given(st.integers(1, 200_000), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=10)
def test_rounding_errors_of_sums(kind, dtype, size, seed):
    rng = np.random.default_rng(seed)
    a = {
        "uniform": lambda: rng.random(size),
        "same": lambda: np.full(size, rng.random()),
        "cancelling": lambda: np.concatenate([x := rng.standard_normal(size) * 1e4, rng.random(size) - x]),
        "spread": lambda: np.exp(4 * rng.standard_normal(size)),
    }[kind]().astype(dtype)
    unit = np.finfo(dtype).eps * math.fsum(np.abs(a).tolist())
    exact = math.fsum(a.tolist())
    # A row: PART bytes add up in lanes (16 to 64 roundings), what fills no vectors follows (at most 63), the lanes are
    # folded (6), and the total keeps what it loses. Fewer than 88 halves of eps on every width of vectors.
    assert abs(float(cpu.reduce("sum", a, (0,))) - exact) / unit <= 44
    # A column: 3 roundings of eight rows, 16 of a block, 7 of folding; then at most 9 of the blocks. 35 halves of eps.
    column = cpu.reduce("sum", np.stack([a, a], 1), (0,))
    assert (abs(column.astype(np.float64) - exact) / unit <= 18).all()


@pytest.mark.parametrize("shape, axes", [((GRAIN * 3 + 17,), (0,)), ((3000, 900), (1,)), ((90_000, 30), (0,))])
@pytest.mark.parametrize("name", ["sum", "prod", "max"])
def test_thread_counts_give_the_same_bits(name, shape, axes):
    a = 1 + np.random.default_rng(0).standard_normal(shape).astype(np.float32) / 1000
    same_for_thread_counts(lambda: cpu.reduce(name, a, axes))


def test_no_compilation_for_another_shape():
    from tinygrad_lite_kernels import native

    for axes in ((0,), (1,)):
        cpu.reduce("sum", np.ones((2, 3)), axes)
        before = len(native._loaded)
        cpu.reduce("sum", np.ones((300, 1000)), axes)
        assert len(native._loaded) == before


@DEVICES
@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@settings(deadline=None, max_examples=15)
def test_places_of_extremes(device, name, dtype, data):
    a = data.draw(laid_out(dtype))
    axis = data.draw(st.sampled_from([None, *range(-a.ndim, a.ndim)]))
    keepdims = data.draw(st.booleans())
    if (a.size if axis is None else a.shape[axis]) == 0:
        with pytest.raises(ValueError, match=f"^{name}: cannot reduce an empty axis"):
            device.argreduce(name, a, axis, keepdims)
        return
    got, wanted = device.argreduce(name, a, axis, keepdims), getattr(np, name)(a, axis=axis, keepdims=keepdims)
    assert (type(got), got.dtype, got.shape) == (np.ndarray, np.int64, np.shape(wanted))
    np.testing.assert_array_equal(got, wanted)


@given(st.integers(1, 2000), st.integers(0, 1999), st.integers(0, 1999), st.sampled_from([np.nan, np.inf, 5.0]))
@settings(deadline=None)
def test_the_first_of_several_extremes_in_long_rows(size, first, second, value):
    a = np.zeros((2, size), np.float32)
    a[1, [first % size, second % size]] = value
    np.testing.assert_array_equal(cpu.argreduce("argmax", a, 1), np.argmax(a, 1))
    np.testing.assert_array_equal(cpu.argreduce("argmin", -a, 1), np.argmin(-a, 1))
    np.testing.assert_array_equal(cpu.argreduce("argmax", np.full(size, -np.inf), None), 0)
