"""What is different between the arguments of two calls, from the keys that `compiler.arguments` makes of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

ASPECTS = ("type", "shape", "strides", "dtype", "device", "requires_grad")  # of a tensor, as in its key
TOLD: dict[str, Callable[[Any], str]] = {"type": lambda kind: kind.__name__, "dtype": lambda char: np.dtype(char).name}


def differences(now: Sequence[Any], before: Sequence[Any]) -> Iterator[str]:
    """A sentence for each argument that is not the same."""
    yield from _of_parts("the call", dict(_named(now)), dict(_named(before)))


def _named(key: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    for i, part in enumerate(key):
        is_option = isinstance(part, tuple) and isinstance(part[0], str)
        yield (f"argument {part[0]!r}", part[1]) if is_option else (f"argument {i}", part)


def _of_parts(name: str, now: dict[str, Any], before: dict[str, Any]) -> Iterator[str]:
    for part in now:
        if part not in before:
            yield f"{name} has {part}, which was not there"
        elif now[part] != before[part]:
            yield from _difference(part, now[part], before[part])
    yield from (f"{name} has no {part}, which was there" for part in before if part not in now)


def _difference(name: str, now: Any, before: Any) -> Iterator[str]:
    if _is_tensor(now) and _is_tensor(before):
        yield from _of_tensors(name, now, before)
    elif type(now) is type(before) is tuple and now[0] is before[0] and _parts(name, now) is not None:
        yield from _of_parts(name, dict(_parts(name, now) or ()), dict(_parts(name, before) or ()))
    else:
        yield f"{name} is {_described(now)}, it was {_described(before)}"


def _of_tensors(name: str, now: Any, before: Any) -> Iterator[str]:
    new, old = (dict(zip(ASPECTS, key, strict=True)) for key in (now, before))
    different = [aspect for aspect in ASPECTS if new[aspect] != old[aspect]]
    for aspect in different:
        if aspect != "strides" or not {"shape", "dtype"}.intersection(different):  # of which they are a consequence
            told = TOLD.get(aspect, str)
            yield f"{name} has {aspect} {told(new[aspect])}, it was {told(old[aspect])}"


def _is_tensor(key: Any) -> bool:
    return isinstance(key, tuple) and len(key) == len(ASPECTS)


def _parts(name: str, key: Any) -> list[tuple[str, Any]] | None:
    """What is in a container, by the name that one would write; None for other values."""
    kind, value = key
    if issubclass(kind, (list, tuple)):
        return [(f"{name}[{i}]", v) for i, v in enumerate(value)]
    if issubclass(kind, dict):
        return [(f"{name}[{k!r}]", v) for k, v in value]
    return [(f"{name}.{k}", v) for k, v in value] if dataclasses.is_dataclass(kind) else None


def _described(key: Any) -> str:
    if isinstance(key, int):
        return "the same tensor as one before it"
    return f"a {key[0].__name__}" if _is_tensor(key) or _parts("", key) is not None else repr(key[1])
