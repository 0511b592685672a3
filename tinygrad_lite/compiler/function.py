"""`tg.jit`: the first call with a kind of arguments traces, later ones replay."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from .. import devices
from ..autograd.modes import mode
from ..devices import tracing
from .arguments import Arguments, plain_key
from .compiled import Compiled, compile


class Jitted:
    """A function whose calls are replayed from a plan; see `jit`."""

    def __init__(self, function: Callable[..., Any]):
        functools.update_wrapper(self, function)
        self.function = function
        self.traces = 0
        self._plans: dict[Any, list[Compiled]] = {}
        self._lock = threading.RLock()

    def __call__(self, *args: Any, **options: Any) -> Any:
        if tracing.tracer is not None:  # inside another jitted function
            return self.function(*args, **options)
        tensors, layouts = args, None if options else plain_key(args)
        if layouts is None:
            arguments = Arguments(args, options)
            tensors, layouts = tuple(arguments.tensors), arguments.key
        with self._lock:
            compiled = self._plan((layouts, mode.enabled, devices.get()), args, options)
            return compiled.run(tensors)

    def _plan(self, key: Any, args: Any, options: Any) -> Compiled:
        """One that was made for such arguments and still fits, or a new one."""
        plans = self._plans.setdefault(key, [])
        for compiled in plans:
            if compiled.fits():
                return compiled
        plans.append(compile(self.function, args, options, Arguments(args, options)))
        self.traces += 1
        return plans[-1]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)


def jit(function: Callable[..., Any]) -> Jitted:
    """Turn a function of tensors, a whole training step say, into one native call.

    The first call with a new kind of arguments (shapes, memory layouts, dtypes, devices, requires_grad, the values of
    everything that is no tensor) runs the function once on tensors without values, notes every kernel, forward,
    `backward()` and `optimizer.step()` alike, and makes a plan of fused kernels; that call and later ones replay it.
    `traces` counts how often it was traced. The function may be a method. A jitted function inside another becomes part
    of it.

    Tensors from outside (parameters, optimizer state, running statistics) are read and updated in place. A gradient
    that an optimizer inside takes, and that did not exist before, stays inside; other gradients are left in `.grad`.
    Results are new tensors without history: call `backward` inside.

    Raises TraceError where the function asks for a value (`float(x)`, `if x > 0`), which would be frozen.

    >>> import tinygrad_lite as tg
    >>> @tg.jit
    ... def double(x):
    ...     return x + x
    >>> double(tg.tensor([1.0, 2.0])), double(tg.tensor([3.0, 4.0])), double.traces
    (Tensor([2., 4.]), Tensor([6., 8.]), 1)
    """
    return Jitted(function)
