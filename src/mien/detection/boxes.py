"""Arithmetic of candidate boxes, and the choice of one face (docs/algorithms/face-detection.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceBoxes
from mien.detection.kernels import suppress

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Boxes on their way through the detector.

    Attributes
    ----------
    boxes
        (N, 4) float32, px: x, y, width, height.
    scores
        (N,) float32, probability of a face.
    corrections
        (N, 4) float32: shifts of the left, top, right and bottom edge in units of the box's size.
    """

    boxes: FloatArray
    scores: FloatArray
    corrections: FloatArray

    def __len__(self) -> int:
        return len(self.boxes)

    def take(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Candidates:
        """Choose candidates by index or by mask."""
        return Candidates(self.boxes[chosen], self.scores[chosen], self.corrections[chosen])

    def suppressed(self, threshold: float, *, by_smaller: bool = False) -> Candidates:
        """Drop boxes that overlap a better one too much; the rest in order of falling score.

        Parameters
        ----------
        threshold
            Largest overlap that is kept, as a share of the union.
        by_smaller
            Take the share of the smaller of both boxes instead.
        """
        # Of equal scores the one inserted last comes first.
        order = np.argsort(self.scores, kind="stable")[::-1]
        kept = np.empty(len(order), np.int64)
        count = suppress(_rounded(self.boxes), np.ascontiguousarray(order), threshold, by_smaller, kept)
        return self.take(kept[:count])

    def corrected(self, *, inclusive: bool = False) -> Candidates:
        """Move the edges of the boxes, rounded to whole pixels, by the corrections.

        Parameters
        ----------
        inclusive
            Count the last column and row as part of the box, as the last stage does.
        """
        boxes = _rounded(self.boxes)
        if inclusive:
            boxes[:, 2:] += 1
        origin, size = boxes[:, :2].astype(np.float32), boxes[:, 2:].astype(np.float32)
        low = origin + self.corrections[:, :2] * size
        high = (origin + size) + self.corrections[:, 2:] * size
        return Candidates(np.concatenate([low, high - low], axis=1), self.scores, self.corrections)

    def squared(self) -> Candidates:
        """Grow the boxes to squares of whole pixels around their centres."""
        side = self.boxes[:, 2:].max(axis=1, keepdims=True)
        origin = np.trunc(self.boxes[:, :2] + np.float32(0.5) * (self.boxes[:, 2:] - side))
        side = np.trunc(side)
        return Candidates(np.concatenate([origin, side, side], axis=1), self.scores, self.corrections)


def join(parts: list[Candidates]) -> Candidates:
    """Concatenate candidates in the given order."""
    return Candidates(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.corrections for part in parts]),
    )


def widest(faces: FaceBoxes) -> FloatArray | None:
    """Choose the single face that is followed: the widest, the more certain one of equals.

    Parameters
    ----------
    faces
        What a detector returned.

    Returns
    -------
    (4,) float32 or None
        x, y, width, height in px; None where there is no face.
    """
    if len(faces) == 0:
        return None
    box: FloatArray = faces.boxes[int(np.argmax(faces.boxes[:, 2]))]
    return box


def _rounded(boxes: FloatArray) -> NDArray[np.int64]:
    return np.rint(boxes).astype(np.int64)
