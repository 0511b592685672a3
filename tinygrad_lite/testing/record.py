"""What the table of operations says of one operation, and the values that it is tried on."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..tensor import Tensor

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Domain:
    """Where an input's values lie: `low` to `high`, at least `hole` away from 0; kind "b": truth values.

    gap: at least that far from the next integer. spread: all values differ by 0.1 or more.
    """

    low: float = -3.0
    high: float = 3.0
    hole: float = 0.0
    kind: str = ""
    gap: float = 0.0
    spread: bool = False

    def values(self, random: np.random.Generator, shape: Shape, dtype: np.dtype) -> np.ndarray:
        """An array of values that float32 can represent, or of integers, or of truth values."""
        if "b" in (self.kind, dtype.kind):
            return np.asarray(random.random(shape) < 0.5)
        if dtype.kind in "iu":
            return np.asarray(self._integers(random, shape, dtype.kind), dtype)
        return np.asarray(self._floats(random, shape), np.float32).astype(dtype)

    def _integers(self, random: np.random.Generator, shape: Shape, kind: str) -> np.ndarray:
        low = 0 if kind == "u" else min(int(self.low), 0)
        values = random.integers(low, int(self.high) + 1, shape)
        return np.where(values == 0, int(self.hole > 0 or self.low > 0), values)

    def _floats(self, random: np.random.Generator, shape: Shape) -> np.ndarray:
        x = random.uniform(self.low, self.high, shape)
        if self.spread:
            x = random.permutation(x.size).reshape(shape) * 0.25 - 0.1 * x.size + 0.02 * x
        if self.hole:
            x = np.where(np.abs(x) < self.hole, np.copysign(self.hole + np.abs(x), x), x)
        if self.gap:
            whole = np.floor(x)
            x = whole + self.gap + (1 - 2 * self.gap) * (x - whole)
        return x


REAL, POSITIVE, UNIT = Domain(), Domain(0.3, 3.0), Domain(-0.9, 0.9)
NONZERO, ABOVE_ONE, BETWEEN = Domain(hole=0.3), Domain(1.3, 4.0), Domain(gap=0.2)
DISTINCT, SMALL, PROBABILITY = Domain(spread=True), Domain(-2.0, 2.0), Domain(0.1, 0.9)


@dataclass(frozen=True)
class Case:
    """The shapes of the inputs and the parameters of one call."""

    shapes: tuple[Shape, ...]
    params: dict[str, Any]


def on(shapes: str, **params: Any) -> Case:
    """A case from text: `on("2x3 3", axis=0)` has inputs of shapes (2, 3) and (3,); "-" is (), "0x2" is empty."""
    sizes = [() if s == "-" else tuple(int(n) for n in s.split("x")) for s in shapes.split()]
    return Case(tuple(sizes), params)


@dataclass(frozen=True)
class Operation:
    """One operation of the library.

    call(*tensors, **params) and reference(*arrays, **params) compute the same. domains: one for each input, or one for
    all. dtypes: the kinds that it takes: f(loat), i(nteger), u(nsigned), b(ool). primitive: its name in the registry.
    order: up to which order it has derivatives (0: none; they are 0 where `flat`). view: the result may share memory
    with the first input. elementwise: works position by position, so it is tried on special values too.
    tolerance: of values relative to their size (or to 1, if they are smaller), in units of the machine epsilon.
    """

    name: str
    call: Callable[..., Any]
    reference: Callable[..., Any]
    cases: tuple[Case, ...]
    domains: tuple[Domain, ...] = (REAL,)
    dtypes: str = "f"
    primitive: str = ""
    order: int = 2
    flat: bool = False
    view: bool = False
    elementwise: bool = False
    tolerance: float = 16.0

    def domain(self, i: int) -> Domain:
        """Where the values of input i lie."""
        return self.domains[min(i, len(self.domains) - 1)]

    def arrays(self, case: Case, dtype: Any) -> list[np.ndarray]:
        """Inputs for a case: the same ones each time."""
        random = np.random.default_rng(zlib.crc32(repr((self.name, case.shapes)).encode()))
        kind = np.dtype(dtype)
        return [self.domain(i).values(random, shape, kind) for i, shape in enumerate(case.shapes)]

    def tensors(self, case: Case, device: str, dtype: Any = "float64") -> list[Tensor]:
        """The inputs as tensors; those of floats require gradients where the operation has them."""
        made = [Tensor(a, device=device) for a in self.arrays(case, dtype)]
        return [t.requires_grad_(self.order > 0) if t.dtype.kind == "f" else t for t in made]

    def function(self, case: Case) -> Callable[..., Any]:
        """The operation of the inputs alone, with the parameters of a case."""

        def function(*tensors: Any) -> Any:
            return self.call(*tensors, **case.params)

        function.__name__ = self.name
        return function

    def wanted(self, case: Case, arrays: Sequence[np.ndarray]) -> Any:
        """What the reference gives, floats computed in the widest type that NumPy has."""
        wide = [a.astype(np.longdouble) if a.dtype.kind == "f" else a for a in arrays]
        with np.errstate(all="ignore"):
            return self.reference(*wide, **case.params)

    def but(self, **changes: Any) -> Operation:
        """A copy with some fields changed."""
        return replace(self, **changes)
