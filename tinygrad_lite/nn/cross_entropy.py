"""Cross entropy between logits and classes: what a classifier minimises.

For class numbers it is one operation of five passes forward and one backward (softmax - onehot). The other forms (class
probabilities, label smoothing) are composed from `log_softmax`.
"""

from __future__ import annotations

from typing import Any

from tinygrad_lite_kernels.expr import functions, inputs, program

from ..autograd.modes import mode
from ..ops.derivatives import rule
from ..ops.elementwise import OPERATIONS, Elementwise
from ..ops.movement import reshape
from ..ops.primitive import Primitive, number
from ..ops.reduce import PRIMITIVES
from ..tensor import Tensor, wrap
from .reduction import check_reduction, reduce_loss
from .softmax import exponentials, log_softmax, softmax
from .targets import Classes, class_axis, class_weights

multiply, total_of = OPERATIONS["multiply"], PRIMITIVES["sum"]
where, equal, log = (functions[name] for name in ("where", "equal", "log"))

_x, _top, _log_total, _class, _target, _scale = inputs(6)
_LOG = program(log(_x), 1)
_LOSS = program(where(equal(_class, _target), (_log_total - (_x - _top)) * _scale, 0), 6)


def _formula(name: str, count: int, formula: Any) -> Elementwise:
    return Elementwise(name, formula(*inputs(count)), count, registered=False)


# softmax - onehot; a sample of weight 0 gets no gradient even where its logits are not numbers
_residual = _formula(
    "cross_entropy gradient", 6,
    lambda power, total, c, t, w, g: where(equal(w, 0), 0, (power / total - where(equal(c, t), 1, 0)) * (w * g)),
)  # fmt: skip
_picked = _formula("nll_loss", 4, lambda c, t, logp, w: where(equal(c, t), -logp * w, 0))
_smooth = _formula("label smoothing", 4, lambda c, t, hit, other: where(equal(c, t), hit, other))
_soft = _formula("cross_entropy", 3, lambda q, w, logp: where(equal(q * w, 0), 0, -(q * w) * logp))


def _forward(
    device: Any, x: Any, classes: Any, target: Any, scale: Any, axis: int, over: tuple[int, ...], kept: list[Any]
) -> Any:
    """The sum over axes `over` of -log softmax(x) · scale at the targets; `kept` receives what softmax is made of."""
    top, powers, total = exponentials(device, x, axis)
    kept[:] = powers, total
    log_total = device.elementwise.elementwise(_LOG).one(total)
    losses = device.elementwise.elementwise(_LOSS).one(x, top, log_total, classes, target, scale)
    return device.reduce.reduce("sum", losses, over, False)


def _gradient(g: Tensor, y: Any, x: Tensor, classes: Tensor, target: Tensor, scale: Tensor, *params: Any) -> Tensor:
    axis, _, kept = params
    g = reshape(g, target.shape) if g.ndim else g
    powers, total = (softmax(x, axis), 1.0) if mode.enabled else [wrap(a, x._device) for a in kept]
    return _residual(powers, total, classes, target, scale, g)


_hard = Primitive("cross_entropy", _forward, inputs=4)
rule("cross_entropy", _gradient, *[lambda *_: None] * 3, needs=[(0, 1, 2, 3), (), (), ()])


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(input) at the target class, for any size of the logits.

    input: logits (N, C), (C,) or (N, C, ...). target: class numbers without the axis C, or probabilities with it.
    weight: (C,), a factor for each class; the mean is then a weighted one. ignore_index: a target that does not count.
    label_smoothing: the share of the target that goes evenly to all classes. reduction: "mean", "sum" or "none".
    Raises IndexError where a target is not a class, ValueError where shapes do not fit. As PyTorch's function.

    >>> import tinygrad_lite as tg
    >>> tg.nn.functional.cross_entropy(tg.Tensor([[1e4, 0.0]]), tg.Tensor([1]))
    Tensor(10000.)
    """
    check_reduction("cross_entropy", reduction)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must lie between 0 and 1, got {label_smoothing!r}")
    if isinstance(target, Tensor) and target.dtype.kind == "f":
        return _probabilities(input, target, weight, reduction, label_smoothing)
    classes = Classes("cross_entropy", input, target, weight, ignore_index)
    if label_smoothing:
        return _smoothed(input, classes, weight, reduction, label_smoothing)
    params: Any = (classes.axis, classes.summed(reduction), [])
    return classes.finished(_hard(input, classes.numbers, classes.target, classes.scale(reduction), *params), reduction)


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """The negative of `input`, which holds logarithms of probabilities, at the target class; see `cross_entropy`."""
    check_reduction("nll_loss", reduction)
    classes = Classes("nll_loss", input, target, weight, ignore_index)
    losses = _picked(classes.numbers, classes.target, input, classes.scale(reduction))
    return classes.finished(total_of(losses, classes.summed(reduction), False), reduction)


def _smoothed(x: Tensor, classes: Classes, weight: Tensor | None, reduction: str, share: float) -> Tensor:
    other = share / x.shape[classes.axis]
    hot = _smooth(classes.numbers, classes.target, number(1 - share + other, x), number(other, x))
    q = multiply(hot, classes.kept_scale(reduction))
    losses = _soft(q, class_weights("cross_entropy", weight, x), log_softmax(x, classes.axis))
    return classes.finished(total_of(losses, classes.summed(reduction), False), reduction)


def _probabilities(x: Tensor, q: Tensor, weight: Tensor | None, reduction: str, share: float) -> Tensor:
    if q.shape != x.shape:
        raise ValueError(
            f"cross_entropy: target probabilities must have the shape of the logits, {x.shape}, got {q.shape}; "
            "class numbers must be integers"
        )
    axis = class_axis("cross_entropy", x)
    if share:
        q = OPERATIONS["add"](multiply(q, 1 - share), share / x.shape[axis])
    losses = _soft(q, class_weights("cross_entropy", weight, x), log_softmax(x, axis))
    return reduce_loss(total_of(losses, (axis,), False), reduction)
