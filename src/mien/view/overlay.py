"""Draws what was measured over the picture it was measured in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mien.datatypes import Camera, FaceResult
from mien.geometry.rotation import rotation_from_euler

_CONTOURS = (
    (range(17), False),
    (range(17, 22), False),
    (range(22, 27), False),
    (range(27, 31), False),
    (range(31, 36), False),
    (range(36, 42), True),
    (range(42, 48), True),
    (range(48, 60), True),
    (range(60, 68), True),
)
"""Lines through the 68 landmarks, and whether they close."""
_EYES = (slice(36, 42), slice(42, 48))
_HALF_HEAD_MM = (75.0, 100.0, 75.0)
_RAY_MM = 90.0
_LANDMARKS, _MESH, _HEAD, _GAZE = (80, 230, 120), (90, 170, 255), (255, 200, 60), (255, 90, 90)


class Overlay:
    """Draws results over pictures, enlarged so that thin lines stay legible.

    Parameters
    ----------
    camera
        Intrinsics of the pictures.
    zoom
        Size of the drawing in sizes of the picture.
    """

    def __init__(self, camera: Camera, zoom: int = 2) -> None:
        self._camera = camera
        self._zoom = zoom

    def draw(
        self, rgb: NDArray[np.uint8], faces: Sequence[FaceResult], notes: Sequence[str] = ()
    ) -> Image.Image:
        """Draw the faces of a picture.

        Parameters
        ----------
        rgb
            (H, W, 3) uint8.
        faces
            What was found in it: mesh, landmarks, head box and gaze are drawn where they are known.
        notes
            Lines of text for the lower left corner.

        Returns
        -------
        PIL.Image.Image
        """
        height, width = rgb.shape[:2]
        size = (width * self._zoom, height * self._zoom)
        image = Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC)
        pen = ImageDraw.Draw(image)
        for face in faces:
            if face.landmarks.success:
                self._mesh(pen, face.landmarks.mesh)
                self._landmarks(pen, face.landmarks.points)
                self._head(pen, face)
                self._gaze(pen, face)
        _write(pen, notes, image.height)
        return image

    def _mesh(self, pen: Any, mesh: NDArray[np.float32] | None) -> None:
        if mesh is not None:
            for x, y in self._placed(mesh[np.isfinite(mesh[:, 0]), :2]):
                pen.ellipse((x - 1, y - 1, x + 1, y + 1), fill=_MESH)

    def _landmarks(self, pen: Any, points: NDArray[np.float32]) -> None:
        placed = self._placed(points)
        for numbers, closed in _CONTOURS:
            line = [placed[i] for i in numbers]
            pen.line(line + line[: int(closed)], fill=_LANDMARKS, width=2)

    def _head(self, pen: Any, face: FaceResult) -> None:
        """A box around the head, turned with it."""
        signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
        corners = signs * _HALF_HEAD_MM @ rotation_from_euler(face.pose.rotation_rad).T
        corners = self._project(corners + face.pose.translation_mm)
        for i in range(8):
            for bit in (1, 2, 4):
                if not i & bit:
                    pen.line([corners[i], corners[i | bit]], fill=_HEAD, width=2)

    def _gaze(self, pen: Any, face: FaceResult) -> None:
        if face.gaze is not None and np.isfinite(face.gaze.directions).all():
            for eye, direction in zip(_EYES, face.gaze.directions, strict=True):
                start = face.landmarks_3d[eye].mean(axis=0)
                ray = np.stack([start, start + _RAY_MM * direction])
                pen.line(self._project(ray), fill=_GAZE, width=3)

    def _project(self, points: NDArray[np.float64]) -> list[tuple[float, float]]:
        camera = self._camera
        depth = np.maximum(points[:, 2], 1.0)
        x = camera.fx * points[:, 0] / depth + camera.cx
        y = camera.fy * points[:, 1] / depth + camera.cy
        return self._placed(np.column_stack([x, y]))

    def _placed(self, points: NDArray[np.floating]) -> list[tuple[float, float]]:
        """From pixels, whose origin is a pixel's centre, to the enlarged picture's corners."""
        return [(float(x), float(y)) for x, y in (points + 0.5) * self._zoom]


def _write(pen: Any, notes: Sequence[str], height: int) -> None:
    if notes:
        size = max(12, height // 40)
        text = "\n".join(notes)
        font = ImageFont.load_default(size)
        left, top, right, bottom = pen.multiline_textbbox((0, 0), text, font=font)
        corner = (size, height - size - math.ceil(bottom - top))
        pen.rectangle((0, corner[1] - size, corner[0] + right - left + size, height), fill=(20, 22, 26))
        pen.multiline_text((corner[0] - left, corner[1] - top), text, fill=(255, 255, 255), font=font)
