"""What a live page is told: rows of numbers for its courses, and lines to draw over the picture."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.action_units.catalogue import DESCRIPTIONS, INTENSITY_NAMES, PRESENCE_NAMES
from mien.datatypes import Camera, FaceResult
from mien.live.session import LiveFace
from mien.view.scene import BOX_EDGES, HEAD_BOX_MM, box_corners, eye_rings, gaze_rays, project, visible_edges
from mien.view.style import CONTOURS, EYE_CONTOURS

_RAY_MM = 80.0
_FARTHEST_PX = 20_000.0

ROW = ("time_s", "confidence", "success", "pitch", "yaw", "roll", "x", "y", "z", "gaze_x", "gaze_y")
"""A row's first numbers: s, 0 to 1, 0 or 1, degrees, mm, degrees; intensities follow, then presences."""


def layout() -> dict[str, Any]:
    """What the numbers of rows and drawings mean, in words for the page."""
    contours = [[list(part), closed] for part, closed in CONTOURS if (part, closed) not in EYE_CONTOURS]
    return {
        "row": [*ROW],
        "units": [
            {
                "name": name,
                "words": words,
                "intensity": _place(INTENSITY_NAMES, name, len(ROW)),
                "presence": _place(PRESENCE_NAMES, name, len(ROW) + len(INTENSITY_NAMES)),
            }
            for name, words in DESCRIPTIONS.items()
        ],
        "contours": contours,
        "eyes": [list(part) for part, _ in EYE_CONTOURS],
    }


def _place(names: tuple[str, ...], name: str, start: int) -> int | None:
    return start + names.index(name) if name in names else None


def row_of(face: FaceResult) -> str:
    """One row as JSON, as `layout` has it; without a face all but time and confidence are null."""
    landmarks = face.landmarks
    known = [round(face.time_s, 3), *_plain([landmarks.confidence], 2), int(landmarks.success)]
    if not landmarks.success:
        empty = len(ROW) - 3 + len(INTENSITY_NAMES) + len(PRESENCE_NAMES)
        return json.dumps([*known, *[None] * empty], separators=(",", ":"))
    units = face.action_units
    intensity = [math.nan] * len(INTENSITY_NAMES) if units is None else units.intensity
    presence = [math.nan] * len(PRESENCE_NAMES) if units is None else units.presence
    row = [
        *known,
        *_plain(np.degrees(face.pose.rotation_rad), 2),
        *_plain(face.pose.translation_mm, 1),
        *_plain(_gaze_deg(face), 2),
        *_plain(intensity, 3),
        *_plain(presence, 0),
    ]
    return json.dumps(row, separators=(",", ":"))


def _gaze_deg(face: FaceResult) -> NDArray[np.float64]:
    # zeros stand for directions that were not measured
    if face.gaze is None or not face.gaze.directions.any():
        return np.full(2, np.nan)
    return np.degrees(face.gaze.angle_rad)


def _plain(values: Iterable[float] | NDArray[Any], decimals: int) -> list[float | None]:
    """Numbers as JSON has them."""
    found = (float(value) for value in values)
    return [round(value, decimals) if math.isfinite(value) else None for value in found]


def status_of(result: LiveFace) -> dict[str, Any]:
    """How the analysis keeps up."""
    return {
        "fps": None if math.isnan(result.fps) else round(result.fps, 1),
        "latency_ms": round(1e3 * result.latency_s, 1),
        "dropped": result.dropped,
        "frame": result.face.frame + 1,
    }


def drawing_of(face: FaceResult, camera: Camera) -> dict[str, Any] | None:
    """Lines and points over the picture, in its px, flat lists of x, y, x, y, …; None without a face.

    Parameters
    ----------
    face
        What was found.
    camera
        Intrinsics of the picture.

    Returns
    -------
    dict
        "points": the 68 landmarks; "rings": lids and iris of each eye; "gaze": two points of each ray;
        "near" and "far": edges of a box around the head; "mesh": points of a dense mesh, where there is one.
    """
    if not face.landmarks.success:
        return None
    corners = box_corners(face.pose, *HEAD_BOX_MM)
    edges = project(corners, camera)[np.array(BOX_EDGES)]
    near = visible_edges(corners)
    mesh = face.landmarks.mesh
    return {
        "points": _pixels(face.landmarks.points),
        "rings": [[_pixels(eye.lids), _pixels(eye.iris)] for eye in eye_rings(face)],
        "gaze": [_pixels(ray) for ray in gaze_rays(face, camera, _RAY_MM)],
        "near": [_pixels(edge) for edge in edges[near]],
        "far": [_pixels(edge) for edge in edges[~near]],
        "mesh": [] if mesh is None else _pixels(mesh[:, :2]),
    }


def _pixels(points: NDArray[Any]) -> list[float]:
    """Places to 0.1 px; none where one of them is nowhere."""
    flat = np.asarray(points, np.float64).ravel()
    if not (np.abs(flat) < _FARTHEST_PX).all():
        return []
    rounded: list[float] = np.round(flat, 1).tolist()
    return rounded
