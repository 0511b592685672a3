"""Whole processes: that import, and that finish a first training step of an MLP 784-512-256-10 with Adam."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial

from ..devices import Device
from .case import Case, Contestants, Run

_DATA = "import numpy as np\nx, classes = np.ones((128, 784), np.float32), np.zeros(128, np.int64)\n"
_NETWORK = """
network = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))
optimizer = optim.Adam(network.parameters())
def step(x, classes):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(network(x), classes)
    loss.backward()
    optimizer.step()
    return loss
"""
_OURS = f"{_DATA}from tinygrad_lite import jit, nn, optim, tensor\n{_NETWORK}"
FIRST_STEPS = {
    "first step": f"{_OURS}step(tensor(x), tensor(classes))",
    "first step, jitted": f"{_OURS}jit(step)(tensor(x), tensor(classes))",
}
TORCH = f"{_DATA}from torch import nn, optim, from_numpy as tensor\n{_NETWORK}step(tensor(x), tensor(classes))"
IMPORTS = {"numpy": "import numpy", "torch": "import torch", "jax": "import jax.numpy"}


def cases(who: Contestants, quick: bool) -> Iterator[Case]:
    """Importing; the first step, eager and jitted."""
    peers = {name: partial(process, code) for name, code in IMPORTS.items() if name in who.libraries}
    yield Case("import", who.ours(partial(_ours, "import tinygrad_lite")) | peers, warm=False)
    if quick:
        return
    torch = who.peers({"torch": lambda library: partial(process, TORCH)})
    for label, code in FIRST_STEPS.items():
        yield Case(label, who.ours(partial(_ours, code)) | torch, warm=False)
    yield Case("first step, jitted, empty kernel cache", who.ours(partial(_ours_anew, code)), warm=False)


def _ours(code: str, device: Device) -> Run:
    return partial(process, code, TINYGRAD_LITE_DEVICE=device.name)


def _ours_anew(code: str, device: Device) -> Run:
    def run() -> None:
        with tempfile.TemporaryDirectory() as cache:
            process(code, TINYGRAD_LITE_DEVICE=device.name, TINYGRAD_LITE_CACHE=cache)

    return run


def process(code: str, **environment: str) -> None:
    """Run the code in a process of its own."""
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, **environment})
