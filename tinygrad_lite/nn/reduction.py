"""What becomes of the losses of single elements."""

from __future__ import annotations

from typing import Any

from ..ops import statistics
from ..tensor import Tensor

REDUCTIONS: dict[str, Any] = {"mean": statistics.mean, "sum": statistics.sum, "none": lambda losses: losses}


def check_reduction(name: str, reduction: str) -> None:
    """ValueError where there is no such reduction."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{name}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}")


def reduce_loss(losses: Tensor, reduction: str) -> Tensor:
    """Their mean, their sum, or the losses themselves."""
    return REDUCTIONS[reduction](losses)
