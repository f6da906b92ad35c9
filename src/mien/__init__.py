"""mien reads faces: action units, landmarks, head pose and gaze from video.

>>> import mien
>>> result = mien.analyze("clip.mp4")        # the whole video, as arrays
>>> for face in mien.track("clip.mp4"):      # frame by frame, in constant memory
...     face.pose.rotation_rad

Importing the package costs little: every name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mien.runtime.lazy import lazy_names
from mien.runtime.onnx_runtime import refuse_telemetry

if TYPE_CHECKING:
    from mien.analysis.videos import Analysis as Analysis
    from mien.analysis.videos import analyze as analyze
    from mien.analysis.videos import track as track
    from mien.datatypes import ActionUnits as ActionUnits
    from mien.datatypes import Camera as Camera
    from mien.datatypes import EyeShape as EyeShape
    from mien.datatypes import FaceBoxes as FaceBoxes
    from mien.datatypes import FaceLandmarks as FaceLandmarks
    from mien.datatypes import FaceResult as FaceResult
    from mien.datatypes import Frame as Frame
    from mien.datatypes import Gaze as Gaze
    from mien.datatypes import HeadPose as HeadPose
    from mien.errors import FrameError as FrameError
    from mien.errors import MienError as MienError
    from mien.errors import ModelFileError as ModelFileError
    from mien.errors import ModelsMissingError as ModelsMissingError
    from mien.errors import OptionError as OptionError
    from mien.errors import OutputError as OutputError
    from mien.errors import ProviderError as ProviderError
    from mien.errors import SourceError as SourceError
    from mien.errors import StoppedError as StoppedError
    from mien.errors import TableError as TableError
    from mien.errors import UnexpectedError as UnexpectedError
    from mien.options import AnalysisOptions as AnalysisOptions
    from mien.pipeline import Pipeline as Pipeline
    from mien.report.making import write_report as write_report
    from mien.report.options import ReportOptions as ReportOptions
    from mien.results import VideoResult as VideoResult
    from mien.runtime.versions import __version__ as __version__
    from mien.sides.analysis import sides as sides
    from mien.stages import Stages as Stages
    from mien.video.file import VideoFile as VideoFile

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
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
        "mien.sides": ("sides",),
        "mien.stages": ("Stages",),
        "mien.video.file": ("VideoFile",),
    },
)

# Before anybody imports ONNX Runtime, which reads this once.
refuse_telemetry()
