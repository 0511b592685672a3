"""From a Python function to machine code at an address, through Numba, kept on disk.

Every kernel has one signature, so that whoever runs it needs to know nothing about it:

    kernel(operands, meta, lo, hi)

operands: addresses of the arrays; meta: sizes and strides, 64-bit integers whose order the kernel's own file defines;
lo, hi: the part of the range to work on. A kernel touches nothing else and raises nothing.

Numba is imported only when something has to be compiled: a process that finds its kernels on disk never loads it.
"""

from __future__ import annotations

import ctypes
import dis
import hashlib
import inspect
import os
import platform
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from types import FunctionType
from typing import Any

from . import cache as disk
from . import progress

FASTMATH = frozenset({"contract", "nsz"})  # these two keep NaN and infinity where they belong; "arcp" does not

_lock = threading.RLock()
_loaded: dict[str, int] = {}
if hasattr(os, "register_at_fork"):  # a child must not be born while another thread compiles: nobody would unlock it
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class Helper:
    """A function that kernels call. Numba sees it only when a kernel that mentions it is compiled."""

    def __init__(self, function: Any, flags: frozenset[str] = FASTMATH, inline: bool = True):
        self.function, self.flags, self.inline = function, flags, inline
        self.__doc__, self.__name__ = function.__doc__, function.__name__

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)

    @cached_property
    def compiled(self) -> Any:
        import numba

        return numba.njit(error_model="numpy", fastmath=set(self.flags), forceinline=self.inline)(
            _resolved(self.function)
        )


class Intrinsic(Helper):
    """A function that writes LLVM instructions: `f(typing_context, *types) -> (signature, code generator)`."""

    def __call__(self, *args: Any) -> Any:
        raise TypeError(f"{self.__name__} exists only inside compiled kernels")

    @cached_property
    def compiled(self) -> Any:
        from numba.extending import intrinsic

        return intrinsic(self.function)


def helper(function: Any = None, *, flags: frozenset[str] = FASTMATH, inline: bool = True) -> Any:
    """Mark a function as callable from kernels; called from Python it runs as plain Python.

    A loop is vectorised only if what it calls is inlined; what contains the loops itself need not be.
    """
    return Helper(function, flags, inline) if function else lambda f: Helper(f, flags, inline)


def kernel(function: Any, constants: dict[str, Any] | None = None, flags: frozenset[str] = FASTMATH) -> int:
    """The address of `function(operands, meta, lo, hi)`, compiled now or found on disk.

    `constants` replaces globals of the function: one source serves every dtype with `constants={"T": np.float32}`.
    """
    return _address(function, constants or {}, "kernel", flags)


def specialized(function: Any, constants: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """A kernel and its constants, with the helpers of its module seeing the same constants."""
    scope = specialized_helpers(function.__globals__, constants)
    return FunctionType(function.__code__, scope, function.__name__), constants


def specialized_helpers(home: dict[str, Any], constants: dict[str, Any]) -> dict[str, Any]:
    """The names of a module, with some replaced by constants also for the helpers that it defines."""
    scope = {**home, **constants}
    for name, value in home.items():
        if name not in constants and type(value) is Helper and value.function.__globals__ is home:
            scope[name] = Helper(FunctionType(value.function.__code__, scope, name), value.flags, value.inline)
    return scope


def python_callable(function: Any) -> Callable[..., Any]:
    """`function(self, arguments, count) -> object address` as a Python callable that costs about 50 ns a call.

    `arguments` points to the addresses of the Python objects that were passed; the result is a new reference.
    """
    address = _address(function, {}, "python", FASTMATH)
    definition = _MethodDefinition(function.__name__.encode(), address, 0x80, b"")  # 0x80: METH_FASTCALL
    _alive.append(definition)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    return make(ctypes.addressof(definition), None, None)


class _MethodDefinition(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


_alive: list[Any] = []  # method definitions must outlive the callables made from them


def _address(function: Any, constants: dict[str, Any], signature: str, flags: frozenset[str]) -> int:
    key = _key(function, constants, signature, flags)
    address = _loaded.get(key)
    if address is None:
        with _lock:
            address = _loaded.get(key)
            if address is None:
                code = disk.load(key)
                if code is None:
                    with progress.compiling():
                        code = _compile(_resolved(function, constants), signature, flags, "tg_" + key)
                    disk.store(key, code)
                address = _loaded[key] = _link(code, "tg_" + key)
    return address


# ---- what the key is made of: the source of everything that the machine code was made from ----


def _key(function: Any, constants: dict[str, Any], signature: str, flags: frozenset[str]) -> str:
    parts = [_machine(), signature, repr(sorted(flags)), function.__name__, _source(function)]
    parts += [f"{name}={_describe(value)}" for name, value in sorted(constants.items())]
    names = _mentions(function)
    parts += [f"{n}={_describe(v)}" for n, v in sorted(names.items()) if n not in constants]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def _mentions(function: Any) -> dict[str, Any]:
    """The globals that a function reads, with their values."""
    return {
        name: function.__globals__[name] for name in _global_names(function.__code__) if name in function.__globals__
    }


@cache
def _global_names(code: Any) -> frozenset[str]:
    return frozenset(i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL")


def _source(function: Any) -> str:
    if "source" in function.__dict__:  # printed code carries its own text
        return function.__dict__["source"]
    return _file_digest(function.__code__.co_filename)


@cache
def _file_digest(path: str) -> str:
    return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()


def _describe(value: Any) -> str:
    if isinstance(value, Helper):
        return _describe_helper(value)
    if isinstance(value, FunctionType):
        return _source(value)
    return getattr(value, "__name__", None) or repr(value)


@cache
def _describe_helper(value: Helper) -> str:
    names = [f"{n}={_describe(v)}" for n, v in sorted(_mentions(value.function).items()) if v is not value]
    return "\n".join([value.__name__, _source(value.function), repr(sorted(value.flags)), *names])


@cache
def _machine() -> str:
    from importlib.metadata import version

    import llvmlite
    import llvmlite.binding as llvm
    import numpy

    features = llvm.get_host_cpu_features().flatten()
    versions = (sys.version, numpy.__version__, version("numba"), llvmlite.__version__, llvm.llvm_version_info)
    return repr((versions, llvm.get_process_triple(), llvm.get_host_cpu_name(), features, _file_digest(__file__)))


# ---- compiling and linking ----


def _resolved(function: Any, constants: dict[str, Any] | None = None) -> Any:
    """The same function with its helpers replaced by what Numba knows."""
    scope = {
        n: v.compiled if isinstance(v, Helper) else v
        for n, v in function.__globals__.items()
        if n in _mentions(function) or n == "__builtins__"
    }
    scope |= {n: v.compiled if isinstance(v, Helper) else v for n, v in (constants or {}).items()}
    scope["__name__"] = __name__
    return FunctionType(function.__code__, scope, function.__name__, function.__defaults__)


def _compile(function: Any, signature: str, flags: frozenset[str], symbol: str) -> bytes:
    """Object code that defines `symbol` and needs nothing but the C library and Python itself."""
    from numba import types
    from numba.core.ccallback import CFunc
    from numba.core.compiler_lock import global_compiler_lock

    integers = types.CPointer(types.int64)
    arguments, result = {
        "kernel": ((integers, integers, types.int64, types.int64), types.void),
        "python": ((types.int64, integers, types.int64), types.int64),
    }[signature]
    options = {"nopython": True, "error_model": "numpy", "fastmath": set(flags)}
    with global_compiler_lock:
        callback: Any = CFunc(function, (arguments, result), {}, options)
        customize = callback._compiler._customize_flags
        callback._compiler._customize_flags = lambda flags: _without_wrapper(customize(flags))
        with _helpers_left_as_they_are():
            compiled = callback._compile_uncached()
        library = compiled.library
        library.add_ir_module(_entry_point(compiled, symbol))
        library.finalize()
        module = library._final_module
        _hide_all_but(module, symbol)
        return _target_machine().emit_object(module)


@contextmanager
def _helpers_left_as_they_are() -> Iterator[None]:
    """Helpers are optimized and made machine code in the kernel that they end up in, and not before.

    What Numba does to each of them alone is lost. Nobody else compiles meanwhile: Numba has one lock for all.
    """
    from numba.core.codegen import JITCodeLibrary, JITCPUCodegen

    nothing = {name: lambda *_: None for name in ("_optimize_final_module", "_finalize_specific")}
    changes: dict[Any, dict[str, Any]] = {
        JITCodeLibrary: {**nothing, "_optimize_functions": _set_layout, "get_pointer_to_function": lambda *_: 0},
        JITCPUCodegen: {name: lambda *_: None for name in ("_add_module", "set_env")},
    }
    before = {owner: {name: getattr(owner, name) for name in names} for owner, names in changes.items()}
    try:
        _assign(changes)
        yield
    finally:
        _assign(before)


def _assign(attributes: dict[Any, dict[str, Any]]) -> None:
    for owner, values in attributes.items():
        for name, value in values.items():
            setattr(owner, name, value)


def _set_layout(library: Any, module: Any) -> None:
    """What is left of optimizing the functions of a module."""
    module.data_layout = library._codegen._data_layout


def _without_wrapper(flags: Any) -> Any:
    """Numba's own wrapper reports exceptions through its runtime; ours is `_entry_point`."""
    flags.no_cfunc_wrapper = True
    return flags


def _entry_point(compiled: Any, symbol: str) -> Any:
    """A C function that calls the compiled one. Kernels raise nothing, so there is no status to look at."""
    from llvmlite import ir

    context, convention, described = compiled.target_context, compiled.target_context.call_conv, compiled.fndesc
    module = compiled.library.create_ir_module(symbol)
    kind = convention.get_function_type(described.restype, described.argtypes)
    inner = ir.Function(module, kind, described.llvm_func_name)
    values = [context.get_value_type(kind) for kind in described.argtypes]
    returns = context.get_value_type(described.restype)
    is_void = str(described.restype) == "none"
    outer = ir.Function(module, ir.FunctionType(ir.VoidType() if is_void else returns, values), symbol)
    builder = ir.IRBuilder(outer.append_basic_block())
    _, value = convention.call_function(builder, inner, described.restype, described.argtypes, outer.args)
    builder.ret_void() if is_void else builder.ret(value)
    return module


def _hide_all_but(module: Any, symbol: str) -> None:
    """Make every definition private except `symbol`, and make sure that nothing of Numba's runtime is needed."""
    for function in module.functions:
        if function.is_declaration and function.name.startswith(("numba_", "NRT_", "PyErr_")):
            raise RuntimeError(f"a kernel must neither raise nor allocate, but it calls {function.name}")
        if not function.is_declaration and function.name != symbol:
            function.linkage = "internal"
    for variable in [v for v in module.global_variables if not v.is_declaration]:
        variable.linkage = "internal"


# What an object needs lies beside it (`use_lmm`), so that code can name its constants by their distance: a whole
# instruction less for each than by address, which is a tenth of the time of a function like tanh. Tried on x86-64 only.
NEAR = platform.machine() == "x86_64"
MODEL = {"reloc": "pic", "codemodel": "small"} if NEAR else {"codemodel": "jitdefault"}


def _target_machine() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(llvm.get_host_cpu_name(), features, 3, jit=True, **MODEL)


@cache
def _engine() -> Any:
    import llvmlite.binding as llvm

    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine(), use_lmm=NEAR or None)


def _link(code: bytes, symbol: str) -> int:
    import llvmlite.binding as llvm

    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine.get_function_address(symbol)


def printed(source: str, name: str, scope: dict[str, Any]) -> Any:
    """The function `name` that `source` defines; its text becomes part of the cache key and shows in tracebacks."""
    import linecache

    file = f"<{name} {hashlib.blake2b(source.encode(), digest_size=6).hexdigest()}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    scope = dict(scope)
    exec(compile(source, file, "exec"), scope)
    function = scope[name]
    function.source = source
    return function


def source_of(function: Any) -> str:
    """The Python text of a kernel or helper, for people who want to read what ran."""
    function = getattr(function, "function", function)
    return function.__dict__.get("source") or inspect.getsource(function)
