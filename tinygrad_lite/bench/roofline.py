"""The roofline: how fast our kernels are for the work that they do with each byte, under what the machine allows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..plots import new_figure, save
from .case import Row
from .families import FAMILIES
from .peaks import Peaks

MARKERS = dict(zip(FAMILIES, "osPD^*vx", strict=True))


def draw(rows: Sequence[Row], peaks: Peaks, path: Path) -> None:
    """A PNG file: operations a byte against operations a second, both on logarithmic scales."""
    figure, ax = new_figure()
    shown = [r for r in rows if r.flops and r.bytes]
    ridge = peaks.flops / peaks.bandwidth
    x = [r.flops / r.bytes for r in shown] + [ridge]
    line = np.geomspace(min(x) / 2, max(x) * 4, 200)
    roof = f"{peaks.flops / 1e9:.0f} GFLOP/s, copy {peaks.bandwidth / 1e9:.0f} GB/s"
    ax.loglog(line, [peaks.attainable(v) / 1e9 for v in line], color="black", linewidth=1, label=roof)
    for family in FAMILIES:
        points = [(r.flops / r.bytes, r.flops / r.ours / 1e9) for r in shown if r.family == family]
        if points:
            ax.plot(*zip(*points, strict=True), MARKERS[family], label=family, markersize=5, alpha=0.7)
    ax.set(xlabel="operations a byte", ylabel="GFLOP/s", title="our kernels under the machine's roof")
    ax.text(0.02, 0.97, "above the slope: data from cache", transform=ax.transAxes, fontsize=8, va="top")
    ax.grid(alpha=0.3, which="both")
    ax.legend(loc="lower right", fontsize=8)
    save(figure, path)
