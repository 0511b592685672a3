"""Modules: objects that hold parameters and other modules, and compute something with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from .. import devices, dtypes
from ..autograd.graph import version_cell
from ..devices import tracing
from ..tensor import Tensor
from . import state
from .parameter import Parameter, clear_grad

Self = TypeVar("Self", bound="Module")


class Module:
    """Subclass it, put parameters and modules into attributes, and write `forward`; calling the module runs that.

    What an attribute holds says what it is: a `Parameter` is learned, a `Module` is part of this one. Other tensors
    that belong to the state (running statistics, say) are named by `register_buffer`.

    >>> import tinygrad_lite as tg
    >>> class Scale(tg.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = tg.nn.Parameter([2.0])
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(tg.Tensor([3.0])).shape, [name for name, _ in Scale().named_parameters()]
    ((1,), ['factor'])
    """

    training: bool = True
    _buffers: dict[str, bool] = {}  # noqa: RUF012  name: whether it is saved; a module that has some has its own dict

    def forward(self, *args: Any, **options: Any) -> Any:
        """Compute the module's result. Every module writes its own."""
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, ...)")

    def __call__(self, *args: Any, **options: Any) -> Any:
        if tracing.tracer is not None:
            tracing.tracer.modules[id(self)] = self, self.training
        return self.forward(*args, **options)

    def __setattr__(self, name: str, value: Any) -> None:
        known = self.__dict__.get(name)
        if isinstance(known, Parameter) and isinstance(value, Tensor) and not isinstance(value, Parameter):
            raise TypeError(
                f"{type(self).__name__}.{name} is a parameter and cannot become a plain tensor; assign "
                f"nn.Parameter(...), or write new values into it, or delete the attribute first"
            )
        super().__setattr__(name, value)

    # ---- what it holds ----

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Names and modules directly inside, each module once."""
        seen: set[int] = set()
        for name, value in vars(self).items():
            if isinstance(value, Module) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def children(self) -> Iterator[Module]:
        """The modules directly inside."""
        return (child for _, child in self.named_children())

    def named_modules(self, prefix: str = "", _seen: set[int] | None = None) -> Iterator[tuple[str, Module]]:
        """This module (under the name `prefix`) and all inside, each once, outer ones first."""
        seen = set() if _seen is None else _seen
        if id(self) in seen:
            return
        seen.add(id(self))
        yield prefix, self
        for name, child in self.named_children():
            yield from child.named_modules(join(prefix, name), seen)

    def modules(self) -> Iterator[Module]:
        """This module and all inside, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Names and parameters; one that is shared comes once, under its first name."""
        return _each_once(self, prefix, recurse, _own_parameters)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once: what an optimizer takes."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Names and buffers, each once."""
        return _each_once(self, prefix, recurse, _own_buffers)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Keep a tensor that is part of the state but not learned. persistent=False leaves it out of `state_dict`."""
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer: {name!r} must be a tensor or None, got {type(tensor).__name__}")
        self._check_name("register_buffer", name)
        self._buffers = {**self._buffers, name: persistent}
        setattr(self, name, tensor)

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """The same as assigning it to the attribute `name`."""
        if parameter is not None and not isinstance(parameter, Parameter):
            raise TypeError(f"register_parameter: {name!r} must be an nn.Parameter, got {type(parameter).__name__}")
        self._check_name("register_parameter", name)
        setattr(self, name, parameter)

    def add_module(self, name: str, module: Module) -> None:
        """The same as assigning it to the attribute `name`, which may be a number in words."""
        if not isinstance(module, Module):
            raise TypeError(f"add_module: {name!r} must be an nn.Module, got {type(module).__name__}")
        self._check_name("add_module", name)
        setattr(self, name, module)

    def _check_name(self, caller: str, name: str) -> None:
        if not isinstance(name, str) or not name or "." in name or hasattr(type(self), name):
            raise ValueError(
                f"{caller}: {name!r} cannot be a name here: a non-empty word without dots that is not taken"
            )

    # ---- the state ----

    def state_dict(self) -> dict[str, Tensor]:
        """Every parameter and saved buffer under its full name. The tensors share memory with the module's."""
        return {name: tensor.detach() for name, tensor in state.named_state(self)}

    def load_state_dict(self, values: Any, strict: bool = True) -> state.Incompatible:
        """Copy values (tensors or arrays, by name) into the parameters and buffers; all of them or, on an error, none.

        strict: missing and unexpected names are errors; else they are ignored and returned. Wrong shapes always are.
        """
        return state.load(self, values, strict)

    # ---- changes to everything inside ----

    def apply(self: Self, function: Callable[[Module], Any]) -> Self:
        """Call `function(module)` on every module inside, then on this one."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def train(self: Self, mode: bool = True) -> Self:
        """Switch to training (Dropout drops)."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: Self) -> Self:
        """Switch to evaluation (Dropout lets everything through)."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Whether the parameters shall get gradients: False freezes them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            clear_grad(parameter, set_to_none)

    def to(self: Self, *what: Any, device: Any = None, dtype: Any = None) -> Self:
        """Move parameters and buffers to a device, or convert the floating ones to a dtype, in place.

        `to("numpy")`, `to(tg.float64)`, `to("cpu", tg.float32)`, or by keyword. Make the optimizer afterwards.
        """
        for word in what:
            if isinstance(word, devices.Device) or (isinstance(word, str) and word not in dtypes.ALL):
                device = word
            else:
                dtype = word
        place = None if device is None else devices.get(device)
        kind = None if dtype is None else _floating(dtype)
        for tensor in (*self.parameters(), *self.buffers()):
            for t in (tensor, tensor.grad):
                if t is not None:
                    _move(t, place, kind)
        return self

    # ---- how it looks ----

    def extra_repr(self) -> str:
        """The options of the module, as they stand between the parentheses of its text."""
        return ""

    def __repr__(self) -> str:
        return _text(self) + (" parameters" if any(p.size for p in self.parameters()) else "")


def join(prefix: str, name: str) -> str:
    """The full name of something inside a module."""
    return f"{prefix}.{name}" if prefix else name


def _each_once(module: Module, prefix: str, recurse: bool, members: Callable[[Module], Any]) -> Iterator[Any]:
    """Full names and tensors of a module, or of all modules inside, without repetition."""
    seen: set[int] = set()
    for where, inner in module.named_modules(prefix) if recurse else [(prefix, module)]:
        for name, tensor in members(inner):
            if tensor is not None and id(tensor) not in seen:
                seen.add(id(tensor))
                yield join(where, name), tensor


def _own_parameters(module: Module) -> Iterator[tuple[str, Parameter]]:
    return ((name, value) for name, value in vars(module).items() if isinstance(value, Parameter))


def _own_buffers(module: Module) -> Iterator[tuple[str, Tensor | None]]:
    return ((name, getattr(module, name, None)) for name in module._buffers)


def _floating(dtype: Any) -> Any:
    kind = dtypes.as_dtype(dtype, "Module.to")
    if not dtypes.is_floating(kind):
        raise TypeError(f"Module.to: parameters can only be float32 or float64, not {kind}")
    return kind


def _move(tensor: Tensor, device: devices.Device | None, dtype: Any) -> None:
    """Give a tensor other memory, keeping the object, because optimizers and other modules hold it."""
    place = device or tensor._device
    if dtype is not None and dtypes.is_floating(tensor.dtype) and tensor.dtype != dtype:
        tensor.rebind(place.movement.astype(tensor._data, dtype), place)
        version_cell(tensor)[0] += 1
    elif place is not tensor._device:
        tensor.rebind(tensor._data, place)


def _text(module: Module) -> str:
    """One line for a module without others inside, else an indented line for each, with the number of parameters."""
    head = f"{type(module).__name__}({module.extra_repr()}"
    inside = [f"({name}): {_text(child)}".replace("\n", "\n  ") for name, child in module.named_children()]
    body = "".join(f"\n  {line}" for line in inside) + ("\n" if inside else "")
    count = sum(p.size for p in module.parameters())
    return f"{head}{body})" + (f"  # {count:,}" if count else "")
