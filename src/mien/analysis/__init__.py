"""Whole sources analysed: videos, pictures, every Nth frame, clips of one person, and the files they leave.

Every name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien.analysis.output_set import OutputSet
    from mien.analysis.outputs import OutputOptions
    from mien.analysis.pictures import PictureAnalysis, analyze_pictures
    from mien.analysis.videos import Analysis, analyze, open_source, track

_HOME = {
    "mien.analysis.output_set": ("OutputSet",),
    "mien.analysis.outputs": ("OutputOptions",),
    "mien.analysis.pictures": ("PictureAnalysis", "analyze_pictures"),
    "mien.analysis.videos": ("Analysis", "analyze", "open_source", "track"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Analysis",
    "OutputOptions",
    "OutputSet",
    "PictureAnalysis",
    "analyze",
    "analyze_pictures",
    "open_source",
    "track",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mien.analysis' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
