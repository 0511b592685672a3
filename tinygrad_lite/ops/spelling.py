"""NumPy says axis and keepdims, PyTorch dim and keepdim. Functions are written with the first and take both."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
OTHER = {"dim": "axis", "keepdim": "keepdims", "dims": "axis", "start_dim": "start_axis", "end_dim": "end_axis"}


def both_spellings(function: F) -> F:
    """Let a function take `dim` for `axis` and `keepdim` for `keepdims`."""

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        if options:
            options = {OTHER.get(name, name): value for name, value in options.items()}
        return function(*args, **options)

    return call  # type: ignore[return-value]
