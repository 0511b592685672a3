"""Which compiled function computes a scalar operation on a dtype."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from .. import native
from . import float_math, power
from .coefficients import FLOAT32, FLOAT64
from .integer_math import FUNCTIONS as INTEGER

POLYNOMIALS = ("EXP", "LOG", "SIN", "COS", "ERF", "ERFC")


@native.helper
def _not(x):
    return not x


@native.helper
def _or(a, b):
    return a | b


@native.helper
def _and(a, b):
    return a & b


BOOLEAN = {"bitwise_invert": _not, "maximum": _or, "minimum": _and} | {
    name: INTEGER[name] for name in ("isnan", "isinf", "isfinite", "floor", "ceil", "trunc", "round")
}


def horner(name: str, coefficients: list[float], T: Any) -> native.Helper:
    """The polynomial with these coefficients (lowest first) as straight-line code."""
    text = f"T({coefficients[-1]!r})"
    for c in reversed(coefficients[:-1]):
        text = f"T({c!r}) + x * ({text})"
    source = f"def {name}(x):\n    return {text}\n"
    return native.Helper(native.printed(source, name, {"T": T}))


@cache
def _floats(char: str) -> dict[str, Any]:
    """The functions of one precision by name."""
    table = {"f": FLOAT32, "d": FLOAT64}[char]
    constants = {k: v for k, v in table.items() if k not in POLYNOMIALS}
    constants |= {f"{k.lower()}_poly": horner(f"{k.lower()}_poly", table[k], table["T"]) for k in POLYNOMIALS}
    scope = native.specialized_helpers(vars(float_math), constants)
    wide = scope if char == "d" else _floats("d")
    parts = {f"{name}64": wide[name] for name in ("log_parts", "exp_poly", "power_of_two", "nearest")}
    scope["pow"] = native.specialized_helpers(vars(power), {"T": table["T"], **parts})["pow"]
    return scope


def function(name: str, dtype: np.dtype) -> native.Helper | None:
    """The helper that computes the operation `name` on values of a dtype; None where there is none."""
    table = _floats(dtype.char) if dtype.kind == "f" else BOOLEAN if dtype.kind == "b" else INTEGER
    found = table.get(name)
    return found if isinstance(found, native.Helper) else None
