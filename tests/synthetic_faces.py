"""Pictures with several drawn faces, side by side, each of a brightness of its own."""

from __future__ import annotations

import numpy as np

from synthetic_face import Pose, landmarks, picture

SHADES = (1.0, 0.8, 0.6)
COLUMN = 240
HEIGHT = 240


def poses(*offsets: tuple[float, float], scale: float = 1.0) -> list[Pose]:
    """One pose per column, away from its middle by an offset, px."""
    return [Pose(scale, (0.0, 0.0, 0.0), COLUMN / 2 + x, HEIGHT / 2 + y) for x, y in offsets]


def picture_of(placed: list[Pose | None], noise: float = 1.5, seed: int = 0) -> np.ndarray:
    """(240, 240 n, 3) uint8: a face in every column whose pose is not None."""
    columns = []
    for number, pose in enumerate(placed):
        if pose is None:
            columns.append(np.full((HEIGHT, COLUMN, 3), 25, np.uint8))
            continue
        drawn = picture(pose, COLUMN, HEIGHT, noise=noise, seed=seed)
        columns.append(np.rint(drawn * SHADES[number % len(SHADES)]).astype(np.uint8))
    return np.ascontiguousarray(np.hstack(columns))


def landmarks_of(pose: Pose, column: int) -> np.ndarray:
    """(68, 2) px: where the landmarks of the face in a column are."""
    return landmarks(pose) + np.array([column * COLUMN, 0])
