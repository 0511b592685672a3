"""Machine code on disk: one file an entry, named by the hash of all that it was made from.

An entry is written whole or not at all, so concurrent processes need no lock. A damaged entry (its checksum does not
match) counts as absent and is replaced. Loading an entry means running it: the folder belongs to its user alone.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

MAGIC = b"tinygrad_lite kernel 1\n"
_DIGEST = 32


def folder() -> Path:
    """Where entries live: `$TINYGRAD_LITE_CACHE`, `$XDG_CACHE_HOME/tinygrad_lite` or `~/.cache/tinygrad_lite`."""
    if chosen := os.environ.get("TINYGRAD_LITE_CACHE"):
        return Path(chosen)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tinygrad_lite"
    except RuntimeError:  # a user without a home has no cache: this folder cannot exist
        return Path(os.devnull, "tinygrad_lite")


def load(key: str) -> bytes | None:
    """The code stored under `key`, or None where there is none that is whole and this user's own."""
    path = folder() / f"{key}.o"
    try:
        if hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
            return None
        data = path.read_bytes()
    except OSError:
        return None
    head = len(MAGIC) + _DIGEST
    code = data[head:]
    whole = data[:head] == MAGIC + hashlib.sha256(code).digest()
    return code if whole else None


def store(key: str, code: bytes) -> None:
    """Keep `code` under `key`. A folder that cannot be written costs the next process a compilation, nothing else."""
    target = folder()
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target, prefix=".new-")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + hashlib.sha256(code).digest() + code)
        os.replace(temporary, target / f"{key}.o")
    except OSError:
        Path(temporary).unlink(missing_ok=True)


def usage() -> tuple[int, int]:
    """How many entries there are and how many bytes they take."""
    sizes = [entry.stat().st_size for entry in folder().glob("*.o")]
    return len(sizes), sum(sizes)


def clear() -> None:
    """Delete every entry; kernels are compiled again when they are next needed."""
    for entry in folder().glob("*.o"):
        entry.unlink(missing_ok=True)
