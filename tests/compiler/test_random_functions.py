"""Random functions of many operations, with views and changes in place: a jitted run is the eager run."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg

N = 6
STEPS = {
    "add": lambda a, b, k: a + b,
    "mix": lambda a, b, k: tg.tanh(a) * 0.5 - b * tg.sigmoid(a),
    "max": lambda a, b, k: tg.maximum(a, b),
    "rows": lambda a, b, k: a - a.sum(axis=1, keepdims=True) * 0.1 + b.max(axis=0, keepdims=True) * 0.1,
    "softmax": lambda a, b, k: tg.softmax(a + b, k % 2),
    "product": lambda a, b, k: (a @ b) * 0.2,
    "turned": lambda a, b, k: a.mT @ b * 0.2 + a,
    "transposed": lambda a, b, k: a.mT,
    "flipped": lambda a, b, k: tg.flip(a, axis=k % 2),
    "rolled": lambda a, b, k: tg.roll(a, k, axis=0),
    "joined": lambda a, b, k: tg.concat([a[: k % N], b[k % N :]], axis=0),
    "taken": lambda a, b, k: tg.take(a, tg.argsort(b[:, 0]), axis=0),
    "sorted": lambda a, b, k: tg.sort(a, axis=k % 2),
    "where": lambda a, b, k: tg.where(a > b, a, b * 0.5),
    "scanned": lambda a, b, k: tg.cumulative_sum(a, axis=k % 2) * 0.2,
}
CHANGES = {
    "add_": lambda a, b, k: a.add_(b * 0.5),
    "tanh_": lambda a, b, k: a.tanh_(),
    "row": lambda a, b, k: a.__setitem__(k % N, b[0]),
    "block": lambda a, b, k: a.__setitem__((slice(k % 3, None), slice(None, 4)), b[: N - k % 3, 2:]),
    "reversed": lambda a, b, k: a.__setitem__(slice(None), b[::-1]),
}  # fmt: skip
step = st.tuples(st.sampled_from([*STEPS, *CHANGES]), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))


def run(plan, leaves, outside, grads):
    """The plan on a growing pool of matrices; the gradients of the leaves where nothing is changed in place."""
    pool = [x * 1 for x in leaves]
    for name, i, j, k in plan:
        a, b = pool[i % len(pool)], pool[j % len(pool)]
        if name in STEPS:
            pool.append(STEPS[name](a, b, k))
        elif k == 9:
            CHANGES[name](outside, b.detach(), k)
            pool.append(outside * 1)
        else:
            fresh = a.clone()
            CHANGES[name](fresh, b, k)
            pool.append(fresh)
    total = sum((x * (0.5 + n)).sum() for n, x in enumerate(pool))
    return pool[-1], total, tg.autograd.grad(total, leaves) if grads else ()


@settings(max_examples=25)  # each compiles kernels of its own
@given(st.lists(step, min_size=1, max_size=12), st.sampled_from(["numpy", "cpu"]), st.booleans())
def test_jitted_is_eager(plan, device, grads):
    rng = np.random.default_rng(len(plan))
    values = [[rng.standard_normal((N, N)) for _ in range(2)] for _ in range(3)]
    found = []
    for jitted in (False, True):
        outside = tg.zeros((N, N), dtype="float64", device=device)
        function = lambda x, y, outside=outside: run(plan, [x, y], outside, grads)  # noqa: E731
        if jitted:
            function = tg.jit(function)
        results = []
        for pair in values:
            last, total, gradients = function(*(tg.tensor(v, device=device, requires_grad=grads) for v in pair))
            results += [last, total, *gradients, outside]
            results = [x if isinstance(x, np.ndarray) else x.detach().numpy().copy() for x in results]
        assert not jitted or function.traces == 1
        found.append(results)
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-9)
