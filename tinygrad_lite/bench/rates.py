"""What a time means: operations or bytes a second, and how much of the machine's peak that is."""

from __future__ import annotations

from .case import Row
from .families import FAMILIES
from .peaks import Peaks

LOSS_TOLERANCE, LOSS_ROUNDING = 1e-3, 1e-5


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
    """A fast wrong answer is none: all losses, the first and the last, are those of ours, near zero to rounding."""
    ours = next(iter(row.losses.values()), (0.0, 0.0))
    return all(_close(a, b, ours[0]) for pair in row.losses.values() for a, b in zip(pair, ours, strict=True))


def _close(loss: float, ours: float, start: float) -> bool:
    """To a thousandth of itself, or a hundred-thousandth of where training started."""
    return abs(loss - ours) <= LOSS_TOLERANCE * abs(ours) + LOSS_ROUNDING * abs(start)
