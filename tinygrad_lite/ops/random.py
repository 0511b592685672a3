"""Random tensors from counters: the numbers depend on the seed and on how many were drawn before, and on nothing else.

Every device and every number of threads gives the same ones, and a generator's state is two integers.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .. import devices, dtypes
from ..tensor import Tensor, wrap
from .creation import Shape, _shape


class Generator:
    """A stream of random numbers. `get_state` and `set_state` save and restore it exactly.

    >>> generator = Generator(7)
    >>> state = generator.get_state()
    >>> first = generator.bits(4)
    >>> generator.set_state(state)
    >>> (generator.bits(4) == first).all()
    np.True_
    """

    def __init__(self, seed: int = 0):
        self.state = np.array([_checked_seed(seed), 0], np.uint64)  # kernels read it, and count in it what they draw

    def get_state(self) -> dict[str, int]:
        """The seed and the number of blocks drawn."""
        return {"seed": int(self.state[0]), "block": int(self.state[1])}

    def set_state(self, state: dict[str, int]) -> None:
        """Go on from a state that `get_state` gave. ValueError for anything else."""
        try:
            seed, block = operator.index(state["seed"]), operator.index(state["block"])
        except (TypeError, KeyError):
            raise ValueError(f"set_state: needs what get_state gave, got {state!r}") from None
        self.state[:] = seed % 2**64, block % 2**64

    def bits(self, count: int, device: Any = None) -> np.ndarray:
        """The next `count` random 32-bit words; what is left of the last block of four is skipped."""
        return devices.get(device).random.draw(self.state, count)

    def uniform(self, count: int, dtype: np.dtype, device: Any = None) -> np.ndarray:
        """Numbers in [0, 1): 24 random bits each in float32, 53 in float64."""
        return devices.get(device).random.uniform(self.state, count, dtype)

    def normal(self, count: int, dtype: np.dtype, device: Any = None) -> np.ndarray:
        """Standard normal numbers."""
        return devices.get(device).random.normal(self.state, count, dtype)

    def integers(self, low: int, high: int, count: int, device: Any = None) -> np.ndarray:
        """Integers in [low, high)."""
        return devices.get(device).random.integers(self.state, low, high, count)

    def permutation(self, count: int, device: Any = None) -> np.ndarray:
        """The integers from 0 to count - 1 in random order."""
        return devices.get(device).random.permutation(self.state, count)


def _checked_seed(seed: int) -> int:
    if not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed: must be an integer, got {seed!r}")
    return int(seed) % 2**64


default_generator = Generator(0)


def manual_seed(seed: int) -> Generator:
    """Start the default generator anew from a seed (an integer).

    >>> import tinygrad_lite as tg
    >>> first = (tg.manual_seed(0), tg.rand(3))[1]
    >>> bool((first == (tg.manual_seed(0), tg.rand(3))[1]).all())
    True
    """
    default_generator.set_state({"seed": _checked_seed(seed), "block": 0})
    return default_generator


def _source(name: str, generator: Any) -> Generator:
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(f"{name}: generator must be a tg.Generator, got {generator!r}")
    return generator


def _drawn(
    name: str, draw: str, shape: tuple[Any, ...], dtype: Any, device: Any, requires_grad: bool, generator: Any
) -> Tensor:
    sizes = _shape(name, shape[0] if len(shape) == 1 else shape)
    wanted = dtypes.DEFAULT_FLOAT if dtype is None else dtypes.as_dtype(dtype)
    if wanted.kind != "f":
        raise TypeError(f"{name}: dtype must be float32 or float64, got {wanted}")
    place = devices.get(device)
    data = getattr(_source(name, generator), draw)(math.prod(sizes), wanted, place).reshape(sizes)
    result = wrap(data, place)
    return result.requires_grad_() if requires_grad else result


def rand(
    *shape: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, generator: Any = None
) -> Tensor:
    """Uniform numbers in [0, 1). The shape as one tuple or as separate sizes.

    generator: where the numbers come from, else the generator that `manual_seed` starts.

    >>> import tinygrad_lite as tg
    >>> tg.rand(2, 3, generator=tg.Generator(1)).shape
    (2, 3)
    """
    return _drawn("rand", "uniform", shape, dtype, device, requires_grad, generator)


def randn(
    *shape: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, generator: Any = None
) -> Tensor:
    """Standard normal numbers. The shape as one tuple or as separate sizes.

    >>> import tinygrad_lite as tg
    >>> tg.randn(2, 3, dtype=tg.float64, generator=tg.Generator(1)).dtype
    dtype('float64')
    """
    return _drawn("randn", "normal", shape, dtype, device, requires_grad, generator)


def randint(
    low: int, high: int | None = None, shape: Shape = (), dtype: Any = None, device: Any = None, generator: Any = None
) -> Tensor:
    """Integers (int64, or `dtype`) from low to high - 1; from 0 to low - 1 without high.

    ValueError where there is no such integer, or the dtype does not hold them all.

    >>> import tinygrad_lite as tg
    >>> x = tg.randint(3, 5, (100,), generator=tg.Generator(1))
    >>> x.min().item(), x.max().item()
    (3, 4)
    """
    low, high = (0, low) if high is None else (low, high)
    kind = dtypes.DEFAULT_INT if dtype is None else dtypes.as_dtype(dtype)
    _check_range(low, high, kind)
    sizes = _shape("randint", shape)
    place = devices.get(device)
    data = _source("randint", generator).integers(int(low), int(high), math.prod(sizes), place)
    data = data if data.dtype == kind else place.movement.astype(data, kind)
    return wrap(data.reshape(sizes), place)


def _check_range(low: Any, high: Any, dtype: np.dtype) -> None:
    if not all(isinstance(n, (int, np.integer)) for n in (low, high)):
        raise TypeError(f"randint: low and high must be integers, got {low!r} and {high!r}")
    if high <= low:
        raise ValueError(f"randint: high must be larger than low, got low={low}, high={high}")
    for kind in (dtypes.DEFAULT_INT, dtype):
        if kind.kind != "f" and not _least(kind) <= low < high <= _most(kind) + 1:
            raise ValueError(f"randint: {kind} does not hold all from {low} to {high - 1}")


def _least(kind: np.dtype) -> int:
    return 0 if kind.kind == "b" else int(np.iinfo(kind).min)


def _most(kind: np.dtype) -> int:
    return 1 if kind.kind == "b" else int(np.iinfo(kind).max)


def randperm(count: int, device: Any = None, generator: Any = None) -> Tensor:
    """The integers from 0 to count - 1 in random order.

    >>> import tinygrad_lite as tg
    >>> sorted(tg.randperm(4, generator=tg.Generator(1)).tolist())
    [0, 1, 2, 3]
    """
    if not isinstance(count, (int, np.integer)) or count < 0:
        raise ValueError(f"randperm: count must be an integer that is not negative, got {count!r}")
    place = devices.get(device)
    return wrap(_source("randperm", generator).permutation(int(count), place), place)
