import builtins
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_checks import both_devices, tensor

import tinygrad_lite as tg
from tinygrad_lite import dtypes, io, nn

pytest.importorskip("safetensors")


@both_devices
def test_round_trip_of_every_dtype_and_layout(tmp_path, device):
    rng = np.random.default_rng(0)
    arrays = {name: (rng.normal(size=(3, 4)) * 9).astype(dtype) for name, dtype in dtypes.ALL.items()}
    arrays |= {"0-d": np.array(2.5), "empty": np.zeros((0, 3)), "transposed": rng.normal(size=(3, 4)).T}
    arrays |= {"special": np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324]), "strided": np.arange(12.0)[::-3]}
    path = tmp_path / "w.safetensors"
    io.save({n: tensor(a, device) for n, a in arrays.items()}, path, {"note": "ünïcode", "step": "3"})
    found = io.load(path, device)
    assert set(found) == set(arrays) and io.load_metadata(path) == {"note": "ünïcode", "step": "3"}
    for name, a in arrays.items():
        assert found[name].dtype == a.dtype and found[name].shape == a.shape and found[name].device == device
        assert found[name]._data.tobytes() == np.ascontiguousarray(a).tobytes()
        found[name]._data[...] = 0  # it is the caller's own memory
    assert os.listdir(tmp_path) == ["w.safetensors"]


def test_module_round_trip(tmp_path):
    first, second = (nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)) for _ in range(2))
    first[2].weight = nn.Parameter(first[2].weight._data)
    io.save(first.state_dict(), tmp_path / "w")
    second.load_state_dict(io.load(tmp_path / "w"))
    x = tensor(np.ones((1, 3), np.float32))
    np.testing.assert_array_equal(first(x)._data, second(x)._data)
    assert io.load_metadata(tmp_path / "w") == {}


def test_other_programs_can_read_it(tmp_path):
    from safetensors.numpy import load_file

    io.save({"a": tensor([1.0, 2.0])}, str(tmp_path / "w"))
    np.testing.assert_array_equal(load_file(tmp_path / "w")["a"], np.array([1, 2], np.float32))


def saved(tmp_path):
    path = tmp_path / "w"
    io.save({"a": tensor(np.arange(10.0)), "b": tensor([1, 2])}, path, {"x": "y"})
    return path, path.read_bytes()


def test_every_truncation_is_refused(tmp_path):
    path, content = saved(tmp_path)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="is not a complete safetensors file") as error:
            io.load(path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text " * 100,
        b"\xff" * 64,
        b"\x80\x04\x95" + b"0" * 50,
        b"PK\x03\x04" + b"\0" * 60,
        b"\x10" + b"\0" * 7 + b"{" * 16,
    ],
)
def test_foreign_files_are_refused(tmp_path, content):
    (tmp_path / "w").write_bytes(content)
    for read in (io.load, io.load_metadata):
        with pytest.raises(ValueError, match="is not a complete safetensors file"):
            read(tmp_path / "w")


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_damage_never_crashes(tmp_path_factory, data):
    path, content = saved(tmp_path_factory.mktemp("damage"))
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(damaged))
    try:
        io.load(path)
    except ValueError as error:
        assert str(error).startswith("load: ")


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    path, content = saved(tmp_path)
    for step in ("fsync", "replace"):

        def fail(*_):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, step, fail)
            with pytest.raises(OSError, match=r"save: cannot write .*w: No space left on device"):
                io.save({"new": tensor([1.0])}, path)
        assert path.read_bytes() == content and os.listdir(tmp_path) == ["w"]
    io.save({"new": tensor([1.0])}, path)
    assert list(io.load(path)) == ["new"]


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path, content = saved(tmp_path)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        io.save({"new": tensor([1.0])}, path)
    assert path.read_bytes() == content and os.listdir(tmp_path) == ["w"]


def test_places_that_cannot_be_written_or_read(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"save: cannot write .*no/w: No such file"):
        io.save({"a": tensor([1.0])}, tmp_path / "no" / "w")
    with pytest.raises(IsADirectoryError, match="save: cannot write"):
        io.save({"a": tensor([1.0])}, tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotADirectoryError, match="save: cannot write"):
        io.save({"a": tensor([1.0])}, tmp_path / "file" / "w")
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(FileNotFoundError, match="load: there is no file"):
            io.load(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="save: cannot write"):
        io.save({"a": tensor([1.0])}, tmp_path / "w")


def test_errors(tmp_path):
    path = tmp_path / "w"
    with pytest.raises(TypeError, match="'a' must be a tensor or an array, got list"):
        io.save({"a": [1.0]}, path)
    with pytest.raises(TypeError, match="names must be texts"):
        io.save({1: tensor([1.0])}, path)
    with pytest.raises(TypeError, match="metadata maps texts to texts, got 'epoch': 3"):
        io.save({"a": tensor([1.0])}, path, {"epoch": 3})
    assert not path.exists()
    io.save({"half": np.zeros(3, np.float16)}, path)
    with pytest.raises(ValueError, match=r"'half' in .* has a dtype that tensors cannot have"):
        io.load(path)


def test_without_the_package(tmp_path, monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **options):
        if name.startswith("safetensors"):
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    for call in (lambda: io.save({}, tmp_path / "w"), lambda: io.load(tmp_path / "w")):
        with pytest.raises(ImportError, match=r"pip install 'tinygrad_lite\[train\]'"):
            call()


def test_importing_stays_light():
    code = (
        "import sys, tinygrad_lite as tg; tg.nn, tg.optim, tg.data, tg.io;"
        "print([m for m in ('numba', 'safetensors', 'rich', 'sklearn', 'matplotlib', 'scipy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
    assert tg.io is io
