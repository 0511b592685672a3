"""Which dtype comes out: promotion, weak Python numbers, inspection; integers that overflow; what has no gradient."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensor_checks import both_devices, same, tensor

import tinygrad_lite as tg

ALL = list(tg.dtypes.ALL.values())
INTEGERS = [d for d in ALL if d.kind in "iu"]
KINDS = {
    "bool": "b", "signed integer": "i", "unsigned integer": "u", "integral": "iu", "real floating": "f",
    "numeric": "iuf", "complex floating": "",
}  # fmt: skip


def promoted(a, b):
    """NumPy's promotion, but a float wins over integers of every size: int64 and float32 give float32."""
    floats = [d for d in (a, b) if d.kind == "f"]
    return np.result_type(*floats) if floats else np.result_type(a, b)


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations_with_replacement(ALL, 2)))
def test_promotion(a, b):
    assert tg.result_type(a, b) == tg.result_type(b, tg.ones(1, dtype=a)) == promoted(a, b)


@both_devices
@pytest.mark.parametrize(
    ("a", "b"), [("uint8", "int8"), ("int64", "float32"), ("float32", "float64"), ("uint64", "int64")]
)
def test_results_have_the_promoted_dtype(a, b, device):
    x, y = (tg.ones(3, dtype=kind, device=device) for kind in (a, b))
    kind = promoted(x.dtype, y.dtype)
    joined = [x + y, y * x, tg.maximum(x, y), tg.where(x > 0, x, y), tg.concat([x, y]), tg.stack([y, x]), x @ y,
              tg.outer(x, y), tg.tensordot(x, y, 1), tg.vecdot(x, y), tg.einsum("i,j", x, y)]  # fmt: skip
    assert {z.dtype for z in joined} == {kind}
    assert (x / y).dtype == (kind if kind.kind == "f" else tg.float32)
    assert {z.dtype for z in (x == y, x < y, tg.logical_and(x, y))} == {tg.bool}


@given(st.sampled_from(ALL), st.sampled_from([True, 3, 0.5]))
def test_python_numbers_are_weak(dtype, value):
    x = tg.ones(2, dtype=dtype, device="cpu" if dtype in (tg.uint8, tg.float32) else "numpy")
    if isinstance(value, bool) or dtype.kind == "f":
        kind = dtype
    elif isinstance(value, int):
        kind = tg.int64 if dtype.kind == "b" else dtype
    else:
        kind = tg.float32
    expected = np.ones(2, kind) + kind.type(value)
    same(x + value, expected)
    same(value + x, expected)
    assert tg.result_type(x, value) == tg.result_type(value, dtype) == kind
    assert tg.where(x > 0, x, value).dtype == tg.maximum(x, value).dtype == kind


def test_numbers_without_a_tensor_have_the_default_dtypes():
    assert [tg.add(1, 2).dtype, tg.add(1, 2.5).dtype, tg.sum(3).dtype, tg.exp(1).dtype, tg.logical_not(True).dtype] == [
        tg.int64, tg.float32, tg.int64, tg.float32, tg.bool,
    ]  # fmt: skip
    assert [tg.result_type(1, 2), tg.result_type(1, 2.0), tg.result_type(True)] == [tg.int64, tg.float32, tg.bool]


def test_a_zero_keeps_its_sign():
    x = tg.ones(1)
    found = [tg.signbit(x * zero).item() for zero in (0.0, -0.0, 0, 0.0)]
    assert found == [False, True, False, False]


def test_numbers_follow_the_default_device():
    for device in ("numpy", "cpu"):
        tg.set_default_device(device)
        assert tg.exp(1).device == tg.add(1, 2).device == device


def test_numpys_scalars():
    assert tg.exp(np.float64(1)).dtype == tg.float64
    x = tg.ones(2, dtype=tg.float32)
    assert (x * np.float64(2)).dtype == (np.float64(2) * x).dtype == tg.float32  # np.float64 is a Python float
    assert (tg.ones(2, dtype=tg.int8) + np.int64(1)).dtype == tg.int64
    assert (x + np.ones(2)).dtype == tg.float64


FLOAT_FUNCTIONS = ["exp", "log", "sqrt", "sin", "tanh", "erf", "sigmoid", "mean", "std", "var", "softmax", "logsumexp"]


@pytest.mark.parametrize("name", FLOAT_FUNCTIONS)
@both_devices
def test_float_functions_of_integers_give_the_default_float(name, device):
    for dtype in (tg.int64, tg.bool):
        y = getattr(tg, name)(tg.ones(3, dtype=dtype, device=device))
        assert y.dtype == tg.float32
        np.testing.assert_allclose(y.numpy(), getattr(tg, name)(tg.ones(3, device=device)).numpy())


@given(st.sampled_from(INTEGERS), st.data())
def test_integers_wrap_around_as_in_numpy(dtype, data):
    device = "cpu" if dtype in (tg.int8, tg.int64) else "numpy"
    bounds = np.iinfo(dtype)
    numbers = st.sampled_from([bounds.min, bounds.max, bounds.max - 1, 0, 1, 2, bounds.max // 2 + 1])
    a, b = (np.array([data.draw(numbers) for _ in range(5)], dtype) for _ in range(2))
    x, y = tensor(a, device), tensor(b, device)
    with np.errstate(all="ignore"):
        for name in ("add", "subtract", "multiply", "floor_divide", "remainder", "bitwise_xor", "maximum"):
            same(getattr(tg, name)(x, y), getattr(np, name)(a, b))
        same(-x, -a)
        same(abs(x), np.abs(a))
        same(x**3, a**3)
        same(x << 1, a << 1)
        same(x >> 2, a >> 2)


@both_devices
def test_truth_values(device):
    a, b = np.array([True, True, False]), np.array([True, False, False])
    x, y = tensor(a, device), tensor(b, device)
    for name in ("add", "multiply", "maximum", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor", "less_equal"):
        same(getattr(tg, name)(x, y), getattr(np, name)(a, b))
    same(~x, ~a)
    same(x.sum(), np.int64(2))
    same(x / y, np.float32([1, np.inf, np.nan]))
    same(tg.where(x, 1.5, 0), np.float32([1.5, 1.5, 0]))


# ---- asking about dtypes ----


@pytest.mark.parametrize("dtype", ALL, ids=str)
def test_isdtype(dtype):
    for kind, letters in KINDS.items():
        assert tg.isdtype(dtype, kind) == (dtype.kind in letters)
    assert tg.isdtype(dtype, dtype) and tg.isdtype(dtype.name, ("bool", "numeric"))
    assert not tg.isdtype(dtype, tg.int8 if dtype != tg.int8 else tg.int16)


@pytest.mark.parametrize(("a", "b"), list(itertools.product(ALL, repeat=2)))
def test_can_cast(a, b):
    assert tg.can_cast(a, b) == tg.can_cast(tg.ones(1, dtype=a), b.name) == np.can_cast(a, b)


def test_limits():
    for dtype in (tg.float32, tg.float64):
        ours, numpys = tg.finfo(dtype), np.finfo(dtype)
        assert tg.finfo(tg.ones(1, dtype=dtype)) == ours and ours.dtype == dtype
        for name in ("bits", "eps", "max", "min", "smallest_normal"):
            assert getattr(ours, name) == getattr(numpys, name)
            assert type(getattr(ours, name)) is (int if name == "bits" else float)
    for dtype in INTEGERS:
        ours, numpys = tg.iinfo(dtype.name), np.iinfo(dtype)
        assert (ours.bits, ours.min, ours.max, ours.dtype) == (numpys.bits, numpys.min, numpys.max, dtype)


def test_the_namespace_tells_about_itself():
    info = tg.__array_namespace_info__()
    assert info.default_dtypes() == {"real floating": tg.float32, "integral": tg.int64, "indexing": tg.int64}
    assert info.dtypes() == tg.dtypes.ALL
    assert info.dtypes(kind="integral") == {d.name: d for d in INTEGERS}
    assert set(info.devices()) >= {"numpy", "cpu"} and info.default_device() in info.devices()
    assert info.capabilities()["boolean indexing"] and info.capabilities()["data-dependent shapes"]


# ---- what cannot be ----


@pytest.mark.parametrize("dtype", [d for d in ALL if d.kind != "f"], ids=str)
def test_only_floats_have_gradients(dtype):
    x = tg.ones(2, dtype=dtype)
    with pytest.raises(TypeError, match=f"only float32 and float64 tensors can have gradients, this one is {dtype}"):
        x.requires_grad_()
    with pytest.raises(TypeError, match=re.escape("convert it with .astype(tg.float32) first")):
        tg.tensor([1, 2], dtype=dtype, requires_grad=True)
    with pytest.raises(RuntimeError, match="does not require a gradient"):
        x.sum().backward()
    y = tg.ones(2, requires_grad=True)
    assert not y.astype(dtype).requires_grad and not (y > 0).requires_grad
    (y * x).sum().backward()  # an integer factor is a constant
    same(y.grad, np.float32([1, 1]))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: tg.ones(2, dtype=tg.uint8) + 300, OverflowError, "300 does not fit into uint8; use a wider dtype"),
        (lambda: tg.ones(2, dtype=tg.uint8) * -1, OverflowError, "-1 does not fit into uint8"),
        (lambda: tg.ones(2, dtype=tg.int64) + 2**70, OverflowError, "does not fit into int64"),
        (lambda: tg.ones(2) & 1, TypeError, "bitwise_and is not defined for dtype float32"),
        (lambda: ~tg.ones(2), TypeError, "bitwise_invert is not defined for dtype float32"),
        (lambda: tg.ones(2) << 1, TypeError, "bitwise_left_shift is not defined for dtype float32"),
        (lambda: -(tg.ones(2) > 0), TypeError, "negative is not defined for dtype bool"),
        (lambda: (tg.ones(2) > 0) - (tg.ones(2) > 1), TypeError, "subtract is not defined for dtype bool"),
        (lambda: (tg.ones(2) > 0) // (tg.ones(2) > 1), TypeError, "floor_divide is not defined for dtype bool"),
        (lambda: (tg.ones(2) > 0) ** True, TypeError, "pow is not defined for dtype bool"),
        (lambda: tg.sign(tg.ones(2) > 0), TypeError, "sign is not defined for dtype bool"),
        (lambda: tg.tensor([2, 3]) ** -1, ValueError, "pow: integers cannot have negative integer exponents"),
        (lambda: tg.tensor([2]) ** tg.tensor([-1]), ValueError, "convert the base to floats first"),
        (lambda: tg.result_type(), ValueError, "result_type: needs at least one"),
        (lambda: tg.result_type("complex64"), TypeError, "result_type: dtype complex64 is not supported"),
        (lambda: tg.result_type(None), TypeError, "result_type: None is not a data type"),
        (lambda: tg.ones(2).astype(None), TypeError, "None is not a data type"),
        (lambda: tg.can_cast("int8", "float16"), TypeError, "can_cast: dtype float16 is not supported"),
        (lambda: tg.can_cast(3, "int8"), TypeError, "can_cast: 3 is not a data type"),
        (lambda: tg.finfo(tg.int8), TypeError, "finfo: int8 is not a float dtype; use iinfo"),
        (lambda: tg.iinfo(tg.float32), TypeError, "iinfo: float32 is not an integer dtype; use finfo"),
        (lambda: tg.isdtype(tg.int8, "whole"), ValueError, "isdtype: 'whole' is not a kind"),
        (lambda: tg.isdtype("nonsense", "bool"), TypeError, "isdtype: 'nonsense' is not a data type"),
    ],
)  # fmt: skip
@both_devices
def test_errors(call, error, text, device):
    tg.set_default_device(device)
    with pytest.raises(error, match=re.escape(text)):
        call()
