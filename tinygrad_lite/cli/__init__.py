"""The command line: `tinygrad-lite train | predict | gradcheck | info`."""

from .main import main
