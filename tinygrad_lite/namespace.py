"""What the library can do, told in the words of the array API standard (its inspection functions)."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import devices as _devices
from . import dtypes as _dtypes


class NamespaceInfo:
    """Capabilities, devices and dtypes of this namespace.

    >>> import tinygrad_lite as tg
    >>> tg.__array_namespace_info__().default_dtypes()["real floating"]
    dtype('float32')
    """

    def capabilities(self) -> dict[str, Any]:
        """Masks may index, and shapes may depend on values, up to NumPy's largest number of axes."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Where tensors are made unless told otherwise."""
        return _devices.get().name

    def default_dtypes(self, *, device: Any = None) -> dict[str, np.dtype]:
        """What numbers become unless told otherwise. There are no complex tensors."""
        return {
            "real floating": _dtypes.DEFAULT_FLOAT,
            "integral": _dtypes.DEFAULT_INT,
            "indexing": _dtypes.DEFAULT_INT,
        }

    def devices(self) -> list[str]:
        """The names of the devices."""
        return _devices.names()

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, np.dtype]:
        """The dtypes by name, all or those of a kind (see `isdtype`)."""
        return {name: d for name, d in _dtypes.ALL.items() if kind is None or _dtypes.isdtype(d, kind)}


def info() -> NamespaceInfo:
    """The inspection functions of this namespace."""
    return NamespaceInfo()
