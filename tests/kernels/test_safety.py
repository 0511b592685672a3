"""Many processes, many threads, forks, the end of the interpreter, and places where nothing can be written."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import kernel_work
import numpy as np
import pytest
from kernel_work import in_child
from tinygrad_lite_kernels import cache, native, threads
from tinygrad_lite_kernels.intrinsics import pointer

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
NO_WARNING = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYGRAD_LITE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def start(code=None, **environment):
    command = [sys.executable, *(["-c", code] if code else [kernel_work.__file__])]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env={**os.environ, **environment}, **pipes)


def outcome(process):
    out, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    return out.split()


def test_four_processes_fill_one_cache(empty_cache):
    wanted = kernel_work.work()
    for entry in empty_cache.glob("*.o"):
        entry.unlink()
    running = [start() for _ in range(4)]
    assert [outcome(process)[0] for process in running] == [wanted] * 4
    keys = [entry.stem for entry in empty_cache.iterdir()]
    assert keys and all(cache.load(key) for key in keys)
    assert outcome(start()) == [wanted, "False"]


NOWHERE = {"below a file": "{file}/below", "below no directory": "/dev/null/x", "nothing may be made there": "/proc/x"}


@pytest.mark.parametrize("variable", ["TINYGRAD_LITE_CACHE", "XDG_CACHE_HOME", "HOME"])
@pytest.mark.parametrize("place", NOWHERE.values(), ids=NOWHERE)
def test_without_a_place_to_write_everything_works(variable, place, tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_text("")
    for name in ("TINYGRAD_LITE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, place.format(file=file))
    cache.store("key", b"code")
    assert cache.load("key") is None
    assert cache.usage() == (0, 0)
    cache.clear()


def test_a_process_that_can_write_nowhere(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    nowhere = {"HOME": str(home), "XDG_CACHE_HOME": "/proc/x", "TINYGRAD_LITE_CACHE": ""}
    assert outcome(start(**nowhere)) == [kernel_work.work(), "True"]


def test_a_user_without_a_home(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    for name in ("TINYGRAD_LITE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    cache.store("key", b"code")
    assert (cache.load("key"), cache.usage()) == (None, (0, 0))


def test_a_full_disk_leaves_nothing_behind(empty_cache, monkeypatch):
    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    cache.store("key", b"code")
    assert list(empty_cache.iterdir()) == []


def in_threads(functions):
    """Their results, or their exceptions, when all start at the same moment."""
    barrier, results = threading.Barrier(len(functions)), {}

    def run(i, function):
        barrier.wait()
        try:
            results[i] = function()
        except BaseException as error:
            results[i] = error

    workers = [threading.Thread(target=run, args=(i, f)) for i, f in enumerate(functions)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [results[i] for i in range(len(functions))]


def test_threads_that_need_the_same_new_kernels_at_once(empty_cache, monkeypatch):
    wanted = kernel_work.work(0.25)
    monkeypatch.setattr(native, "_loaded", {})
    assert in_threads([lambda: kernel_work.work(0.25)] * 4) == [wanted] * 4


def _count(operands, meta, lo, hi):
    a = pointer(operands[0], np.int64)
    for i in range(lo, hi):
        a[i] += 1


def test_changing_the_number_of_threads_while_others_work():
    launch = threads.Launch(native.kernel(_count), [], 10_000, 100)

    def work():
        a = np.zeros(10_000, np.int64)
        for _ in range(200):
            launch(a)
        return (a == 200).all()

    def change():
        return [threads.set_num_threads(count) for count in (1, 2, 3, 4) * 50]

    assert in_threads([work, work, change])[:2] == [True, True]


@FORKS
@NO_WARNING
def test_a_child_compiles_and_runs_in_parallel_after_its_parent_did(empty_cache):
    threads.set_num_threads(2)
    launch = threads.Launch(native.kernel(_count), [], 10_000, 100)
    launch(np.zeros(10_000, np.int64))  # the pool exists before the fork
    wanted = kernel_work.work(0.5)

    def work():
        a = np.zeros(10_000, np.int64)
        launch(a)
        native._loaded.clear()
        cache.clear()
        return (a == 1).all() and kernel_work.work(0.5) == wanted

    assert in_child(work)
    assert kernel_work.work(0.5) == wanted


@FORKS
@NO_WARNING
def test_fork_while_another_thread_compiles(empty_cache):
    compiling, failures = threading.Event(), []

    def compile_much():
        for k in range(4):
            compiling.set()
            failures.append(len(kernel_work.work(2.0**k)) != 64)

    thread = threading.Thread(target=compile_much)
    thread.start()
    compiling.wait()
    time.sleep(0.05)
    children = [in_child(lambda: len(kernel_work.work(100.0)) == 64) for _ in range(2)]
    thread.join()
    assert children == [True, True] and not any(failures)


AFTER_THE_END = """
import atexit, threading, time
import numpy as np
from tinygrad_lite_kernels import threads
from tinygrad_lite_kernels.cpu.matmul import matmul

def work():
    print(matmul(a, a)[0, 0])

def late():
    threading.main_thread().join()
    work()

threads.set_num_threads(2)
a = np.ones((600, 600))
work()
atexit.register(work)
threading.Thread(target=late).start()
"""


def test_kernels_run_until_the_very_end_of_the_interpreter():
    assert outcome(start(AFTER_THE_END)) == ["600.0"] * 3
