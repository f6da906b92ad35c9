"""BlazeFace: face detection with six key points (docs/algorithms/open-detection.md#blazeface)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceBoxes
from mien.imaging.crop_kernels import crop_affine
from mien.runtime.sessions import device_of

KEYPOINTS = 6
_OVERLAP = 0.3
_SCORE_CLIP = 100.0
_LEVELS = (np.arange(256, dtype=np.float32) / np.float32(127.5) - np.float32(1)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class BlazeFaceLayout:
    """What distinguishes the two published networks.

    Attributes
    ----------
    side
        Side of the network's square input, px.
    grids
        Pairs (cells per side, anchors per cell), in the order of the network's rows.
    threshold
        Least score of a face.
    regressors, scores
        Names of the network's outputs.
    """

    side: int
    grids: tuple[tuple[int, int], ...]
    threshold: float
    regressors: str
    scores: str


SHORT_RANGE = BlazeFaceLayout(128, ((16, 2), (8, 6)), 0.5, "regressors", "classificators")
"""For near, large faces."""
FULL_RANGE = BlazeFaceLayout(192, ((48, 1),), 0.6, "Identity", "Identity_1")
"""For smaller faces too."""


class BlazeFace:
    """Finds faces with one BlazeFace network.

    Parameters
    ----------
    session
        ONNX Runtime session of the network.
    layout
        `SHORT_RANGE` or `FULL_RANGE`, as fits the network.
    threshold
        Least score of a face; the layout's own by default.
    """

    def __init__(self, session: Any, layout: BlazeFaceLayout, threshold: float | None = None) -> None:
        self._session = session
        self._layout = layout
        self._threshold = layout.threshold if threshold is None else threshold
        self._anchors = anchor_centres(layout.grids)
        self._input = np.empty((1, layout.side, layout.side, 3), np.float32)

    @property
    def networks(self) -> dict[str, str]:
        """Where the network runs, by name."""
        return {f"BlazeFace {self._layout.side}": device_of(self._session)}

    def detect(self, bgr: NDArray[np.uint8]) -> FaceBoxes:
        """Find the faces of an image.

        Parameters
        ----------
        bgr
            (H, W, 3) uint8, C-contiguous.

        Returns
        -------
        FaceBoxes
            Most certain first, with ``keypoints`` (N, 6, 2): the eye on the image's left, the other eye,
            nose tip, mouth centre, tragion on the image's left, the other tragion.
        """
        side = self._layout.side
        height, width = bgr.shape[:2]
        scale = side / max(width, height)
        pad_x, pad_y = (side - width * scale) / 2, (side - height * scale) / 2
        matrix = np.array([[1 / scale, 0, -pad_x / scale], [0, 1 / scale, -pad_y / scale]])
        crop_affine(bgr, matrix, False, _LEVELS, self._input[0])
        names = [self._layout.regressors, self._layout.scores]
        regressors, logits = self._session.run(names, {"input": self._input})
        faces, scores = self._decode(regressors[0], logits[0, :, 0])
        faces, scores = suppress_weighted(faces, scores, _OVERLAP)
        points = (faces.reshape(len(faces), 2 + KEYPOINTS, 2) * side - (pad_x, pad_y)) / scale
        corners, keypoints = points[:, :2], points[:, 2:]
        boxes = np.concatenate([corners[:, 0], corners[:, 1] - corners[:, 0]], axis=1)
        return FaceBoxes(
            boxes.astype(np.float32), scores.astype(np.float32), keypoints=keypoints.astype(np.float32)
        )

    def _decode(
        self, regressors: NDArray[np.float32], logits: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Candidates above the threshold: x0, y0, x1, y1 and the key points, in parts of the square."""
        clipped = np.clip(logits.astype(np.float64), -_SCORE_CLIP, _SCORE_CLIP)
        scores = 1.0 / (1.0 + np.exp(-clipped))
        kept = (scores >= self._threshold) & (regressors[:, 2] >= 0) & (regressors[:, 3] >= 0)
        rows = regressors[kept].astype(np.float64).reshape(-1, 2 + KEYPOINTS, 2) / self._layout.side
        anchors = self._anchors[kept][:, None]
        centre, half = rows[:, :1] + anchors, rows[:, 1:2] / 2
        faces = np.concatenate([centre - half, centre + half, rows[:, 2:] + anchors], axis=1)
        return faces.reshape(len(faces), 4 + 2 * KEYPOINTS), scores[kept]


def anchor_centres(grids: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """Centres of the anchors, row by row, the anchors of a cell one after the other.

    Parameters
    ----------
    grids
        Pairs (cells per side, anchors per cell).

    Returns
    -------
    ndarray
        (N, 2) float64, x and y in parts of the square.
    """
    parts = []
    for cells, per_cell in grids:
        ticks = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(ticks, ticks, indexing="ij")
        parts.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), per_cell, axis=0))
    return np.concatenate(parts)


def suppress_weighted(
    faces: NDArray[np.float64], scores: NDArray[np.float64], overlap: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Merge candidates that overlap the best one into their score-weighted mean.

    Parameters
    ----------
    faces
        (N, K) float64; the first four columns are x0, y0, x1, y1.
    scores
        (N,) float64.
    overlap
        Candidates whose intersection over union with the best is larger belong to its face.

    Returns
    -------
    faces, scores
        (M, K) and (M,) float64, by falling score; a face's score is its best candidate's.
    """
    order = np.argsort(-scores, kind="stable")
    faces, scores = faces[order], scores[order]
    merged, best = [], []
    while len(faces):
        same = box_overlaps(faces[0, :4], faces[:, :4]) > overlap
        same[0] = True  # a box without area overlaps nothing, not even itself
        merged.append(scores[same] @ faces[same] / scores[same].sum())
        best.append(scores[0])
        faces, scores = faces[~same], scores[~same]
    return np.array(merged).reshape(len(merged), faces.shape[1]), np.array(best)


def box_overlaps(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of one box with others.

    Parameters
    ----------
    box
        (4,) x0, y0, x1, y1.
    boxes
        (N, 4), the same.

    Returns
    -------
    ndarray
        (N,) float64 in [0, 1]; 0 where both boxes have no area.
    """
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    union = np.prod(box[2:] - box[:2]) + areas - shared
    overlaps: NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlaps
