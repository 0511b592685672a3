"""The threads that help with large kernels: they do take part, they stand in nobody's way, and they sleep."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from kernel_work import in_child
from tinygrad_lite_kernels import native, threads
from tinygrad_lite_kernels.atomics import atomic_add, atomic_load
from tinygrad_lite_kernels.intrinsics import external, pointer

pytestmark = pytest.mark.skipif(os.name != "posix", reason="elsewhere everything runs on one thread")
sleep = external("usleep", 1)
PIECES = 16


def _meet(operands, meta, lo, hi):
    """Note what is begun, and who begins at 0 waits, half a minute at the most, until all the others are done."""
    done = operands[0]
    for _ in range(30_000):
        if lo > 0 or atomic_load(done) == PIECES - hi:
            break
        sleep(1000)
    if lo > 0 or atomic_load(done) == PIECES - hi:
        atomic_add(done, hi - lo)


def _wait(operands, meta, lo, hi):
    """Wait for a sign, half a minute at the most, then count."""
    for _ in range(30_000):
        if atomic_load(operands[1]):
            break
        sleep(1000)
    atomic_add(operands[0], hi - lo)


def _nap(operands, meta, lo, hi):
    sleep(100_000)
    atomic_add(operands[0], hi - lo)


def _count(operands, meta, lo, hi):
    a = pointer(operands[0], np.int64)
    for i in range(lo, hi):
        a[i] += 1


def launch(kernel, size=PIECES):
    return threads.Launch(native.kernel(kernel), [], size, max(1, size // PIECES))


@pytest.fixture(autouse=True)
def two_threads():
    threads.set_num_threads(2)


def test_a_second_thread_does_what_the_first_has_no_time_for():
    for _ in range(3):
        done = np.zeros((), np.int64)
        launch(_meet)(done)
        assert done == PIECES


def test_python_goes_on_while_a_large_kernel_runs():
    done, sign = np.zeros((), np.int64), np.zeros((), np.int64)
    other = threading.Timer(0.05, lambda: sign.fill(1))
    other.start()
    start = time.monotonic()
    launch(_wait)(done, sign)
    assert done == PIECES and time.monotonic() - start < 20


def test_who_finds_the_pool_taken_works_alone():
    done, sign = np.zeros((), np.int64), np.zeros((), np.int64)
    holder = threading.Thread(target=launch(_wait), args=(done, sign))
    holder.start()
    a = np.zeros(100_000, np.int64)
    for _ in range(100):
        launch(_count, a.size)(a)
    sign.fill(1)
    holder.join()
    assert (a == 100).all() and done == PIECES


def test_threads_without_work_sleep():
    launch(_count, 1000)(np.zeros(1000, np.int64))
    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - before < 0.1


def test_an_interrupt_is_raised_when_the_kernel_has_done_its_work():
    done = np.zeros((), np.int64)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            launch(_nap)(done)
            time.sleep(10)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert done == PIECES


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_of_a_fork_in_the_middle_of_a_job_has_threads_of_its_own():
    done, sign = np.zeros((), np.int64), np.zeros((), np.int64)
    holder = threading.Thread(target=launch(_wait), args=(done, sign))
    holder.start()
    time.sleep(0.05)

    def meet():
        inside = np.zeros((), np.int64)
        launch(_meet)(inside)
        return inside == PIECES

    assert in_child(meet)
    sign.fill(1)
    holder.join()
    assert done == PIECES and meet()
