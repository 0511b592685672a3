"""x[index], x[index] = value, take and scatter_add against NumPy; gradients against differences."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensor_checks import arrays, axes_of, both_devices, devices, filled, floats, gradients_agree, same, shapes, tensor

import tinygrad_lite as tg


@st.composite
def advanced(draw, shape):
    """An index of integers, slices, new axes, an ellipsis, integer arrays and masks, in any order, that NumPy takes."""
    wide = draw(hnp.broadcastable_shapes((2, 1), min_dims=0, max_dims=2, min_side=1, max_side=2))
    items, axis, dots = [], 0, False
    while axis < len(shape) or draw(st.integers(0, 4)) == 4:
        kinds = ["new"] + ["dots"] * (not dots)
        if axis < len(shape):
            kinds += ["slice", "slice"] + ["array", "list", "integer", "mask", "tensor"] * (shape[axis] > 0)
        kind = draw(st.sampled_from(kinds))
        if kind == "new":
            items.append(None)
            continue
        if kind == "dots":
            items.append(Ellipsis)
            dots, axis = True, min(len(shape), axis + draw(st.integers(0, 2)))
            continue
        items.append(draw(entry(kind, shape[axis], wide)))
        axis += 1
    return tuple(items)


@st.composite
def entry(draw, kind, size, wide):
    if kind == "slice":
        return draw(st.slices(size))
    if kind == "integer":
        return draw(st.integers(-size, size - 1))
    if kind == "mask":  # with one element, so that it broadcasts with whatever else there is
        return np.arange(size) == draw(st.integers(0, size - 1))
    places = draw(hnp.arrays(np.int64, wide, elements=st.integers(-size, size - 1)))
    return places.tolist() if kind == "list" and wide else tg.tensor(places) if kind == "tensor" else places


def for_numpy(index):
    return tuple(i.numpy() if isinstance(i, tg.Tensor) else i for i in index)


@given(st.data(), arrays(), devices)
def test_reading_agrees_with_numpy(data, a, device):
    index = data.draw(advanced(a.shape))
    same(tensor(a, device)[index], a[for_numpy(index)])


@given(st.data(), arrays(), devices)
def test_basic_indices_are_views(data, a, device):
    index = data.draw(hnp.basic_indices(a.shape, allow_newaxis=True))
    x = tensor(a, device)
    part = x[index]
    same(part, a[index])
    assert part.size == 0 or np.shares_memory(part.numpy(), x.numpy())


@given(st.data(), arrays(), devices)
def test_masks_of_several_axes(data, a, device):
    count = data.draw(st.integers(0, a.ndim))
    mask = data.draw(hnp.arrays(bool, a.shape[:count]))
    same(tensor(a, device)[tg.tensor(mask)], a[mask])
    same(tensor(a, device)[mask, ...], a[mask, ...])


@given(st.data(), arrays(), devices)
def test_writing_agrees_with_numpy(data, a, device):
    index = data.draw(advanced(a.shape))
    shape = a[for_numpy(index)].shape
    value = data.draw(
        arrays(hnp.broadcastable_shapes(shape, max_dims=len(shape), max_side=1).map(lambda s: one(s, shape)))
    )
    expected, x = np.array(a), tensor(np.array(a), device)
    expected[for_numpy(index)] = value
    x[index] = tensor(value, device)
    same(x, expected)


def one(drawn, shape):
    """A shape that broadcasts to `shape`: drawn where that does, else `shape` itself."""
    try:
        return drawn if np.broadcast_shapes(drawn, shape) == shape else shape
    except ValueError:
        return shape


@both_devices
def test_overlapping_assignments_read_before_they_write(device):
    for index, value in [
        (slice(1, None), slice(None, -1)),
        ([1, 2, 3], slice(0, 3)),
        (slice(None), slice(None, None, -1)),
    ]:
        a = np.arange(4.0)
        x = tg.tensor(a, device=device)
        a[index] = a[value].copy()
        x[index] = x[value]
        same(x, a)


@both_devices
def test_a_value_with_more_axes_must_be_broadcastable(device):
    x = tg.zeros(6, device=device)
    x[...] = np.ones((1, 1, 1))
    same(x, np.ones(6, np.float32))
    with pytest.raises(ValueError, match=re.escape("index assignment: shape (2, 3) does not broadcast to (6,)")):
        x[...] = np.ones((2, 3))


@pytest.mark.parametrize(
    ("index", "error", "text"),
    [
        (5, IndexError, "5 is out of range for axis 0 with size 2"),
        ((0, -4), IndexError, "-4 is out of range for axis 1 with size 3"),
        ((slice(None), [0, 9]), IndexError, "9 is out of range for axis 1 with size 3"),
        ((None, [0], [-9]), IndexError, "-9 is out of range for axis 1 with size 3"),
        ((0, 0, 0), IndexError, "3 indices for a tensor with 2 axes"),
        ((..., 0, ...), IndexError, "only one ellipsis"),
        (1.5, IndexError, "got float"),
        ("a", IndexError, "got str"),
        (np.ones(0), IndexError, "got ndarray of dtype float64"),
        ([1, [2]], IndexError, "list is not an array"),
        (slice(0.5), TypeError, "a slice is made of integers"),
        (np.ones(3, bool), IndexError, "the mask has shape (3,), but its axis 0 stands for axis 0 with size 2"),
        (([0, 1], [0, 1, 2]), IndexError, "shapes (2,), (3,) do not broadcast"),
    ],
)
@both_devices
def test_errors_say_what_is_wrong(index, error, text, device):
    x = tg.zeros((2, 3), device=device)
    with pytest.raises(error, match=re.escape(text)):
        x[index]
    with pytest.raises(error, match=re.escape(text)):
        x[index] = 1.0
    same(x, np.zeros((2, 3), np.float32))


READS = [
    (slice(None, None, -2), 1), (..., None, 2), ([0, 2, 0, -1],), ([1, 0], slice(None), [2, 2]),
    (0, [1, 1, 0], slice(1, 3)), (slice(None), np.array([True, False])),
    (np.arange(24).reshape(3, 2, 4) % 5 == 0,), (True, [0, 0]),
]  # fmt: skip


@pytest.mark.parametrize("index", READS, ids=str)
@both_devices
def test_gradients_of_reading(index, device):
    gradients_agree(lambda x: x[index] * x[index], floats(3, 2, 4, device=device))


def assigned(index):
    def function(x, value):
        y = x * x
        y[index] = value * value
        return y * y

    return function


WRITES = [
    (slice(None, None, -2), 1), (..., None, 2), ([0, 2],), ([1, 0], slice(None), [2, 3]), (0, [1, 0], slice(1, 3)),
    (slice(None), np.array([True, False])), (np.arange(24).reshape(3, 2, 4) % 5 == 0,),
]  # fmt: skip


@pytest.mark.parametrize("index", WRITES, ids=str)
@both_devices
def test_gradients_of_writing(index, device):
    shape = np.zeros((3, 2, 4))[index].shape
    gradients_agree(assigned(index), floats(3, 2, 4, device=device), floats(*shape, seed=1, device=device))
    gradients_agree(assigned(index), floats(3, 2, 4, device=device), floats(seed=1, device=device))


@both_devices
def test_of_repeated_places_the_last_value_stays_and_has_the_gradient(device):
    value = tg.tensor([1.0, 2.0], device=device, requires_grad=True)
    x = tg.zeros(3, device=device)
    x[[1, 1]] = value
    same(x, np.float32([0, 2, 0]))
    (x * tg.tensor([1.0, 3.0, 5.0], device=device)).sum().backward()
    same(value.grad, np.float32([0, 3]))


@both_devices
def test_an_index_changed_later_does_not_change_gradients(device):
    index, x = tg.tensor([0, 1], device=device), tg.zeros(4, device=device, requires_grad=True)
    read, taken, filled_ = x[index].sum(), tg.take(x, index, 0).sum(), x * 1
    filled_[index] = 0.0
    index += 2
    (read + taken * 10 + filled_.sum() * 100).backward()
    same(x.grad, np.float32([11, 11, 100, 100]))


def test_assignment_keeps_to_the_rules_of_changes_in_place():
    leaf = tg.zeros(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        leaf[0] = 1.0
    with tg.no_grad():
        leaf[0] = 1.0
    same(leaf, np.float32([1, 0]))
    y = leaf * 2
    z = y * y
    y[0] = 5.0
    with pytest.raises(RuntimeError, match="changed in place"):
        z.sum().backward()
    with pytest.raises(ValueError, match="read-only"):
        tg.broadcast_to(tg.zeros(1), (3,))[0] = 1.0
    with pytest.raises(ValueError, match="different devices"):
        tg.zeros(2, device="cpu")[0] = tg.zeros((), device="numpy")


@given(st.data(), arrays(filled), devices)
def test_take_and_take_along_axis(data, a, device):
    axis = data.draw(axes_of(a.ndim))
    size = a.shape[axis]
    index = data.draw(hnp.arrays(np.int64, shapes.filter(lambda s: len(s) < 3), elements=st.integers(-size, size - 1)))
    same(tg.take(tensor(a, device), tg.tensor(index, device=device), axis=axis), np.take(a, index, axis))
    same(tensor(a, device).take(index, dim=axis), np.take(a, index, axis))
    shape = tuple(3 if i == axis % a.ndim else n for i, n in enumerate(a.shape))
    along = data.draw(hnp.arrays(np.int64, shape, elements=st.integers(-size, size - 1)))
    same(tg.take_along_axis(tensor(a, device), along, axis), np.take_along_axis(a, along, axis))
    same(tg.gather(tensor(a, device), dim=axis, index=along), np.take_along_axis(a, along, axis))


@given(st.data(), arrays(filled, [np.float64, np.int64]), devices)
def test_scatter_add(data, a, device):
    axis = data.draw(st.integers(0, a.ndim - 1))
    size = a.shape[axis]
    index = data.draw(hnp.arrays(np.int64, st.integers(0, 6), elements=st.integers(-size, size - 1)))
    values = data.draw(arrays((*a.shape[:axis], index.size, *a.shape[axis + 1 :]), [np.int64]))
    expected = np.array(a)
    np.add.at(expected, (slice(None),) * axis + (index,), values)
    before = a.copy()
    same(tg.scatter_add(tensor(a, device), index, tensor(values, device), axis), expected)
    np.testing.assert_array_equal(a, before)


@both_devices
def test_gradients_of_taking_and_scattering(device):
    x, index = floats(3, 4, device=device), [[0, 2], [2, -1]]
    gradients_agree(lambda x: tg.take(x * x, index, axis=1), x)
    gradients_agree(lambda x: tg.take_along_axis(x * x, [[0], [3], [0]], axis=1), x)
    values = floats(3, 2, seed=1, device=device)
    gradients_agree(lambda x, v: tg.scatter_add(x * x, [1, 1], v * v, axis=1) ** 2, x, values)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: tg.take(x, [3], 1), IndexError, "index 3 is out of range"),
        (lambda x: tg.take(x, [0.5], 1), TypeError, "indices must be integers, got float64"),
        (lambda x: tg.take(x, [0]), ValueError, "axis is needed for a tensor with 2 axes"),
        (lambda x: tg.take(x, [0], 2), ValueError, "axis 2 is out of range"),
        (lambda x: tg.take_along_axis(x, [0]), ValueError, "indices have 1 axes, the tensor 2"),
        (lambda x: tg.take_along_axis(x, np.zeros((3, 1), int)), ValueError, "do not broadcast"),
        (lambda x: tg.scatter_add(x, [0], tg.ones(5)), ValueError, "does not broadcast"),
    ],
)
def test_errors_of_taking(call, error, text):
    with pytest.raises(error, match=text):
        call(tg.zeros((2, 3)))


def test_iterating_and_membership():
    x = tg.tensor([[1, 2], [3, 4]])
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]] and [v.item() for v in x[0]] == [1, 2]
    assert 3 in x and 7 not in x and tg.tensor(2) in x
    with pytest.raises(TypeError, match="0-d"):
        iter(tg.tensor(1))
