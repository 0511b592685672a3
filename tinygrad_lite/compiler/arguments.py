"""The arguments of a call, taken apart: tensors, and everything else, which is part of what a plan was made for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tinygrad_lite_kernels import threads

from ..errors import TraceError
from ..tensor import Tensor


class Arguments:
    """tensors: each once, in order. key: what must be the same for a plan to fit."""

    def __init__(self, args: Sequence[Any], options: dict[str, Any]):
        self.tensors: list[Tensor] = []
        self.names: list[str] = []
        self._numbers: dict[int, int] = {}
        key = [self._key(f"argument {i}", a) for i, a in enumerate(args)]
        for name in sorted(options):
            key.append((name, self._key(f"argument {name!r}", options[name])))
        self.key = tuple(key)

    def _key(self, name: str, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self._tensor(name, value)
        if isinstance(value, (list, tuple)):
            return type(value), tuple([self._key(f"{name}[{i}]", v) for i, v in enumerate(value)])
        if isinstance(value, dict):
            return dict, tuple([(k, self._key(f"{name}[{k!r}]", v)) for k, v in value.items()])
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]
            return type(value), tuple([(n, self._key(f"{name}.{n}", v)) for n, v in fields])
        try:
            hash(value)
        except TypeError:
            raise TraceError(
                f"jit: {name} is a {type(value).__name__}, which cannot be compared with that of an earlier call; "
                "pass a tensor (tg.asarray), a number, or a container of these"
            ) from None
        return type(value), value

    def _tensor(self, name: str, x: Tensor) -> Any:
        number = self._numbers.get(id(x))
        if number is not None:
            return number
        if x._node is not None:
            raise TraceError(
                f"jit: {name} was computed by a recorded operation ({x._node.primitive.name}), and gradients cannot "
                "flow back out of a jitted function; pass it detached (.detach()), or do that operation inside"
            )
        if x.grad is not None and x.requires_grad:
            raise TraceError(
                f"jit: {name} has a gradient already; set .grad to None first, so that it is clear whose it is"
            )
        self._numbers[id(x)] = len(self.tensors)
        self.tensors.append(x)
        self.names.append(name)
        data = x._data
        return type(x), data.shape, data.strides, data.dtype.char, x._device, x.requires_grad


def plain_key(args: Sequence[Any]) -> Any:
    """The key of different tensors that want no gradients, which is quick to make; None for other arguments."""
    arrays, places = [], []
    for x in args:
        if type(x) is not Tensor or x.requires_grad:
            return None
        arrays.append(x._data)
        places.append(x._device)
    if not 0 < len(set(map(id, args))) == len(args) <= threads.MAX_OPERANDS:
        return None
    layouts = threads.signature(*arrays)
    return (layouts, *places) if layouts else None


def replaced(value: Any, change: Callable[[Tensor], Any]) -> Any:
    """The same containers with other tensors."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(replaced(v, change) for v in value))
    if isinstance(value, (list, tuple)):
        return type(value)(replaced(v, change) for v in value)
    if isinstance(value, dict):
        return {k: replaced(v, change) for k, v in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: replaced(getattr(value, f.name), change) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    return value


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors in nested containers, in order."""
    found: list[Tensor] = []
    replaced(value, found.append)
    return iter(found)
