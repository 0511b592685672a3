"""Where replaying a function could go wrong silently: it works, or it is an error that says what to do."""

import dataclasses
import gc
import threading
import weakref

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import nn, optim
from tinygrad_lite.errors import TraceError


def vector(*values, **options):
    return tg.tensor([float(v) for v in values], **options)


def same(x, values):
    np.testing.assert_allclose(x.detach().numpy(), np.asarray(values, x.dtype), rtol=1e-6)


def test_results_are_the_callers_own():
    f = tg.jit(lambda x: (x + 1, x * 2))
    first, second = f(vector(1, 2)), f(vector(3, 4))
    same(first[0], [2, 3])
    same(first[1], [2, 4])
    same(second[0], [4, 5])
    first[0].add_(100)
    same(f(vector(1, 2))[0], [2, 3])


def test_a_result_may_be_an_argument_a_view_of_one_or_a_tensor_from_outside():
    weight = vector(5, 6)
    f = tg.jit(lambda x: (x, x[1:], weight, x + weight, x + weight))
    for x in (vector(1, 2), vector(3, 4)):
        itself, part, outside, total, again = f(x)
        assert itself is x
        assert outside is weight
        same(part, x.numpy()[1:])
        part.add_(1)
        assert not np.shares_memory(total.numpy(), again.numpy())
        same(total, x.numpy() + np.array([5, 6]))


def test_the_same_tensor_twice():
    f = tg.jit(lambda x, y: x * 10 + y)
    x, y = vector(1), vector(2)
    same(f(x, y), [12])
    same(f(x, x), [11])
    same(f(y, x), [21])
    assert f.traces == 2


@dataclasses.dataclass
class Pair:
    left: tg.Tensor
    right: list


def test_tensors_in_containers_and_keyword_arguments():
    f = tg.jit(lambda pair, *, scale, names: {"sum": (pair.left + pair.right[0]["x"]) * scale, "names": names})
    for a in (1.0, 5.0):
        found = f(Pair(vector(a), [{"x": vector(2)}]), scale=3, names=("a", "b"))
        same(found["sum"], [(a + 2) * 3])
        assert found["names"] == ("a", "b")
    same(f(Pair(vector(1), [{"x": vector(2)}]), names=("a", "b"), scale=4)["sum"], [12])
    assert f.traces == 2  # one for each scale


def test_shapes_layouts_and_dtypes_have_plans_of_their_own():
    f = tg.jit(lambda x: x * 2 + x.sum())
    base = np.arange(12.0).reshape(3, 4)
    for a in (base, base.T, base[:, ::2], base[::-1], base.astype(np.float32), base[:0], base[0, 0]):
        x = tg.asarray(a)
        same(f(x), a * 2 + a.sum())
        same(f(x), a * 2 + a.sum())
    assert f.traces == 7


def test_views_at_other_offsets_use_one_plan():
    f = tg.jit(lambda x: x * x)
    base = tg.tensor(np.arange(12.0))
    for start in (0, 3, 5):
        same(f(base[start : start + 4]), np.arange(start, start + 4.0) ** 2)
    assert f.traces == 1


def test_a_branch_on_a_python_value_has_a_plan_for_each():
    f = tg.jit(lambda x, up: x + 1 if up else x - 1)
    for up, wanted in ((True, 2), (False, 0), (True, 2), (1, 2)):
        same(f(vector(1), up), [wanted])
    assert f.traces == 3  # True and 1 are of different types


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + 1 if x.sum() > 0 else x,
        lambda x: x * float(x.sum()),
        lambda x: x * x.sum().item(),
        lambda x: x[x > 0],
        lambda x: tg.nonzero(x),
        lambda x: x * np.float32(x.numpy().sum()),
        lambda x: x.tolist(),
        lambda x: tg.zeros(int(x[0])),
        lambda x: np.asarray(list(x.numpy())),
        lambda x: repr(x) and x,
    ],
)
def test_asking_for_a_value_is_an_error(function):
    with pytest.raises(TraceError, match="while a jitted function is traced"):
        tg.jit(function)(vector(1, 2))


def test_nested_functions_become_part_of_the_outer_one():
    inner = tg.jit(lambda x: x * 2)
    outer = tg.jit(lambda x: inner(x) + inner(x + 1))
    same(outer(vector(1)), [6])
    same(outer(vector(2)), [10])
    assert (inner.traces, outer.traces) == (0, 1)


class Counter:
    def __init__(self, step):
        self.total, self.step = vector(0), step

    @tg.jit
    def add(self, x):
        self.total.add_(x * self.step)
        return self.total


def test_methods_of_several_objects():
    one, ten = Counter(1), Counter(10)
    for _ in range(3):
        one.add(vector(1))
        ten.add(vector(1))
    same(one.total, [3])
    same(ten.total, [30])


def test_tensors_from_outside_are_read_anew():
    weight = vector(1)
    f = tg.jit(lambda x: x * weight)
    same(f(vector(2)), [2])
    weight.add_(4)
    same(f(vector(2)), [10])


def test_other_memory_and_frozen_parameters_are_noticed():
    layer = nn.Linear(2, 1)
    rule = optim.SGD(layer.parameters(), lr=0.1)

    @tg.jit
    def step(x):
        rule.zero_grad()
        layer(x).sum().backward()
        rule.step()

    step(tg.ones((3, 2)))
    layer.bias.requires_grad_(False)
    before = layer.bias.numpy().copy()
    step(tg.ones((3, 2)))
    np.testing.assert_array_equal(layer.bias.numpy(), before)
    layer.to(dtype="float64")
    rule = optim.SGD([layer.weight], lr=0.1)
    weight = layer.weight.detach().numpy().copy()
    step(tg.ones((3, 2), dtype="float64"))
    np.testing.assert_allclose(layer.weight.detach().numpy(), weight - 0.3)


def test_what_a_function_makes_and_changes_starts_anew_at_each_call():
    @tg.jit
    def running(x):
        state = tg.zeros(2)
        history = tg.tensor([[0.0, 0.0]] * 3)
        for i in range(3):
            state.add_(x)
            history[i] = state
        return history

    for x in (vector(1, 2), vector(3, 4)):
        same(running(x), x.numpy() * [[1], [2], [3]])


def test_arguments_changed_in_place_are_changed():
    @tg.jit
    def double(x):
        x.mul_(2)
        return x + 1

    x = vector(1, 2)
    y = x.detach().requires_grad_()
    saved = y * y
    same(double(x), [3, 5])
    same(x, [2, 4])
    with pytest.raises(RuntimeError, match="changed in place"):
        saved.sum().backward()
    with pytest.raises(ValueError, match="read-only"):
        double(tg.broadcast_to(vector(1), (2,)))


def test_memory_that_is_changed_and_reached_in_two_ways_is_an_error():
    state = vector(1, 2)

    @tg.jit
    def update(x, y):
        state.add_(x)
        y.mul_(2)
        return x + y

    update(vector(1, 1), vector(3, 3))
    with pytest.raises(TraceError, match="argument 0 shares memory"):
        update(state, vector(3, 3))
    both = vector(1, 2, 3)
    with pytest.raises(TraceError, match="argument 0 shares memory"):
        update(both[:2], both[1:])


def test_arguments_that_cannot_be_compared_are_an_error():
    f = tg.jit(lambda x, other: x)
    with pytest.raises(TraceError, match=r"argument 1 is a ndarray.*pass a tensor"):
        f(vector(1), np.zeros(2))
    with pytest.raises(TraceError, match=r"argument 0 was computed by a recorded operation"):
        f(vector(1, requires_grad=True) * 2, 0)


def test_gradients_of_arguments():
    @tg.jit
    def f(x):
        loss = (x * x).sum()
        loss.backward()
        return loss

    for values in ([1, 2], [3, 4]):
        x = vector(*values, requires_grad=True)
        f(x)
        same(x.grad, 2 * np.array(values))
    with pytest.raises(TraceError, match="has a gradient already"):
        f(x)


def test_gradients_of_gradients():
    @tg.jit
    def penalty(x):
        y = (x**3).sum()
        (first,) = tg.autograd.grad(y, x, create_graph=True)
        (second,) = tg.autograd.grad(first.sum(), x)
        return first, second

    for values in ([1.0, 2.0], [3.0, 4.0]):
        first, second = penalty(vector(*values, requires_grad=True))
        same(first, 3 * np.array(values) ** 2)
        same(second, 6 * np.array(values))


def test_noise_is_new_and_the_same_as_eager():
    def noise(x):
        return x + tg.rand(3), tg.randn(2), tg.randint(0, 100, (4,)), tg.randperm(5)

    jitted = tg.jit(noise)
    x = tg.zeros(3)
    tg.manual_seed(5)
    eager = [noise(x) for _ in range(3)]
    tg.manual_seed(5)
    for wanted in eager:
        for a, b in zip(jitted(x), wanted, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_without_gradients_there_are_plans_of_their_own():
    weight = vector(2, requires_grad=True)
    f = tg.jit(lambda x: x * weight)
    with tg.no_grad():
        same(f(vector(3)), [6])
    result = f(vector(3))
    assert not result.requires_grad
    with pytest.raises(RuntimeError, match="came out of a jitted function"):
        result.backward()
    assert f.traces == 2


def test_an_error_while_tracing_leaves_nothing_behind():
    weight = vector(1, requires_grad=True)

    def bad(x):
        (x * weight).sum().backward()
        raise KeyError("mine")

    for _ in range(2):
        with pytest.raises(KeyError, match="mine"):
            tg.jit(bad)(vector(1))
    assert weight.grad is None
    same(weight * 2, [2])


def test_several_threads():
    f = tg.jit(lambda x: (x @ x).sum(axis=0) * 2)
    xs = [tg.tensor(np.full((20, 20), float(i))) for i in range(8)]
    found = [None] * 8

    def work(i):
        for _ in range(50):
            found[i] = f(xs[i]).numpy().copy()

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    for i, value in enumerate(found):
        np.testing.assert_allclose(value, np.full(20, 20 * 20.0 * i * i * 2))


def test_a_function_that_is_gone_frees_its_plans():
    def used():
        weight = vector(1, 2)
        tg.jit(lambda x: x * weight)(vector(1, 2))
        return weakref.ref(weight._data)

    data = used()
    gc.collect()
    assert data() is None
