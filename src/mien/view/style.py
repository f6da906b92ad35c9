"""Colours and shapes that all drawings share."""

from __future__ import annotations

from mien.view.canvas import Colour

IDENTITIES: tuple[Colour, ...] = (
    (77, 208, 255),
    (255, 167, 60),
    (122, 226, 140),
    (245, 115, 165),
    (180, 150, 255),
    (250, 220, 90),
    (90, 225, 205),
    (255, 140, 110),
)
"""Colours of identities 0, 1, …; from the ninth on they repeat."""

WHITE: Colour = (255, 255, 255)
SHADE: Colour = (8, 10, 14)
"""Laid below lines, so that they show on any ground."""
GAZE: Colour = (255, 226, 92)
GROUND: Colour = (20, 22, 27)
TRACK: Colour = (44, 48, 56)
TICK: Colour = (66, 71, 82)
DIM: Colour = (134, 142, 154)
BRIGHT: Colour = (232, 235, 239)
MUTED: Colour = (96, 108, 124)

CONTOURS: tuple[tuple[range, bool], ...] = (
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
EYE_CONTOURS = CONTOURS[5:7]

IRIS, LIDS, PUPIL = slice(0, 8), slice(8, 20), slice(20, 28)
"""Rings among the 28 points of an eye."""
EYE_POINTS = 28
MESH_IRISES = (slice(469, 473), slice(474, 478))
"""Points of the mesh on the irises: right, top, left, bottom."""


def identity_colour(face_id: int) -> Colour:
    """Colour that an identity keeps."""
    return IDENTITIES[face_id % len(IDENTITIES)]
