"""Modules that hold modules in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..ops.movement import reshape
from ..ops.reduce import normalize_axis
from ..tensor import Tensor
from .module import Module


class _Numbered(Module):
    """Modules under the names "0", "1", ..."""

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Module]:
        return (value for value in vars(self).values() if isinstance(value, Module))

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(*self._arguments(list(self)[index]))
        return list(self)[self._place(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        names = [name for name, value in vars(self).items() if isinstance(value, Module)]
        setattr(self, names[self._place(index)], _checked(self, module))

    def append(self, module: Module) -> Any:
        """Add a module at the end."""
        setattr(self, str(len(self)), _checked(self, module))
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def _arguments(self, modules: list[Module]) -> list[Any]:
        return modules

    def _place(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(f"{type(self).__name__}: index {index} is out of range for {len(self)} modules")
        return index


def _checked(container: Module, module: Any) -> Module:
    if not isinstance(module, Module):
        raise TypeError(
            f"{type(container).__name__} holds modules, got {module!r}; use nn.ReLU() for nn.functional.relu"
        )
    return module


class Sequential(_Numbered):
    """Modules applied one after another. Takes modules, or one dict of names and modules.

    >>> import tinygrad_lite as tg
    >>> tg.nn.Sequential(tg.nn.Linear(4, 3), tg.nn.ReLU())
    Sequential(
      (0): Linear(in_features=4, out_features=3, bias=True)  # 15
      (1): ReLU()
    )  # 15 parameters
    """

    def __init__(self, *modules: Any):
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.add_module(name, module)
        else:
            self.extend(modules)

    def forward(self, x: Any) -> Any:
        """The last module's result."""
        for module in self:
            x = module(x)
        return x


class ModuleList(_Numbered):
    """A list of modules whose parameters count as the parent's. It computes nothing by itself."""

    def __init__(self, modules: Iterable[Module] = ()):
        super().__init__()
        self.extend(modules)

    def _arguments(self, modules: list[Module]) -> list[Any]:
        return [modules]


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` as one: by default all but the first, the samples."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Tensor) -> Tensor:
        """A view where possible."""
        start = normalize_axis("Flatten", self.start_dim, x.ndim)
        end = normalize_axis("Flatten", self.end_dim, x.ndim)
        if end < start:
            raise ValueError(f"Flatten: end_dim {self.end_dim} comes before start_dim {self.start_dim}")
        middle = 1
        for n in x.shape[start : end + 1]:
            middle *= n
        return reshape(x, (*x.shape[:start], middle, *x.shape[end + 1 :]))

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Identity(Module):
    """Lets its input through. Takes and ignores any arguments."""

    def __init__(self, *_: Any, **__: Any):
        super().__init__()

    def forward(self, x: Any) -> Any:
        """The input."""
        return x
