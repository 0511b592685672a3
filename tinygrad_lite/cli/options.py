"""Kinds of option values, with errors that say what would be right."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def _number(kind: type, test: Callable[[float], bool], wanted: str) -> Callable[[str], float]:
    def convert(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not test(value):
            raise argparse.ArgumentTypeError(f"must be {wanted}, got {text!r}")
        return value

    return convert


positive_int = _number(int, lambda v: v > 0, "a positive integer")
natural = _number(int, lambda v: v >= 0, "an integer that is not negative")
positive = _number(float, lambda v: 0 < v < float("inf"), "a positive number")
not_negative = _number(float, lambda v: 0 <= v < float("inf"), "a number that is not negative")
fraction = _number(float, lambda v: 0 <= v < 1, "a number from 0 to below 1")


def sizes(text: str) -> tuple[int, ...]:
    """Layer sizes like "128,64"."""
    try:
        found = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        found = (0,)
    if any(n < 1 for n in found):
        raise argparse.ArgumentTypeError(f"must be positive integers with commas, like 128,64, got {text!r}")
    return found
