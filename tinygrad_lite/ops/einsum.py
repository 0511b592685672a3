"""Einstein's summation: pairs of operands become one stack of matrix products each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import common_dtype

from ..tensor import Tensor
from .elementwise import OPERATIONS
from .indexing import gather_rows
from .linalg import promoted
from .matmul import product
from .movement import cast, permute_dims, reshape
from .primitive import as_tensors
from .reduce import reduce as reduce_by


def einsum(subscripts: str, *operands: Any) -> Tensor:
    """Products of elements summed over the letters that the output does not name, in NumPy's notation.

    Letters repeated in one operand take its diagonal; "..." stands for axes that broadcast; without "->" the output has
    the letters that occur once, in alphabetical order. Dtypes are promoted, and sums stay in them. ValueError where
    letters and shapes do not fit.

    >>> import tinygrad_lite as tg
    >>> tg.einsum("ij,jk->ik", tg.ones((2, 3)), tg.ones((3, 4))).shape
    (2, 4)
    """
    if not isinstance(subscripts, str):
        raise TypeError(f"einsum: subscripts must be text and come first, got {type(subscripts).__name__}")
    tensors = list(as_tensors("einsum", operands))
    inputs, output = _parse(subscripts, tensors)
    terms = [_diagonals(letters, t) for letters, t in zip(inputs, tensors, strict=True)]
    _check_sizes(subscripts, terms)
    while len(terms) > 1:
        (la, a), (lb, b) = terms[:2]
        later = set(output).union(*(letters for letters, _ in terms[2:]))
        terms[:2] = [_pair(la, a, lb, b, later)]
    letters, x = _summed(*terms[0], set(output))
    kind = common_dtype([t.dtype for t in tensors])
    x = x if x.dtype == kind else cast(x, kind)
    return permute_dims(x, [letters.index(c) for c in output])


def _parse(subscripts: str, tensors: list[Tensor]) -> tuple[list[str], str]:
    """The letters of each operand and of the output, with every ellipsis spelled in capitals not otherwise used."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(tensors):
        raise ValueError(f"einsum: {subscripts!r} names {len(inputs)} operands, got {len(tensors)}")
    spare = [c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in text]
    counts = [t.ndim - len(s.replace("...", "")) if "..." in s else 0 for s, t in zip(inputs, tensors, strict=True)]
    most = max(counts)
    dots = "".join(reversed(spare[:most]))
    found = [s.replace("...", dots[most - n :], 1) for s, n in zip(inputs, counts, strict=True)]
    for s, t in zip(found, tensors, strict=True):
        if len(s) != t.ndim or (s and not s.isalpha()):
            raise ValueError(f"einsum: {subscripts!r} does not fit a tensor of shape {t.shape}")
    if not arrow:
        free = [c for c in sorted(set("".join(found)) - set(dots)) if "".join(found).count(c) == 1]
        return found, dots + "".join(free)
    output = right.replace("...", dots)
    if len(set(output)) < len(output) or not set(dots) <= set(output) <= set("".join(found)):
        raise ValueError(
            f"einsum: the output of {subscripts!r} must name letters of the inputs (and their ...), each once"
        )
    return found, output


def _diagonals(letters: str, x: Tensor) -> tuple[str, Tensor]:
    """One axis for each letter."""
    for c in dict.fromkeys(letters):
        while letters.count(c) > 1:
            first = letters.index(c)
            second = letters.index(c, first + 1)
            rest = [i for i in range(len(letters)) if i not in (first, second)]
            if x.shape[first] != x.shape[second]:
                raise ValueError(f"einsum: the letter {c} stands for sizes {x.shape[first]} and {x.shape[second]}")
            i = np.arange(x.shape[first])
            x = gather_rows(permute_dims(x, [first, second, *rest]), (i, i))
            letters = c + "".join(letters[k] for k in rest)
    return letters, x


def _check_sizes(subscripts: str, terms: list[tuple[str, Tensor]]) -> None:
    sizes: dict[str, int] = {}
    for letters, x in terms:
        for c, n in zip(letters, x.shape, strict=True):
            if n != 1 and sizes.setdefault(c, n) != n:
                raise ValueError(f"einsum: in {subscripts!r} the letter {c} stands for sizes {sizes[c]} and {n}")


def _summed(letters: str, x: Tensor, keep: set[str]) -> tuple[str, Tensor]:
    """Without the letters that nobody asks for any more."""
    axes = tuple(i for i, c in enumerate(letters) if c not in keep)
    return "".join(c for c in letters if c in keep), reduce_by("sum", x, axes, False) if axes else x


def _pair(la: str, a: Tensor, lb: str, b: Tensor, keep: set[str]) -> tuple[str, Tensor]:
    """Two operands as a stack of matrix products: letters in both and kept are the stack, in both and not kept, K."""
    la, a = _summed(la, a, keep | set(lb))
    lb, b = _summed(lb, b, keep | set(la))
    both = [c for c in la if c in lb]
    stack, inner = [c for c in both if c in keep], [c for c in both if c not in keep]
    rows, columns = [c for c in la if c not in lb], [c for c in lb if c not in la]
    broadcast = any(a.shape[la.index(c)] != b.shape[lb.index(c)] for c in both)
    if broadcast or not inner or not (rows or columns):
        return _multiplied(la, a, lb, b, keep)
    a, b = promoted("einsum", a, b)
    left = _grouped(la, a, [stack, rows, inner], len(stack))
    right = _grouped(lb, b, [stack, inner, columns], len(stack))
    sizes = {**dict(zip(la, a.shape, strict=True)), **dict(zip(lb, b.shape, strict=True))}
    letters = "".join(stack + rows + columns)
    return letters, reshape(product(left, right), tuple(sizes[c] for c in letters))


def _grouped(letters: str, x: Tensor, groups: list[list[str]], stack: int) -> Tensor:
    """The axes in the order of the groups, all but the first group merged into one axis each."""
    sizes = dict(zip(letters, x.shape, strict=True))
    ordered = permute_dims(x, [letters.index(c) for group in groups for c in group])
    return reshape(ordered, [sizes[c] for c in groups[0]] + [math.prod(sizes[c] for c in g) for g in groups[1:]])


def _multiplied(la: str, a: Tensor, lb: str, b: Tensor, keep: set[str]) -> tuple[str, Tensor]:
    """Multiply, then sum: for sizes that broadcast, and where a matrix product would have one row and one column."""
    letters = la + "".join(c for c in lb if c not in la)
    wide_b = permute_dims(b, [lb.index(c) for c in letters if c in lb])
    sizes = dict(zip(lb, b.shape, strict=True))
    spread = reshape(wide_b, [sizes.get(c, 1) for c in letters])
    spread_a = reshape(a, (*a.shape, *(1 for _ in range(len(letters) - len(la)))))
    return _summed(letters, OPERATIONS["multiply"](spread_a, spread), keep)
