"""Operators and methods: both orders, in place, NumPy's and PyTorch's names."""

import operator
import re

import numpy as np
import pytest
from tensor_checks import both_devices, floats, gradients_agree, same, tensor

import tinygrad_lite as tg
from tinygrad_lite.ops import methods

ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]
LOGIC = ["and_", "or_", "xor", "lshift", "rshift"]
COMPARISONS = ["lt", "le", "gt", "ge", "eq", "ne"]


@pytest.mark.parametrize("name", ARITHMETIC + LOGIC + COMPARISONS)
@both_devices
def test_operators_in_both_orders(name, device):
    function, dtype = getattr(operator, name), np.int64 if name in LOGIC else np.float64
    a, b = np.array([[3, -1, 0], [-2, 5, 2]], dtype), np.array([2, 3, 1], dtype)
    x, y = tensor(a, device), tensor(b, device)
    same(function(x, y), function(a, b))
    same(function(x, b), function(a, b))
    same(function(a, y), function(a, b))
    same(function(x, 2), function(a, 2))
    same(function(2, y), function(2, b))
    same(function(x, b.tolist()), function(a, b))
    same(function(b.tolist(), y), function(b, b))


@both_devices
@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_operators_of_one(dtype, device):
    a = np.arange(-3, 4).astype(dtype)
    x = tensor(a, device)
    same(-x, -a)
    same(abs(x), abs(a))
    assert +x is x
    for function in (round, np.floor, np.ceil, np.trunc):
        same(function(x + 0.5), np.round(a + 0.5) if function is round else function(a + 0.5), dtype=False)
    if a.dtype == np.int64:
        same(~x, ~a)


class Other:
    """Something that knows tensors, though they do not know it."""

    def __radd__(self, left):
        return "added"

    __rmatmul__ = __radd__

    def __eq__(self, left):
        return "compared"

    __hash__ = None


def test_operators_leave_unknown_operands_to_those():
    x = tg.ones((2, 2))
    assert (x + Other(), x @ Other(), x == Other()) == ("added", "added", "compared")
    assert (x == None) is False and (x != "text") is True and (x == None) is False  # noqa: E711
    for function in (operator.add, operator.matmul, operator.lt, operator.iadd, operator.and_):
        for left, right in [(x, "text"), (x, None), (x, 1j), (None, x)]:
            with pytest.raises(TypeError, match=r"not supported between|unsupported operand"):
                function(left, right)


# ---- in place ----

ARGUMENTS = {
    "add": (2,), "subtract": (2,), "sub": (2,), "multiply": (3,), "mul": (3,), "divide": (4,), "div": (4,), "pow": (2,),
    "clip": (0.5, 2), "clamp": (0.5, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", methods.IN_PLACE)
@both_devices
def test_methods_in_place(name, device):
    x = floats(2, 3, positive=True, device=device).detach()
    arguments = ARGUMENTS.get(name, ())
    expected, y = getattr(x, name)(*arguments), x.clone()
    memory = y.numpy()
    assert getattr(y, f"{name}_")(*arguments) is y
    assert y.numpy() is memory
    same(y, expected.numpy())


@pytest.mark.parametrize("name", ARITHMETIC)
@both_devices
def test_operators_in_place(name, device):
    function, change = getattr(operator, name), getattr(operator, f"i{name}")
    a = np.array([[3.0, -1.5], [0.5, 2.0]])
    x = y = tensor(a.copy(), device)
    y = change(y, tg.tensor([2.0, 4.0], dtype=tg.float64, device=device))
    assert y is x
    same(x, function(a, np.array([2.0, 4.0])))
    row = x[0]
    row += 1
    same(x[0], function(a, np.array([2.0, 4.0]))[0] + 1)
    x[1:] -= x[:1]
    z = tensor(np.arange(5.0), device)
    z[1:] += z[:-1]
    same(z, [0.0, 1, 3, 5, 7])
    z @= tensor(np.eye(5), device)
    same(z, [0.0, 1, 3, 5, 7])


@both_devices
def test_changes_in_place_are_differentiated(device):
    def function(x, w):
        y = x * 1
        y += w
        y.neg_().mul_(0.5)
        return y.tanh_()

    x, w = floats(2, 2, device=device), floats(2, seed=1, device=device)
    gradients_agree(function, x, w)
    y = x * 1
    y *= w
    with pytest.raises(RuntimeError, match="changed in place after it was used"):
        y.sum().backward()


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda x: operator.iadd(x, 0.5), TypeError, "add in place: the result has dtype float32 and shape (2,)"),
        (lambda x: operator.iadd(x, tg.ones((3, 2), dtype=tg.int64)), TypeError, "shape (3, 2), which does not fit"),
        (lambda x: operator.itruediv(x, 2), TypeError, "a tensor of dtype int64 and shape (2,)"),
        (lambda x: x.exp_(), TypeError, "exp in place"),
        (lambda x: tg.broadcast_to(x, (3, 2)).add_(1), ValueError, "read-only"),
        (lambda x: tg.ones(2, requires_grad=True).add_(1), RuntimeError, "a leaf tensor that requires a gradient"),
    ],
)
def test_changes_that_do_not_fit(change, error, text):
    x = tg.tensor([1, 2])
    with pytest.raises(error, match=re.escape(text)):
        change(x)
    same(x, [1, 2])


# ---- names ----


@pytest.mark.parametrize(("alias", "name"), methods.ALIASES.items())
def test_other_names(alias, name):
    sample = {"reshape": (4,), "permute_dims": (1, 0), "broadcast_to": (3, 2, 2), "clip": (0, 1), "expand_dims": (0,),
              "matmul": ([[1.0, 2], [3, 4]],), "abs": (), "negative": (), "cumulative_sum": (0,),
              "cumulative_prod": (0,)}.get(name, (2,))  # fmt: skip
    x = tg.tensor([[1.0, -2.0], [3.0, 0.5]])
    same(getattr(x, alias)(*sample), getattr(x, name)(*sample).numpy())


def test_both_spellings_of_axes():
    x = tg.tensor(np.arange(24.0).reshape(2, 3, 4))
    for name in ("sum", "prod", "max", "min", "mean", "var", "std", "any", "all", "logsumexp", "norm", "count_nonzero"):
        expected = getattr(x, name)(axis=1, keepdims=True).numpy()
        same(getattr(x, name)(dim=1, keepdim=True), expected)
        same(getattr(tg, name)(x, dim=1, keepdims=True), expected)
    same(x.unsqueeze(dim=1), x.numpy()[:, None])
    same(tg.cat([x, x], dim=2), np.concatenate([x.numpy()] * 2, 2))
    for wrong in ({"axis": 1, "dim": 1}, {"keepdim": True, "keepdims": False}):
        with pytest.raises(TypeError, match=r"sum: .* are two names of one argument"):
            x.sum(**wrong)


def test_shapes_as_one_argument_or_as_several():
    x = tg.tensor(np.arange(6).reshape(2, 3))
    for y in (x.reshape(3, 2), x.reshape((3, 2)), x.reshape([3, -1]), x.reshape(shape=(3, 2)), x.view(np.int64(3), 2)):
        same(y, x.numpy().reshape(3, 2))
    same(x.reshape(6), np.arange(6))
    same(x.reshape(np.int64(6)), np.arange(6))
    same(x.tile(2, 1), np.tile(x.numpy(), (2, 1)))
    same(x.permute_dims(1, 0), x.numpy().T)


def test_properties():
    x = tg.tensor(np.arange(24).reshape(2, 3, 4), dtype=tg.int32, device="numpy")
    assert (x.shape, x.ndim, x.size, x.numel(), len(x)) == ((2, 3, 4), 3, 24, 24, 2)
    assert (x.dtype, x.device, x.is_leaf, x.requires_grad) == (tg.int32, "numpy", True, False)
    same(x.T, x.numpy().T)
    same(x.mT, x.numpy().swapaxes(1, 2))
    with pytest.raises(TypeError, match=re.escape("len() of a 0-d tensor")):
        len(tg.tensor(1))
    with pytest.raises(AttributeError):
        _ = x.nothing


@pytest.mark.parametrize("name", [n for names in methods.METHODS.values() for n in names.split() if hasattr(tg, n)])
def test_methods_are_the_functions(name):
    samples = {"expand_dims": [1], "moveaxis": [0, 1], "swapaxes": [0, 1], "repeat": [2], "tile": [(2, 1)], "roll": [1],
               "split": [1], "pad": [1], "astype": [tg.int64], "reshape": [(4,)], "permute_dims": [(1, 0)],
               "broadcast_to": [(3, 2, 2)], "take": [[0, 1], 1], "take_along_axis": [[[0], [1]]], "xlogy": [2],
               "gather": [1, [[0], [1]]], "scatter_add": [[0], [[1.0, 1.0]]], "topk": [1], "searchsorted": [[1.0]],
               "cumulative_sum": [0], "cumulative_prod": [0], "clip": [0, 1], "logaddexp": [2.0]}  # fmt: skip
    x = tg.tensor([[1.0, 2.0], [3.0, 0.5]])
    x = x[:, 0] if name in ("dot", "outer", "searchsorted") else x
    two = [x] if name in ("matmul", "dot", "outer", "tensordot", "vecdot", "isclose", "allclose") else []
    arguments = two or samples.get(name, [])
    got, expected = getattr(x, name)(*arguments), getattr(tg, name)(x, *arguments)
    if isinstance(got, tg.Tensor):
        same(got, expected.numpy())
    else:
        assert repr(got) == repr(expected)
