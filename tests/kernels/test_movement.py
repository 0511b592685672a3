"""Copies, conversions, joins and triangles on both devices, for every layout, and where memory overlaps."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from kernel_arrays import DTYPES, SHAPES, laid_out, same_for_thread_counts, values_of
from tinygrad_lite_kernels.cpu import movement as cpu
from tinygrad_lite_kernels.reference import movement as reference

DEVICES = pytest.mark.parametrize("device", [reference, cpu], ids=["numpy", "cpu"])
EACH_DTYPE = pytest.mark.parametrize("dtype", DTYPES)


def assert_new(got, wanted, *inputs):
    """Equal to the last bit, a plain array, and in memory of its own."""
    assert type(got) is np.ndarray
    np.testing.assert_array_equal(got, wanted, strict=True)
    assert np.ascontiguousarray(got).tobytes() == np.ascontiguousarray(wanted).tobytes()
    assert not any(np.shares_memory(got, x) for x in inputs)


@DEVICES
@EACH_DTYPE
@given(data=st.data())
@settings(max_examples=25)
def test_copy(device, dtype, data):
    a = data.draw(laid_out(dtype))
    got = device.copy(a)
    assert_new(got, a, a)
    assert got.flags.c_contiguous and got.flags.writeable


FIELDS = np.zeros((3, 4), [("small", np.int8), ("number", np.float64)])
FIELDS["number"] = np.arange(12).reshape(3, 4)


@DEVICES
def test_fields_of_structured_arrays_and_subclasses(device):
    field = FIELDS["number"]
    assert_new(device.copy(field), field)
    assert_new(device.astype(field.T, np.dtype(np.float32)), field.T.astype(np.float32))
    target = FIELDS.copy()
    device.copy_into(target["number"].T, -field.T)
    np.testing.assert_array_equal(target["number"], -field)
    assert not target["small"].any()
    matrix = np.ma.zeros((2, 2))
    device.copy_into(matrix, np.ones((2, 2)))
    assert (matrix.data == 1).all()
    assert type(device.copy(matrix)) is np.ndarray


@DEVICES
@EACH_DTYPE
@given(data=st.data())
@settings(max_examples=25)
def test_copy_into(device, dtype, data):
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_dims=4, max_side=5))
    out = data.draw(laid_out(dtype, st.just(shapes.result_shape)))
    assume(out.flags.writeable)
    a = data.draw(laid_out(dtype, st.just(shapes.input_shapes[0])))
    before = a.copy()
    device.copy_into(out, a)
    np.testing.assert_array_equal(out, np.broadcast_to(before, out.shape))
    np.testing.assert_array_equal(a, before)


@DEVICES
@given(st.data())
def test_copy_into_overlapping_memory(device, data):
    """Any two views of one vector: as if the source had been copied first, and nothing else changes."""
    memory = np.arange(40.0)

    def view():
        steps = data.draw(st.tuples(st.sampled_from([1, 2, -1, -3]), st.sampled_from([4, 5, -4, 8])))
        shape = (data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4)))
        low = sum(min(0, step * (n - 1)) for step, n in zip(steps, shape, strict=True))
        high = sum(max(0, step * (n - 1)) for step, n in zip(steps, shape, strict=True))
        start = data.draw(st.integers(-low, 39 - high))
        return start + np.add.outer(np.arange(shape[0]) * steps[0], np.arange(shape[1]) * steps[1]), start, steps

    def window(places, start, steps):
        strides = [8 * step for step in steps]
        return np.lib.stride_tricks.as_strided(memory[start:], places.shape, strides)

    target = view()
    source = view()
    assume(np.unique(target[0]).size == target[0].size)  # else it is undefined what stays
    rows = min(target[0].shape[0], source[0].shape[0]), min(target[0].shape[1], source[0].shape[1])
    cut = tuple(slice(n) for n in rows)
    wanted = memory.copy()
    wanted[target[0][cut]] = memory[source[0][cut]]
    device.copy_into(window(*target)[cut], window(*source)[cut])
    np.testing.assert_array_equal(memory, wanted)


@pytest.mark.parametrize("layout", [lambda a: a, lambda a: a.T, lambda a: a[::-1], lambda a: a[:, ::3]])
def test_large_copies_for_any_thread_count(layout):
    a = layout(np.random.default_rng(0).random((1500, 1200)).astype(np.float32))
    np.testing.assert_array_equal(same_for_thread_counts(lambda: cpu.copy(a)), a)


@DEVICES
@EACH_DTYPE
@pytest.mark.parametrize("target", [np.float32, np.int64, np.uint8, np.bool_])
@given(data=st.data())
@settings(max_examples=20)
def test_astype(device, dtype, target, data):
    a = data.draw(laid_out(dtype))
    if np.dtype(dtype).kind == "f" and np.dtype(target).kind in "iu":
        a = np.where(np.abs(a) < 100, np.abs(a), np.zeros_like(a))  # what does not fit differs by machine
    with np.errstate(all="ignore"):
        wanted = a.astype(target)
    got = device.astype(a, np.dtype(target))
    assert got.flags.c_contiguous
    np.testing.assert_array_equal(got, wanted, strict=True)
    assert not np.shares_memory(got, a)


@DEVICES
@EACH_DTYPE
@given(data=st.data())
@settings(max_examples=25)
def test_concat(device, dtype, data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    parts = [data.draw(laid_out(dtype, st.just((*shape[:axis], n, *shape[axis:][1:])))) for n in sizes]
    got = device.concat(parts, axis)
    assert got.shape[axis] == sum(sizes)
    for part, end in zip(parts, np.cumsum(sizes), strict=True):
        found = got.swapaxes(0, axis)[end - part.shape[axis] : end].swapaxes(0, axis)
        np.testing.assert_array_equal(found, part, strict=True)
    assert not any(np.shares_memory(got, part) for part in parts)


@DEVICES
@EACH_DTYPE
@given(data=st.data())
@settings(max_examples=25)
def test_pad(device, dtype, data):
    a = data.draw(laid_out(dtype))
    widths = [data.draw(st.tuples(st.integers(0, 3), st.integers(0, 3))) for _ in a.shape]
    value = data.draw(values_of(dtype, ())).item()
    got = device.pad(a, widths, value)
    assert_new(got, np.pad(a, widths, constant_values=np.asarray(value, dtype)) if a.ndim else a, a)


@DEVICES
@EACH_DTYPE
@pytest.mark.parametrize("name", ["tril", "triu"])
@given(data=st.data())
@settings(max_examples=25)
def test_triangles(device, name, dtype, data):
    a = data.draw(laid_out(dtype, SHAPES.filter(lambda shape: len(shape) > 1)))
    k = data.draw(st.integers(-7, 7))
    below = np.arange(a.shape[-1]) - np.arange(a.shape[-2])[:, None]
    keep = below <= k if name == "tril" else below >= k
    assert_new(getattr(device, name)(a, k), np.where(keep, a, np.zeros((), dtype)), a)  # NaN outside becomes zero


FROZEN = np.zeros(3)
FROZEN.flags.writeable = False
BAD = [
    ("copy_into", (np.zeros(3), np.zeros(4)), ValueError, r"shape \(4,\) does not broadcast to \(3,\)"),
    ("copy_into", (np.zeros(3), np.zeros((3, 3))), ValueError, r"shape \(3, 3\) does not broadcast to \(3,\)"),
    ("copy_into", (np.zeros(3), np.zeros(3, "f4")), TypeError, "dtypes float64 and float32; they must agree"),
    ("copy_into", (FROZEN, np.ones(3)), ValueError, "the array to write to is read-only"),
    ("copy_into", (np.broadcast_to(np.zeros(1), 3), np.ones(3)), ValueError, "the array to write to is read-only"),
    ("copy_into", ([0.0], np.ones(1)), TypeError, "out must be a NumPy array .*, got list"),
    (
        "astype",
        (np.zeros(3), np.dtype(complex)),
        TypeError,
        "the dtype must be one of numbers or truth values, got <c16",
    ),
    ("astype", (np.zeros(3), np.dtype(">f4")), TypeError, "the dtype must be one of numbers or truth values, got >f4"),
    ("pad", (np.zeros((2, 3)), [(1, 1)]), ValueError, r"widths must be 2 pairs .* not negative, got \(\(1, 1\),\)"),
    ("pad", (np.zeros(2), [(1, -1)]), ValueError, r"widths must be 1 pairs .* not negative, got \(\(1, -1\),\)"),
    ("pad", (np.zeros(2, np.int8), [(1, 1)], 300), ValueError, "int8 has no value 300"),
    ("pad", (np.zeros(2, np.int64), [(1, 1)], np.nan), ValueError, "int64 has no value nan"),
    ("pad", (np.zeros(2, np.int64), [(1, 1)], 0.5), ValueError, "int64 has no value 0.5"),
    ("tril", (np.zeros(3),), ValueError, r"needs at least two axes, got shape \(3,\)"),
    ("triu", (np.array(3.0),), ValueError, r"needs at least two axes, got shape \(\)"),
]
BAD += [
    (name, (np.zeros((2, 2), dtype), *more), TypeError, "a must be a NumPy array of numbers or truth values, got dtype")
    for name, more in {"copy": (), "astype": (np.dtype(bool),), "pad": ([(0, 0)] * 2,), "tril": (), "triu": ()}.items()
    for dtype in (complex, object, ">f8", "f2")
]


@DEVICES
@pytest.mark.parametrize("name, arguments, error, text", BAD)
def test_bad_arguments(device, name, arguments, error, text):
    with pytest.raises(error, match=f"^{name}: .*{text}"):
        getattr(device, name)(*arguments)
    assert not np.any(FROZEN)
