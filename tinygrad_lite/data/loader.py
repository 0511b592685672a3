"""Batches of samples, in order or shuffled anew in every epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..ops.random import Generator, default_generator
from .collate import collate

EPOCH_BITS = 40  # an epoch's order is drawn from blocks of its own of the stream of random numbers


def _seed(seed: Any) -> int:
    if isinstance(seed, Generator) or seed is None:
        return int((seed or default_generator).integers(0, 2**32, 1)[0])
    if not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**64:
        raise ValueError(f"DataLoader: seed must be an integer from 0 to 2**64 - 1, got {seed!r}")
    return int(seed)


class DataLoader:
    """Iterate over it once for each epoch; it gives batches of `batch_size` samples.

    dataset: anything with `len` and numbered samples. shuffle: in another order in every epoch, which depends on the
    seed and the number of the epoch only. seed: an integer, or a `tg.random.Generator` that one is drawn from; None
    draws it from the default one, which `tg.manual_seed` starts. drop_last: leave out an incomplete last batch.
    collate_fn: makes a batch of a list of samples, by default stacked tensors. `state_dict` and `load_state_dict`
    continue in the middle of an epoch with exactly the batches that were to come.

    >>> import tinygrad_lite as tg
    >>> loader = tg.data.DataLoader(tg.data.TensorDataset(tg.Tensor([1.0, 2.0, 3.0])), batch_size=2)
    >>> [x for x, in loader]
    [Tensor([1., 2.]), Tensor([3.])]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        seed: int | Generator | None = None,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Any] | None = None,
    ):
        if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(f"DataLoader: batch_size must be a positive integer, got {batch_size!r}")
        self.dataset, self.batch_size, self.shuffle, self.drop_last = dataset, int(batch_size), shuffle, drop_last
        self.seed = _seed(seed)
        self.collate_fn = collate_fn
        self._epoch = self._batch = 0  # of the batch that comes next
        self._loaded = False

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        count = len(self.dataset)
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        if self._batch and not self._loaded:  # the last pass was left early
            self._epoch, self._batch = self._epoch + 1, 0
        self._loaded = False
        epoch, first = self._epoch, self._batch
        order = self._order(epoch)
        for i in range(first, len(self)):
            self._epoch, self._batch = (epoch, i + 1) if i + 1 < len(self) else (epoch + 1, 0)
            yield self._fetch(order[i * self.batch_size : (i + 1) * self.batch_size])

    def _order(self, epoch: int) -> np.ndarray:
        count = len(self.dataset)
        if not self.shuffle:
            return np.arange(count)
        generator = Generator()
        generator.set_state({"seed": self.seed, "block": epoch << EPOCH_BITS})
        return generator.permutation(count)

    def _fetch(self, numbers: np.ndarray) -> Any:
        if self.collate_fn is None and hasattr(self.dataset, "batch"):
            return self.dataset.batch(numbers)
        return (self.collate_fn or collate)([self.dataset[int(i)] for i in numbers])

    def state_dict(self) -> dict[str, int]:
        """Seed, number of the epoch, and number of the batch in it that comes next."""
        return {"seed": self.seed, "epoch": self._epoch, "batch": self._batch}

    def load_state_dict(self, values: Mapping[str, int]) -> None:
        """Continue where `state_dict` was taken. The data set, batch size and options must be the same as then."""
        if set(values) != {"seed", "epoch", "batch"} or any(int(v) < 0 for v in values.values()):
            raise ValueError(f"DataLoader.load_state_dict: expected 'seed', 'epoch' and 'batch', got {values!r}")
        if int(values["batch"]) > len(self):
            raise ValueError(
                f"DataLoader.load_state_dict: batch {values['batch']} is beyond the {len(self)} of an epoch; the data "
                "set or the batch size has changed"
            )
        self.seed, self._epoch, self._batch = (int(values[k]) for k in ("seed", "epoch", "batch"))
        self._loaded = True
