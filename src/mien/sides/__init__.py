"""Both sides of a face: composites of each with its mirror image, measures per side, actions.

The package is itself the function that the library calls `mien.sides`:

>>> both = mien.sides("smile.mp4")
>>> both.save("smile.sides.csv")
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien.sides.analysis import SidesAnalysis, SidesOptions
    from mien.sides.epochs import Epoch, read_epochs
    from mien.sides.result import SidesResult

_HOME = {
    "SidesAnalysis": "mien.sides.analysis",
    "SidesOptions": "mien.sides.analysis",
    "Epoch": "mien.sides.epochs",
    "read_epochs": "mien.sides.epochs",
    "SidesResult": "mien.sides.result",
}

__all__ = ["Epoch", "SidesAnalysis", "SidesOptions", "SidesResult", "read_epochs"]


class _CallableModule(ModuleType):
    """`mien.sides` is a folder of modules, and a function like `mien.analyze`."""

    def __call__(self, *args: Any, **values: Any) -> SidesResult:
        """Measure both sides; see `mien.sides.analysis.sides`."""
        from mien.sides.analysis import sides

        return sides(*args, **values)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mien.sides' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


sys.modules[__name__].__class__ = _CallableModule
