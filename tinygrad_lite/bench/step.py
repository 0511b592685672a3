"""Whole training steps: forward, backward and update, jitted and eager, all from the same initial weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..devices import Device
from .case import Case, Contestants
from .libraries import Library
from .optim import RULES, jax_state, updated

Step = Callable[[], Any]  # gives the loss
LOSSES = 10  # steps whose losses are compared


class Model(NamedTuple):
    """An MLP with relu and cross entropy: its widths, the batch, and the entry of `RULES` that trains it."""

    widths: tuple[int, ...]
    batch: int
    rule: str

    @property
    def label(self) -> str:
        """What it is, in a line."""
        return f"MLP {'-'.join(map(str, self.widths))}, batch {self.batch}, {self.rule}"

    @property
    def parameters(self) -> int:
        """How many it has."""
        return sum(width * (size + 1) for size, width in pairwise(self.widths))

    @property
    def flops(self) -> float:
        """Of the products (three for each layer, but none for the gradient of the inputs) and the update."""
        products = 6 * sum(a * b for a, b in pairwise(self.widths)) - 2 * self.widths[0] * self.widths[1]
        return float(self.batch * products + RULES[self.rule].flops * self.parameters)

    @property
    def bytes(self) -> float:
        """Weights read forward and backward and updated, without storing their gradients; activations both ways."""
        update = RULES[self.rule].traffic - 4
        return float(self.parameters * (8 + update) + 16 * self.batch * sum(self.widths))


QUICK = [Model((64, 32, 10), 32, "SGD with momentum"), Model((784, 512, 256, 10), 128, "Adam")]
MORE = [Model((784, 512, 256, 10), 1024, "Adam"), Model((192 * 192 * 3, 500, 50, 5), 32, "Adam")]


def cases(who: Contestants, quick: bool) -> Iterator[Case]:
    """One for each model."""
    for model in QUICK if quick else QUICK + MORE:
        runs = who.ours(partial(jitted, model)) | who.ours(partial(ours, model), "eager")
        runs.pop("reference eager", None)  # a slow thing twice
        runs |= who.peers({name: partial(make, model) for name, make in PEERS.items()})
        yield Case(model.label, runs, model.flops, model.bytes, losses=LOSSES)


def data(model: Model) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Inputs, classes, and initial weights and biases in turn."""
    rng = np.random.default_rng(0)
    weights: list[np.ndarray] = []
    for size, width in pairwise(model.widths):
        bound = 1 / math.sqrt(size)
        weights += [rng.uniform(-bound, bound, s).astype(np.float32) for s in ((width, size), (width,))]
    x = rng.standard_normal((model.batch, model.widths[0])).astype(np.float32)
    return x, rng.integers(0, model.widths[-1], model.batch), weights


def module_step(nn: Any, optim: Any, tensor: Any, model: Model, fill: Callable[[Any, np.ndarray], Any]) -> Step:
    """The step in the words that we share with torch: given nn, optim, a tensor's maker, and how to set a parameter."""
    x, classes, weights = data(model)
    layers = [layer for sizes in pairwise(model.widths) for layer in (nn.Linear(*sizes), nn.ReLU())]
    network = nn.Sequential(*layers[:-1])
    for parameter, value in zip(network.parameters(), weights, strict=True):
        fill(parameter, value)
    rule = RULES[model.rule]
    optimizer = getattr(optim, rule.name)(network.parameters(), **rule.options)
    inputs, targets = tensor(x), tensor(classes)

    def step() -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    return step


def ours(model: Model, device: Device | None = None) -> Step:
    """Our step as it is written, operation by operation."""
    from .. import devices, nn, optim
    from ..tensor import Tensor

    def fill(parameter: Any, value: np.ndarray) -> None:
        parameter.detach()[...] = Tensor(value, device=device)

    before = devices.get().name
    devices.set_default_device(device.name if device else before)
    try:
        return module_step(nn, optim, Tensor, model, fill)
    finally:
        devices.set_default_device(before)


def jitted(model: Model, device: Device | None = None) -> Step:
    """The same step as one plan."""
    from ..compiler import jit

    return jit(ours(model, device))


def torchs(model: Model, library: Library) -> Step:
    """That of torch, eager."""
    torch = library.module
    return module_step(torch.nn, torch.optim, torch.from_numpy, model, lambda p, v: p.data.copy_(torch.from_numpy(v)))


def jaxs(model: Model, library: Library) -> Step:
    """That of jax, all of it compiled at once."""
    jax, (x, classes, weights) = library.module, data(model)
    inputs, targets, rule = jax.numpy.asarray(x), jax.numpy.asarray(classes), RULES[model.rule]

    def loss_of(params: Any, x: Any, classes: Any) -> Any:
        for weight, bias in zip(params[:-2:2], params[1:-2:2], strict=True):
            x = jax.nn.relu(x @ weight.T + bias)
        logits = jax.nn.log_softmax(x @ params[-2].T + params[-1])
        return -logits[jax.numpy.arange(model.batch), classes].mean()

    def whole(params: Any, state: Any, count: Any, x: Any, classes: Any) -> tuple[Any, ...]:
        loss, grads = jax.value_and_grad(loss_of)(params, x, classes)
        return *updated(rule, params, grads, state, count + 1), count + 1, loss

    compiled = jax.jit(whole, donate_argnums=(0, 1, 2))
    kept: list[Any] = list(jax_state(jax, weights))

    def step() -> Any:
        *kept[:], loss = jax.block_until_ready(compiled(*kept, inputs, targets))
        return loss

    return step


def by_hand(model: Model, library: Library | None = None) -> Step:
    """The step as someone would write it who has only NumPy."""
    x, classes, params = data(model)
    grads = [np.zeros_like(p) for p in params]
    update = RULES[model.rule].by_hand(params, grads)
    rows = np.arange(len(x))

    def forward() -> list[np.ndarray]:
        values = [x]
        for weight, bias in zip(params[::2], params[1::2], strict=True):
            hidden = values[-1] @ weight.T
            hidden += bias
            values.append(np.maximum(hidden, 0) if weight is not params[-2] else hidden)
        return values

    def backward(slope: np.ndarray, values: list[np.ndarray]) -> None:
        for k in range(len(values) - 1, -1, -1):
            np.matmul(slope.T, values[k], out=grads[2 * k])
            np.sum(slope, axis=0, out=grads[2 * k + 1])
            if k:
                slope = slope @ params[2 * k]
                slope *= values[k] > 0

    def step() -> Any:
        *values, logits = forward()
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        total = powers.sum(axis=1, keepdims=True)
        loss = np.mean(np.log(total[:, 0]) - logits[rows, classes])
        slope = powers / total
        slope[rows, classes] -= 1
        slope /= len(x)
        backward(slope, values)
        update()
        return loss

    return step


PEERS: dict[str, Callable[[Model, Library], Step]] = {"numpy": by_hand, "torch": torchs, "jax": jaxs}
