"""The data types of tensors: NumPy's, under the array API standard's names."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from tinygrad_lite_kernels.expr import common_dtype

bool_ = np.dtype(np.bool_)
int8, int16, int32, int64 = (np.dtype(f"int{bits}") for bits in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64))
float32, float64 = np.dtype(np.float32), np.dtype(np.float64)

DEFAULT_FLOAT, DEFAULT_INT = float32, int64
ALL = {d.name: d for d in (bool_, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64)}
_CHARS = frozenset(d.char for d in ALL.values()) | {"q", "Q"}  # Linux spells int64 "l", some arrays come as "q"


def as_dtype(dtype: Any, name: str = "dtype") -> np.dtype:
    """The dtype that a name, a NumPy type or a Python type means; TypeError where tensors cannot have it.

    >>> as_dtype("float32"), as_dtype(float), as_dtype(int)
    (dtype('float32'), dtype('float32'), dtype('int64'))
    """
    if dtype is float:
        return DEFAULT_FLOAT
    try:
        found = np.dtype(dtype if dtype is not None else "None")  # NumPy takes None for float64
    except TypeError:
        raise TypeError(f"{name}: {dtype!r} is not a data type; known: {', '.join(ALL)}") from None
    return check(found, name)


def check(dtype: np.dtype, name: str) -> np.dtype:
    """The dtype itself where tensors can have it, else TypeError."""
    if dtype.char not in _CHARS:
        raise TypeError(f"{name}: dtype {dtype} is not supported; tensors hold {', '.join(ALL)}")
    return dtype.newbyteorder("=") if not dtype.isnative else dtype


def is_floating(dtype: np.dtype) -> bool:
    """Whether gradients can flow through values of this dtype."""
    return dtype.kind == "f"


def weak(value: bool | int | float, partner: np.dtype) -> np.dtype:
    """The dtype that a Python number takes beside a tensor of dtype `partner` (NEP 50)."""
    if isinstance(value, bool) or (isinstance(value, int) and partner.kind != "b") or partner.kind == "f":
        return partner
    return DEFAULT_FLOAT if isinstance(value, float) else DEFAULT_INT


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind: "bool", "signed integer", "unsigned integer", "integral", "real floating",
    "numeric", a dtype, or a tuple of these.

    >>> isdtype(float32, "real floating"), isdtype(int8, ("bool", "unsigned integer"))
    (True, False)
    """
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return any(_is_kind(as_dtype(_dtype_of(dtype), "isdtype"), k) for k in kinds)


_KINDS = {
    "bool": "b", "signed integer": "i", "unsigned integer": "u", "integral": "iu", "real floating": "f",
    "complex floating": "", "numeric": "iuf",
}  # fmt: skip


def _is_kind(dtype: np.dtype, kind: Any) -> bool:
    if isinstance(kind, str) and kind not in ALL:
        if kind not in _KINDS:
            raise ValueError(f"isdtype: {kind!r} is not a kind; known: {', '.join(_KINDS)}, and dtypes")
        return dtype.kind in _KINDS[kind]
    return dtype == as_dtype(kind, "isdtype")


def _dtype_of(value: Any) -> Any:
    """The dtype of a tensor or an array; anything else as it is."""
    return value.dtype if hasattr(value, "dtype") and not isinstance(value, np.dtype) else value


def result_type(*values: Any) -> np.dtype:
    """The dtype that tensors, dtypes and Python numbers combine to. A float dtype wins over integers.

    >>> result_type(int32, float32, 1.5), result_type(int8, uint8)
    (dtype('float32'), dtype('int16'))
    """
    if not values:
        raise ValueError("result_type: needs at least one tensor, dtype or number")
    return as_dtype(common_dtype([_weak_or_strong(v) for v in values]))


def _weak_or_strong(value: Any) -> Any:
    for weak_type in (bool, int, float):
        if isinstance(value, weak_type):
            return weak_type
    return as_dtype(_dtype_of(value), "result_type")


def can_cast(from_: Any, to: Any) -> bool:
    """Whether every value of a dtype (or of a tensor's dtype) is kept in another.

    >>> can_cast(int32, float64), can_cast(int64, float32)
    (True, False)
    """
    return bool(np.can_cast(as_dtype(_dtype_of(from_), "can_cast"), as_dtype(to, "can_cast")))


class FloatInfo(NamedTuple):
    """The limits of a float dtype, as Python numbers; eps is the step above 1."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: np.dtype


def finfo(dtype: Any) -> FloatInfo:
    """The limits of a float dtype, or of a tensor's. TypeError for others.

    >>> finfo(float32).eps
    1.1920928955078125e-07
    """
    kind = as_dtype(_dtype_of(dtype), "finfo")
    if kind.kind != "f":
        raise TypeError(f"finfo: {kind} is not a float dtype; use iinfo")
    i = np.finfo(kind)
    return FloatInfo(i.bits, float(i.eps), float(i.max), float(i.min), float(i.smallest_normal), kind)


def iinfo(dtype: Any) -> Any:
    """The limits of an integer dtype, or of a tensor's, as `numpy.iinfo`. TypeError for others.

    >>> iinfo(int8).max
    127
    """
    kind = as_dtype(_dtype_of(dtype), "iinfo")
    if kind.kind not in "iu":
        raise TypeError(f"iinfo: {kind} is not an integer dtype; use finfo")
    return np.iinfo(kind)
