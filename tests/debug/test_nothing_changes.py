"""Looking at a step is no step: parameters, states, counters and random numbers stay, and so do later results."""

import numpy as np
import pytest
from debug_steps import PEAKS, Training

import tinygrad_lite as tg
from tinygrad_lite import debug, optim
from tinygrad_lite.debug.lookup import Call
from tinygrad_lite.debug.names import Names
from tinygrad_lite.debug.private import Private

LOOKS = {
    "plan": debug.plan,
    "explain": debug.explain,
    "why": debug.why,
    "find_nan": debug.find_nan,
    "profile": debug.profile,
}


@pytest.mark.parametrize("rule", [optim.SGD, optim.Adam])
@pytest.mark.parametrize("called", [0, 2])
def test_training_goes_on_as_if_nobody_had_looked(rule, called, monkeypatch):
    monkeypatch.setattr("tinygrad_lite.debug.times.peaks", lambda threads: PEAKS)
    other = Training(rule, dropout=0.3)
    expected = [other.step(other.x, other.y).item() for _ in range(called + 3)]
    training = Training(rule, dropout=0.3)
    found = [training.step(training.x, training.y).item() for _ in range(called)]
    debug.plan(training.step, training.x, training.y)  # makes the optimizer's state
    before = training.everything()
    versions = [p._cell and list(p._cell) for p in training.model.parameters()]
    for look in LOOKS.values():
        look(training.step, training.x, training.y)
        after = training.everything()
        assert len(after) == len(before)
        assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert [p._cell and list(p._cell) for p in training.model.parameters()] == versions
    assert training.step.traces == 1
    found += [training.step(training.x, training.y).item() for _ in range(3)]
    assert found == expected


@pytest.mark.parametrize("stage", ["simplified", "rows"])
@pytest.mark.parametrize("called", [0, 2])
def test_what_runs_on_copies_is_the_call(called, stage):
    """With the numbers of the next step of the optimizer, and the noise that the next call draws."""
    training = Training(dropout=0.3)
    for _ in range(called):
        training.step(training.x, training.y)
    call = Call("plan", training.step, (training.x, training.y), {})
    compiled = call.compiled()
    names, private = Names(compiled), Private(call, compiled, stage)
    (loss,) = private.plan.run(private.outside)
    updated = {names.view(v): private.array(v) for node in private.nodes for v in node.writes}
    found = training.step(training.x, training.y).numpy()
    assert_close(loss, found, stage)
    for name, parameter in training.model.named_parameters():
        assert_close(updated[name], parameter.detach().numpy(), stage)


def assert_close(a, b, stage):
    """To the bit where the same kernels run, else to rounding."""
    np.testing.assert_allclose(a, b, rtol=1e-4 if stage == "simplified" else 0, atol=1e-6 * (stage == "simplified"))


def test_arguments_gradients_and_memory_outside_stay(monkeypatch):
    monkeypatch.setattr("tinygrad_lite.debug.times.peaks", lambda threads: PEAKS)
    weight, total = tg.ones(3, requires_grad=True), tg.zeros(3)
    weight.grad = tg.full(3, 5.0)

    @tg.jit
    def step(x):
        x += 1
        total[:] = total + x
        (weight * x).sum().backward()

    argument = tg.ones((4, 6))[1, ::2]
    for look in LOOKS.values():
        look(step, argument)
        for tensor, value in ((argument, 1), (total, 0), (weight.grad, 5)):
            assert tensor.tolist() == [value] * 3
    step(argument)
    assert (argument.tolist(), total.tolist(), weight.grad.tolist()) == ([2] * 3, [2] * 3, [7] * 3)


def test_checks_of_values_are_the_call_s_own():
    training = Training()
    wrong = tg.tensor([0, 1, 2, 3, 0])
    for look in (debug.find_nan, debug.profile):
        with pytest.raises(IndexError) as told:
            look(training.step, training.x, wrong)
        with pytest.raises(IndexError) as expected:
            training.step(training.x, wrong)
        assert str(told.value) == str(expected.value)
    assert [training.optimizer.state[p]["step"] for p in training.model.parameters()] == [0] * 4
