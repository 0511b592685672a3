"""Tables of numbers and texts from CSV and NPZ files, checked before anything is computed from them."""

from __future__ import annotations

import csv
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError


@dataclass
class Table:
    """Columns by name: float64 arrays for numbers, lists of texts otherwise. All of one length."""

    source: str
    columns: dict[str, Any]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values())))

    def without(self, name: str) -> Table:
        """The other columns."""
        return Table(self.source, {k: v for k, v in self.columns.items() if k != name})

    def column(self, name: str, option: str = "--target") -> Any:
        """One column; UserError with the existing names where it is missing."""
        if name not in self.columns:
            raise UserError(f"{self.source} has no column {name!r} ({option}); its columns are {_listed(self.columns)}")
        return self.columns[name]


def _listed(names: Any, most: int = 20) -> str:
    names = [repr(n) for n in names]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def read_csv(path: str | Path) -> Table:
    """A CSV file with a header row. A column is numeric if every value in it is a number.

    UserError for what cannot be used: no file, no rows, repeated names, rows of other lengths, empty cells, NaN.
    """
    lines = _lines(Path(path))
    header, body = [name.strip() for name in lines[0]], lines[1:]
    if len(set(header)) < len(header) or "" in header:
        twice = next((n for n in header if header.count(n) > 1), "")
        raise UserError(f"{path}: the header has {f'column {twice!r} twice' if twice else 'a column without a name'}")
    if not body:
        raise UserError(f"{path} has a header but no rows; it needs at least one row of values")
    for number, row in enumerate(body, 2):
        if len(row) != len(header):
            raise UserError(f"{path}: line {number} has {len(row)} values, the header {len(header)} columns")
    columns = {name: _column(path, name, [row[i].strip() for row in body]) for i, name in enumerate(header)}
    return Table(str(path), columns)


def _lines(path: Path) -> list[list[str]]:
    """The rows of a file that are not empty."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; give the path of a CSV or NPZ file") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not a text file in UTF-8; save it as CSV in UTF-8") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    if "\0" in text:
        raise UserError(f"{path} is not a text file; give a CSV file with a header row")
    try:
        rows = [row for row in csv.reader(text.splitlines()) if row]
    except csv.Error as error:
        raise UserError(f"{path} is not a CSV file: {error}") from None
    if not rows:
        raise UserError(f"{path} is empty; it needs a header row and rows of values")
    return rows


def _column(path: str | Path, name: str, texts: list[str]) -> Any:
    for number, text in enumerate(texts, 2):
        if not text:
            raise UserError(f"{path}: column {name!r} is empty in line {number}; fill it in or remove the row")
    try:
        values = np.array([float(t) for t in texts])
    except ValueError:
        return texts
    check_finite(str(path), name, values, first=2)
    return values


def check_finite(source: str, name: str, values: np.ndarray, first: int = 0) -> None:
    """UserError with the place of the first NaN or infinity."""
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(np.argmax(bad.reshape(len(values), -1).any(axis=1)))
        place = f"line {row + first}" if first else f"row {row}"
        found = np.asarray(values).reshape(len(values), -1)[row]
        value = next(float(v) for v in found if not math.isfinite(v))
        raise UserError(f"{source}: {name!r} has {value} in {place}; replace it or remove the row")


def read_npz(path: str | Path, target: str | None) -> tuple[Table, Any]:
    """An NPZ file: the array `target` ("y" by default) and, as features, "X" or the only other array.

    Returns the features as columns x0, x1, ... and the target (None where there is none and none was asked for).
    """
    arrays = _arrays(path)
    name = target or "y"
    if target is not None and name not in arrays:
        raise UserError(f"{path} has no array {name!r} (--target); its arrays are {_listed(arrays)}")
    others = [n for n in arrays if n != name]
    feature = "X" if "X" in arrays else others[0] if len(others) == 1 else None
    if feature is None:
        raise UserError(f'{path}: features must be in an array "X"; its arrays are {_listed(arrays)}')
    features = arrays[feature]
    if features.dtype.kind not in "fiub" or features.ndim < 1 or not features.size:
        raise UserError(f"{path}: array {feature!r} must hold numbers, it is {features.dtype} {features.shape}")
    flat = features.reshape(len(features), -1).astype(np.float64)
    check_finite(str(path), feature, flat)
    values = arrays.get(name)
    if values is not None and values.shape != (len(flat),):
        raise UserError(f"{path}: array {name!r} has shape {values.shape}, but there are {len(flat)} rows of features")
    if values is not None and values.dtype.kind == "f":
        check_finite(str(path), name, values)
    return Table(str(path), {f"x{i}": flat[:, i] for i in range(flat.shape[1])}), values


def _arrays(path: str | Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; give the path of a CSV or NPZ file") from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise UserError(f"{path} is not an NPZ file of plain arrays ({error}); write it with numpy.savez") from None
