"""Whether operations are recorded: per thread, nestable, as context managers and as decorators."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any


class _Mode(threading.local):
    enabled = True


mode = _Mode()


class _SetGrad:
    """Sets recording to `enabled` inside a `with` block or in a decorated function (generators too)."""

    enabled = True

    def __new__(cls, *args: Any) -> Any:
        """`@no_grad` without brackets decorates as well."""
        bare = len(args) == 1 and callable(args[0])
        return cls()(args[0]) if bare else super().__new__(cls)

    def __init__(self) -> None:
        self._before: dict[int, list[bool]] = {}  # by thread: several may share one instance

    def __enter__(self) -> None:
        self._before.setdefault(threading.get_ident(), []).append(mode.enabled)
        mode.enabled = self.enabled

    def __exit__(self, *_: object) -> None:
        mode.enabled = self._before[threading.get_ident()].pop()

    def _another(self) -> _SetGrad:
        return type(self)()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        make = self._another
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"{type(self).__name__}: cannot decorate an async function, between whose parts others run; "
                "use a `with` block inside it, without await"
            )

        @functools.wraps(function)
        def run(*args: Any, **options: Any) -> Any:
            with make():
                return function(*args, **options)

        @functools.wraps(function)
        def generate(*args: Any, **options: Any) -> Any:
            return _in_mode(make, function(*args, **options))

        return generate if inspect.isgeneratorfunction(function) else run


def _in_mode(make: Callable[[], _SetGrad], generator: Any) -> Any:
    """Run a generator in a mode that its consumer does not see between two values."""
    send: Callable[[], Any] = lambda: next(generator)  # noqa: E731
    while True:
        try:
            with make():
                value = send()
        except StopIteration as stop:
            return stop.value
        try:
            sent = yield value
            send = functools.partial(generator.send, sent)
        except GeneratorExit:
            generator.close()
            raise
        except BaseException as error:
            send = functools.partial(generator.throw, error)


class no_grad(_SetGrad):
    """Operations inside are not recorded: their results do not require gradients.

    >>> import tinygrad_lite as tg
    >>> x = tg.tensor([1.0], requires_grad=True)
    >>> with tg.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    enabled = False


class enable_grad(_SetGrad):
    """Operations inside are recorded, also within `no_grad`."""

    enabled = True


class set_grad_enabled(_SetGrad):
    """`no_grad` or `enable_grad` by a flag: from now on, or for a `with` block or a decorated function only.

    >>> import tinygrad_lite as tg
    >>> with tg.set_grad_enabled(False):
    ...     tg.is_grad_enabled()
    False
    """

    def __init__(self, enabled: bool) -> None:
        super().__init__()
        self.enabled = bool(enabled)
        super().__enter__()
        self._entered = True  # already, for a `with` that may follow

    def __enter__(self) -> None:
        if not self._entered:
            super().__enter__()
        self._entered = False

    def _another(self) -> _SetGrad:
        return set_grad_enabled(self.enabled)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        self.__exit__()
        return super().__call__(function)


def is_grad_enabled() -> bool:
    """Whether operations are recorded now, in this thread."""
    return mode.enabled
