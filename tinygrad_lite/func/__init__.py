"""Derivatives of functions as functions: `func.grad(f)` is a function, and so is `func.grad(func.grad(f))`.

Nothing here reads or writes any `.grad`, and arguments need not require gradients.
"""

from .checkpoint import checkpoint
from .derivatives import grad, hvp, jvp, value_and_grad, vjp
from .jacobian import hessian, jacobian
