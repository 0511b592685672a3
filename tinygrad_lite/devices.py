"""Devices: each is a set of kernels with the same names and contracts, found by the word that users write."""

from __future__ import annotations

import importlib
import os
from types import ModuleType
from typing import Any

_PACKAGES = {"numpy": "tinygrad_lite_kernels.reference", "cpu": "tinygrad_lite_kernels.cpu"}


class Device:
    """One set of kernels. `device.matmul` is its module `matmul`, imported when first used."""

    def __init__(self, name: str):
        self.name = name

    def __getattr__(self, family: str) -> ModuleType:
        if family.startswith("_"):
            raise AttributeError(family)
        module = importlib.import_module(f"{_PACKAGES[self.name]}.{family}")
        setattr(self, family, module)
        return module

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> Any:
        return get, (self.name,)


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
