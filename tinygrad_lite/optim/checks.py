"""What the options of optimizers must fulfil."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def not_negative(name: str, group: Mapping[str, Any], *options: str) -> None:
    """ValueError where one of these options is negative or not a number."""
    for option in options:
        if not group[option] >= 0:
            raise ValueError(f"{name}: {option} must not be negative, got {group[option]!r}")
