"""Arrays that tests of kernels draw: any layout, any dtype, special values among the others."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tinygrad_lite_kernels import threads

DTYPES = [np.float32, np.float64, np.int8, np.int32, np.int64, np.uint8, np.uint64, np.bool_]
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)


@st.composite
def values_of(draw, dtype, shape):
    """Random values (drawn one by one they would be slow), with every special float among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return np.asarray(rng.random(shape) < draw(st.sampled_from([0.0, 0.1, 0.9, 1.0])))
    if dtype.kind in "iu":
        low, high = (np.iinfo(dtype).min, np.iinfo(dtype).max) if draw(st.booleans()) else (0, 3)
        return np.asarray(rng.integers(low, high, shape, dtype, endpoint=True))
    a = np.asarray(rng.standard_normal(shape), dtype)
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, np.finfo(dtype).max]
    if draw(st.booleans()) and a.size:
        a.flat[rng.integers(0, a.size, 2)] = rng.choice(special, 2)
    return a


@st.composite
def laid_out(draw, dtype, shapes=SHAPES):
    """An array of a drawn shape in some layout: its axes in any order in memory, strided, backwards or repeated."""
    shape = draw(shapes)
    kinds = draw(st.lists(st.sampled_from(["step", "back", "repeat"]), max_size=2))
    order = draw(st.permutations(range(len(shape))))
    memory = tuple(shape[axis] * (2 if "step" in kinds else 1) for axis in order)
    a = draw(values_of(dtype, memory)).transpose(np.argsort(order))
    if "step" in kinds:
        a = a[(..., *(slice(0, None, 2) for _ in shape))]
    if "back" in kinds and shape:
        a = np.flip(a, draw(st.integers(0, len(shape) - 1)))
    if "repeat" in kinds and shape and a.shape[0]:
        a = np.broadcast_to(a[:1], a.shape)
    return a


def same_for_thread_counts(run):
    """What `run()` returns, whose bits must not depend on the number of threads."""
    before, results = threads.get_num_threads(), []
    for count in (1, 2, 3):
        threads.set_num_threads(count)
        results.append(run())
    threads.set_num_threads(before)
    assert results[0].tobytes() == results[1].tobytes() == results[2].tobytes()
    return results[0]
