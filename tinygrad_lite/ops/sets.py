"""The different values of a tensor. NaN differs from every NaN."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..tensor import Tensor, wrap
from .movement import tensor_of


class UniqueAll(NamedTuple):
    """Different values in order, where each comes first, which of them every element is, and how often each comes."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """Different values in order, and how often each comes."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """Different values in order, and which of them every element is."""

    values: Tensor
    inverse_indices: Tensor


def unique_all(x: Any) -> UniqueAll:
    """The different values in order, with first places in the flattened tensor, inverse and counts (int64).

    >>> import tinygrad_lite as tg
    >>> tg.unique_all(tg.tensor([3, 1, 3])).inverse_indices
    Tensor([1, 0, 1])
    """
    x = tensor_of("unique_all", x)
    values, first, inverse, counts = np.unique(x._data, True, True, True, equal_nan=False)
    found = (values, *(np.asarray(a, np.int64) for a in (first, inverse.reshape(x.shape), counts)))
    return UniqueAll(*(wrap(a, x._device) for a in found))


def unique_counts(x: Any) -> UniqueCounts:
    """The different values in order, and how often each comes.

    >>> import tinygrad_lite as tg
    >>> tg.unique_counts(tg.tensor([3, 1, 3]))
    UniqueCounts(values=Tensor([1, 3]), counts=Tensor([1, 2]))
    """
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: Any) -> UniqueInverse:
    """The different values in order, and which of them every element is.

    >>> import tinygrad_lite as tg
    >>> tg.unique_inverse(tg.tensor([3, 1, 3]))
    UniqueInverse(values=Tensor([1, 3]), inverse_indices=Tensor([1, 0, 1]))
    """
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: Any) -> Tensor:
    """The different values in order.

    >>> import tinygrad_lite as tg
    >>> tg.unique_values(tg.tensor([3, 1, 3]))
    Tensor([1, 3])
    """
    x = tensor_of("unique_values", x)
    return wrap(np.unique(x._data, equal_nan=False), x._device)
