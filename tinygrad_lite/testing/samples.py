"""The table of operations: every entry of the registry, and what is composed of them.

`OPERATIONS` drives the tests of values, layouts, special values and gradients, and `tinygrad-lite gradcheck`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..nn import functional as nnf
from ..ops import einsum, indexing, linalg, manipulation, movement, scans, sorting, statistics
from ..ops.primitive import REGISTRY
from ..tensor import Tensor
from .elementwise_samples import ANY, ELEMENTWISE, REALS
from .record import DISTINCT, NONZERO, PROBABILITY, REAL, Operation, on

ROWS = np.array([2, 0, -1, 2])  # the last row too, counted from the end, and one row twice
GRID = np.array([[0, 1], [2, 0]])
CLASSES = np.array([2, 0, 1])
EINSUMS = {"ij,jk->ik": "2x3 3x2", "ii->i": "3x3", "bij,bkj->bik": "2x2x3 2x2x3", "i,j,ij": "2 3 2x3"}
EXACT: dict[str, Any] = {"dtypes": ANY, "tolerance": 0.0}
PART, STEPS = (slice(1, None), slice(None, None, -2)), (slice(None), slice(None, None, 2))


def reduction(name: str, reference: Any = None, **more: Any) -> Operation:
    """A reduction over all axes, one, and several."""
    cases = on("2x3"), on("2x3x2", axis=1), on("2x3x2", axis=(0, 2), keepdims=True), on("-"), on("5x4", axis=0)
    return Operation(name, getattr(statistics, name), reference or getattr(np, name), cases, **more)


def primitive(name: str, reference: Any, *cases: Any, **more: Any) -> Operation:
    """An operation of the registry; the parameters of a case are handed on in their order."""
    operation = REGISTRY[name]
    return Operation(name, lambda *xs, **params: operation(*xs, *params.values()), reference, cases,
                     primitive=name, **more)  # fmt: skip


def moved(name: str, reference: Any, *cases: Any, **more: Any) -> Operation:
    """A primitive that only moves elements."""
    return primitive(name, reference, *cases, **EXACT, **more)


def _unslice(a: Any, shape: Any, index: Any) -> Any:
    out = np.zeros(shape, a.dtype)
    out[index] = a
    return out


def _gather_add(a: Any, shape: Any, places: Any) -> Any:
    out = np.zeros(shape, a.dtype)
    np.add.at(out, places, a)
    return out


def _put_add(a: Any, values: Any, places: Any) -> Any:
    out = a.copy()
    np.add.at(out, places, values)
    return out


def _assign(a: Any, value: Any, index: Any) -> Any:
    out = movement.copy(a) if isinstance(a, Tensor) else a.copy()
    out[index] = value
    return out


def _there_and_back(x: Any) -> Any:
    return movement.to_device(movement.to_device(x, "cpu" if x.device == "numpy" else "numpy"), x.device)


def _getitem(a: Any, index: Any) -> Any:
    return a[index]


def _scatter_add(a: Any, values: Any, indices: Any, axis: int) -> Any:
    out = a.copy()
    np.add.at(out, (slice(None),) * axis + (indices,), values)
    return out


def _softmax(x: Any, axis: int) -> Any:
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _log_softmax(x: Any, axis: int) -> Any:
    return np.log(_softmax(x, axis))


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.log(np.exp(x).sum(axis=axis, keepdims=keepdims))


def _norm(x: Any, ord: Any = None, axis: Any = None) -> Any:
    p = 2 if ord is None else ord
    return np.abs(x).max(axis=axis) if p == np.inf else (np.abs(x) ** p).sum(axis=axis) ** (1 / np.longdouble(p))


def _picked(x: Any) -> Any:
    return x[np.arange(3), CLASSES]


def _bce(p: Any, t: Any) -> Any:
    return np.mean(-(t * np.log(p) + (1 - t) * np.log(1 - p)))


def _huber(x: Any, t: Any, delta: float) -> Any:
    d = np.abs(x - t)
    return np.mean(np.where(d <= delta, d * d / 2, delta * (d - delta / 2)))


def loss(name: str, call: Any, reference: Any, *cases: Any, **more: Any) -> Operation:
    """A loss, or a layer's function, of `nn.functional`."""
    return Operation(name, call, reference, cases or (on("3x4 3x4"),), **more)


SQUARE_CASES = on("3x3", k=0), on("2x2x3", k=1), on("3x2", k=-1), on("0x2", k=0)
SCAN_CASES = on("4", axis=0), on("2x3", axis=1), on("3x2", axis=0), on("0x2", axis=0)

MOVEMENT: list[Operation] = [
    moved("reshape", np.reshape, on("2x3", shape=(3, 2)), on("-", shape=(1, 1)), on("0x2", shape=(4, 0)), view=True),
    moved("permute_dims", np.transpose, on("2x3", axes=(1, 0)), on("2x1x3", axes=(2, 0, 1)), view=True),
    moved("broadcast_to", np.broadcast_to, on("3", shape=(2, 3)), on("2x1", shape=(2, 2)), on("-", shape=(0, 2)),
          view=True),
    moved("flip", np.flip, on("2x3", axis=(1,)), on("2x3", axis=(0, 1)), view=True),
    moved("slice", _getitem, on("3x4", index=PART), on("2x3", index=STEPS), view=True),
    moved("unslice", _unslice, on("2x2", shape=(3, 4), index=PART), on("2x2", shape=(2, 3), index=STEPS)),
    moved("copy", np.copy, on("2x3"), on("-"), on("0x2")),
    moved("pad", lambda a, widths, value: np.pad(a, widths, constant_values=value),
          on("2x3", widths=((1, 0), (2, 1)), value=0), on("0x2", widths=((1, 0), (0, 0)), value=1)),
    moved("tril", np.tril, *SQUARE_CASES),
    moved("triu", np.triu, *SQUARE_CASES),
    Operation("concat", lambda *xs, axis: manipulation.concat(xs, axis), lambda *xs, axis: np.concatenate(xs, axis),
              (on("2x3 1x3 2x3", axis=0), on("2x1 2x3", axis=1), on("0x2 1x2", axis=0)), primitive="concat", **EXACT),
    Operation("stack", lambda *xs, axis: manipulation.stack(xs, axis), lambda *xs, axis: np.stack(xs, axis),
              (on("2x3 2x3", axis=1), on("- - -", axis=0)), **EXACT),
    Operation("astype", lambda x: manipulation.astype(x, "float64"), lambda x: x.astype(np.float64),
              (on("2x3"), on("0x2")), primitive="astype", dtypes=ANY, tolerance=0.0),
    Operation("to_device", _there_and_back, np.copy, (on("2x3"), on("-")), primitive="to_device", **EXACT),
    Operation("repeat", manipulation.repeat, np.repeat, (on("2x3", repeats=2, axis=1), on("3", repeats=0)), **EXACT),
    Operation("tile", manipulation.tile, lambda x, repetitions: np.tile(x, repetitions),
              (on("2x3", repetitions=(2, 1, 2)),), **EXACT),
    Operation("roll", manipulation.roll, np.roll, (on("2x3", shift=1, axis=1), on("4", shift=-1)), **EXACT),
    Operation("diagonal", linalg.diagonal, np.diagonal, (on("3x3", offset=0), on("2x4", offset=1)), **EXACT),
    moved("gather", lambda x, places: x[places], on("3x2", places=(ROWS,)), on("3x2", places=(GRID, GRID % 2))),
    Operation("getitem", indexing.getitem, _getitem,
              (on("3x4", index=(slice(None), [0, 0, 3])), on("3x4", index=(..., None, 2)),
               on("2x3x2", index=(1, slice(None), [1, 0])), on("3", index=np.array([True, False, True])),
               on("3x2", index=np.zeros((3, 2), bool))), view=True, **EXACT),
    Operation("take", indexing.take, np.take,
              (on("3x4", indices=ROWS, axis=1), on("3", indices=GRID, axis=0)), **EXACT),
    Operation("take_along_axis", indexing.take_along_axis, np.take_along_axis,
              (on("3x2", indices=GRID, axis=0),), **EXACT),
    Operation("setitem", _assign, _assign, (on("3x4 2x2", index=PART), on("3x2 2", index=[2, 0]),
              on("2x3 -", index=(..., 1))), primitive="setitem", **EXACT),
    Operation("sort", sorting.sort, lambda x, axis: np.sort(x, axis), (on("2x4", axis=1), on("4x2", axis=0)),
              (DISTINCT,), **EXACT),
    Operation("topk", lambda x, k: sorting.topk(x, k).values, lambda x, k: -np.sort(-x)[..., :k], (on("2x4", k=2),),
              (DISTINCT,), tolerance=0.0),
]  # fmt: skip

REDUCTIONS: list[Operation] = [
    reduction("sum", primitive="sum", dtypes=ANY),
    reduction("prod", primitive="prod", domains=(NONZERO,), dtypes=ANY),
    reduction("max", primitive="max", domains=(DISTINCT,), dtypes=REALS, tolerance=0.0),
    reduction("min", primitive="min", domains=(DISTINCT,), dtypes=REALS, tolerance=0.0),
    reduction("any", primitive="any", dtypes=ANY, order=0),
    reduction("all", primitive="all", dtypes=ANY, order=0),
    reduction("mean"),
    reduction("var"),
    reduction("std").but(cases=(on("2x3"), on("3x4", axis=1), on("4x2", axis=0, correction=1)),
                         reference=lambda x, axis=None, correction=0: np.std(x, axis=axis, ddof=correction)),
    reduction("logsumexp", _logsumexp),
    primitive("gather_add", _gather_add, on("4x2", shape=(3, 2), places=(ROWS,)), dtypes=REALS),
    primitive("put_add", _put_add, on("3x2 4x2", places=(ROWS,)), dtypes=REALS),
    Operation("scatter_add", lambda x, values, indices, axis: indexing.scatter_add(x, indices, values, axis),
              _scatter_add, (on("2x3 2x4", indices=ROWS, axis=1), on("3 2x2", indices=GRID, axis=0)), dtypes=REALS),
    Operation("cumulative_sum", scans.cumulative_sum, np.cumsum, SCAN_CASES, dtypes=REALS, primitive="cumulative_sum"),
    Operation("cumulative_prod", scans.cumulative_prod, np.cumprod, SCAN_CASES, (NONZERO,), REALS, "cumulative_prod"),
    Operation("norm", linalg.norm, _norm, (on("2x3"), on("2x3", axis=1), on("2x3", ord=1, axis=0), on("3", ord=3)),
              (NONZERO,)),
    Operation("norm inf", linalg.norm, _norm, (on("2x3", ord=np.inf, axis=1),), (DISTINCT,)),
    Operation("softmax", nnf.softmax, _softmax, (on("2x3", dim=1), on("3x2x2", dim=0)), primitive="softmax").but(
        reference=lambda x, dim: _softmax(x, dim)),
    Operation("log_softmax", nnf.log_softmax, _log_softmax, (on("2x3", dim=1), on("3x2x2", dim=0)),
              primitive="log_softmax").but(reference=lambda x, dim: _log_softmax(x, dim)),
    Operation("array softmax", statistics.softmax, _softmax, (on("2x3", axis=1),)),
    Operation("array log_softmax", statistics.log_softmax, _log_softmax, (on("3x2", axis=0),)),
]  # fmt: skip

PRODUCTS: list[Operation] = [
    Operation("matmul", linalg.matmul, np.matmul,
              (on("2x3 3x2"), on("3 3"), on("2x3 3"), on("3 3x2"), on("2x2x3 3x2"), on("2x1x2x3 2x3x1"), on("0x3 3x2"),
               on("2x0 0x3")), dtypes=REALS, primitive="matmul"),
    Operation("linear", nnf.linear, lambda x, w, b: x @ w.T + b, (on("2x3 4x3 4"), on("3 2x3 2"), on("2x2x3 2x3 2")),
              primitive="linear"),
    Operation("outer", linalg.outer, np.outer, (on("3 2"),), dtypes=REALS),
    Operation("dot", linalg.dot, np.dot, (on("3 3"),), dtypes=REALS),
    Operation("vecdot", linalg.vecdot, lambda a, b: (a * b).sum(-1), (on("2x3 3"),)),
    Operation("tensordot", linalg.tensordot, np.tensordot, (on("2x3x2 3x2x2", axes=2), on("2x3 3x2", axes=([0], [1])))),
    Operation("trace", linalg.trace, np.trace, (on("3x3", offset=0), on("2x3", offset=1))),
    *(Operation(f"einsum {text}", lambda *xs, text=text: einsum.einsum(text, *xs),
                lambda *xs, text=text: np.einsum(text, *xs), (on(shapes),), (NONZERO,))
      for text, shapes in EINSUMS.items()),
]  # fmt: skip

LOSSES: list[Operation] = [
    loss("mse_loss", nnf.mse_loss, lambda x, t: np.mean((x - t) ** 2)),
    loss("l1_loss", nnf.l1_loss, lambda x, t: np.mean(np.abs(x - t))),
    loss("huber_loss", nnf.huber_loss, _huber, on("3x4 3x4", delta=1.3)),
    loss("cross_entropy", lambda x: nnf.cross_entropy(x, Tensor(CLASSES, device=x._device)),
         lambda x: -_picked(_log_softmax(x, 1)).mean(), on("3x4"), primitive="cross_entropy"),
    loss("cross_entropy smoothed",
         lambda x: nnf.cross_entropy(x, Tensor(CLASSES, device=x._device), label_smoothing=0.2),
         lambda x: -np.mean(0.8 * _picked(_log_softmax(x, 1)) + 0.2 * _log_softmax(x, 1).mean(1)), on("3x4")),
    loss("cross_entropy of probabilities", nnf.cross_entropy, lambda x, q: -np.mean((q * _log_softmax(x, 1)).sum(1)),
         on("3x4 3x4"), domains=(REAL, PROBABILITY)),
    loss("nll_loss", lambda x: nnf.nll_loss(x, Tensor(CLASSES, device=x._device)), lambda x: -_picked(x).mean(),
         on("3x4")),
    loss("binary_cross_entropy", nnf.binary_cross_entropy, _bce, on("3x4 3x4"), domains=(PROBABILITY,),
         primitive="binary_cross_entropy"),
    loss("binary_cross_entropy_with_logits", nnf.binary_cross_entropy_with_logits,
         lambda x, t: _bce(1 / (1 + np.exp(-x)), t), on("3x4 3x4"), domains=(REAL, PROBABILITY)),
]  # fmt: skip

OPERATIONS: dict[str, Operation] = {o.name: o for o in [*ELEMENTWISE, *MOVEMENT, *REDUCTIONS, *PRODUCTS, *LOSSES]}


def unlisted() -> set[str]:
    """Entries of the registry that the table does not know."""
    return set(REGISTRY) - {o.primitive for o in OPERATIONS.values()}
