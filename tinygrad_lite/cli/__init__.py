"""The command line: `tinygrad-lite train | predict | gradcheck | bench | info`."""

from .main import main
