"""What a family says of one computation, and what is known of it once it has been timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..devices import Device
from .libraries import Library

Run = Callable[[], Any]
COLUMNS = {"cpu": "ours", "numpy": "reference", "cuda": "ours on GPU"}


class Case(NamedTuple):
    """One computation, done by all who are compared: ours first.

    flops: its floating-point operations. bytes: what it must at least read and write. losses: how many steps to take
    before the timing, whose losses are compared; 0 for what is no training step. warm: call once before the timing.
    """

    label: str
    runs: dict[str, Run]
    flops: float = 0.0
    bytes: float = 0.0
    losses: int = 0
    warm: bool = True


class Row(NamedTuple):
    """A case with the median seconds of each, and the losses of the first and last step that were compared."""

    family: str
    label: str
    flops: float
    bytes: float
    seconds: dict[str, float]
    losses: dict[str, tuple[float, float]]

    @property
    def ours(self) -> float:
        """The seconds that all others are compared with."""
        return next(iter(self.seconds.values()))

    def ratios(self) -> dict[str, float]:
        """How many times longer each other one takes than ours."""
        return {name: t / self.ours for name, t in list(self.seconds.items())[1:]}


class Contestants(NamedTuple):
    """Who is compared: our devices and the installed libraries."""

    devices: tuple[Device, ...]
    libraries: dict[str, Library]

    def ours(self, make: Callable[[Device], Run], kind: str = "") -> dict[str, Run]:
        """The runs of our devices; kind: which of several that a family has."""
        return {f"{COLUMNS[d.name]} {kind}".strip(): make(d) for d in self.devices}

    def peers(self, makers: Mapping[str, Callable[[Library], Run]]) -> dict[str, Run]:
        """The runs of those whose first word is a library that takes part."""
        known = self.libraries
        return {name: make(known[name.split()[0]]) for name, make in makers.items() if name.split()[0] in known}

    def all(self, make: Callable[[Library], Run], without: str = "") -> dict[str, Run]:
        """The runs of all libraries but one."""
        return self.peers({name: make for name in self.libraries if name != without})
