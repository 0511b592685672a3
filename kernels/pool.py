"""The threads that help with large kernels: one job at a time, its range taken piece by piece by whoever has time.

The threads belong to the system, not to Python: they know kernels and addresses, never an object. One that has nothing
to do looks out for a job for some microseconds and then sleeps. The caller works too; a piece that no other thread has
begun is its own, so a busy core costs at most the piece that it holds. A caller that finds the pool taken, by another
Python thread say, does all of its work itself. A kernel gives the same bits for any pieces.

What they share is `WORDS` 64-bit words; those that change while others look lie in cache lines of their own.
"""

from __future__ import annotations

import ctypes
import os
import signal
from functools import cache
from typing import Any

import numpy as np

from . import native
from .atomics import atomic_add, atomic_change, atomic_load, atomic_set, pause, shared_words
from .intrinsics import address_of, call_kernel, external, pointer

LINE = 8  # words of a cache line
LOCK, TICKET, GATE, NEXT, SLEEPERS = (8 * LINE * i for i in range(5))  # offsets in bytes
# a job: the kernel, its operands and meta, the elements of its range, those of a piece, how many pieces
KERNEL, OPERANDS, META, SIZE, GRAIN, PIECES = (8 * (5 * LINE + i) for i in range(6))
# how many threads shall help, how many exist, whether the caller sleeps, where a thread starts, whether all is set up
HELPERS, STARTED, CALLER_SLEEPS, ENTRY, READY = (8 * (6 * LINE + i) for i in range(5))
MUTEX, JOB_CAME, JOB_DONE, SCRATCH = (8 * (8 + 2 * i) * LINE for i in range(4))  # room for the system's own
WORDS = 20 * LINE
OPEN = 1 << 32  # of the gate: whether threads may enter; below are those inside
LOOKS = 1000  # at the ticket or the gate before one sleeps: 10 to 40 microseconds
AVAILABLE = os.name == "posix"
SET_MASK = int(getattr(signal, "SIG_SETMASK", 0))

create_thread = external("pthread_create", 4)
detach_thread = external("pthread_detach", 1)
set_signal_mask = external("pthread_sigmask", 3)
fill_signals = external("sigfillset", 1)
make_mutex = external("pthread_mutex_init", 2)
make_condition = external("pthread_cond_init", 2)
lock = external("pthread_mutex_lock", 1)
unlock = external("pthread_mutex_unlock", 1)
wait = external("pthread_cond_wait", 2)
wake = external("pthread_cond_signal", 1)


@native.helper
def word(pool, offset):
    """A word that only the owner of the lock changes while others look."""
    return pointer(pool + offset, np.int64)[0]


@native.helper
def set_word(pool, offset, value):
    """Write such a word."""
    pointer(pool + offset, np.int64)[0] = value


@native.helper(inline=False)
def work(pool):
    """Take pieces until none is left; large ones first, so that few are taken, and all end at about the same time."""
    kernel, operands, meta = word(pool, KERNEL), pointer(word(pool, OPERANDS), np.int64), word(pool, META)
    size, grain, pieces, sharing = word(pool, SIZE), word(pool, GRAIN), word(pool, PIECES), 2 * word(pool, HELPERS) + 2
    first = atomic_load(pool + NEXT)
    while first < pieces:
        count = max(1, (pieces - first) // sharing)
        found = atomic_change(pool + NEXT, first, first + count)
        if found == first:
            last = min((first + count) * grain, size)
            call_kernel(kernel, operands, pointer(meta, np.int64), first * grain, last)
            found = atomic_load(pool + NEXT)
        first = found


@native.helper(inline=False)
def enter(pool):
    """Whether there is a job that still takes helpers; they are counted, and the job stays until they leave."""
    gate = atomic_load(pool + GATE)
    while gate >= OPEN and gate - OPEN < word(pool, HELPERS):
        found = atomic_change(pool + GATE, gate, gate + 1)
        if found == gate:
            return True
        gate = found
    return False


@native.helper(inline=False)
def leave(pool):
    """Be done with a job; the last one out of a closed one wakes the caller."""
    if atomic_add(pool + GATE, -1) == 1 and atomic_load(pool + CALLER_SLEEPS):
        lock(pool + MUTEX)
        wake(pool + JOB_DONE)
        unlock(pool + MUTEX)


@native.helper(inline=False)
def next_ticket(pool, last):
    """The number of the newest job, once it is another than the last."""
    for _ in range(LOOKS):
        if atomic_load(pool + TICKET) != last:
            break
        pause()
    if atomic_load(pool + TICKET) == last:
        lock(pool + MUTEX)
        atomic_add(pool + SLEEPERS, 1)
        while atomic_load(pool + TICKET) == last:
            wait(pool + JOB_CAME, pool + MUTEX)
        atomic_add(pool + SLEEPERS, -1)
        unlock(pool + MUTEX)
    return atomic_load(pool + TICKET)


def _thread(operands, meta, lo, hi):
    """The life of a thread: POSIX passes the one argument that `pthread_create` was given, the pool."""
    pool, ticket = address_of(operands), 0
    while ticket >= 0:  # always
        ticket = next_ticket(pool, ticket)
        if enter(pool):
            work(pool)
            leave(pool)


@native.helper(inline=False)
def start_threads(pool):
    """As many as shall help; fewer where the system gives no more. Signals are for Python's own threads."""
    if not word(pool, READY):
        make_mutex(pool + MUTEX, 0)
        make_condition(pool + JOB_CAME, 0)
        make_condition(pool + JOB_DONE, 0)
        set_word(pool, READY, 1)
    before, everything = pool + SCRATCH, pool + SCRATCH + 128
    fill_signals(everything)
    set_signal_mask(SET_MASK, everything, before)
    handle = everything  # no longer needed
    while word(pool, STARTED) < word(pool, HELPERS):
        if create_thread(handle, 0, word(pool, ENTRY), pool) & 0xFFFFFFFF:
            set_word(pool, HELPERS, word(pool, STARTED))
        else:
            detach_thread(word(handle, 0))
            set_word(pool, STARTED, word(pool, STARTED) + 1)
    set_signal_mask(SET_MASK, before, 0)


@native.helper(inline=False)
def offer(pool, kernel, operands, meta, size, grain):
    """Write down a job, and wake as many threads as it has use for."""
    pieces = (size + grain - 1) // grain
    set_word(pool, KERNEL, kernel)
    set_word(pool, OPERANDS, operands)
    set_word(pool, META, meta)
    set_word(pool, SIZE, size)
    set_word(pool, GRAIN, grain)
    set_word(pool, PIECES, pieces)
    atomic_set(pool + NEXT, 0)
    atomic_set(pool + GATE, OPEN)
    atomic_add(pool + TICKET, 1)
    sleeping = atomic_load(pool + SLEEPERS)
    if sleeping:
        lock(pool + MUTEX)
        for _ in range(min(sleeping, pieces - 1, word(pool, HELPERS))):
            wake(pool + JOB_CAME)
        unlock(pool + MUTEX)


@native.helper(inline=False)
def finish(pool):
    """Let nobody in any more, and wait for those inside."""
    atomic_add(pool + GATE, -OPEN)
    for _ in range(LOOKS):
        if atomic_load(pool + GATE) == 0:
            return
        pause()
    lock(pool + MUTEX)
    atomic_set(pool + CALLER_SLEEPS, 1)
    while atomic_load(pool + GATE):
        wait(pool + JOB_DONE, pool + MUTEX)
    atomic_set(pool + CALLER_SLEEPS, 0)
    unlock(pool + MUTEX)


@native.helper(inline=False)
def run_shared(pool, kernel, operands, meta, size, grain):
    """All of a kernel's range, together with the pool's threads where it is worth it and they are free."""
    helpers = pool != 0 and size >= 2 * grain and word(pool, HELPERS) > 0
    if not helpers or atomic_change(pool + LOCK, 0, 1):
        call_kernel(kernel, operands, meta, 0, size)
        return
    if word(pool, STARTED) < word(pool, HELPERS):
        start_threads(pool)
    offer(pool, kernel, address_of(operands), address_of(meta), size, grain)
    work(pool)
    finish(pool)
    atomic_set(pool + LOCK, 0)


@native.helper
def run_alone(pool, kernel, operands, meta, size, grain):
    """The same on the caller's thread."""
    call_kernel(kernel, operands, meta, 0, size)


run_shared = run_shared if AVAILABLE else run_alone


@cache
def _words() -> Any:
    """The words of the process's pool."""
    words = (ctypes.c_int64 * WORDS).from_address(shared_words(WORDS))
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forget_threads)
    return words


def _forget_threads() -> None:
    """A forked child has the words but not the threads, and nobody who would open the lock."""
    words = _words()
    keep = {at // 8: words[at // 8] for at in (ENTRY, HELPERS, TICKET)}
    ctypes.memset(words, 0, ctypes.sizeof(words))
    for at, value in keep.items():
        words[at] = value


def set_helpers(count: int) -> None:
    """How many threads shall help the caller; they start with the next large kernel."""
    if AVAILABLE:
        words = _words()
        if count and not words[ENTRY // 8]:
            words[ENTRY // 8] = native.kernel(_thread)
        words[HELPERS // 8] = count


def address() -> int:
    """Where the pool's words are; 0 where the system's threads are not POSIX's, and everything runs on one."""
    return ctypes.addressof(_words()) if AVAILABLE else 0
