"""Why a call is traced anew: each thing that a plan depends on is named, before the call and afterwards."""

import dataclasses

import pytest
from debug_steps import Training

import tinygrad_lite as tg
from tinygrad_lite import debug

BASE = {"x": tg.ones((2, 3)), "scale": 2.0}


@dataclasses.dataclass
class Batch:
    x: tg.Tensor
    weight: float


def ARGUMENTS():
    """Arguments of two calls, and what is different in the second."""
    x, y = tg.ones((2, 3)), tg.zeros((2, 3))
    return {
        "shape": ([x], [tg.ones((4, 3))], "argument 0 has shape (4, 3), it was (2, 3)"),
        "dtype": ([x], [tg.ones((2, 3), dtype="int32")], "argument 0 has dtype int32, it was float32"),
        "strides": ([x], [tg.ones((3, 2)).T], "argument 0 has strides (4, 8), it was (12, 4)"),
        "device": ([x], [tg.ones((2, 3), device="numpy")], "argument 0 has device numpy, it was cpu"),
        "requires_grad": ([x], [tg.ones((2, 3), requires_grad=True)],
                          "argument 0 has requires_grad True, it was False"),
        "class": ([x], [tg.nn.Parameter(x)],
                  "argument 0 has type Parameter, it was Tensor; argument 0 has requires_grad True, it was False"),
        "value": ([x, 2], [x, 3], "argument 1 is 3, it was 2"),
        "kind": ([x, 2], [x, 2.0], "argument 1 is 2.0, it was 2"),
        "tensor or not": ([x, 2], [x, y], "argument 1 is a Tensor, it was 2"),
        "same tensor": ([x, y], [x, x], "argument 1 is the same tensor as one before it, it was a Tensor"),
        "more": ([x], [x, y], "the call has argument 1, which was not there"),
        "less": ([x, 2], [x], "the call has no argument 1, which was there"),
        "list": ([[x, 2]], [[x, 5]], "argument 0[1] is 5, it was 2"),
        "longer list": ([[x]], [[x, y]], "argument 0 has argument 0[1], which was not there"),
        "list or tuple": ([[x]], [(x,)], "argument 0 is a tuple, it was a list"),
        "dict": ([{"a": x}], [{"a": tg.ones(2)}], "argument 0['a'] has shape (2,), it was (2, 3)"),
        "keys": ([{"a": x}], [{"b": x}],
                 "argument 0 has argument 0['b'], which was not there; "
                 "argument 0 has no argument 0['a'], which was there"),
        "dataclass": ([Batch(x, 1.0)], [Batch(x, 2.0)], "argument 0.weight is 2.0, it was 1.0"),
        "two": ([x, 1], [tg.ones(3), 2], "argument 0 has shape (3,), it was (2, 3); argument 1 is 2, it was 1"),
    }  # fmt: skip


@pytest.mark.parametrize("case", ARGUMENTS())
def test_arguments(case):
    first, second, reason = ARGUMENTS()[case]
    function = tg.jit(lambda *args: tg.ones(2))
    assert list(debug.why(function, *first)) == ["there was no plan before"]
    function(*first)
    assert list(debug.why(function, *first)) == []
    assert str(debug.why(function, *second)) == reason
    assert function.traces == 1  # asking traces nothing
    function(*second)
    assert function.traces == 2
    assert list(debug.why(function, *second)) == []
    assert debug.traces(function) == ["there was no plan before", reason]


def test_options_by_name():
    function = tg.jit(lambda x, scale=1: x * scale)
    function(tg.ones(2), scale=2)
    assert str(debug.why(function, tg.ones(2), scale=3)) == "argument 'scale' is 3, it was 2"


def test_the_plan_that_comes_nearest_is_compared():
    function = tg.jit(lambda x, scale: x * scale)
    for n in (2, 3):
        function(tg.ones(n), 1)
    assert str(debug.why(function, tg.ones(3), 2)) == "argument 1 is 2, it was 1"


def eval_mode(training):
    training.model.eval()


def one_in_eval_mode(training):
    training.model[2].eval()


def a_gradient(training):
    training.model[0].weight.grad = tg.ones((8, 6))


def moved_memory(training):
    training.model[0].to(dtype="float64").to(dtype="float32")


def frozen(training):
    training.model[0].weight.requires_grad_(False)


def an_option(training):
    training.optimizer.param_groups[0]["amsgrad"] = True


def a_group(training):
    training.optimizer.add_param_group({"params": [tg.ones(2, requires_grad=True)]})


GUARDS = {
    eval_mode: "Sequential, Linear 0, Tanh 1 and 2 more: now in eval mode, before in training mode",
    one_in_eval_mode: "Dropout 2: now in eval mode, before in training mode",
    a_gradient: "the gradient of 0.weight: now there (float32, strides (24, 4)), before absent",
    moved_memory: "a tensor that existed got other memory, or was frozen or thawed",
    frozen: "a tensor that existed got other memory, or was frozen or thawed",
    an_option: "the options, groups or state of Adam changed",
    a_group: "the options, groups or state of Adam changed",
}


@pytest.mark.parametrize("change", GUARDS, ids=lambda f: f.__name__)
def test_what_lives_outside(change):
    training = Training()
    x, y = training.x, training.y
    training.step(x, y)
    assert list(debug.why(training.step, x, y)) == []
    change(training)
    assert str(debug.why(training.step, x, y)) == GUARDS[change]
    training.step(x, y)
    assert training.step.traces == 2
    assert debug.traces(training.step)[1] == GUARDS[change]


def test_a_learning_rate_is_no_reason():
    training = Training()
    training.step(training.x, training.y)
    training.optimizer.param_groups[0]["lr"] = 0.5
    assert list(debug.why(training.step, training.x, training.y)) == []
    training.step(training.x, training.y)
    assert training.step.traces == 1


def test_surroundings():
    function = tg.jit(lambda x: x + 1)
    function(tg.ones(2))
    x = tg.ones(2)
    with tg.no_grad():
        assert str(debug.why(function, x)) == "gradients are not recorded, they were recorded"
    tg.set_default_device("numpy")
    assert str(debug.why(function, x)) == "the default device is numpy, it was cpu"
