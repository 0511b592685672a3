"""Files that a command writes: whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ..errors import UserError


@contextlib.contextmanager
def writing(option: str, path: str | Path) -> Iterator[None]:
    """Errors of writing inside are UserErrors that name the option."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{option} {path}: cannot write there ({error.strerror}); choose another file") from None


def write_text(option: str, path: str | Path, text: str) -> None:
    """Written beside its place and moved. UserError where that is not possible."""
    temporary = _beside(path)
    with writing(option, path):
        temporary.write_text(text)
        temporary.replace(path)


def check_writable(option: str, path: str | Path) -> None:
    """Before long work whose result could not be kept."""
    temporary = _beside(path)
    with writing(option, path):
        if Path(path).is_dir():
            raise IsADirectoryError(None, "it is a folder")
        temporary.touch()
        temporary.unlink()


def _beside(path: str | Path) -> Path:
    path = Path(path)
    return path.parent / f".{path.name}.new"
