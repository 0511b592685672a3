"""Products of vectors, matrices and stacks, diagonals and norms against NumPy; gradients against differences."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensor_checks import arrays, axes_of, both_devices, close, devices, floats, gradients_agree, same, tensor

import tinygrad_lite as tg

sizes = st.integers(0, 4)
NUMBERS = [np.float64, np.float32, np.int64, np.uint8]
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
MATRICES = hnp.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=4)


def promoted(a, b):
    """Both in the dtype of their product: NumPy's, but a float wins over integers of any size."""
    kind = tg.result_type(a.dtype, b.dtype)
    return a.astype(kind), b.astype(kind)


@given(st.data(), devices)
def test_matmul(data, device):
    drawn = data.draw(hnp.mutually_broadcastable_shapes(signature="(m?,k),(k,n?)->(m?,n?)", max_dims=2, min_side=0))
    a, b = (data.draw(arrays(shape, NUMBERS)) for shape in drawn.input_shapes)
    expected = np.matmul(*promoted(a, b))
    same(tg.matmul(tensor(a, device), tensor(b, device)), expected)
    same(tensor(a, device) @ tensor(b, device), expected)
    same(tensor(a, device) @ b, expected)
    same(a @ tensor(b, device), expected)


@given(st.data(), devices)
def test_tensordot(data, device):
    inner = data.draw(st.lists(sizes, max_size=2))
    free = data.draw(st.lists(sizes, max_size=2)), data.draw(st.lists(sizes, max_size=2))
    a, b = data.draw(arrays((*free[0], *inner), NUMBERS)), data.draw(arrays((*inner, *free[1]), NUMBERS))
    expected = np.tensordot(*promoted(a, b), len(inner))
    same(tg.tensordot(tensor(a, device), tensor(b, device), axes=len(inner)), expected)
    order = data.draw(st.permutations(range(b.ndim)))
    places = [order.index(i) - b.ndim * data.draw(st.booleans()) for i in range(len(inner))]
    axes = list(range(len(free[0]), a.ndim)), places
    turned = b.transpose(order)
    expected = np.tensordot(*promoted(a, turned), axes)
    same(tensor(a, device).tensordot(tensor(turned, device), axes), expected)


@given(st.data(), devices)
def test_vecdot(data, device):
    drawn = data.draw(hnp.mutually_broadcastable_shapes(signature="(k),(k)->()", max_dims=2, min_side=0))
    a, b = (data.draw(arrays(shape, NUMBERS)) for shape in drawn.input_shapes)
    x, y = promoted(a, b)
    expected = (x * y).sum(-1, dtype=x.dtype)
    same(tg.vecdot(tensor(a, device), tensor(b, device)), expected)
    axis = data.draw(st.integers(-min(a.ndim, b.ndim), -1))
    turned = np.moveaxis(a, -1, axis), np.moveaxis(b, -1, axis)
    same(tg.vecdot(tensor(turned[0], device), tensor(turned[1], device), axis=axis), expected)


@given(arrays(st.tuples(sizes), NUMBERS), arrays(st.tuples(sizes), NUMBERS), devices)
def test_outer_and_dot(a, b, device):
    same(tg.outer(tensor(a, device), tensor(b, device)), np.outer(*promoted(a, b)))
    same(tg.dot(tensor(a, device), tensor(a, device)), np.dot(a, a))


@given(st.data(), arrays(MATRICES), devices)
def test_diagonals_and_transposes(data, a, device):
    x, offset = tensor(a, device), data.draw(st.integers(-5, 5))
    same(tg.matrix_transpose(x), a.swapaxes(-1, -2))
    assert a.size == 0 or np.shares_memory(x.mT.numpy(), a)
    same(tg.diagonal(x, offset=offset), a.diagonal(offset, -2, -1))
    same(tg.trace(x, offset=offset), a.trace(offset, -2, -1, dtype=wide(a.dtype)))
    same(x.trace(dtype=tg.float64), a.trace(0, -2, -1, dtype=np.float64))
    i, j = data.draw(st.permutations(range(-a.ndim, 0)))[:2]
    same(x.diagonal(offset, axis1=i, axis2=j), a.diagonal(offset, i, j))


def wide(dtype):
    """The dtype of sums."""
    return np.zeros(0, dtype).sum().dtype


@st.composite
def sums(draw):
    """Subscripts and shapes that fit: repeated letters, sizes that broadcast, "...", explicit and implicit outputs."""
    size = {c: draw(st.integers(0, 3)) for c in "abcd"}
    terms, shapes = [], []
    for _ in range(draw(st.integers(1, 3))):
        letters = draw(st.text("abcd", max_size=4))
        shape = [size[c] if letters.count(c) > 1 or draw(st.integers(0, 9)) else 1 for c in letters]
        if draw(st.integers(0, 4)) == 4:
            place = draw(st.integers(0, len(letters)))
            more = draw(st.sampled_from([(), (2,), (3, 2), (1, 2)]))
            letters = f"{letters[:place]}...{letters[place:]}"
            shape[place:place] = more
        terms.append(letters)
        shapes.append(tuple(shape))
    text = ",".join(terms)
    if draw(st.booleans()):
        used = sorted(set(text) - set(".,"))
        text += "->" + "..." * ("..." in text) + "".join(draw(st.permutations(used))[: draw(st.integers(0, len(used)))])
    return text, shapes


@given(st.data(), sums(), st.sampled_from([*NUMBERS, np.bool_]), devices)
def test_einsum(data, drawn, dtype, device):
    subscripts, found = drawn
    operands = [data.draw(arrays(shape, [dtype])) for shape in found]
    same(tg.einsum(subscripts, *(tensor(a, device) for a in operands)), np.einsum(subscripts, *operands))


ORDERS = [None, 2, "fro", 1, 3, 0.5, 0, -1, math.inf, -math.inf]


@pytest.mark.parametrize("order", ORDERS)
@given(data=st.data(), device=devices)
def test_norm(order, data, device):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1 if order in (-1, math.inf, -math.inf) else 0))
    a = data.draw(arrays(shape, [np.float64]))
    a = a + 0.5 if order == -1 else a
    x, axis = tensor(a, device), data.draw(axes_of(a.ndim))
    p = 2 if order in (None, "fro") else order
    close(tg.norm(x, ord=order, axis=axis), np.linalg.norm(a, p, axis))
    close(x.norm(order, axis=axis, keepdims=True), np.linalg.norm(a, p, axis, keepdims=True))
    close(tg.norm(x, order), np.linalg.norm(a.ravel(), p))


def test_norm_of_integers_and_of_several_axes():
    x = tg.tensor([[3, 0], [0, 4]])
    assert tg.norm(x).dtype == tg.float32 and tg.norm(x).item() == 5
    close(tg.norm(tg.ones((2, 3, 4), dtype=tg.float64), axis=(0, 2)), np.full(3, 8**0.5))


@both_devices
@pytest.mark.parametrize("order", [None, 1, 2, 3, math.inf])
def test_the_gradient_of_a_norm_is_0_at_0(order, device):
    x = tg.zeros((2, 3), dtype=tg.float64, device=device)
    x[1] = tg.tensor([3.0, 0.0, -4.0], dtype=tg.float64, device=device)
    x.requires_grad_()
    tg.norm(x, order, axis=1).sum().backward(create_graph=True)
    size = np.linalg.norm([3.0, -4.0], order)
    expected = np.sign([3.0, 0.0, -4.0]) * (np.abs([3.0, 0.0, -4.0]) / size) ** ((order or 2) - 1)
    close(x.grad, [[0, 0, 0], expected if order != math.inf else [0, 0, -1]])
    if order in (None, 2, 3):
        assert np.isfinite(tg.autograd.grad(x.grad.sum(), [x])[0].numpy()).all()


PRODUCTS = {
    "matrices": (lambda a, b: a @ b.T, (2, 3), (4, 3)), "vector, matrix": (lambda a, b: a @ b, (3,), (3, 2)),
    "matrix, vector": (lambda a, b: a @ b, (2, 3), (3,)), "vectors": (lambda a, b: a @ b, (3,), (3,)),
    "stacks": (lambda a, b: a @ b, (2, 1, 2, 3), (3, 3, 2)), "stack, vector": (lambda a, b: a @ b, (2, 2, 3), (3,)),
    "vector, stack": (lambda a, b: a @ b, (3,), (2, 3, 2)), "nothing to sum": (lambda a, b: a @ b, (2, 0), (0, 2)),
    "tensordot": (lambda a, b: tg.tensordot(a, b, ([0, 2], [1, 0])), (2, 3, 2), (2, 2, 3)),
    "vecdot": (lambda a, b: tg.vecdot(a, b, axis=-2), (3, 2), (2, 3, 1)), "outer": (tg.outer, (2,), (3,)),
    "einsum of a matrix product": (lambda a, b: tg.einsum("ij,kj->ki", a, b), (2, 3), (2, 3)),
    "einsum of diagonals": (lambda a, b: tg.einsum("iij,j->ij", a, b), (2, 2, 3), (3,)),
    "einsum with dots": (lambda a, b: tg.einsum("...i,i...->...", a, b), (2, 3), (3, 2)),
    "einsum of three": (lambda a, b: tg.einsum("ij,jk,ki->", a, b, a), (2, 2), (2, 2)),
    "einsum that broadcasts": (lambda a, b: tg.einsum("ij,ij->j", a, b), (1, 3), (2, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", PRODUCTS)
@both_devices
def test_gradients_of_products(name, device):
    function, *found = PRODUCTS[name]
    leaves = [floats(*shape, seed=i, device=device) for i, shape in enumerate(found)]
    gradients_agree(lambda a, b: function(a, b) * function(a, b), *leaves)


PARTS = {
    "diagonal": lambda x: tg.diagonal(x, 1, 0, 2), "trace": lambda x: tg.trace(x, -1), "transpose": lambda x: x.mT,
    **{f"norm {order}": lambda x, order=order: tg.norm(x, order, axis=(1, 2)) for order in [2, 1, 3, -1, math.inf]},
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
@both_devices
def test_gradients_of_parts(name, device):
    gradients_agree(lambda x: PARTS[name](x) ** 2, floats(2, 3, 3, device=device))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: x @ x, ValueError, "matmul: shapes (2, 3) and (2, 3) do not fit"),
        (lambda x: x @ 2.0, ValueError, "matmul: operands need at least one axis"),
        (lambda x: tg.ones((2, 2, 3)) @ tg.ones((3, 3, 2)), ValueError, "the leading axes of shapes"),
        (lambda x: tg.dot(x, x), ValueError, "dot: needs two vectors, got shapes (2, 3) and (2, 3)"),
        (lambda x: tg.outer(x, x[0]), ValueError, "outer: needs two vectors"),
        (lambda x: tg.vecdot(x, x[:, :2]), ValueError, "vecdot: axis -1 has size 3 and 2"),
        (lambda x: tg.vecdot(x, x, axis=0), ValueError, "it must be in [-2, -1], got 0"),
        (lambda x: tg.vecdot(x, tg.tensor(1.0)), ValueError, "vecdot: needs tensors with at least one axis"),
        (lambda x: tg.tensordot(x, x, 3), ValueError, "axes must be from 0 to 2 for these tensors, got 3"),
        (lambda x: tg.tensordot(x, x, ([0], [1])), ValueError, "axes [0] of shape (2, 3) and [1] of (2, 3)"),
        (lambda x: tg.tensordot(x, x, ([0, 0], [0, 0])), ValueError, "tensordot: axis [0, 0] names an axis twice"),
        (lambda x: tg.tensordot(x, x, 1.5), TypeError, "tensordot: axes must be an integer or two lists"),
        (lambda x: tg.diagonal(x[0]), ValueError, "diagonal: needs at least two axes"),
        (lambda x: tg.diagonal(x, axis1=0, axis2=0), ValueError, "each once"),
        (lambda x: tg.trace(x[0]), ValueError, "trace: needs at least two axes"),
        (lambda x: tg.matrix_transpose(x[0]), ValueError, "matrix_transpose: needs at least two axes"),
        (lambda x: tg.norm(x, "nuc"), ValueError, 'norm: ord must be a number, inf or "fro"'),
        (lambda x: tg.norm(x, axis=2), ValueError, "norm: axis 2 is out of range"),
        (lambda x: tg.einsum("ij"), ValueError, "names 1 operands, got 0"),
        (lambda x: tg.einsum("ij,jk", x), ValueError, "names 2 operands, got 1"),
        (lambda x: tg.einsum("ijk", x), ValueError, "does not fit a tensor of shape (2, 3)"),
        (lambda x: tg.einsum("i", x), ValueError, "does not fit a tensor of shape (2, 3)"),
        (lambda x: tg.einsum("i1", x), ValueError, "does not fit"),
        (lambda x: tg.einsum("i...j...", x), ValueError, "does not fit"),
        (lambda x: tg.einsum("ij->ik", x), ValueError, "must name letters of the inputs"),
        (lambda x: tg.einsum("ij->ii", x), ValueError, "must name letters of the inputs"),
        (lambda x: tg.einsum("ii", x), ValueError, "the letter i stands for sizes 2 and 3"),
        (lambda x: tg.einsum("ij,ij", x, x.T), ValueError, "stands for sizes"),
        (lambda x: tg.einsum("...i->i", x), ValueError, "must name letters of the inputs (and their ...)"),
        (lambda x: tg.einsum(x, "ij"), TypeError, "einsum: subscripts must be text"),
    ],
)  # fmt: skip
def test_errors(call, error, text):
    with pytest.raises(error, match=re.escape(text)):
        call(tg.zeros((2, 3)))
