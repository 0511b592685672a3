"""The single checks: the Jacobian by each mode, and what every backward pass must keep to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..func.linearize import Linearized
from ..tensor import Tensor, wrap
from .problem import Problem, one_of
from .report import Report, index_text, relative_error, values_text, worst_element, wrong_elements

Arrays = list[np.ndarray]
FORWARD_HINT = " (forward mode runs through the backward pass of the backward pass, which must be recordable itself)"


@dataclass(frozen=True)
class Settings:
    """The options of `gradcheck`."""

    eps: float = 1e-6
    atol: float = 1e-5
    rtol: float = 1e-4
    nondet_tol: float = 0.0
    undefined: bool = True
    dtypes: bool = False
    forward: bool = True
    backward: bool = True
    fast: bool = False
    layouts: bool = True
    prefix: str = ""

    def __post_init__(self) -> None:
        if not self.eps > 0:
            raise ValueError(f"gradcheck: eps must be a positive step, got {self.eps}")


class Check:
    """A problem, the settings, and the report that is being written."""

    def __init__(self, problem: Problem, settings: Settings):
        self.problem, self.settings = problem, settings
        self.report = Report(problem.name)
        self.random = np.random.default_rng(0)

    @cached_property
    def lin(self) -> Linearized:
        return self.problem.linearized()

    @cached_property
    def push(self) -> Callable[[Sequence[Tensor]], list[Tensor]]:
        return self.lin.push()

    def run(self) -> Report:
        """All checks that the settings ask for."""
        check_values(self)
        if self.report and self.settings.backward:
            check_shapes(self)
        if not self.report:  # what follows would make no sense
            return self.report
        (check_projections if self.settings.fast else check_jacobians)(self)
        if self.settings.backward:
            for rule in RULES:
                rule(self)
        return self.report

    def pull(self, gradients: Sequence[np.ndarray | None]) -> Arrays:
        """Gradients of the outputs to gradients of the inputs."""
        tensors = [None if g is None else _tensor(g, y) for g, y in zip(gradients, self.lin.outputs, strict=True)]
        return [np.array(d._data, np.float64) for d in self.lin.pull(tensors)]

    def pushed(self, tangents: Sequence[np.ndarray]) -> Arrays:
        """Tangents of the inputs to tangents of the outputs."""
        tensors = [wrap(t, x._device) for t, x in zip(tangents, self.lin.points, strict=True)]
        return [np.array(d._data, np.float64) for d in self.push(tensors)]

    def random_gradients(self) -> Arrays:
        return [self.random.standard_normal(y.shape) for y in self.problem.first]

    def note(self, mode: str, error: float, problem: str) -> None:
        """Write one comparison into the report."""
        self.report.add(self.settings.prefix + mode, error, problem)

    def compare(self, mode: str, got: Arrays, wanted: Arrays, meaning: str, atol: float, rtol: float) -> None:
        """Note whether gradients of the inputs are what they must be."""
        for label, d, w in zip(self.problem.labels, got, wanted, strict=True):
            wrong = wrong_elements(d, w, atol, rtol)
            text = ""
            if wrong.any():
                at = worst_element(d, w, wrong)
                place = index_text(f"gradient of {label}", int(np.ravel_multi_index(at, d.shape)) if at else 0, d.shape)
                text = f"{meaning}: {place} is {d[at]:.10g}, it must be {w[at]:.10g}"
            self.note(mode, 0.0, text)


def _tensor(g: np.ndarray, y: Tensor) -> Tensor:
    return wrap(np.asarray(g, y.dtype), y._device)


def check_values(check: Check) -> None:
    """The function must give finite values, and the same ones twice, or differences mean nothing."""
    again = check.problem.evaluate(check.problem.arrays)
    for o, (a, b) in enumerate(zip(check.problem.first, again, strict=True)):
        text = _value_text(o, a, b, check.settings.nondet_tol)
        check.note("function", float("nan") if text else 0.0, text)


def _value_text(o: int, a: np.ndarray, b: np.ndarray, tolerance: float) -> str:
    if not np.isfinite(a).all():
        at = int(np.argmin(np.isfinite(a)))
        place = index_text(f"output {o}", at, a.shape)
        return f"{place} is {a.flat[at]:g}, where differences mean nothing; take inputs at which the function is finite"
    off = float(np.max(np.abs(a - b), initial=0.0))
    if off <= tolerance:
        return ""
    return f"output {o} differs by {off:.3g} between two calls with the same inputs; random numbers must be fixed"


# ---- the Jacobian ----


def check_jacobians(check: Check) -> None:
    """Every element of every Jacobian, in both modes."""
    numeric = check.problem.jacobian(check.settings.eps)
    if check.settings.backward:
        _compare_blocks(check, "reverse mode", reverse_jacobian(check), numeric, "")
    if check.settings.forward:
        _compare_blocks(check, "forward mode", forward_jacobian(check), numeric, FORWARD_HINT)


def reverse_jacobian(check: Check) -> list[Arrays]:
    """jacobian[input][output], one row for each output element."""
    outputs, inputs = check.problem.first, check.problem.arrays
    rows = [[check.pull(one_of(outputs, o, np.eye(1, y.size, k)[0])) for k in range(y.size)]
            for o, y in enumerate(outputs)]  # fmt: skip
    return [[_matrix([r[i].ravel() for r in rows[o]], y.size, x.size) for o, y in enumerate(outputs)]
            for i, x in enumerate(inputs)]  # fmt: skip


def forward_jacobian(check: Check) -> list[Arrays]:
    """jacobian[input][output], one column for each input element."""
    outputs, inputs = check.problem.first, check.problem.arrays
    blocks = []
    for i, x in enumerate(inputs):
        columns = [check.pushed(one_of(inputs, i, np.eye(1, x.size, k)[0])) for k in range(x.size)]
        blocks.append([_matrix([c[o].ravel() for c in columns], x.size, y.size).T for o, y in enumerate(outputs)])
    return blocks


def _matrix(rows: list[np.ndarray], count: int, width: int) -> np.ndarray:
    return np.stack(rows) if rows else np.zeros((count, width))


def _compare_blocks(check: Check, mode: str, analytic: Any, numeric: Any, hint: str) -> None:
    for i, label in enumerate(check.problem.labels):
        for o, y in enumerate(check.problem.first):
            a, n = analytic[i][o], numeric[i][o]
            wrong = wrong_elements(a, n, check.settings.atol, check.settings.rtol)
            shapes = check.problem.arrays[i].shape, y.shape
            text = _element_text(label, o, a, n, wrong, shapes) + hint if wrong.any() else ""
            check.note(mode, relative_error(a, n), text)


def _element_text(label: str, o: int, a: np.ndarray, n: np.ndarray, wrong: np.ndarray, shapes: Any) -> str:
    row, column = worst_element(a, n, wrong)
    what = f"d {index_text(f'output {o}', row, shapes[1])} / d {index_text(label, column, shapes[0])}"
    values = values_text(a[row, column], n[row, column])
    return f"{what} is wrong: {values}; {int(wrong.sum())} of {wrong.size} elements of this Jacobian are wrong"


def check_projections(check: Check) -> None:
    """Fast mode: one random combination v J u of every Jacobian J instead of all its elements."""
    problem, settings = check.problem, check.settings
    for i, label in enumerate(problem.labels):
        u = one_of(problem.arrays, i, _direction(check, problem.arrays[i].size))
        slopes = problem.slope(problem.arrays, u, settings.eps)
        pushed = check.pushed(u) if settings.forward else []
        for o, y in enumerate(problem.first):
            v = one_of(problem.first, o, _direction(check, y.size))
            numeric = float(np.vdot(v[o], slopes[o]))
            scale = float(np.abs(u[i]).sum() * np.abs(v[o]).sum())
            if settings.backward:
                _compare_projection(
                    check, "fast reverse mode", label, o, np.vdot(check.pull(v)[i], u[i]), numeric, scale
                )
            if settings.forward:
                _compare_projection(check, "fast forward mode", label, o, np.vdot(v[o], pushed[o]), numeric, scale)


def _direction(check: Check, size: int) -> np.ndarray:
    """A random vector of length 1."""
    vector = check.random.standard_normal(size)
    return vector / (np.linalg.norm(vector) or 1.0)


def _compare_projection(
    check: Check, mode: str, label: str, o: int, analytic: Any, numeric: float, scale: float
) -> None:
    a, n = np.array(float(analytic)), np.array(numeric)
    wrong = wrong_elements(a, n, check.settings.atol * scale, check.settings.rtol)
    text = (
        f"the Jacobian of output {o} by {label}, projected on random directions, is wrong: {values_text(a, n)}; "  # type: ignore[arg-type]
        "fast_mode=False finds the element"
    )
    check.note(mode, relative_error(a, n), text if wrong.any() else "")


# ---- what every backward pass must keep to ----


def check_shapes(check: Check) -> None:
    """A gradient has the shape, and where asked for the dtype, of its input."""
    ones = [_tensor(np.ones(y.shape), y) for y in check.lin.outputs]
    for label, x, d in zip(check.problem.labels, check.lin.points, check.lin.pull(ones), strict=True):
        good = d.shape == x.shape and (d.dtype == x.dtype or not check.settings.dtypes)
        text = f"the gradient of {label} has shape {d.shape} and dtype {d.dtype}, the input {x.shape} and {x.dtype}"
        check.note("reverse mode", 0.0, "" if good else text)


def check_determinism(check: Check) -> None:
    """Backward twice gives the same bits, or what nondet_tol allows."""
    v = check.random_gradients()
    wanted = check.pull(v)
    check.compare("determinism", check.pull(v), wanted, "backward ran twice", check.settings.nondet_tol, 0.0)


def check_zero(check: Check) -> None:
    """Backward is linear: zeros give zeros, and twice the gradient gives twice the result."""
    zeros = check.pull([np.zeros(y.shape) for y in check.problem.first])
    nothing = [np.zeros(x.shape) for x in check.problem.arrays]
    check.compare("linearity", zeros, nothing, "backward of a zero grad_output", 0.0, 0.0)
    v = check.random_gradients()
    once, minus_twice = check.pull(v), check.pull([-2 * g for g in v])
    doubled = [-2 * d for d in once]
    check.compare("linearity", minus_twice, doubled, "backward of -2 * grad_output", 1e-9, 1e-9)


def check_layouts(check: Check) -> None:
    """Whether a gradient comes in one piece, with gaps, or repeats one element, backward gives the same."""
    if not check.settings.layouts:
        return
    v = check.random_gradients()
    gaps = [np.repeat(g[..., None], 2, axis=-1)[..., 0] for g in v]
    check.compare("layout", check.pull(gaps), check.pull(v), "backward of a non-contiguous grad_output", 1e-9, 1e-9)
    ones = [np.ones(y.shape) for y in check.problem.first]
    repeated = [np.broadcast_to(np.float64(1), y.shape) for y in check.problem.first]
    check.compare("layout", check.pull(repeated), check.pull(ones), "backward of a broadcast grad_output", 1e-9, 1e-9)


def check_undefined(check: Check) -> None:
    """With several outputs, having no gradient for some is the same as zeros for them."""
    count = len(check.problem.first)
    if not check.settings.undefined or count < 2:
        return
    v = check.random_gradients()
    for o in range(count):
        zeros = check.pull([g if i == o else np.zeros(g.shape) for i, g in enumerate(v)])
        meaning = f"backward with a gradient only for output {o}"
        try:
            only = check.pull([g if i == o else None for i, g in enumerate(v)])
        except Exception as error:
            text = f"{meaning} raised {type(error).__name__}: {error}; the gradients of the other outputs are None"
            check.note("undefined gradients", 0.0, text)
        else:
            check.compare("undefined gradients", only, zeros, meaning, 1e-9, 1e-9)


RULES: tuple[Callable[[Check], None], ...] = (check_determinism, check_zero, check_layouts, check_undefined)
