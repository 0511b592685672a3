"""NumPy says axis and keepdims, PyTorch dim and keepdim. Functions are written with the first and take both."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
OTHER = {"dim": "axis", "keepdim": "keepdims", "dims": "axis", "start_dim": "start_axis", "end_dim": "end_axis"}


def _respelled(function: str, options: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in options.items():
        known = OTHER.get(name, name)
        if known in found:
            raise TypeError(f"{function}: {name} and {known} are two names of one argument")
        found[known] = value
    return found


def both_spellings(function: F) -> F:
    """Let a function take `dim` for `axis` and `keepdim` for `keepdims`."""

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        return function(*args, **(options and _respelled(function.__name__, options)))

    return call  # type: ignore[return-value]
