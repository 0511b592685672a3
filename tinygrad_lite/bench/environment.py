"""The environment that makes a comparison fair. It only counts if it is there before NumPy is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

# OpenBLAS reads OMP_NUM_THREADS, jax NPROC.
THREADS = "OMP_NUM_THREADS MKL_NUM_THREADS NPROC TINYGRAD_LITE_NUM_THREADS".split()
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"


def clean(environment: Mapping[str, str], threads: int) -> dict[str, str]:
    """Without OPENBLAS_* settings (of the cores' type, say), and with the same number of threads for everybody."""
    kept = {name: value for name, value in environment.items() if not name.startswith("OPENBLAS_")}
    flags = [f for f in kept.get("XLA_FLAGS", "").split() if f != ONE_THREAD] + [ONE_THREAD] * (threads == 1)
    return kept | dict.fromkeys(THREADS, str(threads)) | {"XLA_FLAGS": " ".join(flags)}


def start_clean(threads: int = 1) -> None:
    """Start this program anew in the clean environment, unless it is already in it."""
    wanted = clean(os.environ, threads)
    if wanted != dict(os.environ):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted)
