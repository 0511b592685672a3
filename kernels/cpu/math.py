"""The scalar functions of elementwise kernels, for every dtype: `function("exp", np.dtype("float32"))`.

Most are branch-free, so that a loop that calls them becomes vector code; docs/numerics.md has their accuracy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from ..native import Helper
from . import math_basic, math_erf, math_exp, math_inverse, math_log, math_pow, math_trig
from .math_words import Word, copysign, traced

FLOATS, INTEGERS, BOOL = "fd", "bhilqBHILQ", "?"

# name -> for which dtypes (NumPy's letters), number of arguments, function of that many words
FUNCTIONS: dict[str, list[tuple[str, int, Callable[..., Word]]]] = {}


def _add(kinds: str, arity: int, **functions: Callable[..., Word]) -> None:
    for name, f in functions.items():
        FUNCTIONS.setdefault(name, []).append((kinds, arity, f))


def _module(module: Any, names: str, kinds: str = FLOATS, arity: int = 1) -> None:
    _add(kinds, arity, **{name: getattr(module, name) for name in names.split()})


_module(math_exp, "exp expm1 sigmoid sinh cosh tanh")
_module(math_log, "log log2 log10 log1p")
_module(math_trig, "sin cos tan")
_module(math_inverse, "asin acos atan asinh acosh atanh")
_module(math_erf, "erf erfc")
_module(math_basic, "sqrt rsqrt floor ceil trunc")
_module(math_basic, "hypot nextafter", arity=2)
_module(math_inverse, "atan2", arity=2)
_module(math_pow, "pow", arity=2)
_module(math_basic, "isnan isinf isfinite", FLOATS + INTEGERS + BOOL)
_module(math_basic, "signbit sign", FLOATS + INTEGERS)
_module(math_basic, "maximum minimum", FLOATS + INTEGERS + BOOL, 2)
_module(math_basic, "remainder floor_divide", FLOATS + INTEGERS, 2)
_add(FLOATS, 2, copysign=copysign)
_add(FLOATS, 1, round=math_basic.round_to_even)
_add(INTEGERS + BOOL, 1, **dict.fromkeys(["floor", "ceil", "trunc", "round"], math_basic.same))
_add(FLOATS + INTEGERS + BOOL, 1, abs=math_basic.absolute)
_add(INTEGERS + BOOL, 1, bitwise_invert=math_basic.invert)
_add(INTEGERS, 2, bitwise_left_shift=math_basic.shift_left, bitwise_right_shift=math_basic.shift_right)


@lru_cache(1024)
def function(name: str, dtype: np.dtype) -> Helper | None:
    """What computes an operation on scalars of one dtype inside kernels; None where there is nothing.

    >>> function("exp", np.dtype(np.float32)).__name__
    'exp_float32'
    """
    dtype = np.dtype(dtype)
    if name == "pow" and dtype.kind in "iu":
        return _integer_power(dtype)
    for kinds, arity, f in FUNCTIONS.get(name, []):
        if dtype.char in kinds:
            return traced(f, arity, dtype, f"{name} {dtype} {_source()}", f"{name}_{dtype.name}")
    return None


def _integer_power(dtype: np.dtype) -> Helper:
    """Numba's loop, on 64 bits: it has as many turns as the exponent has bits."""
    scope = {"T": np.int64 if dtype.kind == "i" else np.uint64, "__name__": __name__}
    function: Any = FunctionType(math_pow.integer_power.__code__, scope, f"pow_{dtype.name}")
    function.source = f"pow {scope['T']} {_source()}"
    return Helper(function)


@cache
def _source() -> str:
    """A digest of the text of these files, by which the kernel cache knows their functions."""
    files = sorted(Path(__file__).parent.glob("math*.py"))
    return hashlib.blake2b(b"".join(f.read_bytes() for f in files), digest_size=16).hexdigest()
