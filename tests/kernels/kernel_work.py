"""A little of everything that kernels do. As a command: prints the digest of it all, and whether Numba was needed."""

import hashlib
import os
import signal
import sys

import numpy as np
from tinygrad_lite_kernels.cpu import indexing, random, reduce
from tinygrad_lite_kernels.cpu.elementwise import elementwise
from tinygrad_lite_kernels.expr import functions, inputs, program

X, Y = inputs(2)


def work(extra=0.0):
    """The digest of what several kernels computed. `extra` makes the elementwise one a kernel of its own."""
    a = np.sin(np.arange(900.0)).reshape(30, 30)
    results = [
        elementwise(program([functions["tanh"](X) * (Y + extra)], 2)).one(a, a[0]),
        reduce.reduce("sum", a, (0,)),
        indexing.gather(a, (np.array([1, -1, 1]),)),
        random.bits(1, 2, 30),
    ]
    return hashlib.sha256(b"".join(np.ascontiguousarray(r).tobytes() for r in results)).hexdigest()


def in_child(function):
    """Whether a forked child gets True from a function within a minute."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            os._exit(0 if function() else 1)
        except BaseException:
            os._exit(2)
    return os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    print(work(), "numba" in sys.modules)
