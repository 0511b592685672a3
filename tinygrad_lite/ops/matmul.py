"""The primitive behind every matrix product; users call `linalg.matmul`."""

from __future__ import annotations

from .primitive import Primitive

product = Primitive("matmul", lambda device, a, b: device.matmul.matmul(a, b), inputs=2)
