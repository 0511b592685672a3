"""What this machine is, for the record."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path


def processor() -> str:
    """Its name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def cores() -> int:
    """How many there are."""
    return os.cpu_count() or 1


def python() -> str:
    """Its version, and the system that it runs on."""
    return f"{platform.python_version()} on {platform.platform()}"


def version(package: str) -> str | None:
    """Of a package; None where it is not installed."""
    try:
        return installed_version(package)
    except PackageNotFoundError:
        return None
