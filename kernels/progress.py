"""A line on the terminal while kernels compile, so that nobody wonders why the first step takes seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 0.5  # seconds of compiling before a line appears
count, seconds = 0, 0.0  # of this process so far


@contextmanager
def compiling() -> Iterator[None]:
    """Around the compilation of one kernel. The line is gone afterwards; nothing is written where nobody looks."""
    global count, seconds
    start, terminal = time.perf_counter(), sys.stderr
    text = f"compiling kernels: {count + 1}, {seconds:.1f} s so far; they are kept for the next start"
    shown = seconds > PATIENCE and terminal is not None and terminal.isatty()
    if shown:
        _write(f"\r{text}")
    try:
        yield
    finally:
        count, seconds = count + 1, seconds + time.perf_counter() - start
        if shown:
            _write("\r" + " " * len(text) + "\r")


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
