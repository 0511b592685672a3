"""Gather, scatter-add and put on both devices against NumPy's own indexing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from kernel_arrays import DTYPES, laid_out, same_for_thread_counts, values_of
from tinygrad_lite_kernels.cpu import indexing as cpu
from tinygrad_lite_kernels.reference import indexing as reference

DEVICES = pytest.mark.parametrize("device", [reference, cpu], ids=["numpy", "cpu"])
INTEGERS = [np.int8, np.int32, np.int64, np.uint8, np.uint64]
SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5)


@st.composite
def indices_into(draw, shape):
    """Index arrays for the first axes, in any integer dtype, broadcast together, from both ends."""
    count = draw(st.integers(1, len(shape)))
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=count, min_side=0, max_dims=2, max_side=6)).input_shapes
    kinds = [draw(st.sampled_from(INTEGERS)) for _ in shapes]
    return tuple(
        draw(hnp.arrays(kind, s, elements=st.integers(0 if np.dtype(kind).kind == "u" else -size, size - 1)))
        for kind, s, size in zip(kinds, shapes, shape, strict=False)
    )


@DEVICES
@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_gather(device, dtype, data):
    a = data.draw(laid_out(dtype, SHAPES))
    indices = data.draw(indices_into(a.shape))
    got = device.gather(a, indices)
    assert (type(got), got.dtype) == (np.ndarray, a.dtype)
    np.testing.assert_array_equal(got, a[indices], strict=True)
    assert not np.shares_memory(got, a)


def one_after_another(out, indices, values, add):
    """What writing row by row leaves: repeated indices accumulate, or the last one stays."""
    rows = np.broadcast_shapes(*(i.shape for i in indices))
    values = np.broadcast_to(values, rows + out.shape[len(indices) :])
    spread = [np.broadcast_to(i, rows) for i in indices]
    with np.errstate(all="ignore"):
        for place in np.ndindex(rows):
            at = tuple(int(i[place]) for i in spread)
            out[at] = out[at] + values[place] if add else values[place]


@DEVICES
@pytest.mark.parametrize("add", [True, False], ids=["gather_add", "put"])
@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_writing(device, add, dtype, data):
    out = data.draw(laid_out(dtype, SHAPES)).copy(order="K")
    out = np.repeat(out, 2, axis=-1)[..., ::2] if data.draw(st.booleans()) else out
    indices = data.draw(indices_into(out.shape))
    rows = np.broadcast_shapes(*(i.shape for i in indices)) + out.shape[len(indices) :]
    shape = data.draw(st.sampled_from([rows, rows[1:], (1,) * len(rows)]))
    values, wanted = data.draw(values_of(dtype, shape)), out.copy()
    one_after_another(wanted, indices, values, add)
    (device.gather_add if add else device.put)(out, indices, values)
    np.testing.assert_array_equal(out, wanted)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows, width, count", [(3, 5000, 400), (1, 200_000, 50), (70, 3, 20_000), (5, 1, 50_000)])
def test_many_repeated_indices_for_any_thread_count(dtype, rows, width, count):
    rng = np.random.default_rng(0)
    places, values = rng.integers(-rows, rows, count), rng.standard_normal((count, width)).astype(dtype)

    def run():
        out = np.zeros((rows, width), dtype)
        cpu.gather_add(out, (places,), values)
        return out

    wanted = np.zeros((rows, width), dtype)
    np.add.at(wanted, places, values)
    np.testing.assert_array_equal(same_for_thread_counts(run), wanted)  # in the same order, so with the same rounding


def test_gather_of_many_rows_for_any_thread_count():
    a = np.random.default_rng(0).standard_normal((50, 30_000)).astype(np.float32)
    places = np.arange(60) % 50
    np.testing.assert_array_equal(same_for_thread_counts(lambda: cpu.gather(a, (places,))), a[places])


@DEVICES
def test_values_may_be_the_array_itself(device):
    a, backwards = np.arange(6.0), np.arange(5, -1, -1)
    device.put(a, (backwards,), a)
    np.testing.assert_array_equal(a, backwards)
    square = np.arange(9.0).reshape(3, 3)
    wanted = square + square.T[[2, 1, 0]]
    device.gather_add(square, (np.array([2, 1, 0]),), square.T)
    np.testing.assert_array_equal(square, wanted)


WRITERS = ["gather_add", "put"]


@DEVICES
@pytest.mark.parametrize("name", ["gather", *WRITERS])
@given(data=st.data())
def test_indices_out_of_range(device, name, data):
    a = np.zeros(data.draw(SHAPES))
    before = a.copy()
    indices = list(data.draw(indices_into(a.shape).filter(lambda indices: all(i.size for i in indices))))
    axis = data.draw(st.integers(0, len(indices) - 1))
    size, far = a.shape[axis], data.draw(st.integers(0, 2**62))
    bad = data.draw(st.sampled_from([size + far, -size - 1 - far]))
    indices[axis] = np.array(indices[axis], np.int64)
    indices[axis].flat[data.draw(st.integers(0, indices[axis].size - 1))] = bad
    with pytest.raises(IndexError, match=f"^{name}: index {bad} is out of range for axis {axis} with size {size}$"):
        getattr(device, name)(a, tuple(indices), *([np.float64(1.0)[None]] if name in WRITERS else []))
    np.testing.assert_array_equal(a, before)


@DEVICES
def test_huge_unsigned_indices(device):
    for index in (3, 2**63, 2**64 - 1):  # the last would be -1 in 64 bits
        with pytest.raises(IndexError, match=f"index {index} is out of range"):
            device.gather(np.zeros(3), (np.array([index], np.uint64),))


@DEVICES
def test_empty_arrays(device):
    nothing = np.zeros(0, np.int64)
    assert device.gather(np.zeros((0, 3)), (nothing,)).shape == (0, 3)
    assert device.gather(np.zeros((3, 0)), (np.array([[2], [1]]),)).shape == (2, 1, 0)
    assert device.gather(np.zeros((2, 3)), ()).shape == (2, 3)
    out = np.ones((3, 2))
    device.gather_add(out, (nothing,), np.zeros((0, 2)))
    device.put(out, (nothing,), np.zeros(2))
    assert (out == 1).all()
    with pytest.raises(IndexError, match="index 0 is out of range for axis 0 with size 0"):
        device.gather(np.zeros((0, 3)), (np.array([0]),))


FROZEN = np.zeros(3)
FROZEN.flags.writeable = False
ONE = (np.array([1]),)
BAD = [
    (
        np.zeros(3),
        (ONE[0], ONE[0]),
        np.ones(1),
        IndexError,
        r"2 index arrays are too many for an array of shape \(3,\)",
    ),
    (np.zeros((3, 3)), (np.arange(2), np.arange(3)), np.ones(1), IndexError, r"shapes \(2,\), \(3,\) do not broadcast"),
    (np.zeros(3), (np.array([True]),), np.ones(1), TypeError, "must be arrays of integers, those of axis 0 are bool"),
    (np.zeros(3), (np.array([1.0]),), np.ones(1), TypeError, "must be arrays of integers, those of axis 0 are float64"),
    (np.zeros(3), ([1],), np.ones(1), TypeError, "must be arrays of integers, those of axis 0 are list"),
    (np.zeros(3, ">f8"), ONE, np.ones(1, ">f8"), TypeError, "must be a NumPy array .*, got dtype >f8"),
    (np.zeros(3, object), ONE, np.ones(1, object), TypeError, r"must be a NumPy array .*, got dtype \|O"),
    ([0.0], ONE, np.ones(1), TypeError, "must be a NumPy array .*, got list"),
]
BAD_TO_WRITE = [
    (np.zeros(3), ONE, np.ones(1, np.float32), TypeError, "values of dtype float32 do not go into float64; convert"),
    (np.zeros(3), ONE, 1.0, TypeError, "values must be a NumPy array .*, got float"),
    (np.zeros((3, 2)), ONE, np.ones((2, 2)), ValueError, r"values of shape \(2, 2\) do not broadcast to \(1, 2\)"),
    (FROZEN, ONE, np.ones(1), ValueError, "the array to write to is read-only; copy it first"),
    (np.broadcast_to(np.zeros(1), 3), ONE, np.ones(1), ValueError, "the array to write to is read-only"),
]


@DEVICES
@pytest.mark.parametrize("a, indices, values, error, text", BAD)
def test_bad_arguments(device, a, indices, values, error, text):
    with pytest.raises(error, match=f"^gather: .*{text}"):
        device.gather(a, indices)


@DEVICES
@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("out, indices, values, error, text", BAD + BAD_TO_WRITE)
def test_bad_arguments_of_writers(device, name, out, indices, values, error, text):
    with pytest.raises(error, match=f"^{name}: .*{text}"):
        getattr(device, name)(out, indices, values)
    assert not np.any(out)
