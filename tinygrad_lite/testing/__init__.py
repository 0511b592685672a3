"""For tests of code that computes with tensors: Hypothesis strategies and a pytest fixture.

`shapes`, `broadcastable_shapes` and `tensors` need `hypothesis` (strategies.py). The fixture `gradcheck` comes with
`pytest_plugins = ["tinygrad_lite.testing.fixtures"]` in the `conftest.py` at the top of your tests (fixtures.py).
The other files are the table of operations that this library's own tests and `tinygrad-lite gradcheck` work through.
"""

from typing import Any as _Any

_STRATEGIES = ("broadcastable_shapes", "shapes", "tensors")


def __getattr__(name: str) -> _Any:
    """Hypothesis is imported when a strategy is first asked for."""
    if name not in _STRATEGIES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import strategies

    return getattr(strategies, name)
