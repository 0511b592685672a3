"""Parts of tensors that are changed in place, and parts that were taken before such a change."""

import gc
import weakref

import numpy as np
import pytest

import tinygrad_lite as tg

WEIGHTS = tg.Tensor([1.0, 10.0, 100.0, 1000.0], dtype="float64")


def leaf(*values):
    return tg.Tensor(list(values), dtype="float64", requires_grad=True)


VIEW_CHANGES = {
    "element": (lambda y: y[0], [3, 10, 100, 1000]),
    "slice": (lambda y: y[1:3], [1, 30, 300, 1000]),
    "backwards": (lambda y: y[::-2], [1, 30, 100, 3000]),
    "view of a view": (lambda y: y[1:][1], [1, 10, 300, 1000]),
    "with a new axis": (lambda y: y[None, :2], [3, 30, 100, 1000]),
}


@pytest.mark.parametrize("name", VIEW_CHANGES)
def test_changes_of_parts_are_changes_of_the_whole(name):
    part_of, expected = VIEW_CHANGES[name]

    def change(x):
        y = x * 1
        keep = y[1:]  # a view of a view needs the one between
        part = keep[1] if name == "view of a view" else part_of(y)
        part *= 3
        assert np.shares_memory(part._data, y._data)
        return y

    x = leaf(1.0, 2.0, 3.0, 4.0)
    (change(x) * WEIGHTS).sum().backward()
    assert x.grad.tolist() == expected


def test_a_changed_part_can_be_used_further():
    x = leaf(1.0, 2.0)
    y = x * 1
    part = y[0]
    part *= 3
    part += y[1]
    (part * part).sum().backward()
    assert x.grad.tolist() == [2 * 5 * 3, 2 * 5]


def test_parts_of_parts_in_one_expression():
    x, table = leaf(1.0, 2.0), tg.zeros((2, 2), dtype="float64")
    table[0][1] = x[0]
    table[1][:] += x * 2
    (table * tg.Tensor([[1.0, 10.0], [100.0, 1000.0]], dtype="float64")).sum().backward()
    assert x.grad.tolist() == [210.0, 2000.0]


def test_a_change_of_a_part_is_recorded_once():
    x = leaf(1.0, 2.0)
    y = x * 1
    y[0] += 1
    assert y._node.primitive.name == "setitem" and y._node.edges[0][0].primitive.name == "multiply"


def test_an_index_that_changed_in_between_is_another_place():
    x, at = leaf(1.0, 2.0), tg.tensor(0)
    y = x * 1
    part = y[at]
    at += 1
    y[at] = part
    assert y.tolist() == [1.0, 1.0]


class Doubled(tg.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 2


STALE = {
    "a view of a result": lambda x: x * 1,
    "a view of a constant": lambda x: tg.zeros(2, dtype="float64"),
}
USES = [
    lambda view, x: view * 3,
    lambda view, x: view.sum(),
    lambda view, x: view[:1],
    lambda view, x: tg.concat([view, x]),
    lambda view, x: Doubled.apply(view),
    lambda view, x: tg.func.grad(lambda v: v.sum())(view),
]


@pytest.mark.parametrize("name", STALE)
@pytest.mark.parametrize("use", USES)
def test_views_that_were_taken_before_a_change(name, use):
    """They have the new values; using them would lose the gradient of what was written."""
    x = leaf(2.0, 3.0)
    base = STALE[name](x)
    view = base[:1]
    base[0] = x[1] * 2
    assert view.tolist() == [6.0]
    with pytest.raises(RuntimeError, match=r"this view was taken before its base was changed in place.*take the view"):
        use(view, x)
    (base[:1] * 3).sum().backward()
    assert x.grad.tolist() == [0.0, 6.0]
    with tg.no_grad():
        assert (view * 2).tolist() == [12.0]


def test_detached_tensors_are_constants_whatever_happens():
    x = leaf(2.0, 3.0)
    y = x * 1
    constant = y.detach()
    y[0] = x[1] * 2
    (constant * x).sum().backward()
    assert x.grad.tolist() == [6.0, 3.0]


def test_changes_in_place_leave_no_cycles():
    gc.disable()
    try:
        y = leaf(1.0, 2.0) * 1
        part = y[0]
        part += 1
        y[1] += part.clone()
        y.exp_()
        watched = [weakref.ref(t) for t in (y, part, y._node)]
        del y, part
        assert [w() for w in watched] == [None] * 3
    finally:
        gc.enable()
