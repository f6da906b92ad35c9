"""A drawn face whose landmarks are known: the picture that the synthetic models recognise.

Nothing here comes from a model file: the shape is made of arcs and ellipses, the picture of an ellipse
with one soft spot at each landmark, and four red marks around it that a detector finds easily.
Millimetres; x right, y down, z away from the camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.models.records import PdmRecord

SEED = 20240229
MODES_68 = 34
_SPOT_MM = 3.5
_SKIN, _BACKGROUND = 150.0, 25.0
_MARK_MM = 18.0
_RED = np.array([0.0, 0.0, 1 / 0.299])  # as bright as the ground
MARKS_MM = 220.0
"""Side of the square, around the landmarks' box, whose corners hold the red marks for the detector."""


def face_points() -> np.ndarray:
    """(68, 3) mean shape in iBUG order, about 145 mm wide and 140 mm high."""
    t = np.linspace(0, np.pi, 17)
    jaw = np.column_stack([-72 * np.cos(t), -20 + 88 * np.sin(t), 45 - 60 * np.sin(t)])
    s = np.linspace(0, 1, 5)
    brow = np.column_stack([-58 + 44 * s, -50 - 9 * np.sin(np.pi * s), -8 - 18 * s])
    bridge = np.column_stack([np.zeros(4), np.linspace(-32, 6, 4), np.linspace(-26, -45, 4)])
    base = np.column_stack([np.linspace(-14, 14, 5), 17 + 3 * np.sin(np.pi * s), -28 - 8 * np.sin(np.pi * s)])
    eye = _ring(6, 13, 4.5, (-32, -30, -15))
    lips, inner = _ring(12, 25, 10, (0, 42, -26)), _ring(8, 19, 3.5, (0, 42, -24))
    points = np.vstack(
        [jaw, brow, _mirror(brow)[::-1], bridge, base, eye, eye + np.array([64, 0, 0]), lips, inner]
    )
    points[48:68, 2] += np.abs(points[48:68, 0]) * 0.35
    return points - [0, points[:, 1].mean(), points[:, 2].mean()]


def _ring(count: int, half_width: float, half_height: float, center=(0, 0, 0)) -> np.ndarray:
    """An ellipse of landmarks that starts at the left corner and runs over the top."""
    t = np.pi - 2 * np.pi * np.arange(count) / count
    return np.column_stack([half_width * np.cos(t), -half_height * np.sin(t), np.zeros(count)]) + np.array(
        center
    )


def _mirror(points: np.ndarray) -> np.ndarray:
    return points * [-1, 1, 1]


def eye_points() -> np.ndarray:
    """(28, 3) one eye: iris 0-7, lids 8-19, pupil 20-27; its lids agree with the face's."""
    lids = _ring(12, 13, 4.5)
    return np.vstack([_ring(8, 4.2, 4.2, (0, 0, -1)), lids, _ring(8, 1.8, 1.8, (0, 0, -1))])


def _orthonormal_modes(points: np.ndarray, meant: list[np.ndarray], count: int, seed: int) -> np.ndarray:
    """(3n, count): the meant directions first, random ones after; none moves, turns or scales the shape."""
    n = len(points)
    rng = np.random.default_rng(seed)
    rigid = [np.eye(3)[[a]].repeat(n, 0) for a in range(3)] + [points]
    rigid += [np.cross(np.eye(3)[a], points) for a in range(3)]
    extra = [rng.normal(size=(n, 3)) for _ in range(count - len(meant))]
    stack = np.column_stack([d.T.reshape(-1) for d in (*rigid, *meant, *extra)])
    orthonormal, triangular = np.linalg.qr(stack)
    return (orthonormal * np.sign(np.diag(triangular)))[:, len(rigid) :]


def _pdm(points: np.ndarray, meant: list[np.ndarray], count: int, largest: float, seed: int) -> PdmRecord:
    basis = _orthonormal_modes(points, meant, count, seed)
    n = len(points)
    return PdmRecord(
        mean=points.astype(np.float32),
        basis=np.ascontiguousarray(basis.reshape(3, n, count).transpose(1, 0, 2), np.float32),
        eigenvalues=np.geomspace(largest, 0.5, count).astype(np.float32),
    )


def _expressions(points: np.ndarray) -> list[np.ndarray]:
    """Directions for an open mouth, a smile, raised brows and closed eyes."""
    open_mouth, smile, brows, blink = (np.zeros((68, 3)) for _ in range(4))
    open_mouth[[*range(4, 13), *range(55, 60), *range(65, 68)], 1] = 1
    for i in (48, 54, 60, 64):
        smile[i] = [np.sign(points[i, 0]), -0.6, 0.2]
    brows[17:27, 1] = -1
    blink[[37, 38, 43, 44], 1], blink[[40, 41, 46, 47], 1] = 1, -1
    return [open_mouth, smile, brows, blink]


def face_pdm() -> PdmRecord:
    """68 points, 34 modes."""
    points = face_points()
    return _pdm(points, _expressions(points), MODES_68, 400.0, SEED)


def inner_pdm() -> PdmRecord:
    """The 51 inner points, 8 modes."""
    points = face_points()
    meant = [direction[17:] for direction in _expressions(points)]
    return _pdm(points[17:] - points[17:].mean(0), meant, 8, 200.0, SEED + 1)


def eye_pdm() -> PdmRecord:
    """28 points, 4 modes: the iris moves right and down, the lids close."""
    right, down, close = (np.zeros((28, 3)) for _ in range(3))
    iris = [*range(8), *range(20, 28)]
    right[iris, 0] = down[iris, 1] = 1
    close[9:14, 1], close[15:20, 1] = 1, -1
    return _pdm(eye_points(), [right, down, close], 4, 20.0, SEED + 2)


def mirror_landmarks() -> np.ndarray:
    """(68,) the counterpart of every landmark on the other side."""
    pairs = [(i, 16 - i) for i in range(17)] + [(17 + i, 26 - i) for i in range(10)]
    pairs += [(i, i) for i in range(27, 31)] + [(31 + i, 35 - i) for i in range(5)]
    for a, b in ((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)):
        pairs += [(a, b), (b, a)]
    pairs += [(48 + i, 54 - i) for i in range(7)] + [(55 + i, 59 - i) for i in range(5)]
    pairs += [(60 + i, 64 - i) for i in range(5)] + [(65 + i, 67 - i) for i in range(3)]
    mirror = np.zeros(68, np.int32)
    for a, b in pairs:
        mirror[a] = b
    return mirror


@dataclass(frozen=True)
class Pose:
    """Where the drawn face is: px per mm, Euler angles (rad), position (px), coefficients of modes."""

    scale: float = 1.0
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    x: float = 0.0
    y: float = 0.0
    modes: tuple[float, ...] = ()


def rotation_matrix(euler) -> np.ndarray:
    (c1, c2, c3), (s1, s2, s3) = np.cos(euler), np.sin(euler)
    return np.array(
        [
            [c2 * c3, -c2 * s3, s2],
            [c1 * s3 + c3 * s1 * s2, c1 * c3 - s1 * s2 * s3, -c2 * s1],
            [s1 * s3 - c1 * c3 * s2, c3 * s1 + c1 * s2 * s3, c1 * c2],
        ]
    )


def landmarks(pose: Pose, pdm: PdmRecord | None = None) -> np.ndarray:
    """(68, 2) where the landmarks of the drawn face are, px."""
    pdm = face_pdm() if pdm is None else pdm
    shape = pdm.mean + pdm.basis[:, :, : len(pose.modes)] @ np.array(pose.modes, float)
    return pose.scale * shape @ rotation_matrix(pose.rotation)[:2].T + [pose.x, pose.y]


def _spots(pose: Pose) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres (px), widths (px) and heights (grey levels) of all soft spots: landmarks and irises."""
    points = landmarks(pose)
    rng = np.random.default_rng(SEED)
    heights = rng.uniform(40, 75, 68) * rng.choice([-1, 1], 68)
    mirror = mirror_landmarks()
    heights = np.where(mirror < np.arange(68), heights[mirror], heights)
    irises = np.array([points[36:42].mean(0), points[42:48].mean(0)])
    widths = np.full(70, _SPOT_MM * pose.scale)
    return np.vstack([points, irises]), widths, np.append(heights, [-70, -70])


def _skin(x: np.ndarray, y: np.ndarray, pose: Pose) -> np.ndarray:
    """Grey level of the head's ellipse with its soft border, without the spots."""
    points = landmarks(pose)
    center = (points[8] + points[27]) / 2 + (points[27] - points[8]) * 0.25
    across, along = points[16] - points[0], points[8] - points[27]
    u = ((x - center[0]) * across[0] + (y - center[1]) * across[1]) / (across @ across) / 0.56
    v = ((x - center[0]) * along[0] + (y - center[1]) * along[1]) / (along @ along) / 0.92
    return _BACKGROUND + (_SKIN - _BACKGROUND) / (1 + np.exp(np.minimum(30 * (np.hypot(u, v) - 1), 50)))


def gray_levels(x: np.ndarray, y: np.ndarray, pose: Pose) -> np.ndarray:
    """Grey level, not rounded, of the drawn face at image positions (px)."""
    level = _skin(x, y, pose)
    for (cx, cy), width, height in zip(*_spots(pose), strict=True):
        level = level + height * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * width**2))
    return level


def picture(pose: Pose, width: int = 640, height: int = 480, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """(height, width, 3) uint8 BGR: one drawn face on a dark ground."""
    level = _skin(np.arange(width, dtype=float)[None, :], np.arange(height, dtype=float)[:, None], pose)
    for (cx, cy), spread, amount in zip(*_spots(pose), strict=True):
        x0, x1 = (int(np.clip(cx + side * 5 * spread, 0, width)) for side in (-1, 1))
        y0, y1 = (int(np.clip(cy + side * 5 * spread, 0, height)) for side in (-1, 1))
        gx = np.exp(-((np.arange(x0, x1) - cx) ** 2) / (2 * spread**2))
        gy = np.exp(-((np.arange(y0, y1) - cy) ** 2) / (2 * spread**2))
        level[y0:y1, x0:x1] += amount * gy[:, None] * gx
    if noise:
        level = level + np.random.default_rng(seed).normal(0, noise, level.shape)
    return np.clip(np.rint(level[..., None] + _red_marks(level, pose)), 0, 255).astype(np.uint8)


def _red_marks(level: np.ndarray, pose: Pose) -> np.ndarray:
    """What the marks add to blue, green and red, beside the head only."""
    height, width = level.shape
    amount = np.zeros((height, width))
    for x, y in _marks(pose):
        gx = np.exp(-((np.arange(width) - x) ** 2) / (2 * (_MARK_MM * pose.scale) ** 2))
        gy = np.exp(-((np.arange(height) - y) ** 2) / (2 * (_MARK_MM * pose.scale) ** 2))
        amount += gy[:, None] * gx
    outside = np.clip(1 - (level - _BACKGROUND) / (_SKIN - _BACKGROUND) * 2, 0, 1)
    return (amount * outside)[..., None] * _BACKGROUND * (_RED - 1)


def _marks(pose: Pose) -> np.ndarray:
    """(4, 2) centres of the red marks, px; upright whatever the pose."""
    points = landmarks(pose)
    center = (points.min(0) + points.max(0)) / 2
    half = (MARKS_MM / 2 - _MARK_MM) * pose.scale
    return center + half * np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]])
