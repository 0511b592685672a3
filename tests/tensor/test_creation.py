"""New tensors: values, dtypes, devices, gradients, errors."""

import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tensor_checks import DTYPES, arrays, both_devices, devices, floats, gradients_agree, same, shapes

import tinygrad_lite as tg

KINDS = st.sampled_from(DTYPES)
FILLED = {"zeros": np.zeros, "ones": np.ones, "full": lambda s, dtype: np.full(s, 1, dtype)}


@pytest.mark.parametrize("name", FILLED)
@given(shape=shapes, dtype=KINDS, device=devices)
def test_constant_tensors(name, shape, dtype, device):
    value = (1,) if name == "full" else ()
    x = getattr(tg, name)(shape, *value, dtype=dtype, device=device)
    same(x, FILLED[name](shape, dtype=dtype))
    assert x.device == device
    like = getattr(tg, f"{name}_like")(x, *value)
    same(like, x.numpy())
    assert like.device == device and not np.shares_memory(like.numpy(), x.numpy())
    same(getattr(tg, f"{name}_like")(x, *value, dtype=tg.float64), x.numpy().astype(np.float64))


@both_devices
def test_empty(device):
    x = tg.empty((2, 0, 3), dtype="int8", device=device)
    assert (x.shape, x.dtype, x.device) == ((2, 0, 3), tg.int8, device)
    assert tg.empty_like(x, dtype=tg.float32).dtype == tg.float32


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, "int64"), (1.5, "float32"), (True, "bool"), ([[1, 2.5]], "float32"), ([], "float32"),
        (np.float64(2), "float64"), (np.arange(2, dtype=np.int8), "int8"), ([np.float32(1), 2], "float32"),
    ],
)  # fmt: skip
def test_what_numbers_become(value, dtype):
    assert tg.tensor(value).dtype == dtype
    assert tg.asarray(value).dtype == dtype


def test_the_dtype_of_full_follows_from_the_value():
    assert [tg.full(2, v).dtype for v in (1, 1.0, True, np.int8(1), tg.tensor(2.0))] == [
        tg.int64, tg.float32, tg.bool, tg.int8, tg.float32,
    ]  # fmt: skip


@given(arrays(), devices)
def test_tensor_copies_and_asarray_shares(a, device):
    copied, shared = tg.tensor(a, device=device), tg.asarray(a, device=device)
    same(copied, a)
    same(shared, a)
    assert shared.numpy() is a
    assert a.size == 0 or not np.shares_memory(copied.numpy(), a)
    assert tg.asarray(a, copy=True).numpy() is not a


def test_asarray_keeps_history_and_tensor_does_not():
    x = tg.ones(2, requires_grad=True)
    y = x * 3
    assert tg.asarray(y) is y and not tg.tensor(y).requires_grad
    (tg.asarray(y, dtype=tg.float64, copy=True) * tg.asarray(y, copy=True)).sum().backward()
    same(x.grad, np.float32([18, 18]))


MAKERS = {
    "tensor": ([1],), "asarray": ([1],), "zeros": (2,), "ones": (2,), "full": (2, 3), "empty": (2,), "arange": (3,),
    "linspace": (0, 1, 3), "eye": (2,), "zeros_like": ([1],), "ones_like": ([1],), "full_like": ([1], 2),
    "empty_like": ([1],),
}  # fmt: skip
RANDOM = {"rand": (2,), "randn": (2,)}


@both_devices
@pytest.mark.parametrize(("name", "args"), {**MAKERS, **RANDOM}.items())
def test_every_one_takes_dtype_device_and_requires_grad(name, args, device):
    x = getattr(tg, name)(*args, dtype=tg.float64, device=device, requires_grad=True)
    assert (x.dtype, x.device, x.requires_grad, x.is_leaf) == (tg.float64, device, True, True)


@pytest.mark.parametrize(("name", "args"), MAKERS.items())
def test_only_floats_can_have_gradients(name, args):
    with pytest.raises(TypeError, match="only float32 and float64"):
        getattr(tg, name)(*args, dtype=tg.int64, requires_grad=True)


@given(st.integers(-20, 20), st.integers(-20, 20), st.integers(-5, 5))
def test_arange_of_integers(start, stop, step):
    assume(step != 0)
    same(tg.arange(start, stop, step), np.arange(start, stop, step))
    same(tg.arange(stop), np.arange(stop))


@given(st.floats(-9, 9), st.floats(-9, 9), st.floats(0.1, 3))
def test_arange_of_floats(start, stop, step):
    same(tg.arange(start, stop, step, dtype=tg.float64), np.arange(start, stop, step))
    assert tg.arange(start, stop, step).dtype == tg.float32


@given(st.floats(-9, 9), st.floats(-9, 9), st.integers(0, 9), st.booleans())
def test_linspace(start, stop, count, endpoint):
    expected = np.linspace(start, stop, count, endpoint=endpoint)
    same(tg.linspace(start, stop, count, dtype="float64", endpoint=endpoint), expected)


@given(st.integers(0, 5), st.integers(0, 5), st.integers(-6, 6), KINDS)
def test_eye(rows, columns, k, dtype):
    same(tg.eye(rows, columns, k=k, dtype=dtype), np.eye(rows, columns, k, dtype))


@pytest.mark.parametrize("indexing", ["xy", "ij"])
@given(vectors=st.lists(arrays(st.tuples(st.integers(0, 3))), min_size=1, max_size=3), device=devices)
def test_meshgrid(indexing, vectors, device):
    found = tg.meshgrid(*(tg.tensor(v, device=device) for v in vectors), indexing=indexing)
    for x, expected in zip(found, np.meshgrid(*vectors, indexing=indexing), strict=True):
        same(x, expected)


@both_devices
def test_gradients_of_meshgrid_and_triangles(device):
    a, b = floats(2, device=device), floats(3, seed=1, device=device)
    gradients_agree(lambda a, b: [g * g for g in tg.meshgrid(a, b)], a, b)
    gradients_agree(lambda x: (tg.tril(x, k=1) * tg.triu(x, k=-1)) ** 2, floats(2, 3, 3, device=device))


@given(arrays(shapes.filter(lambda s: len(s) >= 2)), st.integers(-4, 4), devices)
def test_triangles(a, k, device):
    same(tg.tril(tg.asarray(a, device=device), k=k), np.tril(a, k))
    same(tg.triu(tg.asarray(a, device=device), k=k), np.triu(a, k))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: tg.zeros((2, -1)),
            ValueError,
            "zeros: a shape is made of integers that are not negative, got (2, -1)",
        ),
        (lambda: tg.ones(1.5), TypeError, "float"),
        (lambda: tg.zeros((2, 1.5)), ValueError, "zeros: a shape is made of integers"),
        (lambda: tg.tensor([[1], [1, 2]]), ValueError, "tensor: the data is not a regular array"),
        (lambda: tg.tensor(["a"]), TypeError, "tensor: dtype <U1 is not supported"),
        (lambda: tg.tensor(1j), TypeError, "complex128 is not supported"),
        (lambda: tg.zeros(2, dtype="float16"), TypeError, "float16 is not supported"),
        (lambda: tg.zeros(2, dtype="nonsense"), TypeError, "is not a data type"),
        (lambda: tg.zeros(2, device="gpu"), ValueError, "device 'gpu' is not known; known: 'numpy', 'cpu'"),
        (lambda: tg.arange(0, 3, 0), ValueError, "step must not be 0"),
        (lambda: tg.asarray([1], copy=False), ValueError, "without a copy"),
        (lambda: tg.meshgrid(tg.ones((2, 2))), ValueError, "needs vectors"),
        (lambda: tg.tril(tg.ones(3)), ValueError, "at least two axes"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=re.escape(text)):
        call()


def test_arrays_of_another_byte_order_are_converted():
    a = np.arange(3, dtype=np.dtype(np.float32).newbyteorder())
    same(tg.asarray(a), np.arange(3, dtype=np.float32))
    same(tg.tensor(a) + 1, np.arange(1, 4, dtype=np.float32))
