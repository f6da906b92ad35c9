"""mien reads faces: action units, landmarks, head pose and gaze from video.

>>> import mien
>>> result = mien.analyze("clip.mp4")        # the whole video, as arrays
>>> for face in mien.track("clip.mp4"):      # frame by frame, in constant memory
...     face.pose.rotation_rad

Importing the package costs little: every name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mien.runtime.onnx_runtime import refuse_telemetry

if TYPE_CHECKING:
    from mien.analysis.videos import Analysis, analyze, track
    from mien.datatypes import (
        ActionUnits,
        Camera,
        EyeShape,
        FaceBoxes,
        FaceLandmarks,
        FaceResult,
        Frame,
        Gaze,
        HeadPose,
    )
    from mien.errors import (
        FrameError,
        MienError,
        ModelFileError,
        ModelsMissingError,
        OptionError,
        OutputError,
        ProviderError,
        SourceError,
        StoppedError,
        TableError,
        UnexpectedError,
    )
    from mien.options import AnalysisOptions
    from mien.pipeline import Pipeline
    from mien.report.making import write_report
    from mien.report.options import ReportOptions
    from mien.results import VideoResult
    from mien.runtime.versions import __version__
    from mien.sides.analysis import sides
    from mien.stages import Stages
    from mien.video.file import VideoFile

_HOME = {
    "mien.analysis.videos": ("Analysis", "analyze", "track"),
    "mien.datatypes": (
        "ActionUnits",
        "Camera",
        "EyeShape",
        "FaceBoxes",
        "FaceLandmarks",
        "FaceResult",
        "Frame",
        "Gaze",
        "HeadPose",
    ),
    "mien.errors": (
        "FrameError",
        "MienError",
        "ModelFileError",
        "ModelsMissingError",
        "OptionError",
        "OutputError",
        "ProviderError",
        "SourceError",
        "StoppedError",
        "TableError",
        "UnexpectedError",
    ),
    "mien.options": ("AnalysisOptions",),
    "mien.pipeline": ("Pipeline",),
    "mien.report.making": ("write_report",),
    "mien.report.options": ("ReportOptions",),
    "mien.results": ("VideoResult",),
    "mien.runtime.versions": ("__version__",),
    "mien.stages": ("Stages",),
    "mien.video.file": ("VideoFile",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "ActionUnits",
    "Analysis",
    "AnalysisOptions",
    "Camera",
    "EyeShape",
    "FaceBoxes",
    "FaceLandmarks",
    "FaceResult",
    "Frame",
    "FrameError",
    "Gaze",
    "HeadPose",
    "MienError",
    "ModelFileError",
    "ModelsMissingError",
    "OptionError",
    "OutputError",
    "Pipeline",
    "ProviderError",
    "ReportOptions",
    "SourceError",
    "Stages",
    "StoppedError",
    "TableError",
    "UnexpectedError",
    "VideoFile",
    "VideoResult",
    "__version__",
    "analyze",
    "sides",
    "track",
    "write_report",
]


# Before anybody imports ONNX Runtime, which reads this once.
refuse_telemetry()


def __getattr__(name: str) -> Any:
    if name == "sides":
        # A folder of modules that can be called.
        return import_module("mien.sides")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mien' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
