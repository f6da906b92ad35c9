"""The published procedure: mirrored frames, in which the face is found and followed anew.

Nothing is written in between: frames are mirrored in memory, neither rounded to whole pixels nor compressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.action_units.analyzer import ActionUnitAnalyzer
from mien.action_units.scores import ClipScores
from mien.datatypes import FaceResult, Frame
from mien.errors import OptionError
from mien.imaging.kernels import bgr_to_gray
from mien.sides import kernels
from mien.sides.observer import Composites
from mien.sides.sketch import FaceSketch
from mien.stages import Stages

_BROWS, _CHIN = (21, 22), 8


@dataclass(frozen=True, slots=True)
class MidLine:
    """A line in the image that parts the sides of a face.

    Attributes
    ----------
    through
        (2,) float64, px: a point of it.
    normal
        (2,) float64: unit vector to the subject's right, which is the image's left.
    """

    through: NDArray[np.float64]
    normal: NDArray[np.float64]


def published_line(points: NDArray[np.float32]) -> MidLine:
    """The line through the middle of the inner ends of the brows and the chin, of landmarks (68, 2)."""
    through = points[list(_BROWS)].astype(np.float64).mean(axis=0)
    down = points[_CHIN] - through
    down = down / np.linalg.norm(down)
    return MidLine(through, np.array((-down[1], down[0])))


def mirror_frame(bgr: NDArray[np.uint8], line: MidLine, side: int) -> NDArray[np.uint8]:
    """The whole frame with one side (0 left, 1 right) and its reflection in place of the other."""
    height, width = bgr.shape[:2]
    out = np.empty_like(bgr)
    flat = np.ascontiguousarray(bgr).reshape(-1)
    keep = -1.0 if side == 0 else 1.0
    kernels.reflect_frame(flat, height, width, line.through, line.normal, keep, out)
    return out


class OpenFaceLikeReader:
    """Follows the face in the mirrored frames of each side, with stages of its own.

    Where the whole face is lost, the last line stays; before it is found, frames are not mirrored.

    Parameters
    ----------
    stages
        Of the left and of the right side, with dynamic action units that keep their scores.

    Raises
    ------
    OptionError
        The stages have no such action units.
    """

    def __init__(self, stages: Sequence[Stages]) -> None:
        self._stages = tuple(stages)
        self._analyzers = tuple(_analyzer(one) for one in stages)
        self._line: MidLine | None = None

    def read(self, frame: Frame, face: FaceResult, sketch: FaceSketch | None) -> Composites | None:
        """Read the next frame."""
        if face.landmarks.valid:
            self._line = published_line(face.landmarks.points)
        pictures, looks = [], []
        for side, stages in enumerate(self._stages):
            mirrored = frame
            if self._line is not None:
                mirrored = _grey(frame, mirror_frame(frame.bgr, self._line, side))
            (tracked,) = stages.tracker.track(mirrored)
            assert stages.appearance is not None
            looks.append(stages.appearance.extract(mirrored, tracked.landmarks))
            pictures.append(mirrored.bgr)
        for analyzer, look in zip(self._analyzers, looks, strict=True):
            analyzer.observe(look)
        return pictures[0], pictures[1]

    def scores(self) -> tuple[ClipScores, ClipScores]:
        """Scores of the left and of the right side."""
        left, right = self._analyzers
        return left.scores(), right.scores()


def _analyzer(stages: Stages) -> ActionUnitAnalyzer:
    analyzer = stages.action_units
    if not isinstance(analyzer, ActionUnitAnalyzer):
        raise OptionError("expected OpenFace's models with action units, for the procedure openface-like")
    return analyzer


def _grey(frame: Frame, bgr: NDArray[np.uint8]) -> Frame:
    gray = np.empty(bgr.shape[:2], np.uint8)
    bgr_to_gray(bgr, gray)
    return Frame(frame.index, frame.time_s, bgr, gray)
