"""The function under test at its inputs: evaluated numerically, and as the linear map that its gradients say it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..func.linearize import Linearized
from ..func.tree import flatten
from ..ops.movement import detach
from ..tensor import Tensor, wrap

Evaluate = Callable[[Sequence[np.ndarray]], list[np.ndarray]]


class Problem:
    """`func(*inputs)`, to be checked by the inputs that require gradients."""

    def __init__(self, func: Callable[..., Any], inputs: Any, labels: Sequence[str] = ()):
        self.func, self.name = func, name_of(func)
        self.inputs = as_list(inputs)
        self.wanted = [i for i, x in enumerate(self.inputs) if isinstance(x, Tensor) and x.requires_grad]
        self.points = [self.inputs[i] for i in self.wanted]
        self.labels = [labels[i] if labels else f"input {i}" for i in self.wanted]
        _check_points(self.points, self.labels)
        self.arrays = [np.array(x._data, order="C") for x in self.points]
        self.first = self.evaluate(self.arrays)

    def floats(self, *inputs: Any) -> list[Tensor]:
        """The outputs that can have gradients."""
        return [y for y in flatten(self.func(*inputs))[0] if isinstance(y, Tensor) and y.dtype.kind == "f"]

    def evaluate(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Copies of the outputs at other values of the wanted inputs."""
        inputs = list(self.inputs)
        for i, a, x in zip(self.wanted, arrays, self.points, strict=True):
            inputs[i] = wrap(np.array(a), x._device).requires_grad_()
        outputs = self.floats(*inputs)
        if not outputs:
            raise ValueError(f"gradcheck: {self.name} returned no float tensor, so there is nothing to differentiate")
        return [np.array(y._data, np.float64) for y in outputs]

    def linearized(self) -> Linearized:
        """The function at its inputs, in the memory layout that they came in."""
        inputs = [detach(x) if i in self.wanted else x for i, x in enumerate(self.inputs)]
        return Linearized("gradcheck", self.floats, inputs, tuple(self.wanted))

    def slope(self, arrays: Sequence[np.ndarray], directions: Sequence[np.ndarray], eps: float) -> list[np.ndarray]:
        """The central difference of the outputs along a direction: error of order eps**2, and rounding / eps."""
        ahead = self.evaluate([a + eps * d for a, d in zip(arrays, directions, strict=True)])
        behind = self.evaluate([a - eps * d for a, d in zip(arrays, directions, strict=True)])
        return [(p - m) / (2 * eps) for p, m in zip(ahead, behind, strict=True)]

    def jacobian(self, eps: float) -> list[list[np.ndarray]]:
        """jacobian[input][output] of shape (output size, input size)."""
        blocks = []
        for i, x in enumerate(self.arrays):
            columns = [self.slope(self.arrays, d, eps) for d in unit_directions(self.arrays, i)]
            blocks.append([_columns([c[o] for c in columns], y.size, x.size) for o, y in enumerate(self.first)])
        return blocks


def as_list(inputs: Any) -> list[Any]:
    """One tensor, or what is in a sequence."""
    if isinstance(inputs, Tensor):
        return [inputs]
    if not isinstance(inputs, Sequence):
        raise TypeError(f"gradcheck: the inputs must be a tensor or a list of them, got {type(inputs).__name__}")
    return list(inputs)


def name_of(func: Any) -> str:
    """What to call a function in messages."""
    name = getattr(func, "__name__", None) or getattr(func, "name", None) or repr(func)
    owner = getattr(func, "__self__", None)
    return f"{owner.__name__}.{name}" if isinstance(owner, type) else name


def unit_directions(arrays: Sequence[np.ndarray], number: int) -> list[list[np.ndarray]]:
    """For every element of the array with that number, zeros like the arrays with a 1 there."""
    size = arrays[number].size
    return [one_of(arrays, number, np.eye(1, size, k)[0]) for k in range(size)]


def one_of(arrays: Sequence[np.ndarray], number: int, values: np.ndarray) -> list[np.ndarray]:
    """Zeros like the arrays, with values in place of one of them."""
    return [values.reshape(a.shape) if i == number else np.zeros(a.shape) for i, a in enumerate(arrays)]


def _columns(columns: list[np.ndarray], rows: int, count: int) -> np.ndarray:
    return np.stack([c.ravel() for c in columns], axis=1) if columns else np.zeros((rows, count))


def _check_points(points: Sequence[Tensor], labels: Sequence[str]) -> None:
    if not points:
        raise ValueError(
            "gradcheck: no input requires a gradient, so nothing would be checked; call .requires_grad_() on at "
            "least one of them"
        )
    for x, label in zip(points, labels, strict=True):
        if x.dtype != np.float64:
            raise ValueError(
                f"gradcheck: {label} is {x.dtype}, whose rounding is larger than the differences that are measured; "
                "use float64 inputs, x.astype(tg.float64)"
            )
        if overlaps(x._data):
            raise ValueError(
                f"gradcheck: several elements of {label} share memory (strides {x._data.strides}), so that one "
                "cannot be changed alone; pass a copy"
            )


def overlaps(a: np.ndarray) -> bool:
    """Whether an array may reach the same memory by two indices: a stride is within what smaller ones span."""
    span = a.itemsize
    for stride, size in sorted((abs(s), n) for s, n in zip(a.strides, a.shape, strict=True) if n > 1):
        if stride < span:
            return a.size > 0
        span += stride * (size - 1)
    return False
