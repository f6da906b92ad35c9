"""The panel beside a picture: confidence, head, gaze and action units of its faces as bars and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.action_units.catalogue import DESCRIPTIONS, INTENSITY_NAMES, PRESENCE_NAMES
from mien.datatypes import FaceResult
from mien.view.canvas import Canvas, Colour, mix
from mien.view.style import BRIGHT, DIM, GAZE, GROUND, MUTED, TICK, TRACK, identity_colour

MAX_SLOTS = 4
_HEIGHT = 480
"""Units of the panel's layout in the shorter side of the picture."""
_MARGIN, _ROW, _GAP, _TEXT, _SMALL = 12.0, 16.4, 6.0, 12.0, 10.0
_CODE, _LABEL, _DOT, _BAR, _VALUE = 34.0, 128.0, 14.0, 84.0, 36.0
_SLOT_BAR, _SLOT_GAP = 38.0, 8.0
_MAX_INTENSITY = 5.0
_TURN_DEG, _GAZE_DEG = 45.0, 30.0
"""Angles at the ends of the bars."""

APPROXIMATE = "~"
"""Stands before intensities that are only of the order of OpenFace's."""
_DOUBTFUL: Colour = (235, 87, 80)
_ANGLES = ("Pitch", "Yaw", "Roll")


class Panel:
    """Lays out and draws the panel.

    Parameters
    ----------
    size
        Width and height of the picture it stands beside, px.
    slots
        Faces that are shown at the same time: one with numbers, up to four with bars only.
    """

    def __init__(self, size: tuple[int, int], slots: int = 1) -> None:
        self._unit = min(size) / _HEIGHT
        self._slots = min(max(slots, 1), MAX_SLOTS)
        self._owners: list[int | None] = [None] * self._slots
        self._bar = (_BAR if self._slots == 1 else _SLOT_BAR) * self._unit
        self._step = self._bar + _SLOT_GAP * self._unit
        self._first = (_MARGIN + _LABEL + _DOT) * self._unit
        width = self._first + self._slots * self._step + _MARGIN * self._unit
        if self._slots == 1:
            width += (_VALUE - _SLOT_GAP) * self._unit
        # the whole picture's width is made even, as video needs it
        self.width = math.ceil(width) + (size[0] + math.ceil(width)) % 2
        self._rows = self._place_rows()
        self._text = round(_TEXT * self._unit)
        self._background = self._draw_background(size[1])

    def draw(self, canvas: Canvas, left: int, faces: Sequence[FaceResult]) -> None:
        """Draw the panel into a picture.

        Parameters
        ----------
        canvas
            The picture, with room for the panel.
        left
            Column where the panel begins.
        faces
            Faces of the frame.
        """
        canvas.bgr[:, left : left + self.width] = self._background
        if faces:
            self._write_time(canvas, left, faces[0])
        shown = self._assign(faces)
        for slot, face in enumerate(shown):
            x = left + self._first + slot * self._step
            if face is not None:
                self._face(canvas, x, face)

    def _place_rows(self) -> dict[str, float]:
        """Height of the middle of each row."""
        rows, y = {}, _MARGIN + _ROW / 2
        for group in (
            ("time",),
            ("Face", "Confidence"),
            (*_ANGLES, "Distance", "Gaze across", "Gaze down"),
            PRESENCE_NAMES,
        ):
            for name in group:
                rows[name] = y * self._unit
                y += _ROW
            y += _GAP
        return rows

    def _draw_background(self, height: int) -> NDArray[np.uint8]:
        canvas = Canvas(np.full((height, self.width, 3), GROUND[::-1], np.uint8))
        labels = ("Face", "Confidence", *_ANGLES, "Distance", "Gaze across", "Gaze down")
        for name in labels:
            canvas.text(_MARGIN * self._unit, self._rows[name], name, self._text, DIM)
        for name in PRESENCE_NAMES:
            y, x = self._rows[name], _MARGIN * self._unit
            canvas.text(x, y, name, self._text, BRIGHT)
            canvas.text(x + _CODE * self._unit, y, DESCRIPTIONS[name], round(_SMALL * self._unit), DIM)
        for slot in range(self._slots):
            x = self._first + slot * self._step
            for name in ("Confidence", *INTENSITY_NAMES):
                self._track(canvas, x, self._rows[name])
                ticks = int(_MAX_INTENSITY) if name in INTENSITY_NAMES else 1
                for tick in range(1, ticks):
                    self._mark(canvas, x + self._bar * tick / ticks, self._rows[name], TICK, 0.25)
            for name in (*_ANGLES, "Gaze across", "Gaze down"):
                self._track(canvas, x, self._rows[name])
                self._mark(canvas, x + self._bar / 2, self._rows[name], MUTED, 0.32)
        return canvas.bgr

    def _track(self, canvas: Canvas, x: float, y: float) -> None:
        self._fill(canvas, x, x + self._bar, y, TRACK)

    def _fill(self, canvas: Canvas, left: float, right: float, y: float, colour: Colour) -> None:
        half = 0.26 * _ROW * self._unit
        canvas.box(left, y - half, right, y + half, colour, radius=0.5 * half)

    def _mark(self, canvas: Canvas, x: float, y: float, colour: Colour, half: float) -> None:
        reach = half * _ROW * self._unit
        canvas.box(x - 0.4 * self._unit, y - reach, x + 0.4 * self._unit, y + reach, colour)

    def _write_time(self, canvas: Canvas, left: int, face: FaceResult) -> None:
        minutes, seconds = divmod(max(face.time_s, 0.0), 60)
        y, margin = self._rows["time"], _MARGIN * self._unit
        canvas.text(left + margin, y, f"{int(minutes)}:{seconds:06.3f}", self._text, BRIGHT)
        right = left + self.width - margin
        canvas.text(right, y, f"frame {face.frame + 1}", self._text, DIM, align=1.0)

    def _assign(self, faces: Sequence[FaceResult]) -> list[FaceResult | None]:
        """Faces by slot: an identity keeps its slot; a new one takes that of one which is no longer there."""
        present = {face.face_id: face for face in faces}
        for face_id in present:
            if face_id not in self._owners:
                gone = [slot for slot, owner in enumerate(self._owners) if owner not in present]
                if gone:
                    # an empty slot before one that somebody has left
                    slot = min(gone, key=lambda slot: (self._owners[slot] is not None, slot))
                    self._owners[slot] = face_id
        return [None if owner is None else present.get(owner) for owner in self._owners]

    def _face(self, canvas: Canvas, x: float, face: FaceResult) -> None:
        colour = identity_colour(face.face_id)
        y = self._rows["Face"]
        canvas.dots(np.array([[x + 0.3 * self._text, y]]), 0.62 * self._text, colour)
        canvas.text(x + self._text, y, str(face.face_id), self._text, BRIGHT)
        confidence = face.landmarks.confidence
        if math.isfinite(confidence):
            shade = mix(_DOUBTFUL, colour, confidence)
            self._bar_from(canvas, x, 0.0, confidence, self._rows["Confidence"], shade)
            self._number(canvas, x, "Confidence", f"{confidence:.2f}")
        if face.landmarks.success:
            self._head(canvas, x, face, colour)
            self._units(canvas, x, face, colour)

    def _head(self, canvas: Canvas, x: float, face: FaceResult, colour: Colour) -> None:
        for name, angle in zip(_ANGLES, np.degrees(face.pose.rotation_rad).tolist(), strict=True):
            self._angle(canvas, x, name, angle, _TURN_DEG, colour)
        distance = float(np.linalg.norm(face.pose.translation_mm)) / 10
        if math.isfinite(distance):
            y = self._rows["Distance"]
            canvas.text(x, y, f"{distance:.0f} cm", self._text, BRIGHT)
        if face.gaze is not None and face.gaze.directions.any():
            across, down = np.degrees(face.gaze.angle_rad).tolist()
            self._angle(canvas, x, "Gaze across", across, _GAZE_DEG, GAZE)
            self._angle(canvas, x, "Gaze down", down, _GAZE_DEG, GAZE)

    def _angle(self, canvas: Canvas, x: float, name: str, angle: float, most: float, colour: Colour) -> None:
        if math.isfinite(angle):
            share = 0.5 + 0.5 * min(max(angle / most, -1.0), 1.0)
            self._bar_from(canvas, x, 0.5, share, self._rows[name], colour)
            self._number(canvas, x, name, f"{angle:.0f}°" if abs(angle) >= 0.5 else "0°")

    def _units(self, canvas: Canvas, x: float, face: FaceResult, colour: Colour) -> None:
        if face.action_units is None:
            return
        intensities = dict(zip(INTENSITY_NAMES, face.action_units.intensity.tolist(), strict=True))
        faint = mix(colour, MUTED, 0.7)
        # models with a mesh estimate OpenFace's scale, they don't have it
        mark = "" if face.landmarks.mesh is None else APPROXIMATE
        for name, presence in zip(PRESENCE_NAMES, face.action_units.presence.tolist(), strict=True):
            y, intensity = self._rows[name], intensities.get(name, math.nan)
            bar_colour = faint if presence == 0 else colour
            if math.isfinite(intensity):
                shown = min(max(intensity, 0.0), _MAX_INTENSITY)
                self._bar_from(canvas, x, 0.0, shown / _MAX_INTENSITY, y, bar_colour)
                self._number(canvas, x, name, f"{mark}{shown:.2f}")
            elif name in intensities:
                self._number(canvas, x, name, "-")
            if presence > 0:
                dot = np.array([[x - 0.55 * _DOT * self._unit, y]])
                if self._slots > 1 or name not in intensities:
                    dot[0, 0] = x + 0.1 * self._bar if name not in intensities else x + self._bar
                canvas.dots(dot, 5.2 * self._unit, colour if self._slots == 1 else BRIGHT)

    def _bar_from(
        self, canvas: Canvas, x: float, zero: float, share: float, y: float, colour: Colour
    ) -> None:
        """Fill a bar between two shares of its length."""
        left, right = sorted((x + zero * self._bar, x + share * self._bar))
        if right - left > 0.3:
            self._fill(canvas, left, right, y, colour)

    def _number(self, canvas: Canvas, x: float, name: str, text: str) -> None:
        if self._slots == 1:
            right = x + self._bar + _VALUE * self._unit
            canvas.text(right, self._rows[name], text, self._text, BRIGHT, align=1.0)
