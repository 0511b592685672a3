"""From a table to numbers for a network and back: everything that is needed again to predict, as plain JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..data.tables import Table
from ..errors import UserError

MOST_CATEGORIES = 50
MOST_CLASSES = 20  # whole numbers with at most this many values are taken for classes


@dataclass
class Feature:
    """A column: standardised by mean and scale, or one input for each category."""

    name: str
    mean: float = 0.0
    scale: float = 1.0
    categories: list[str] = field(default_factory=list)

    @property
    def width(self) -> int:
        """How many inputs it becomes."""
        return len(self.categories) or 1

    def encode(self, source: str, values: Any) -> np.ndarray:
        """The column as (rows, width) numbers."""
        if self.categories:
            return self._one_hot(source, [str(v) for v in values])
        if not isinstance(values, np.ndarray):
            raise UserError(f"{source}: column {self.name!r} must hold numbers, it has the text {values[0]!r}")
        return ((values - self.mean) / self.scale)[:, None]

    def _one_hot(self, source: str, values: Sequence[str]) -> np.ndarray:
        place = {c: i for i, c in enumerate(self.categories)}
        for row, v in enumerate(values):
            if v not in place:
                raise UserError(f"{source}: column {self.name!r} has {v!r} in row {row}, which was not in training")
        return np.eye(len(self.categories))[[place[v] for v in values]]


@dataclass
class Preparation:
    """How rows become inputs, and outputs become answers."""

    task: str
    features: list[Feature]
    classes: list[str] = field(default_factory=list)
    target: str = "y"
    target_mean: float = 0.0
    target_scale: float = 1.0

    @property
    def inputs(self) -> int:
        """The number of inputs of the network."""
        return sum(f.width for f in self.features)

    @property
    def outputs(self) -> int:
        """The number of outputs of the network."""
        return len(self.classes) if self.task == "classification" else 1

    def encode(self, table: Table) -> np.ndarray:
        """The inputs for the rows of a table that has the same columns (others are ignored)."""
        missing = [f.name for f in self.features if f.name not in table.columns]
        if missing:
            raise UserError(
                f"{table.source} lacks {len(missing)} of the columns that the model was trained on: "
                f"{', '.join(map(repr, missing[:10]))}"
            )
        parts = [f.encode(table.source, table.columns[f.name]) for f in self.features]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def encode_target(self, values: Any) -> np.ndarray:
        """Class numbers, or standardised values in a column."""
        if self.task == "classification":
            place = {c: i for i, c in enumerate(self.classes)}
            return np.array([place[label(v)] for v in values], np.int64)
        return ((np.asarray(values, np.float64) - self.target_mean) / self.target_scale).astype(np.float32)[:, None]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Preparation:
        """From what `to_dict` gave."""
        return cls(**{**values, "features": [Feature(**f) for f in values["features"]]})


def label(value: Any) -> str:
    """The name of a class: 3.0 and 3 are one."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def find_task(values: Any, source: str) -> str:
    """Classification for texts and for few whole numbers, else regression."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        return "classification"
    whole = bool(np.all(array == np.floor(array)))
    return "classification" if whole and len(np.unique(array)) <= MOST_CLASSES else "regression"


def prepare(table: Table, target: Any, target_name: str, task: str, training: np.ndarray) -> Preparation:
    """Learn scales (from the training rows alone) and categories. UserError for a target that cannot be learned."""
    features = [_feature(table, name, values, training) for name, values in table.columns.items()]
    if task == "classification":
        return Preparation(task, features, _classes(table.source, target_name, target), target_name)
    numbers = np.asarray(target)
    if numbers.dtype.kind not in "fiub":
        raise UserError(f"{table.source}: regression needs numbers in {target_name!r}, it has the text {target[0]!r}")
    chosen = numbers[training].astype(np.float64)
    if np.ptp(chosen) == 0:
        raise UserError(f"{table.source}: {target_name!r} is {chosen[0]} in every row; there is nothing to learn")
    return Preparation(task, features, [], target_name, float(chosen.mean()), float(chosen.std()))


def _feature(table: Table, name: str, values: Any, training: np.ndarray) -> Feature:
    if isinstance(values, np.ndarray):
        chosen = values[training]
        scale = max(float(chosen.std()), float(np.ptp(chosen)) / 6)  # a column that is nearly constant stays small
        return Feature(name, float(chosen.mean()), scale or 1.0)
    categories = sorted(set(values))
    if len(categories) > MOST_CATEGORIES:
        raise UserError(
            f"{table.source}: column {name!r} has {len(categories)} different texts, at most {MOST_CATEGORIES} can be "
            "used as categories; remove the column or make it numeric"
        )
    return Feature(name, categories=categories)


def _classes(source: str, name: str, target: Any) -> list[str]:
    found = sorted({label(v) for v in target}, key=lambda c: (not _is_number(c), float(c) if _is_number(c) else 0, c))
    if len(found) < 2:
        raise UserError(f"{source}: {name!r} has only one class, {found[0]!r}; a classifier needs at least two")
    if len(found) > len(target) // 2:
        raise UserError(
            f"{source}: {name!r} has {len(found)} classes in {len(target)} rows, too many to learn; "
            "for numbers use --task regression"
        )
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def split(rows: int, classes: Any, seed: int, source: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows for training (70 %), validation (10 %) and test (20 %), stratified by `classes` where each has ten rows."""
    from ..errors import needs

    if rows < 10:
        raise UserError(f"{source} has {rows} rows; at least 10 are needed to train, validate and test")
    choose = needs("sklearn.model_selection", "splitting the data").train_test_split
    numbers = np.arange(rows)
    strata = None
    if classes is not None:
        names = np.array([label(v) for v in classes])
        strata = names if np.unique(names, return_counts=True)[1].min() >= 10 else None
    rest, test = choose(numbers, test_size=0.2, random_state=seed, stratify=strata)
    kept = None if strata is None else strata[rest]
    training, validation = choose(rest, test_size=0.125, random_state=seed, stratify=kept)
    return training, validation, test
