"""Devices: each is a set of kernels with the same names and contracts, found by the word that users write."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

FAMILIES = ("elementwise", "indexing", "matmul", "movement", "random", "reduce", "scan", "sort")
_PACKAGES = {"numpy": "tinygrad_lite_kernels.reference", "cpu": "tinygrad_lite_kernels.cpu"}


class _Tracing(threading.local):
    """What a thread records its kernels with instead of running them (see `compiler/trace.py`); None: it runs them."""

    tracer: Any = None


tracing = _Tracing()


class Device:
    """One set of kernels. `device.matmul` is its module `matmul`, imported when first used."""

    elementwise: Any
    indexing: Any
    matmul: Any
    movement: Any
    random: Any
    reduce: Any
    scan: Any
    sort: Any

    def __init__(self, name: str):
        self.name = name
        self._modules: dict[str, ModuleType] = {}

    def module(self, family: str) -> ModuleType:
        """The kernels themselves."""
        found = self._modules.get(family)
        if found is None:
            found = self._modules[family] = importlib.import_module(f"{_PACKAGES[self.name]}.{family}")
        return found

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> Any:
        return get, (self.name,)


def _family(name: str) -> Any:
    def kernels(device: Device) -> Any:
        tracer = tracing.tracer
        return device.module(name) if tracer is None else tracer.family(device, name)

    return property(kernels)


for _name in FAMILIES:
    setattr(Device, _name, _family(_name))


def checked(name: str, device: Device, good: Any, function: Callable[..., None], array: Any) -> None:
    """Run a function that raises where values are not what they must be; while tracing, note it for every call.

    good: a program that is true for the elements of an array that is all right.
    """
    if tracing.tracer is None:
        function(array)
    else:
        tracing.tracer.check(name, device, good, function, array)


_devices = {name: Device(name) for name in _PACKAGES}


def get(device: str | Device | None = None) -> Device:
    """The device of that name; the default one for None."""
    if device is None:
        return _default
    if isinstance(device, Device):
        return device
    if device not in _devices:
        raise ValueError(f"device {device!r} is not known; known: {', '.join(map(repr, _devices))}")
    return _devices[device]


def names() -> list[str]:
    """The devices that tensors can be on."""
    return list(_devices)


def set_default_device(device: str) -> None:
    """Where tensors are made from now on: "cpu" (compiled kernels) or "numpy" (the reference).

    `$TINYGRAD_LITE_DEVICE` chooses the first default.
    """
    global _default
    _default = get(device)


_default: Device = _devices.get(os.environ.get("TINYGRAD_LITE_DEVICE", "cpu"), _devices["cpu"])
