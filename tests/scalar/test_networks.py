"""Neurons made of Values, and micrograd as an independent reference for a whole training run."""

import random

import pytest

from tinygrad_lite.scalar import MLP, Layer, Neuron, Value


def test_names_and_parameters():
    model = MLP(2, [16, 16, 1])
    assert len(model.parameters()) == 337
    assert repr(model).startswith("MLP of [Layer of [ReLUNeuron(2)")
    assert repr(MLP(1, [1])) == "MLP of [Layer of [LinearNeuron(1)]]"
    assert all(-1 <= p.data <= 1 for p in model.parameters())
    assert len(Layer(3, 2)([1.0, 2.0, 3.0])) == 2


@pytest.mark.parametrize("count", [0, 1, 3])
def test_inputs_of_another_length(count):
    with pytest.raises(ValueError, match=f"Neuron: takes 2 inputs, got {count}"):
        MLP(2, [4, 1])([1.0] * count)


def test_neuron_takes_numbers_and_values():
    neuron = Neuron(2, nonlin=False)
    x = [Value(0.5), -2.0]
    y = neuron(x)
    y.backward()
    w, v, b = neuron.parameters()
    assert y.data == pytest.approx(0.5 * w.data - 2 * v.data + b.data)
    assert (w.grad, v.grad, b.grad, x[0].grad) == (0.5, -2.0, 1.0, w.data)
    neuron.zero_grad()
    assert [p.grad for p in neuron.parameters()] == [0.0, 0.0, 0.0]


def losses(model_class, value_class):
    """Ten steps on points of a circle, as a user of micrograd writes them."""
    random.seed(7)
    model = model_class(2, [8, 8, 1])
    points = [[random.uniform(-1, 1), random.uniform(-1, 1)] for _ in range(20)]
    found = []
    for _ in range(10):
        scores = [model([value_class(a), value_class(b)]) for a, b in points]
        parts = [(1 + (1 if a * a + b * b < 0.5 else -1) * -s).relu() for s, (a, b) in zip(scores, points, strict=True)]
        total = sum(parts) / len(parts) + 1e-3 * sum(p**2 for p in model.parameters())
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= 0.3 * p.grad
        found.append(total.data)
    return found


def test_training_gives_what_micrograd_gives():
    pytest.importorskip("micrograd")
    from micrograd.engine import Value as Reference
    from micrograd.nn import MLP as ReferenceMLP

    ours, theirs = losses(MLP, Value), losses(ReferenceMLP, Reference)
    assert ours == pytest.approx(theirs, rel=1e-12)
    assert ours[-1] < 0.8 * ours[0]
