"""A little of everything that kernels do. As a command: prints the digest of it all, and whether Numba was needed."""

import hashlib
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


if __name__ == "__main__":
    print(work(), "numba" in sys.modules)
