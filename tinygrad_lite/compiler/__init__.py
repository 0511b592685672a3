"""`tg.jit`: from a function of tensors to one native call. trace → simplify → fuse → lay out → plan."""

from .function import Jitted, jit
