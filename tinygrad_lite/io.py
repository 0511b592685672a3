"""Tensors on disk, in the safetensors format: a header in JSON and the raw numbers. Nothing in a file is ever run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .tensor import Tensor


def save(
    state_dict: Mapping[str, Any], path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None
) -> None:
    """Write tensors (or arrays) under their names, and texts that belong to them.

    The file is complete or not there at all: it is written beside its place, forced to disk, and moved. Raises
    TypeError for what is no tensor, OSError where the folder cannot be written to, ImportError without safetensors.

    >>> import tinygrad_lite as tg, tempfile
    >>> path = tempfile.mkdtemp() + "/weights.safetensors"
    >>> tg.io.save({"w": tg.Tensor([1.0])}, path, metadata={"epoch": "3"})
    >>> tg.io.load(path), tg.io.load_metadata(path)
    ({'w': Tensor([1.])}, {'epoch': '3'})
    """
    package = _safetensors()
    arrays = {name: _array(name, value) for name, value in state_dict.items()}
    texts = dict(metadata or {})
    for key, text in texts.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise TypeError(f"save: metadata maps texts to texts, got {key!r}: {text!r}; use str or json.dumps")
    _write(Path(path), package.numpy.save(arrays, texts or None))


def load(path: str | os.PathLike[str], device: Any = None) -> dict[str, Tensor]:
    """The tensors in a file, by name. ValueError where it is damaged or no safetensors file."""
    with _opened(path) as file:
        return {name: _tensor(path, name, file, device) for name in file.keys()}  # noqa: SIM118


def load_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """The texts in a file."""
    with _opened(path) as file:
        return dict(file.metadata() or {})


def _safetensors() -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            "saving and loading tensors needs the package safetensors: pip install 'tinygrad_lite[train]'"
        ) from None
    return safetensors


def _array(name: Any, value: Any) -> np.ndarray:
    if not isinstance(name, str):
        raise TypeError(f"save: names must be texts, got {name!r}")
    array = value._data if isinstance(value, Tensor) else value
    if not isinstance(array, np.ndarray):
        raise TypeError(f"save: {name!r} must be a tensor or an array, got {type(value).__name__}")
    return np.ascontiguousarray(array).reshape(array.shape)


def _write(path: Path, content: bytes) -> None:
    """All of the content, or nothing."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise type(error)(error.errno, f"save: cannot write {path}: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def _opened(path: str | os.PathLike[str]) -> Any:
    package = _safetensors()
    if not Path(path).is_file():
        raise FileNotFoundError(f"load: there is no file {os.fspath(path)}")
    try:
        with package.safe_open(os.fspath(path), framework="numpy") as file:
            yield file
    except package.SafetensorError as error:
        raise ValueError(
            f"load: {os.fspath(path)} is not a complete safetensors file ({error}); it is damaged or of another kind"
        ) from None


def _tensor(path: Any, name: str, file: Any, device: Any) -> Tensor:
    try:
        return Tensor(file.get_tensor(name), device=device)
    except (TypeError, AttributeError, KeyError) as error:  # float16, bfloat16 and the like
        raise ValueError(
            f"load: {name!r} in {os.fspath(path)} has a dtype that tensors cannot have ({error})"
        ) from None
