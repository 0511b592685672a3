"""Data sets: samples by number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..ops.random import Generator
from ..tensor import Tensor, wrap


class Dataset:
    """Subclass it with `__getitem__(number)`, which returns a sample, and `__len__`. Any sequence will do as well.

    A data set that can fetch many samples at once may define `batch(numbers)`, which returns them joined.
    """

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a method __getitem__(index)")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} needs a method __len__()")


class TensorDataset(Dataset):
    """Tensors (or arrays) whose first axis counts the samples; a sample is a tuple with one part of each.

    >>> import tinygrad_lite as tg
    >>> tg.data.TensorDataset(tg.Tensor([[1.0], [2.0]]), tg.Tensor([0, 1]))[1]
    (Tensor([2.]), Tensor(1))
    """

    def __init__(self, *tensors: Any):
        self.tensors = tuple(t if isinstance(t, Tensor) else Tensor(t) for t in tensors)
        if not tensors or any(t.ndim == 0 for t in self.tensors):
            raise ValueError("TensorDataset: needs at least one tensor, each with an axis for the samples")
        if len({t.shape[0] for t in self.tensors}) > 1:
            shapes = ", ".join(str(t.shape) for t in self.tensors)
            raise ValueError(f"TensorDataset: the first axes must have one size, got shapes {shapes}")

    def __len__(self) -> int:
        return self.tensors[0].shape[0]

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"TensorDataset: sample {index} is out of range for {len(self)} samples")
        return tuple(wrap(np.asarray(t._data[index]), t._device) for t in self.tensors)

    def batch(self, numbers: np.ndarray) -> tuple[Tensor, ...]:
        """The samples of these numbers, joined along the first axis: one gather for each tensor."""
        return tuple(wrap(t._device.indexing.gather(t._data, (numbers,)), t._device) for t in self.tensors)


class Subset(Dataset):
    """The samples of another data set that have these numbers."""

    def __init__(self, dataset: Any, indices: Sequence[int] | np.ndarray):
        numbers = np.asarray(indices)
        if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
            raise TypeError("Subset: indices must be a list of integers")
        numbers = numbers.astype(np.int64)
        if numbers.size and not (-len(dataset) <= numbers.min() and numbers.max() < len(dataset)):
            raise IndexError(f"Subset: an index is out of range for {len(dataset)} samples")
        self.dataset, self.indices = dataset, numbers
        if hasattr(dataset, "batch"):
            self.batch = lambda chosen: dataset.batch(numbers[chosen])

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]


def random_split(dataset: Any, lengths: Sequence[float], seed: int = 0) -> list[Subset]:
    """Disjoint subsets of these lengths, drawn at random; the same ones for the same seed.

    lengths: counts that add up to len(dataset), or shares that add up to 1 (what rounding leaves goes to the first).
    """
    counts = _counts(len(dataset), list(lengths))
    order = Generator(seed).permutation(len(dataset))
    ends = np.cumsum(counts)
    return [Subset(dataset, order[end - n : end]) for n, end in zip(counts, ends, strict=True)]


def _counts(total: int, lengths: list[float]) -> list[int]:
    if any(n < 0 for n in lengths):
        raise ValueError(f"random_split: lengths must not be negative, got {lengths}")
    if all(isinstance(n, (int, np.integer)) for n in lengths) and sum(lengths) == total:
        return [int(n) for n in lengths]
    if abs(sum(lengths) - 1) > 1e-6:
        raise ValueError(
            f"random_split: lengths must add up to {total} samples, or as shares to 1, not to {sum(lengths)}: {lengths}"
        )
    counts = [int(n * total) for n in lengths]
    for i in range(total - sum(counts)):
        counts[i % len(counts)] += 1
    return counts
