"""Tracked pictures as OpenFace draws them (docs/algorithms/output-table.md#drawings)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import Camera, FaceResult
from mien.view.canvas import Canvas, Colour
from mien.view.scene import BOX_EDGES, box_corners, eye_rings, gaze_rays, hidden_landmarks, project

_LEAST_CONFIDENCE = 0.4
_CUBE_MM = 100.0
_RAY_MM = 50.0
_RED, _BLUE, _GREEN = (255, 0, 0), (0, 0, 255), (0, 220, 110)
_DARK_RED, _DARK_BLUE = (155, 0, 0), (0, 0, 155)
_TEXT_PX = 14


class OpenFaceOverlay:
    """Draws landmarks, a cube around the head, eyes and gaze over pictures of the original size.

    Which landmarks the head hides is estimated from its orientation; the original reads it from its model.

    Parameters
    ----------
    camera
        Intrinsics of the pictures.
    single_image
        Whether landmarks and head are drawn whatever the confidence, as the original does for single images.
    """

    def __init__(self, camera: Camera, *, single_image: bool = False) -> None:
        self._camera = camera
        self._single_image = single_image
        self._canvas: Canvas | None = None

    def draw(
        self, bgr: NDArray[np.uint8], faces: Sequence[FaceResult], notes: Sequence[str] = ()
    ) -> NDArray[np.uint8]:
        """Draw the faces into a picture of the same size; see `mien.view.drawing.Drawer`."""
        picture = np.array(bgr, np.uint8, order="C")
        if self._canvas is None or self._canvas.bgr.shape != picture.shape:
            self._canvas = Canvas(picture)
        canvas = self._canvas.on(picture)
        for face in faces:
            confidence = 1.0 if self._single_image else face.landmarks.confidence
            if confidence > _LEAST_CONFIDENCE:
                self._landmarks(canvas, face)
                self._head(canvas, face, confidence)
            if face.landmarks.confidence > _LEAST_CONFIDENCE:
                self._eyes(canvas, face)
        for number, line in enumerate(notes):
            # the baseline of the first line lies at 20 px
            canvas.text(10, 15 + 18 * number, line, _TEXT_PX, _RED)
        return picture

    def _thickness(self, canvas: Canvas, share: float) -> float:
        return float(math.ceil(share * canvas.width / 640))

    def _landmarks(self, canvas: Canvas, face: FaceResult) -> None:
        hidden = hidden_landmarks(face)
        kinds: tuple[tuple[NDArray[np.bool_], float, Colour, Colour], ...] = (
            (~hidden, 3.0, _RED, _BLUE),
            (hidden, 2.5, _DARK_RED, _DARK_BLUE),
        )
        for which, share, outer, inner in kinds:
            points = face.landmarks.points[which]
            # circles of radius 1 px
            canvas.dots(points, 2 + self._thickness(canvas, share), outer)
            canvas.dots(points, 2 + self._thickness(canvas, 1.0), inner)

    def _head(self, canvas: Canvas, face: FaceResult, confidence: float) -> None:
        corners = box_corners(face.pose, (-_CUBE_MM,) * 3, (_CUBE_MM,) * 3)
        edges = project(corners, self._camera)[np.array(BOX_EDGES)]
        inside = ((edges >= 0) & (edges < (canvas.width, canvas.height))).all(axis=2).any(axis=1)
        sure = (min(confidence, 1.0) - _LEAST_CONFIDENCE) / (1 - _LEAST_CONFIDENCE)
        colour = (round(255 * (1 - sure)), 0, round(255 * sure))
        canvas.segments(edges[inside], self._thickness(canvas, 2.0), colour)

    def _eyes(self, canvas: Canvas, face: FaceResult) -> None:
        if face.gaze is None:
            return
        for eye in eye_rings(face):
            canvas.path(eye.iris, 1.0, _BLUE, closed=True)
            canvas.path(eye.lids, 1.0, _RED, closed=True)
            if eye.pupil is not None:
                canvas.path(eye.pupil, 1.0, _BLUE, closed=True)
        canvas.segments(gaze_rays(face, self._camera, _RAY_MM), 2.0, _GREEN)
