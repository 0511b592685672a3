"""Tensors and the rest of Python: NumPy, DLPack, numbers, pickles, copies, iteration, text."""

import copy
import inspect
import math
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensor_checks import arrays, both_devices, devices, floats, gradients_agree, same, tensor

import tinygrad_lite as tg
from tinygrad_lite.ops.numpy_functions import FUNCTIONS, UFUNCS

# ---- NumPy ----


@given(arrays(), devices)
def test_arrays_from_tensors(a, device):
    x = tensor(a, device)
    assert x.numpy() is a
    for found in (np.asarray(x), np.array(x, copy=False), x.__array__()):
        assert found is a or np.shares_memory(found, a) or not a.size
        np.testing.assert_array_equal(found, a)
    copied = np.array(x)
    assert copied.dtype == a.dtype and not np.shares_memory(copied, a)
    np.testing.assert_array_equal(np.asarray(x, dtype=np.float32), a.astype(np.float32))


@given(arrays(), devices)
def test_numbers_and_lists(a, device):
    x = tensor(a, device)
    assert x.tolist() == a.tolist() and repr(x.tolist()) == repr(a.tolist())
    if a.size == 1:
        assert x.item() == a.item() and type(x.item()) is type(a.item())
        assert (float(x), complex(x), bool(x), int(x)) == (float(a.item()), complex(a.item()), bool(a), int(a.item()))
    else:
        for number in (x.item, x.__float__, x.__int__, x.__bool__, x.__complex__):
            with pytest.raises(ValueError, match=re.escape(f"shape {a.shape}")):
                number()


def test_tensors_as_indices_and_counts():
    one = tg.tensor(1)
    assert ([10, 20, 30][one], list(range(one)), "ab" * one, 5 << one) == (20, [0], "ab", 10)
    for x in (tg.tensor(1.0), tg.tensor([1, 2]), tg.tensor(True)):
        with pytest.raises(TypeError, match="only a tensor with one integer can be used as an index"):
            [10, 20, 30][x]


@both_devices
def test_ufuncs_are_our_operations(device):
    x = tensor(np.array([[0.5, 1.5], [0.25, 3.0]]), device, requires_grad=True)
    for name in ("exp", "sqrt", "arctan", "absolute", "negative", "square", "isfinite", "rint", "reciprocal"):
        np.testing.assert_allclose(getattr(np, name)(x).detach().numpy(), getattr(np, name)(x.detach().numpy()))
    for name in ("add", "multiply", "power", "arctan2", "maximum", "less", "matmul", "logaddexp", "copysign", "hypot"):
        got = getattr(np, name)(x, x.detach().numpy().T)
        assert isinstance(got, tg.Tensor) and got.device == device
        np.testing.assert_allclose(got.detach().numpy(), getattr(np, name)(x.detach().numpy(), x.detach().numpy().T))
    gradients_agree(lambda x: np.sin(np.add(2, x)) @ np.exp(x), x)


CALLS = {
    "where": lambda f, x: f(x > 1, x, 0), "einsum": lambda f, x: f("ij->j", x), "outer": lambda f, x: f(x[0], x[1]),
    **dict.fromkeys(["concatenate", "concat", "stack"], lambda f, x: f((x, x), axis=1)),
    **dict.fromkeys(["cumulative_sum", "cumulative_prod"], lambda f, x: f(x, axis=1)),
    **dict.fromkeys(["tensordot", "isclose", "allclose"], lambda f, x: f(x, x)),
    **dict.fromkeys(["expand_dims", "repeat", "roll"], lambda f, x: f(x, 1)),
    **dict.fromkeys(["moveaxis", "swapaxes", "clip"], lambda f, x: f(x, 0, 1)),
    "broadcast_arrays": lambda f, x: f(x, x[0])[1], "broadcast_to": lambda f, x: f(x, (2, 2, 3)),
    "take": lambda f, x: f(x, [0, 1], axis=0), "take_along_axis": lambda f, x: f(x, np.array([[0], [1]]), 1),
    "permute_dims": lambda f, x: f(x, (1, 0)), "tile": lambda f, x: f(x, (2, 1)), "reshape": lambda f, x: f(x, (3, 2)),
    "unstack": lambda f, x: f(x, axis=1)[1], "nonzero": lambda f, x: f(x)[1],
    "squeeze": lambda f, x: f(x[:, :1], axis=1),
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if hasattr(np, name)])
def test_numpys_functions_are_ours(name):
    a = np.array([[3.0, 1.5, -2.0], [0.0, 1.0, 2.5]])
    call = CALLS.get(name, lambda f, x: f(x))
    numpys = getattr(np, name)
    got, expected = call(numpys, tg.tensor(a, requires_grad=True)), call(numpys, a)
    if name == "allclose":
        assert got is True
    else:
        same(got, expected)
        assert got.requires_grad == (got.dtype.kind == "f")


def test_numpys_other_functions_take_the_values():
    x = tg.tensor([[1.0, 3.0], [2.0, 8.0]])
    assert np.median(x) == 2.5 and type(np.median(x)) is np.float32
    assert np.linalg.det(x) == pytest.approx(2)
    np.testing.assert_array_equal(np.vstack([x, x]), np.vstack([x.numpy()] * 2))
    np.testing.assert_array_equal(np.where(x > 1)[0], [0, 1, 1])
    x.requires_grad_()
    for call in (lambda: np.median(x), lambda: np.vstack([x, x]), lambda: np.asarray(x)):
        with pytest.raises(RuntimeError, match=re.escape("use .detach().numpy() for its values")):
            call()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: np.add.reduce(x), "numpy.add.reduce does not take tensors"),
        (lambda x: np.add(x, 1, out=np.zeros(2)), "numpy.add with out does not take tensors"),
        (lambda x: np.modf(x), "numpy.modf does not take tensors; use .detach().numpy()"),
        (lambda x: np.sum(x, where=[True, False]), "unexpected keyword argument 'where'"),
        (lambda x: np.array([1.0, 2.0]).__iadd__(x), "numpy.add with out"),
    ],
)
def test_what_numpy_cannot_do(call, text):
    with pytest.raises(TypeError, match=re.escape(text)):
        call(tg.ones(2))


def test_ufuncs_have_counterparts():
    assert all(isinstance(u, tg.ops.elementwise.Elementwise) or inspect.isfunction(u) for u in UFUNCS.values())


# ---- DLPack ----


@given(arrays(), devices)
def test_dlpack_with_numpy(a, device):
    x = tensor(a, device)
    there = np.from_dlpack(x)
    assert a.size == 0 or np.shares_memory(there, a)
    back = tg.from_dlpack(there, device=device)
    same(back, a)
    assert back.device == device and (a.size == 0 or np.shares_memory(back.numpy(), a))
    assert a.size == 0 or not np.shares_memory(tg.from_dlpack(there, copy=True).numpy(), a)
    assert x.__dlpack_device__() == a.__dlpack_device__()


@both_devices
def test_dlpack_with_torch(device):
    torch = pytest.importorskip("torch")
    for a in (np.arange(6.0).reshape(2, 3), np.arange(6, dtype=np.int32)[::2], np.array([True]), np.float32(2)):
        x = tensor(np.asarray(a), device)
        there = torch.from_dlpack(x)
        np.testing.assert_array_equal(there.numpy(), a)
        same(tg.from_dlpack(there, device=device), np.asarray(a))
        same(tg.asarray(there, device=device), np.asarray(a))
    x = tg.zeros(2, device=device)
    torch.from_dlpack(x)[0] = 5  # the same memory
    assert x.tolist() == [5, 0]
    same(tg.tensor(torch.ones(2, 3).T, device=device), np.ones((3, 2), np.float32))
    with pytest.raises(BufferError, match="require gradient"):
        tg.from_dlpack(torch.ones(2, requires_grad=True))


def test_dlpack_keeps_to_the_rules():
    with pytest.raises(RuntimeError, match="requires a gradient"):
        np.from_dlpack(tg.ones(2, requires_grad=True))
    with pytest.raises(TypeError, match="from_dlpack: int does not speak DLPack"):
        tg.from_dlpack(3)
    repeated = tg.from_dlpack(np.broadcast_to(np.ones(1), (3,)))
    with pytest.raises(ValueError, match="read-only"):
        repeated += 1


# ---- copies ----


@given(arrays(), devices, st.booleans())
def test_pickles_and_copies(a, device, requires_grad):
    x = tensor(a, device, requires_grad=requires_grad and a.dtype.kind == "f")
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        y = pickle.loads(pickle.dumps(x, protocol))
        same(y, a)
        assert (y.device, y.requires_grad, y.is_leaf) == (device, x.requires_grad, True)
    y = copy.deepcopy(x)
    same(y, a)
    assert (y.device, y.requires_grad) == (device, x.requires_grad)
    assert a.size == 0 or not np.shares_memory(y.detach().numpy(), a)
    assert copy.copy(x).detach().numpy() is a


def test_copies_keep_what_belongs_together():
    x = tg.ones(2, requires_grad=True)
    (x * 3).sum().backward()
    first, second = copy.deepcopy([x, x])
    assert first is second and first is not x
    same(first.grad, np.float32([3, 3]))
    assert not np.shares_memory(first.grad.numpy(), x.grad.numpy())
    with pytest.raises(RuntimeError, match="only leaf tensors can be copied"):
        copy.deepcopy(x * 2)
    assert not pickle.loads(pickle.dumps(x * 2)).grad
    shallow = copy.copy(x * 2)
    shallow.sum().backward()
    same(x.grad, np.float32([5, 5]))


def test_a_parameter_stays_a_parameter():
    parameter = tg.nn.Parameter(tg.ones(2))
    for y in (pickle.loads(pickle.dumps(parameter)), copy.deepcopy(parameter)):
        assert type(y) is type(parameter) and y.requires_grad


# ---- conversions ----


@both_devices
def test_to(device):
    x = tg.tensor([1.5, 2.5], device=device)
    assert x.to(device) is x and x.to(tg.float32) is x and x.to(x) is x
    other = "cpu" if device == "numpy" else "numpy"
    for y in (
        x.to(other, tg.float64),
        x.to(dtype=tg.float64, device=other),
        x.to(tg.ones(1, dtype="float64", device=other)),
    ):
        same(y, [1.5, 2.5])
        assert y.device == other
    assert [y.dtype for y in (x.double(), x.float(), x.long(), x.int(), x.bool())] == [
        tg.float64, tg.float32, tg.int64, tg.int32, tg.bool,
    ]  # fmt: skip
    gradients_agree(lambda x: (x.to(other) ** 2).to(device), floats(3, device=device))
    with pytest.raises(ValueError, match="device 'gpu' is not known"):
        x.to("gpu")
    with pytest.raises(ValueError, match="has no streams"):
        x.to_device(other, stream=1)


@both_devices
def test_filling_in_place(device):
    x = tg.tensor([1.0, 2.0], device=device)
    assert x.fill_(3) is x and x.tolist() == [3, 3]
    assert x.copy_(tg.tensor([4, 5], device="numpy")).tolist() == [4, 5]
    assert x.zero_().tolist() == [0, 0]


def test_the_namespace():
    x = tg.ones(1)
    assert x.__array_namespace__() is tg and x.__array_namespace__(api_version="2024.12") is tg
    with pytest.raises(ValueError, match=r"version '2019.12' is not known; known: 2021.12"):
        x.__array_namespace__(api_version="2019.12")


# ---- Python ----


def test_iteration():
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    a, b = x
    (a * b).sum().backward()
    same(x.grad, np.float32([[3, 4], [1, 2]]))
    assert max(tg.tensor([3, 1, 2])).item() == 3 and sum(tg.tensor([3, 1, 2])).item() == 6
    assert [v.item() for v in reversed(tg.tensor([3, 1, 2]))] == [2, 1, 3]
    same(tg.tensor([x.detach()[0], [5, 6]]), np.float32([[1, 2], [5, 6]]))
    assert math.sqrt(tg.tensor(4.0)) == 2
    assert len({x, x, a}) == 2 and {x: 1}[x] == 1


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (lambda: tg.tensor(1.5), "Tensor(1.5)"), (lambda: tg.tensor([True]), "Tensor([ True])"),
        (lambda: tg.tensor([1, 2], dtype=tg.int8), "Tensor([1, 2], dtype=int8)"),
        (lambda: tg.ones(2, requires_grad=True), "Tensor([1., 1.], requires_grad=True)"),
        (lambda: tg.ones(2, requires_grad=True) * 2, "Tensor([2., 2.], from=multiply)"),
        (lambda: tg.ones(2, device="numpy"), "Tensor([1., 1.], device='numpy')"),
        (lambda: tg.ones((0, 3)), "Tensor([], dtype=float32, shape=(0, 3))"),
        (lambda: tg.ones((2, 1)), "Tensor([[1.],\n        [1.]])"),
        (lambda: tg.ones(1000), "Tensor([1., 1., 1., ..., 1., 1., 1.])"),
        (lambda: tg.tensor([math.nan, -math.inf]), "Tensor([ nan, -inf])"),
    ],
)  # fmt: skip
def test_repr(x, text):
    assert repr(x()) == str(x()) == f"{x()}" == text


def test_format():
    assert f"{tg.tensor(2.0):.3f} {tg.tensor(7):04d}" == "2.000 0007"


@pytest.mark.parametrize("data", [None, "abc", {1, 2}, object(), [None], [1, "a"], np.array([1, None]), 1j, 2**70])
def test_what_is_no_tensor(data):
    for make in (tg.tensor, tg.asarray):
        with pytest.raises(TypeError, match=r"tensor: dtype .* is not supported"):
            make(data)
