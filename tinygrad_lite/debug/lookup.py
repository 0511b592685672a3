"""The plan that a call of a jitted function uses."""

from __future__ import annotations

import functools
from typing import Any

from .. import devices
from ..autograd.modes import mode
from ..compiler.arguments import Arguments, plain_key
from ..compiler.compiled import Compiled
from ..compiler.function import Jitted
from ..tensor import Tensor


class Call:
    """A call of a jitted function that is looked at instead of made."""

    def __init__(self, name: str, jitted: Any, args: tuple[Any, ...], options: dict[str, Any]):
        if isinstance(jitted, functools.partial):  # a method
            jitted, args, options = jitted.func, (*jitted.args, *args), {**jitted.keywords, **options}
        if not isinstance(jitted, Jitted):
            raise TypeError(f"debug.{name}: looks into functions made by tg.jit, got {type(jitted).__name__}; wrap it")
        self.jitted, self.args, self.options = jitted, args, options
        self.arguments = Arguments(args, options)

    @property
    def tensors(self) -> list[Tensor]:
        """Those that the call brings."""
        return self.arguments.tensors

    @property
    def key(self) -> Any:
        """Under which the function keeps its plans for such calls."""
        layouts = None if self.options else plain_key(self.args)
        return self.arguments.key if layouts is None else layouts, mode.enabled, devices.get()

    def compiled(self) -> Compiled:
        """The plan that the call would use; it is made where there is none."""
        with self.jitted._lock:
            return self.jitted._plan(self.key, self.args, self.options)
