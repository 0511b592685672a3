"""What a person did wrong, in one sentence that says what came and what to do."""

from __future__ import annotations

import importlib
from typing import Any


class UserError(Exception):
    """Shown by the command line without a traceback, with exit code 2."""


class TraceError(RuntimeError):
    """A jitted function does something that cannot be repeated on other values."""


def needs(module: str, purpose: str) -> Any:
    """Import a module of an extra, or say how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = {"sklearn": "scikit-learn"}.get(module.split(".")[0], module.split(".")[0])
        raise UserError(
            f"{purpose} needs the package {package}, which is not installed: pip install 'tinygrad_lite[train]'"
        ) from None
