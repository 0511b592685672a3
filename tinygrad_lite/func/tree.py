"""Nested lists, tuples and dicts of tensors: taken apart into a flat list, and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

Rebuild = Callable[[Sequence[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of a nest in order, and the function that puts other leaves into their places.

    >>> leaves, rebuild = flatten({"w": 1, "b": (2, 3)})
    >>> leaves, rebuild([10, 20, 30])
    ([1, 2, 3], {'w': 10, 'b': (20, 30)})
    """
    leaves = list(_leaves(tree))

    def rebuild(values: Sequence[Any]) -> Any:
        return _build(tree, iter(values))

    return leaves, rebuild


def _leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, (list, tuple, dict)):
        for branch in tree.values() if isinstance(tree, dict) else tree:
            yield from _leaves(branch)
    else:
        yield tree


def _build(tree: Any, values: Iterator[Any]) -> Any:
    if isinstance(tree, dict):
        return {key: _build(branch, values) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        branches = [_build(branch, values) for branch in tree]
        return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)
    return next(values)
