"""All that was measured, with the machine, the versions and the date, as one JSON file."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from .. import machine
from .case import Row
from .families import FAMILIES
from .peaks import Peaks
from .rates import losses_agree, rate, share

FORMAT = "tinygrad_lite benchmarks 1"
PACKAGES = "tinygrad_lite numpy numba llvmlite torch jax".split()


def record(rows: list[Row], peaks: Peaks, settings: dict[str, Any]) -> dict[str, Any]:
    """What goes into the file. Times are seconds, rates 10**9 a second, ratios multiples of our time."""
    return {
        "format": FORMAT,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": {"processor": machine.processor(), "cores": machine.cores(), "python": machine.python()},
        "versions": {name: machine.version(name) for name in PACKAGES},
        "settings": settings,
        "peaks": peaks._asdict(),
        "rows": [_row(row, peaks) for row in rows],
    }


def _row(row: Row, peaks: Peaks) -> dict[str, Any]:
    told = {"ratios": row.ratios(), "rate": rate(row), "unit": FAMILIES[row.family], "share": share(row, peaks)}
    return {**row._asdict(), **told, "losses_agree": losses_agree(row) if row.losses else None}
