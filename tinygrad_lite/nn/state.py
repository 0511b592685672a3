"""The state of a module: its parameters and saved buffers by name, read and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..autograd.modes import no_grad
from ..ops.primitive import in_place
from ..tensor import Tensor
from .parameter import Parameter


class Incompatible(NamedTuple):
    """What `load_state_dict` found missing and what it did not expect."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def named_state(module: Any, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Parameters and saved buffers under every name they have: what two modules share comes twice."""
    own = vars(module)
    for name, value in own.items():
        if isinstance(value, Parameter) or (isinstance(value, Tensor) and module._buffers.get(name)):
            yield prefix + name, value
    for name, value in own.items():
        if hasattr(value, "named_parameters"):
            yield from named_state(value, f"{prefix}{name}.")


def load(module: Any, values: Mapping[str, Any], strict: bool) -> Incompatible:
    """Check all names and shapes, then write: a module is never left half loaded."""
    if not isinstance(values, Mapping):
        raise TypeError(f"load_state_dict: expected a dict of names and tensors, got {type(values).__name__}")
    own = dict(named_state(module))
    result = Incompatible([n for n in own if n not in values], [n for n in values if n not in own])
    found = {name: _value(name, values[name]) for name in own if name in values}
    misshaped = [
        f"{name}: {found[name].shape} given, {t.shape} needed" for name, t in own.items()
        if name in found and found[name].shape != t.shape
    ]  # fmt: skip
    problems = {"missing": result.missing_keys, "unexpected": result.unexpected_keys} if strict else {}
    problems["of the wrong shape"] = misshaped
    if any(problems.values()):
        lines = [f"  {what}: {', '.join(names)}" for what, names in problems.items() if names]
        raise ValueError("\n".join([f"load_state_dict: the values do not fit {type(module).__name__};", *lines]))
    for name, array in found.items():
        write(own[name], array)
    return result


def write(target: Tensor, values: np.ndarray) -> None:
    """Put values into a tensor's own memory, in its dtype, unrecorded."""
    with no_grad():
        new = Tensor(values, target.dtype, target._device)
        in_place(target, lambda _: new, "load_state_dict")


def _value(name: str, value: Any) -> np.ndarray:
    if isinstance(value, Tensor):
        return value._data
    if isinstance(value, (np.ndarray, np.generic, int, float)):
        return np.asarray(value)
    raise TypeError(f"load_state_dict: the value of {name!r} must be a tensor or an array, got {type(value).__name__}")
