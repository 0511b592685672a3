"""Files that a command writes: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import UserError


def write_text(option: str, path: str | Path, text: str) -> None:
    """Written beside its place and moved. UserError, with the option's name, where that is not possible."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_text(text)
        temporary.replace(path)
    except OSError as error:
        raise _cannot(option, path, error.strerror) from None


def check_writable(option: str, path: str | Path) -> None:
    """Before hours of work whose result could not be kept."""
    path = Path(path)
    if path.is_dir():
        raise _cannot(option, path, "it is a folder")
    if not path.parent.is_dir():
        raise _cannot(option, path, f"there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise _cannot(option, path, f"the folder {path.parent} is not yours to write in")


def _cannot(option: str, path: Path, reason: str | None) -> UserError:
    return UserError(f"{option} {path}: cannot write there ({reason}); choose another file")
