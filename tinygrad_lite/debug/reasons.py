"""Why a call of a jitted function is traced anew, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..compiler.compiled import Compiled, layout
from ..tensor import changes
from .differences import differences
from .lookup import Call
from .names import Names

ELSE = "something else that the function depends on had changed"
FIRST = "there was no plan before"
MOST = 3  # things named in a sentence
MOVED = "a tensor that existed got other memory, or was frozen or thawed"


class Reasons(list[str]):
    """One sentence each; none where the call replays a plan."""

    def __str__(self) -> str:
        return "; ".join(self) or "the call replays a plan that exists"


def why(jitted: Any, *args: Any, **options: Any) -> Reasons:
    """Why a call of a jitted function would be traced anew: what is different from the plan that comes nearest.

    Empty where a plan fits. Nothing is traced, run or changed.

    >>> import tinygrad_lite as tg
    >>> double = tg.jit(lambda x: x + x)
    >>> y = double(tg.ones((2, 3)))
    >>> print(tg.debug.why(double, tg.ones((2, 3))))
    the call replays a plan that exists
    >>> print(tg.debug.why(double, tg.ones((4, 3))))
    argument 0 has shape (4, 3), it was (2, 3)
    """
    call = Call("why", jitted, args, options)
    now = call.arguments.key, call.key[1:]
    return _fewest([list(_reasons(plan, now, _facts_now(plan.compiled))) for plan in _plans(call)])


def traces(jitted: Any) -> list[str]:
    """For each time that a function was traced, why: what was different from that plan before that comes nearest.

    >>> import tinygrad_lite as tg
    >>> double = tg.jit(lambda x: x + x)
    >>> for x in (tg.ones(2), tg.ones(3), tg.ones(2, dtype="float64")):
    ...     y = double(x)
    >>> tg.debug.traces(double)[1:]
    ['argument 0 has shape (3,), it was (2,)', 'argument 0 has dtype float64, it was float32']
    """
    plans = _plans(Call("traces", jitted, (), {}))
    return ["; ".join(_nearest(plan, plans[:i])) or ELSE for i, plan in enumerate(plans)]


class Known(NamedTuple):
    """A plan, and what it was made for: whether gradients were recorded, and the default device."""

    compiled: Compiled
    surroundings: Sequence[Any]


def _plans(call: Call) -> list[Known]:
    """In the order in which they were made."""
    with call.jitted._lock:
        found = [Known(c, place[1:]) for place, plans in call.jitted._plans.items() for c in plans]
    return sorted(found, key=lambda plan: plan.compiled.number)


def _nearest(plan: Known, before: Sequence[Known]) -> Reasons:
    now, facts = (plan.compiled.key, plan.surroundings), _facts(plan.compiled)
    return _fewest([list(_reasons(old, now, facts)) for old in before])


def _fewest(found: Sequence[list[str]]) -> Reasons:
    return Reasons(sorted(found, key=len)[0] if found else [FIRST])


def _reasons(plan: Known, now: tuple[Any, Any], facts: dict[str, Any]) -> Iterator[str]:
    """What a call has different from what a plan was made for."""
    yield from differences(now[0], plan.compiled.key)
    (enabled, device), (was_enabled, was_device) = now[1], plan.surroundings
    if enabled != was_enabled:
        yield f"gradients are {_recorded(enabled)}, they were {_recorded(was_enabled)}"
    if device is not was_device:
        yield f"the default device is {device}, it was {was_device}"
    yield from _changed(facts, _facts(plan.compiled))


def _changed(now: dict[str, Any], before: dict[str, Any]) -> Iterator[str]:
    """A sentence for all that changed in the same way."""
    groups: dict[Any, list[str]] = {}
    for name in before:
        if name in now and now[name] != before[name]:
            change = (now[name], before[name]) if isinstance(before[name], str) else name
            groups.setdefault(change, []).append(name)
    for change, names in groups.items():
        more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
        many = ", ".join(names[:MOST]) + more
        yield f"{many}: now {change[0]}, before {change[1]}" if isinstance(change, tuple) else many


def _recorded(enabled: bool) -> str:
    return "recorded" if enabled else "not recorded"


# ---- what else a plan depends on: by a name for it, a text that says how it is, or a value that does not matter ----


def _facts(compiled: Compiled) -> dict[str, Any]:
    """As it was when the function was traced."""
    modes = [training for _, training in compiled.modules]
    gradients = [before for _, before in compiled.tracer.touched.values()]
    return _named(compiled, modes, gradients) | {MOVED: compiled.changes} | _rules(compiled)


def _facts_now(compiled: Compiled) -> dict[str, Any]:
    modes = [module.training for module, _ in compiled.modules]
    gradients = [leaf._grad for leaf, _ in compiled.tracer.touched.values()]
    return _named(compiled, modes, gradients) | {MOVED: changes[0]} | _rules_now(compiled)


def _named(compiled: Compiled, modes: Sequence[bool], gradients: Sequence[Any]) -> dict[str, Any]:
    names = Names(compiled)
    found = {names.module(m): MODES[mode] for (m, _), mode in zip(compiled.modules, modes, strict=True)}
    leaves = [leaf for leaf, _ in compiled.tracer.touched.values()]
    for leaf, gradient in zip(leaves, gradients, strict=True):
        found[f"the gradient of {names.of(leaf)}"] = _described(gradient)
    return found


MODES = {True: "in training mode", False: "in eval mode"}


def _described(gradient: Any) -> str:
    if gradient is None:
        return "absent"
    strides, dtype = layout(gradient)
    return f"there ({dtype}, strides {strides})"


def _rules(compiled: Compiled) -> dict[str, Any]:
    """What optimizers, or others, wanted to be compared."""
    found: dict[str, list[Any]] = {}
    for guard in compiled.tracer.guards:
        owner = getattr(getattr(guard, "func", guard), "__self__", None)
        name = f"the options, groups or state of {type(owner).__name__}" if owner else "a condition of the function"
        found.setdefault(f"{name} changed", []).append(getattr(guard, "args", guard))
    return found


def _rules_now(compiled: Compiled) -> dict[str, Any]:
    """The same where it holds, False where it does not."""
    before = _rules(compiled)
    return {name: rules if all(g() for g in compiled.tracer.guards) else False for name, rules in before.items()}
