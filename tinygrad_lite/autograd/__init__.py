"""Reverse-mode differentiation: what is recorded (graph), when (modes), and how it runs backwards (sweep)."""

from .function import Function
from .sweep import backward, grad
