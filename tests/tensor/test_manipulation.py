"""Shapes, axes, joins, repetitions against NumPy: values, dtypes, shared memory, gradients, errors."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensor_checks import arrays, axes_of, both_devices, devices, floats, gradients_agree, same, tensor

import tinygrad_lite as tg

some_axes = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)


def shares_as_numpy(y, x, expected, a):
    """The result is a view of its input where NumPy's is."""
    assert np.shares_memory(y.numpy(), x.numpy()) == np.shares_memory(expected, a)


@st.composite
def reshaped(draw, size):
    """A shape for that many elements, perhaps with one size left open."""
    sizes, left = [], size
    while draw(st.booleans()) and len(sizes) < 4:
        sizes.append(draw(st.sampled_from([n for n in range(1, 13) if left % n == 0])))
        left //= sizes[-1]
    sizes.insert(draw(st.integers(0, len(sizes))), left)
    if size and draw(st.booleans()):
        sizes[draw(st.integers(0, len(sizes) - 1))] = -1
    return tuple(sizes)


@given(st.data(), arrays(), devices)
def test_reshape(data, a, device):
    shape, x = data.draw(reshaped(a.size)), tensor(a, device)
    expected = a.reshape(shape)
    shares_as_numpy(tg.reshape(x, shape), x, expected, a)
    same(tg.reshape(x, shape), expected)
    same(x.reshape(*shape), expected)
    copied = tg.reshape(x, shape, copy=True)
    same(copied, expected)
    assert not np.shares_memory(copied.numpy(), a)
    if not a.size or np.shares_memory(expected, a):
        same(x.reshape(shape, copy=False), expected)
    else:
        with pytest.raises(ValueError, match="a copy is needed"):
            tg.reshape(x, shape, copy=False)


@given(st.data(), arrays(), devices)
def test_axes_in_another_order(data, a, device):
    x, order = tensor(a, device), data.draw(st.permutations(range(a.ndim)))
    signed = [i - a.ndim * data.draw(st.booleans()) for i in order]
    expected = np.transpose(a, order)
    same(tg.permute_dims(x, signed), expected)
    same(x.permute(*signed) if signed else x.permute(()), expected)
    shares_as_numpy(tg.permute_dims(x, signed), x, expected, a)
    same(tg.transpose(x), a.T)
    count = data.draw(st.integers(0, a.ndim))
    source, target = signed[:count], data.draw(st.permutations(range(a.ndim)))[:count]
    same(tg.moveaxis(x, source, target), np.moveaxis(a, source, target))
    shares_as_numpy(tg.moveaxis(x, source, target), x, np.moveaxis(a, source, target), a)
    if a.ndim:
        i, j = data.draw(axes_of(a.ndim)), data.draw(axes_of(a.ndim))
        same(tg.swapaxes(x, i, j), np.swapaxes(a, i, j))
        same(tg.moveaxis(x, i, j), np.moveaxis(a, i, j))


@given(st.data(), arrays(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=2)), devices)
def test_expand_dims_and_squeeze(data, a, device):
    x, count = tensor(a, device), data.draw(st.integers(0, 2))
    axes = (
        data.draw(
            st.lists(axes_of(a.ndim + count), min_size=count, max_size=count, unique_by=lambda i: i % (a.ndim + count))
        )
        if count
        else []
    )
    expected = np.expand_dims(a, tuple(axes))
    wide = tg.expand_dims(x, tuple(axes))
    same(wide, expected)
    shares_as_numpy(wide, x, expected, a)
    same(tg.squeeze(wide, tuple(axes)), a)
    same(tg.squeeze(wide), np.squeeze(expected))
    same(wide.squeeze(dim=tuple(axes)), a)
    for i in axes[:1]:
        same(tg.expand_dims(x, i % (a.ndim + 1)), np.expand_dims(a, i % (a.ndim + 1)))


@given(st.data(), arrays(some_axes), devices)
def test_flip_and_roll(data, a, device):
    x = tensor(a, device)
    axes = tuple(data.draw(st.lists(st.integers(0, a.ndim - 1), unique=True)))
    same(tg.flip(x, axis=axes), np.flip(a, axes))
    same(tg.flip(x), np.flip(a))
    shares_as_numpy(tg.flip(x), x, np.flip(a), a)
    shifts = tuple(data.draw(st.integers(-9, 9)) for _ in axes)
    same(tg.roll(x, shifts, axis=axes), np.roll(a, shifts, axes))
    same(tg.roll(x, 3), np.roll(a, 3))
    axis, shift = data.draw(axes_of(a.ndim)), data.draw(st.integers(-9, 9))
    same(x.roll(shift, dims=axis), np.roll(a, shift, axis))
    same(tg.roll(x, shift, axis=axes), np.roll(a, shift, axes) if axes else a)
    assert not np.shares_memory(tg.roll(x, 0, axis=axis).numpy(), a)


@given(st.data(), arrays(some_axes), devices)
def test_repeat_and_tile(data, a, device):
    x, axis = tensor(a, device), data.draw(axes_of(a.ndim))
    times = data.draw(st.integers(0, 3))
    each = data.draw(hnp.arrays(np.int64, a.shape[axis], elements=st.integers(0, 3)))
    same(tg.repeat(x, times, axis=axis), np.repeat(a, times, axis))
    same(tg.repeat(x, times), np.repeat(a, times))
    same(x.repeat(tg.tensor(each), axis=axis), np.repeat(a, each, axis))
    repetitions = data.draw(st.lists(st.integers(0, 3), max_size=5))
    same(tg.tile(x, tuple(repetitions)), np.tile(a, repetitions))
    assert not np.shares_memory(tg.tile(x, ()).numpy(), a)
    assert not np.shares_memory(tg.repeat(x, 1, axis=axis).numpy(), a)


@given(st.data(), arrays(), st.integers(-3, 3), devices)
def test_pad(data, a, value, device):
    widths = [tuple(data.draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))) for _ in a.shape]
    value = abs(value) if a.dtype.kind in "ub" else value
    expected = np.pad(a, widths, constant_values=value) if widths else a
    same(tg.pad(tensor(a, device), widths, value), expected)
    same(tg.pad(tensor(a, device), 1), np.pad(a, 1))
    same(tg.pad(tensor(a, device), (0, 2)), np.pad(a, (0, 2)))


@given(st.data(), arrays(some_axes), arrays(some_axes), devices)
def test_concat_and_stack(data, a, b, device):
    axis = data.draw(axes_of(a.ndim))
    shape = tuple(b.shape[0] if i == axis % a.ndim else n for i, n in enumerate(a.shape))
    c = np.resize(b, shape) if b.size else np.zeros(shape, b.dtype)
    kind = tg.result_type(a.dtype, b.dtype)  # as NumPy, but a float wins over integers of any size
    x, y = tensor(a, device), tensor(c, device)
    same(tg.concat([x, y, x], axis=axis), np.concatenate([a, c, a], axis).astype(kind))
    same(tg.concat([x, y], axis=None), np.concatenate([a, c], None).astype(kind))
    same(tg.concat((x,), axis), a)
    assert not np.shares_memory(tg.concat([x], axis).numpy(), a)
    place = data.draw(axes_of(a.ndim + 1))
    same(tg.stack([x, x, x], axis=place), np.stack([a, a, a], place))
    same(tg.stack([x], dim=place), np.stack([a], place))


@given(st.data(), arrays(some_axes), devices)
def test_split_and_unstack(data, a, device):
    x, axis = tensor(a, device), data.draw(axes_of(a.ndim))
    size, length = data.draw(st.integers(1, 4)), a.shape[axis]
    pieces = tg.split(x, size, axis=axis)
    assert [p.shape[axis] for p in pieces] == [min(size, length - i) for i in range(0, length, size)] or [0]
    same(tg.concat(pieces, axis), a)
    cuts = sorted(data.draw(st.lists(st.integers(0, length), max_size=3)))
    sizes = np.diff([0, *cuts, length])
    assert [p.shape for p in tg.split(x, sizes, axis)] == [p.shape for p in tg.split(x, sizes.tolist(), axis)]
    for piece, expected in zip(x.split(tuple(sizes), dim=axis), np.split(a, cuts, axis), strict=True):
        same(piece, expected)
        shares_as_numpy(piece, x, expected, a)
    slices = tg.unstack(x, axis=axis)
    assert isinstance(slices, tuple) and len(slices) == length
    for i, part in enumerate(slices):
        expected = np.take(a, i, axis)
        same(part, expected)
        assert part.size == 0 or np.shares_memory(part.numpy(), a)


@given(st.data(), devices)
def test_broadcasting(data, device):
    drawn = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=3, min_side=0, max_side=3))
    found = [data.draw(arrays(shape)) for shape in drawn.input_shapes]
    tensors = [tensor(a, device) for a in found]
    for x, a, wide in zip(tensors, found, tg.broadcast_arrays(*tensors), strict=True):
        expected = np.broadcast_to(a, drawn.result_shape)
        same(wide, expected)
        same(tg.broadcast_to(x, drawn.result_shape), expected)
        same(x.expand(*drawn.result_shape) if drawn.result_shape else x, expected)
        shares_as_numpy(wide, x, expected, a)


@given(arrays(), st.sampled_from(list(tg.dtypes.ALL)), devices)
def test_astype(a, dtype, device):
    x = tensor(a, device)
    with np.errstate(invalid="ignore"):
        if not (np.dtype(dtype).kind == "u" and a.dtype.kind == "f"):  # negative floats have no such value
            same(tg.astype(x, dtype), a.astype(dtype))
    assert not np.shares_memory(tg.astype(x, a.dtype).numpy(), a)
    assert tg.astype(x, a.dtype, copy=False) is x
    assert tg.astype(x, "float32", device="numpy").device == "numpy"


@given(arrays(), devices)
def test_flatten_copy_and_contiguous(a, device):
    x = tensor(a, device)
    same(tg.ravel(x), a.ravel())
    shares_as_numpy(tg.ravel(x), x, a.reshape(-1), a)
    same(x.contiguous(), a)
    assert x.contiguous().numpy().flags.c_contiguous
    same(x.clone(), a)
    assert not np.shares_memory(x.clone().numpy(), a)
    for start in range(a.ndim):
        for end in range(start, a.ndim):
            merged = a.reshape(*a.shape[:start], math.prod(a.shape[start : end + 1]), *a.shape[end + 1 :])
            same(tg.flatten(x, start, end), merged)
            same(x.flatten(start_dim=start - a.ndim, end_dim=end), merged)


LINEAR = {
    "reshape": lambda x: tg.reshape(x, (4, -1)), "reshape of a transposed": lambda x: x.permute(2, 1, 0).reshape(3, 8),
    "permute_dims": lambda x: tg.permute_dims(x, (2, 0, 1)), "expand_dims": lambda x: tg.expand_dims(x, (0, 2)),
    "squeeze": lambda x: tg.squeeze(x[:, :1], 1), "flip": lambda x: tg.flip(x, axis=(0, 2)),
    "roll": lambda x: tg.roll(x, (1, -2), axis=(0, 2)), "roll flat": lambda x: tg.roll(x, 5),
    "repeat": lambda x: tg.repeat(x, [2, 0], axis=0), "repeat flat": lambda x: tg.repeat(x, 2),
    "tile": lambda x: tg.tile(x, (2, 1, 1, 2)), "pad": lambda x: tg.pad(x, ((1, 0), (0, 2), (1, 1)), 3.0),
    "stack": lambda x: tg.stack([x, x * x], axis=1), "concat": lambda x: tg.concat([x, x * x, x], axis=2),
    "split": lambda x: tg.split(x, [1, 2], axis=2)[1], "unstack": lambda x: tg.unstack(x, axis=1)[-1],
    "moveaxis": lambda x: tg.moveaxis(x, 0, -1), "broadcast_to": lambda x: tg.broadcast_to(x[:, :1], (2, 2, 4, 3)),
    "broadcast_arrays": lambda x: tg.broadcast_arrays(x[:, :1, :1], x)[0], "flatten": lambda x: x.flatten(1),
    "tril": lambda x: tg.tril(x, k=1), "triu": lambda x: tg.triu(x, k=-1), "clone": lambda x: x.clone(),
}  # fmt: skip


@pytest.mark.parametrize("name", LINEAR)
@both_devices
def test_gradients(name, device):
    gradients_agree(lambda x: LINEAR[name](x) ** 2, floats(2, 4, 3, device=device))


@both_devices
def test_gradients_come_back_in_the_dtype_of_each_part(device):
    x, y = tg.ones(2, dtype=tg.float32, device=device), tg.ones(2, dtype=tg.float64, device=device)
    x.requires_grad_(), y.requires_grad_()
    z = tg.concat([x, y, tg.ones(1, dtype=tg.int64, device=device)])
    assert z.dtype == tg.float64
    (z * z).sum().backward()
    same(x.grad, np.float32([2, 2]))
    same(y.grad, np.float64([2, 2]))
    assert not tg.astype(x, tg.int32).requires_grad


def test_a_change_of_the_base_is_seen_by_views_and_noticed_by_gradients():
    base = tg.ones((2, 3)) * 1
    x = tg.ones(6, requires_grad=True)
    view = base.reshape(6).flip()
    y = x * view
    base[0, 0] = 5.0
    assert view[-1].item() == 5.0
    with pytest.raises(RuntimeError, match="changed in place"):
        y.sum().backward()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: x.reshape(4), ValueError, "reshape: 6 elements of shape (2, 3) do not fit into shape (4,)"),
        (lambda x: x.reshape(-1, -1), ValueError, "do not fit into shape (-1, -1)"),
        (lambda x: x[:0].reshape(0, -1), ValueError, "do not fit into shape (0, -1)"),
        (lambda x: x.reshape(1.5), TypeError, "reshape: a shape is made of integers, got 1.5"),
        (lambda x: x.reshape((2.0, 3)), TypeError, "reshape: a shape is made of integers, got (2.0, 3)"),
        (lambda x: tg.permute_dims(x, (0, 0)), ValueError, "axes (0, 0) are not a permutation of the 2 axes"),
        (lambda x: tg.permute_dims(x, (0,)), ValueError, "are not a permutation"),
        (lambda x: tg.permute_dims(x, (0, 2)), ValueError, "are not a permutation"),
        (lambda x: tg.expand_dims(x, 3), ValueError, "expand_dims: axis 3 is out of range"),
        (lambda x: tg.expand_dims(x, (0, 0)), ValueError, "names an axis twice"),
        (lambda x: tg.squeeze(x, 0), ValueError, "squeeze: axis 0 of shape (2, 3) does not have size 1"),
        (lambda x: tg.flip(x, 2), ValueError, "flip: axis 2 is out of range"),
        (lambda x: tg.roll(x, (1, 2), axis=0), ValueError, "must have one entry for each axis"),
        (lambda x: tg.roll(x, 1.5), TypeError, "roll: shift is made of integers, got 1.5"),
        (lambda x: tg.permute_dims(x, (0.5, 1)), TypeError, "axes are made of integers, got (0.5, 1)"),
        (lambda x: tg.broadcast_to(x, (2.0, 3)), TypeError, "a shape is made of integers, got (2.0, 3)"),
        (lambda x: tg.split(x, 1.5), TypeError, "split: sections are made of integers, got 1.5"),
        (lambda x: tg.repeat(x, -1), ValueError, "repeats must be a number >= 0"),
        (lambda x: tg.repeat(x, [1, 2], axis=1), ValueError, "or one for each of 3"),
        (lambda x: tg.tile(x, 1.5), TypeError, "tile: repetitions are made of integers, got 1.5"),
        (lambda x: tg.tile(x, -1), ValueError, "must be integers that are not negative"),
        (lambda x: tg.pad(x, ((1, 1),) * 3), ValueError, "for each of 2 axes"),
        (lambda x: tg.pad(x, -1), ValueError, "not negative"),
        (lambda x: tg.stack([x, x[0]]), ValueError, "all of one shape, got (2, 3), (3,)"),
        (lambda x: tg.stack([]), ValueError, "needs at least one tensor"),
        (lambda x: tg.concat([]), ValueError, "concat: needs at least one tensor"),
        (lambda x: tg.concat([x, x[:, 1:]]), ValueError, "tensor 1 has shape (2, 2), which does not fit (2, 3)"),
        (lambda x: tg.concat([x[0, 0]]), ValueError, "concat: axis 0 is out of range for a tensor with 0 axes"),
        (lambda x: tg.split(x, [1, 2]), ValueError, "split: sizes [1, 2] do not add up to 2"),
        (lambda x: tg.split(x, 0), ValueError, "must be positive"),
        (lambda x: tg.unstack(x, axis=2), ValueError, "unstack: axis 2 is out of range"),
        (lambda x: tg.moveaxis(x, 0, (0, 1)), ValueError, "must name as many axes"),
        (lambda x: tg.moveaxis(x, (0, 0), (0, 1)), ValueError, "each once"),
        (lambda x: tg.broadcast_to(x, (3, 2)), ValueError, "shape (2, 3) does not broadcast to (3, 2)"),
        (lambda x: tg.broadcast_arrays(x, x.T), ValueError, "(2, 3), (3, 2)"),
        (lambda x: tg.flatten(x, 1, 0), ValueError, "start_axis 1 lies behind end_axis 0"),
        (lambda x: tg.astype(x, "complex64"), TypeError, "complex64 is not supported"),
        (lambda x: tg.concat([x, x.to("numpy")]), ValueError, "different devices"),
    ],
)  # fmt: skip
def test_errors(call, error, text):
    with pytest.raises(error, match=re.escape(text)):
        call(tg.zeros((2, 3), device="cpu"))
