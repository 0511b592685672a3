"""What a time means: operations or bytes a second, and how much of the machine's peak that is."""

from __future__ import annotations

from .case import Row
from .families import FAMILIES
from .peaks import Peaks

LOSS_TOLERANCE = 1e-3


def rate(row: Row) -> float | None:
    """Of ours, in 10**9 a second of what its family counts; None where there is nothing to count."""
    work = {"GFLOP/s": row.flops, "GB/s": row.bytes}.get(FAMILIES[row.family])
    return work / row.ours / 1e9 if work else None


def share(row: Row, peaks: Peaks) -> float | None:
    """The rate of ours as a part of the peak. More than 1 GB/s / peak means that the data stay in a cache."""
    peak = {"GFLOP/s": peaks.flops, "GB/s": peaks.bandwidth}.get(FAMILIES[row.family])
    found = rate(row)
    return found * 1e9 / peak if found and peak else None


def losses_agree(row: Row) -> bool:
    """A fast wrong answer is none: all losses, the first and the last, are those of ours."""
    pairs = list(row.losses.values())
    return all(abs(a - b) <= LOSS_TOLERANCE * abs(b) for pair in pairs for a, b in zip(pair, pairs[0], strict=True))
