"""Draws what was measured over the picture it was measured in."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import Camera, FaceResult
from mien.view.canvas import Canvas, Colour, bounds, chain, enlarge, mix, text_width
from mien.view.panel import Panel
from mien.view.scene import (
    BOX_EDGES,
    HEAD_BOX_MM,
    box_corners,
    eye_rings,
    gaze_rays,
    hidden_landmarks,
    project,
    visible_edges,
)
from mien.view.style import (
    BRIGHT,
    CONTOURS,
    EYE_CONTOURS,
    GAZE,
    GROUND,
    SHADE,
    WHITE,
    identity_colour,
)

_LEGIBLE_PX = 480
"""Pictures whose shorter side is smaller are enlarged, so that text and thin lines stay legible."""
_MOST_ZOOM = 4

_RAY_MM = 80.0
_ROOM_FOR_PUPIL = 16.0
"""Width of an iris, in units, from which on the pupil is drawn into it."""


class Overlay:
    """Draws faces over pictures: landmarks, eyes, gaze, head, identity, and a panel of bars beside them.

    Line widths and text grow with the picture. Draw the frames of a video in order with one object:
    identities keep their places in the panel.

    Parameters
    ----------
    camera
        Intrinsics of the pictures.
    zoom
        Size of the drawing in sizes of the picture; None enlarges small pictures to at least 480 px.
    panel
        Whether confidence, head pose, gaze and action units are shown beside the picture.
    faces
        Faces that the panel shows at the same time, 1 to 4.
    """

    def __init__(
        self, camera: Camera, *, zoom: int | None = None, panel: bool = True, faces: int = 1
    ) -> None:
        self._camera = camera
        self._zoom = zoom
        self._with_panel = panel
        self._faces = faces
        self._canvas: Canvas | None = None
        self._panel: Panel | None = None
        self._factor, self._unit = 1, 1.0

    def draw(
        self, bgr: NDArray[np.uint8], faces: Sequence[FaceResult], notes: Sequence[str] = ()
    ) -> NDArray[np.uint8]:
        """Draw the faces of a picture; see `mien.view.drawing.Drawer`.

        Faces without success appear in the panel only. The picture is enlarged where it is small; the panel
        is on its right and makes the width even.
        """
        canvas, width = self._prepare(bgr)
        found = [face for face in faces if face.landmarks.success]
        # the nearest last, over the others
        for face in sorted(found, key=lambda face: -face.pose.translation_mm[2]):
            self._face(canvas, face, width)
        self._notes(canvas, notes)
        if self._panel is not None:
            self._panel.draw(canvas, width, faces)
        return canvas.bgr

    def _prepare(self, bgr: NDArray[np.uint8]) -> tuple[Canvas, int]:
        """A canvas with the picture on it, and the width of the picture."""
        height, width = bgr.shape[:2]
        factor = self._zoom or min(_MOST_ZOOM, math.ceil(_LEGIBLE_PX / min(height, width)))
        height, width = height * factor, width * factor
        whole = width + (self._panel.width if self._panel else 0)
        if self._canvas is None or self._canvas.bgr.shape != (height, whole, 3):
            self._factor, self._unit = factor, min(height, width) / _LEGIBLE_PX
            self._panel = Panel((width, height), self._faces) if self._with_panel else None
            whole = width + (self._panel.width if self._panel else 0)
            self._canvas = Canvas(np.empty((height, whole, 3), np.uint8))
        canvas = self._canvas.on(np.empty((height, whole, 3), np.uint8))
        canvas.bgr[:, :width] = enlarge(bgr, factor)
        return canvas, width

    def _place(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """From pixels of the picture to those of the drawing; both count from the first pixel's centre."""
        return np.asarray((np.asarray(points, np.float64) + 0.5) * self._factor - 0.5)

    def _face(self, canvas: Canvas, face: FaceResult, width: int) -> None:
        colour = identity_colour(face.face_id)
        points = self._place(face.landmarks.points)
        left, top, right, bottom = bounds(points)
        # small faces get thinner lines
        stroke = min(max(math.hypot(right - left, bottom - top) / 260, 0.5 * self._unit), 1.6 * self._unit)
        edges, near = self._head(face)
        self._shaded(canvas, edges[~near], 0.8 * stroke, mix(colour, SHADE, 0.25), 0.45)
        self._mesh(canvas, face, stroke, colour)
        self._landmarks(canvas, face, points, stroke, colour)
        self._eyes(canvas, face, stroke)
        self._shaded(canvas, edges[near], 1.5 * stroke, colour, 0.9)
        self._gaze(canvas, face, stroke)
        corners = np.concatenate([edges.reshape(-1, 2), [[left, top]]])
        corners = corners[np.isfinite(corners).all(axis=1)]
        self._label(canvas, face, corners[np.argmin(corners.sum(axis=1))], width)

    def _shaded(
        self, canvas: Canvas, ends: NDArray[np.float64], width: float, colour: Colour, opacity: float
    ) -> None:
        """Lines that show on any ground."""
        canvas.segments(ends, width + 1.6 * self._unit, SHADE, 0.35 * opacity)
        canvas.segments(ends, width, colour, opacity)

    def _mesh(self, canvas: Canvas, face: FaceResult, stroke: float, colour: Colour) -> None:
        if face.landmarks.mesh is not None:
            canvas.dots(self._place(face.landmarks.mesh[:, :2]), 1.1 * stroke, mix(colour, WHITE, 0.3), 0.55)

    def _landmarks(
        self, canvas: Canvas, face: FaceResult, points: NDArray[np.float64], stroke: float, colour: Colour
    ) -> None:
        # the eyes have lines of their own
        contours = [part for part in CONTOURS if not eye_rings(face) or part not in EYE_CONTOURS]
        lines = np.concatenate([chain(points[numbers], closed=closed) for numbers, closed in contours])
        self._shaded(canvas, lines, stroke, colour, 0.6)
        hidden = hidden_landmarks(face)
        light = mix(colour, WHITE, 0.6)
        canvas.dots(points, 4.4 * stroke, SHADE, 0.45)
        canvas.dots(points[~hidden], 3.0 * stroke, light)
        canvas.dots(points[hidden], 2.2 * stroke, mix(colour, SHADE, 0.35), 0.8)

    def _eyes(self, canvas: Canvas, face: FaceResult, stroke: float) -> None:
        for eye in eye_rings(face):
            iris = self._place(eye.iris)
            canvas.path(self._place(eye.lids), 0.9 * stroke, WHITE, 0.8, closed=True)
            canvas.path(iris, 0.9 * stroke, GAZE, 0.9, closed=True)
            if eye.pupil is not None and np.ptp(iris[:, 0]) > _ROOM_FOR_PUPIL * self._unit:
                canvas.path(self._place(eye.pupil), 0.7 * stroke, GAZE, 0.6, closed=True)

    def _gaze(self, canvas: Canvas, face: FaceResult, stroke: float) -> None:
        """A ray along each gaze that grows towards its tip, and a dot there."""
        rays = self._place(gaze_rays(face, self._camera, _RAY_MM))
        if not len(rays):
            return
        widths = np.array([1.0, 2.2]) * stroke
        lines = np.concatenate([rays, rays[:, [1, 1]]])
        widths = np.repeat([widths, [4.6 * stroke] * 2], len(rays), axis=0)
        canvas.segments(lines, widths + 1.6 * self._unit, SHADE, 0.5)
        canvas.segments(lines, widths, GAZE)

    def _head(self, face: FaceResult) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Edges (12, 2, 2) of the box around the head, and which of them can be seen."""
        corners = box_corners(face.pose, *HEAD_BOX_MM)
        edges = self._place(project(corners, self._camera))[np.array(BOX_EDGES)]
        return edges, visible_edges(corners)

    def _label(self, canvas: Canvas, face: FaceResult, anchor: NDArray[np.float64], width: int) -> None:
        size = max(9, round(11 * self._unit))
        text = f"{face.face_id}"
        detail = f"{face.landmarks.confidence:.2f}"
        pad, height = 0.5 * size, 1.5 * size
        name_width, whole = (
            text_width(text, size),
            text_width(text, size) + text_width(detail, size) + 4 * pad,
        )
        x = min(max(float(anchor[0]), 0.0), width - whole)
        y = min(max(float(anchor[1]) - 0.9 * height, 0.6 * height), canvas.height - height)
        top, bottom, split = y - height / 2, y + height / 2, x + name_width + 2 * pad
        canvas.box(x, top, x + whole, bottom, GROUND, 0.78, radius=0.3 * height)
        canvas.box(x, top, split, bottom, identity_colour(face.face_id), radius=0.3 * height)
        canvas.text(x + pad, y, text, size, GROUND)
        canvas.text(split + pad, y, detail, size, BRIGHT)

    def _notes(self, canvas: Canvas, notes: Sequence[str]) -> None:
        if not notes:
            return
        size = max(10, round(12 * self._unit))
        step, pad = 1.5 * size, 0.8 * size
        right = max(text_width(line, size) for line in notes) + 2.0 * pad
        top = canvas.height - step * len(notes) - 2 * pad
        canvas.box(pad / 2, top, right + pad / 2, canvas.height - pad / 2, GROUND, 0.8, radius=pad / 2)
        for number, line in enumerate(notes):
            canvas.text(1.5 * pad, top + pad + (number + 0.4) * step, line, size, BRIGHT)
