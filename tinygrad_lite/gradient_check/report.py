"""What a gradient check found, and how it says so."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


class GradcheckError(AssertionError):
    """A gradient is wrong. The text names function, mode, input, output, element, and both values."""


@dataclass
class Finding:
    """One comparison. error: the largest |analytic - numeric| / max(1, |numeric|). problem: empty where all is well."""

    mode: str
    error: float
    problem: str = ""


@dataclass
class Report:
    """All comparisons of one check. True where all of them came out well."""

    name: str
    findings: list[Finding] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not any(f.problem for f in self.findings)

    @property
    def error(self) -> float:
        """The largest error of any comparison; NaN where one gave NaN."""
        return float(np.max([f.error for f in self.findings], initial=0.0))

    @property
    def problems(self) -> list[str]:
        """What is wrong, in words."""
        return [f"gradcheck of {self.name}: {f.mode}: {f.problem}" for f in self.findings if f.problem]

    def add(self, mode: str, error: float, problem: str) -> None:
        """Note one comparison."""
        self.findings.append(Finding(mode, error, problem))

    def raise_first(self) -> None:
        """GradcheckError with the first problem, if there is one."""
        if self.problems:
            raise GradcheckError(self.problems[0])


def relative_error(analytic: np.ndarray, numeric: np.ndarray) -> float:
    """The largest |analytic - numeric| / max(1, |numeric|)."""
    with np.errstate(all="ignore"):
        errors = np.abs(analytic - numeric) / np.maximum(1.0, np.abs(numeric))
    return float(np.max(errors, initial=0.0))


def wrong_elements(analytic: np.ndarray, numeric: np.ndarray, atol: float, rtol: float) -> np.ndarray:
    """Where |analytic - numeric| <= atol + rtol * |numeric| does not hold (NaN holds nowhere)."""
    with np.errstate(all="ignore"):
        return ~(np.abs(analytic - numeric) <= atol + rtol * np.abs(numeric))


def worst_element(analytic: np.ndarray, numeric: np.ndarray, wrong: np.ndarray) -> tuple[int, ...]:
    """The index of the wrong element that is most wrong."""
    with np.errstate(all="ignore"):
        error = np.nan_to_num(np.abs(analytic - numeric), nan=np.inf)
    return tuple(int(i) for i in np.unravel_index(np.argmax(np.where(wrong, error, -1.0)), error.shape))


def values_text(analytic: float, numeric: float) -> str:
    """Both values and their difference."""
    return f"analytic {analytic:.10g}, numeric {numeric:.10g}, difference {abs(analytic - numeric):.3g}"


def index_text(name: str, position: int, shape: tuple[int, ...]) -> str:
    """`name[1, 2]` for the element at that position in row order; just the name of a 0-d one."""
    index = ", ".join(str(int(i)) for i in np.unravel_index(position, shape)) if shape else ""
    return f"{name}[{index}]" if index else name
