"""What gradients and graphs occupy: no shared memory, nothing kept too long; long and wide graphs."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import tinygrad_lite as tg

both_devices = pytest.mark.parametrize("device", ["numpy", "cpu"])
grad = tg.autograd.grad


def leaf(*values):
    return tg.Tensor(list(values), dtype="float64", requires_grad=True)


# ---- the memory of gradients ----

SHARING = {
    "sum of two": lambda x, w: x + w,
    "itself": lambda x, w: x * 1 + w * 1,
    "reshaped": lambda x, w: x.reshape(1, 2)[0] + w[::-1],
    "stacked": lambda x, w: tg.stack([x, w]),
    "broadcast": lambda x, w: tg.broadcast_to(x, (3, 2)) + w,
    "summed": lambda x, w: (x + w).sum(),
    "the leaf": lambda x, w: x,
}


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("through_grad", [False, True])
@pytest.mark.parametrize("name", SHARING)
def test_gradients_share_no_memory(name, through_grad, create_graph):
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = SHARING[name](x, w)
    seed = tg.ones(y.shape, dtype="float64")
    if through_grad:
        found = grad(y, [x, w], seed, create_graph=create_graph, allow_unused=True)
    else:
        y.backward(seed, create_graph=create_graph)
        found = [x.grad, w.grad]
    arrays = [t._data for t in (*found, seed, y, x, w) if t is not None]
    for i, a in enumerate(arrays[: -4 if y is not x else 1]):
        assert a.flags.writeable
        assert not any(np.shares_memory(a, b) for b in arrays[i + 1 :] if b is not a)
    assert len({id(a) for a in arrays}) == len(arrays) - (y is x)


def test_a_seed_stays_the_callers_own():
    x, seed = leaf(1.0, 2.0), tg.ones(2, dtype="float64")
    (x + 0).backward(seed)
    x.grad *= 7
    assert seed.tolist() == [1.0, 1.0]
    (x * 1).backward(seed)
    assert x.grad.tolist() == [8.0, 8.0]


# ---- freed graphs ----


def test_graphs_are_freed_without_the_garbage_collector():
    gc.disable()
    try:
        x = leaf(1.0, 2.0)
        y = tg.exp(tg.tanh(x @ x) * x[0]).sum()
        inner = weakref.ref(y._node)
        results = weakref.ref(y)
        y.backward(create_graph=True)
        x.grad = None
        del y
        assert inner() is None and results() is None
    finally:
        gc.enable()


def test_backward_frees_what_it_no_longer_needs():
    """A result that somebody still has does not keep the values that led to it."""
    x = leaf(*range(5))
    values = x * 2
    kept = weakref.ref(values)
    y = (values * values).sum()
    del values
    assert kept() is not None
    y.backward()
    assert kept() is None


MB = 2**20


def peak(function):
    """The most memory that was in use, in MB more than at the start."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        function()
        return (tracemalloc.get_traced_memory()[1] - before) / MB
    finally:
        tracemalloc.stop()


@both_devices
def test_backward_needs_little_memory_beyond_the_graph(device):
    """20 results of 1 MB are kept for backward, which lets go of them as it passes."""
    x = tg.Tensor(np.ones(MB // 8), device=device, requires_grad=True)
    (tg.tanh(x) * 1.0).sum().backward()  # whatever is compiled is compiled now

    def forward():
        y = x
        for _ in range(20):
            y = tg.tanh(y)
        return y.sum()

    def both():
        forward().backward()

    first = peak(forward)
    assert 19 < first < 22
    assert peak(both) < first + 5
    x.grad = None


# ---- long and wide ----


@both_devices
def test_a_chain_of_fifty_thousand_operations(device):
    x = tg.Tensor(1.0, dtype="float64", device=device, requires_grad=True)
    y = x
    for _ in range(50_000):
        y = y * 1.00001
    y.backward()
    assert x.grad.item() == pytest.approx(1.00001**50_000, rel=1e-9)
    for _ in range(50_000):  # and one that is never differentiated
        y = y + 1
    del y


def test_twenty_thousand_inputs_of_one_operation():
    x = tg.Tensor(1.0, dtype="float64", requires_grad=True)
    tg.stack([x * 2.0 for _ in range(20_000)]).sum().backward()
    assert x.grad.item() == 40_000


def test_many_leaves():
    leaves = [tg.Tensor(float(i), device="numpy", requires_grad=True) for i in range(3000)]
    total = leaves[0]
    for i, x in enumerate(leaves[1:], 1):
        total = total + x * i
    total.backward()
    assert [x.grad.item() for x in leaves] == [1, *range(1, 3000)]
