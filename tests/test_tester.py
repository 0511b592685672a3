"""The gradient checks themselves: a derivative that is wrong by one part in a thousand must not pass, anywhere."""

import pytest

import tinygrad_lite as tg
from tinygrad_lite.testing.check import first_order, second_order
from tinygrad_lite.testing.samples import OPERATIONS

WRONG = 1.001
SLOPED = [o for o in OPERATIONS.values() if o.order and not o.flat]
each_operation = pytest.mark.parametrize("operation", SLOPED, ids=[o.name for o in SLOPED])


def inputs_with_slope(operation, case):
    """The numbers of the inputs whose gradient is not zero everywhere."""
    tensors = operation.tensors(case, "numpy")
    y = operation.call(*tensors, **case.params)
    wanted = [i for i, t in enumerate(tensors) if t.requires_grad]
    found = tg.autograd.grad(y.sum(), [tensors[i] for i in wanted], allow_unused=True)
    weighted = tg.autograd.grad((operation.call(*tensors, **case.params) ** 2).sum(), [tensors[i] for i in wanted],
                                allow_unused=True)  # fmt: skip
    return [i for i, g, h in zip(wanted, found, weighted, strict=True)
            if any(d is not None and d._data.any() for d in (g, h))]  # fmt: skip


def wrong_rule(backward, position):
    """The rule of a primitive with the gradient of one input off by a little."""

    def changed(node, gradients):
        parts = list(backward(node, gradients))
        if parts[position] is not None:
            parts[position] = parts[position] * WRONG
        return parts

    return changed


@each_operation
def test_a_wrong_rule_is_caught_for_every_input(operation, monkeypatch):
    case = operation.cases[0]
    tensors = operation.tensors(case, "numpy")
    node = operation.call(*tensors, **case.params)._node
    caught = []
    for position, edge in enumerate(node.edges):
        if edge is not None:
            right = node.primitive.backward
            monkeypatch.setattr(node.primitive, "backward", wrong_rule(right, position))
            caught.append(not first_order(operation, case, "numpy"))
            monkeypatch.setattr(node.primitive, "backward", right)
    assert any(caught)
    leads = inputs_with_slope(operation, case)
    assert len(leads) < len(node.edges) or all(caught)


class Wrong(tg.Function):
    """The same values with a gradient that is off by a little."""

    @staticmethod
    def forward(ctx, x):
        return x * 1

    @staticmethod
    def backward(ctx, g):
        return g * WRONG


@each_operation
def test_a_wrong_gradient_of_each_input_is_caught(operation):
    case = operation.cases[0]
    for wrong in inputs_with_slope(operation, case):

        def spoiled(*tensors, wrong=wrong, **params):
            return operation.call(*[Wrong.apply(t) if i == wrong else t for i, t in enumerate(tensors)], **params)

        assert not first_order(operation.but(call=spoiled), case, "numpy")
        assert not first_order(operation.but(call=spoiled), case, "numpy", fast=True)


class WrongTwice(tg.Function):
    """The right gradient, whose own gradient is off by a little."""

    @staticmethod
    def forward(ctx, x):
        return x * 1

    @staticmethod
    def backward(ctx, g):
        return Wrong.apply(g)


@each_operation
def test_a_wrong_second_derivative_is_caught(operation):
    case = operation.cases[0]

    def spoiled(*tensors, **params):
        return operation.call(*[WrongTwice.apply(t) if t.dtype.kind == "f" else t for t in tensors], **params)

    if operation.order > 1:
        assert not second_order(operation.but(call=spoiled), case, "numpy")
