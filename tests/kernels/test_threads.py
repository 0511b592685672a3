"""The executor: every element once, whatever the number of threads. For many at once see test_safety.py."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinygrad_lite_kernels import native, threads
from tinygrad_lite_kernels.intrinsics import pointer


def _count(operands, meta, lo, hi):
    a = pointer(operands[0], np.int64)
    for i in range(lo, hi):
        a[i] += 1


@pytest.fixture(autouse=True)
def _restore_threads():
    before = threads.get_num_threads()
    yield
    threads.set_num_threads(before)


@given(st.integers(1, 5000), st.integers(1, 700), st.integers(1, 5))
def test_every_element_is_visited_once(size, grain, count):
    threads.set_num_threads(count)
    a = np.zeros(size, np.int64)
    threads.Launch(native.kernel(_count), [], size, grain)(a)
    assert (a == 1).all()


@pytest.mark.parametrize("count", [0, -1, 1.5, "two"])
def test_bad_thread_counts(count):
    with pytest.raises(ValueError, match="set_num_threads: the count must be a positive integer"):
        threads.set_num_threads(count)


@pytest.mark.parametrize(
    "environment, count",
    [
        ({"TINYGRAD_LITE_NUM_THREADS": "3", "OMP_NUM_THREADS": "5"}, 3),
        ({"OMP_NUM_THREADS": "5,2"}, 5),
        ({"OMP_NUM_THREADS": "many"}, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None),
        ({"TINYGRAD_LITE_NUM_THREADS": "many"}, ValueError),
        ({"TINYGRAD_LITE_NUM_THREADS": "0"}, ValueError),
    ],
)
def test_the_environment_has_a_wish(monkeypatch, environment, count):
    for name in ("TINYGRAD_LITE_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(threads, "_threads", 0)
    if count is ValueError:
        with pytest.raises(ValueError, match="TINYGRAD_LITE_NUM_THREADS must be a positive integer, got"):
            threads.get_num_threads()
    elif count:
        assert threads.get_num_threads() == count


def test_signature_tells_layouts_apart():
    a = np.zeros((3, 4), np.float32)
    layouts = [a, a.T, a[:, ::-1], a[:2], a.astype(np.float64), a.astype(">f4"), a.astype(np.int32), a[0]]
    assert len({threads.signature(x) for x in layouts}) == len(layouts)
    assert threads.signature(a) == threads.signature(np.ones((3, 4), np.float32))
    assert threads.signature(a, a.T) != threads.signature(a.T, a)


@pytest.mark.parametrize("other", [None, 1.0, np.float32(1), [1], np.ma.zeros(3), object()])
def test_signature_of_what_is_no_array_is_empty(other):
    assert threads.signature(np.zeros(3), other) == b""
