"""Words that several threads change at once, each change whole and in one order for all of them."""

from __future__ import annotations

import ctypes
from typing import Any

from .native import Intrinsic

ORDER = "seq_cst"
LINE = 64  # bytes of cache


def shared_words(count: int) -> int:
    """The address of words that are 0, in cache lines of their own. They are never given back.

    Threads may look at them to the very end of the process, when Python has forgotten everything.
    """
    allocate = ctypes.pythonapi.PyMem_RawCalloc
    allocate.restype, allocate.argtypes = ctypes.c_void_p, [ctypes.c_size_t, ctypes.c_size_t]
    return (allocate(8 * count + 2 * LINE, 1) + LINE - 1) // LINE * LINE


def _on_word(arity: int, instruction: Any) -> Any:
    """What an intrinsic returns whose first argument is the address of a 64-bit word."""
    from numba import types

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from llvmlite import ir

        word = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return instruction(builder, word, *arguments[1:])

    return types.int64(*[types.int64] * arity), generate


@Intrinsic
def atomic_load(context: Any, address: Any) -> Any:
    """The word at an address."""
    return _on_word(1, lambda builder, word: builder.load_atomic(word, ORDER, 8))


@Intrinsic
def atomic_add(context: Any, address: Any, value: Any) -> Any:
    """Add to the word at an address; what it was before."""
    return _on_word(2, lambda builder, word, value: builder.atomic_rmw("add", word, value, ORDER))


@Intrinsic
def atomic_set(context: Any, address: Any, value: Any) -> Any:
    """Write the word at an address; what it was before."""
    return _on_word(2, lambda builder, word, value: builder.atomic_rmw("xchg", word, value, ORDER))


@Intrinsic
def atomic_change(context: Any, address: Any, before: Any, after: Any) -> Any:
    """Write `after` if the word at an address is `before`; what it was."""

    def change(builder: Any, word: Any, before: Any, after: Any) -> Any:
        return builder.extract_value(builder.cmpxchg(word, before, after, ORDER, ORDER), 0)

    return _on_word(3, change)


PAUSES = {"x86_64": ("llvm.x86.sse2.pause", ()), "aarch64": ("llvm.aarch64.hint", (1,))}  # by processor


@Intrinsic
def pause(context: Any) -> Any:
    """What a loop that waits for another thread does meanwhile: it leaves the core to its sibling for some cycles."""
    from numba import types

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        import llvmlite.binding as llvm
        from llvmlite import ir
        from numba.core import cgutils

        processor = llvm.get_process_triple().split("-")[0].replace("arm64", "aarch64")
        if processor in PAUSES:
            name, numbers = PAUSES[processor]
            kind = ir.FunctionType(ir.VoidType(), [ir.IntType(32)] * len(numbers))
            function = cgutils.get_or_insert_function(builder.module, kind, name)
            builder.call(function, [ir.IntType(32)(n) for n in numbers])
        return target.get_dummy_value()

    return types.void(), generate
