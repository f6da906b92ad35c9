"""mien reads faces: action units, landmarks, head pose and gaze from video.

>>> import mien
>>> result = mien.analyze("clip.mp4")        # the whole video, as arrays
>>> for face in mien.track("clip.mp4"):      # frame by frame, in constant memory
...     face.pose.rotation_rad

Importing the package costs little: every name (``__init__.pyi`` has them) is loaded when it is first used.
"""

from importlib import import_module
from typing import Any

import lazy_loader

from mien.runtime.onnx_runtime import refuse_telemetry

# Before anybody imports ONNX Runtime, which reads this once.
refuse_telemetry()

_load, _, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["sides"]


def __getattr__(name: str) -> Any:
    # `mien.sides` is a folder of modules that can be called.
    return import_module("mien.sides") if name == "sides" else _load(name)


def __dir__() -> list[str]:
    return __all__
