"""The first NaN is found where it arises, by the operation, and by the line of code that asked for it."""

import numpy as np
import pytest
from debug_steps import Training

import tinygrad_lite as tg
from tinygrad_lite import debug


@tg.jit
def chain(x):
    y = x * 2
    z = tg.log(y - 1)  # the guilty line
    return (z * z).sum() + tg.exp(x).sum()


def test_the_guilty_operation_and_line():
    found = debug.find_nan(chain, tg.tensor([1.0, 0.25, 3.0, -2.0]))
    assert found.operation.startswith("log(")
    assert found.line.endswith("z = tg.log(y - 1)  # the guilty line")
    assert found.line.startswith("test_nan.py:")
    assert (found.nans, found.infinities) == (2, 0)
    ((_, low, high),) = found.inputs
    assert (low, high) == (-5.0, 5.0)
    assert "2 NaN" in str(found) and "from -5 to 5" in str(found)


def test_infinity_counts_unless_told_otherwise():
    x = tg.tensor([0.5, 3.0])
    found = debug.find_nan(chain, x)
    assert (found.nans, found.infinities) == (0, 1)
    assert found.operation.startswith("log(")
    assert debug.find_nan(chain, x, infinity=False) is None


def test_all_is_finite():
    training = Training(dropout=0.2)
    assert debug.find_nan(training.step, training.x, training.y) is None
    training.step(training.x, training.y)
    assert debug.find_nan(training.step, training.x, training.y) is None


def test_overflow_that_fusion_hides_behind():
    """The square overflows, though nothing of it is stored in the fused plan, and the result is 0."""
    hidden = tg.jit(lambda x: 1 / (x * x))
    found = debug.find_nan(hidden, tg.tensor([1e30]))
    assert "*" in found.operation or "square" in found.operation
    assert found.infinities == 1
    assert hidden(tg.tensor([1e30])).tolist() == [0]


def test_in_the_backward_sweep():
    weight = tg.tensor([0.0, 1.0], requires_grad=True)

    @tg.jit
    def step():
        loss = tg.sqrt(weight).sum()
        loss.backward()

    found = debug.find_nan(step)
    assert found.line.endswith("loss.backward()")
    assert found.infinities == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_comes_in_is_named(value):
    training = Training()
    x = training.x.clone()
    x[2, 3] = value
    found = debug.find_nan(training.step, x, training.y)
    assert (found.name, found.operation, found.nans + found.infinities) == ("argument 0", None, 1)
    assert "argument 0 holds them before the call" in str(found)
    with tg.no_grad():
        training.model[3].weight[1, 1] = value
    assert debug.find_nan(training.step, training.x, training.y).name == "3.weight"


def test_what_is_written_over_does_not_count():
    memory = tg.full(3, float("nan"))

    @tg.jit
    def fill(x):
        memory[:] = x
        return memory * 2

    assert debug.find_nan(fill, tg.ones(3)) is None
    assert np.isnan(memory.numpy()).all()
