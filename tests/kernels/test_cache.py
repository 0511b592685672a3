"""Machine code on disk: whole or absent, never stale. For many processes at once see test_safety.py."""

import os
import subprocess
import sys

import numpy as np
import pytest
from tinygrad_lite_kernels import cache, native
from tinygrad_lite_kernels.intrinsics import pointer

ADD_ONE = """
import numpy as np
from tinygrad_lite_kernels import native, threads
from tinygrad_lite_kernels.intrinsics import pointer

source = '''
def kernel(operands, meta, lo, hi):
    a = pointer(operands[0], float64)
    for i in range(lo, hi):
        a[i] += {}
'''
a = np.zeros(3)
function = native.printed(source, "kernel", {{"pointer": pointer, "float64": np.float64}})
threads.Launch(native.kernel(function), [], 3)(a)
import sys
print(a[0], "numba" in sys.modules)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYGRAD_LITE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def run_process(amount=1.0):
    command = [sys.executable, "-c", ADD_ONE.format(amount)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stdout.split()


def test_second_process_loads_without_numba(folder):
    assert run_process() == ["1.0", "True"]
    assert run_process() == ["1.0", "False"]


def test_another_source_is_another_entry(folder):
    run_process(1.0)
    assert run_process(2.5) == ["2.5", "True"]


@pytest.mark.parametrize("damage", [b"", b"not code", None])
def test_damaged_entries_are_compiled_again(folder, damage):
    run_process()
    for entry in folder.glob("*.o"):
        data = entry.read_bytes()
        entry.write_bytes(data[:-1] + bytes([data[-1] ^ 1]) if damage is None else damage)
    assert run_process() == ["1.0", "True"]
    assert run_process() == ["1.0", "False"]


def test_entries_of_other_users_are_ignored(folder, monkeypatch):
    cache.store("key", b"code")
    assert cache.load("key") == b"code"
    monkeypatch.setattr(os, "getuid", lambda: 12345678)
    assert cache.load("key") is None


def test_folder_is_private_and_nothing_half_written_stays(folder):
    cache.store("key", b"code")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in folder.iterdir()] == ["key.o"]
    assert cache.usage()[0] == 1
    cache.clear()
    assert cache.usage() == (0, 0)


def printed_kernel(text):
    source = f"def kernel(operands, meta, lo, hi):\n    a = pointer(operands[0], np.float64)\n    a[0] = {text}\n"
    return native.printed(source, "kernel", {"pointer": pointer, "np": np, "amount": helper_one})


@native.helper
def helper_one():
    return 1.0


@native.helper
def helper_two():
    return 2.0


def test_key_covers_helpers_constants_and_flags():
    function = printed_kernel("amount()")
    keys = {
        native._key(function, {}, "kernel", native.FASTMATH),
        native._key(function, {}, "kernel", frozenset()),
        native._key(function, {"amount": helper_two}, "kernel", native.FASTMATH),
        native._key(function, {"T": np.float32}, "kernel", native.FASTMATH),
        native._key(printed_kernel("amount() + 1"), {}, "kernel", native.FASTMATH),
    }
    assert len(keys) == 5


def test_a_kernel_that_could_raise_is_refused(folder):
    function = printed_kernel("[1.0, 2.0][int(meta[0])]")
    with pytest.raises(RuntimeError, match="must neither raise nor allocate"):
        native.kernel(function)
