"""`tinygrad-lite info`: what is here, for people and for bug reports."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from .. import machine

PACKAGES = "numpy numba llvmlite numba-cuda safetensors rich matplotlib scikit-learn".split()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command has no options."""


def run(args: argparse.Namespace) -> int:
    """Print a line for each fact."""
    for name, value in facts():
        print(f"{name:>14}  {value}")
    return 0


def facts() -> Iterator[tuple[str, str]]:
    """What is here, by name."""
    yield "tinygrad_lite", machine.version("tinygrad_lite") or "not installed"
    yield "Python", machine.python()
    for package in PACKAGES:
        yield package, machine.version(package) or "not installed"
    yield "processor", _processor()
    yield "vectors", _vectors()
    yield from _kernels()
    yield "GPU", _gpu()
    yield "devices", "cpu (compiled kernels), numpy (reference)"


def _processor() -> str:
    import llvmlite.binding as llvm

    return f"{machine.processor()} ({llvm.get_host_cpu_name()}), {machine.cores()} cores"


def _vectors() -> str:
    import llvmlite.binding as llvm
    from tinygrad_lite_kernels.cpu.matmul_tile import vector_bytes

    known = llvm.get_host_cpu_features()
    found = [f for f in ("sse2", "avx", "avx2", "fma", "avx512f", "neon") if known.get(f)]
    return f"{vector_bytes() * 8} bits ({', '.join(found)})"


def _kernels() -> Iterator[tuple[str, str]]:
    from tinygrad_lite_kernels import cache
    from tinygrad_lite_kernels.threads import get_num_threads

    entries, size = cache.usage()
    yield "threads", f"{get_num_threads()} (set with $TINYGRAD_LITE_NUM_THREADS)"
    yield "kernel cache", f"{cache.folder()}: {entries} kernels, {size / 1e6:.1f} MB"


def _gpu() -> str:
    """Without importing CUDA."""
    driver = Path("/proc/driver/nvidia/version").exists() or Path("/dev/nvidiactl").exists()
    installed = importlib.util.find_spec("numba_cuda") is not None
    if driver:
        return "NVIDIA driver found" + ("" if installed else "; numba-cuda is not installed")
    return "none found"
