"""Many samples to one batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..tensor import Tensor, wrap


def collate(samples: list[Any]) -> Any:
    """Stack tensors, arrays and numbers; tuples and dicts part by part; anything else as a list.

    >>> collate([(1.0, "a"), (2.0, "b")])
    (Tensor([1., 2.]), ['a', 'b'])
    """
    first = samples[0]
    if isinstance(first, (Tensor, np.ndarray, np.generic, bool, int, float)):
        return _stacked(samples)
    if isinstance(first, Mapping):
        return {key: collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, (tuple, list)):
        return tuple(collate(list(parts)) for parts in zip(*samples, strict=True))
    return samples


def _stacked(samples: list[Any]) -> Tensor:
    shapes = {np.shape(s._data if isinstance(s, Tensor) else s) for s in samples}
    if len(shapes) > 1:
        raise ValueError(f"DataLoader: samples of different shapes {sorted(shapes)} cannot be stacked; pass collate_fn")
    first = samples[0]
    if isinstance(first, Tensor):
        return wrap(np.stack([s._data for s in samples]), first._device)
    return Tensor(np.stack(samples) if isinstance(first, np.ndarray) else samples)
