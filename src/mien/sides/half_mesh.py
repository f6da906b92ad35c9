"""The triangles of half a face, from its middle outwards: a composite is this half and its mirror image."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mien.appearance.alignment import RAISED_LANDMARKS
from mien.shape.mirror import MIDLINE, MIRRORED, OF_SIDE
from mien.sides import kernels

_LEFT = np.flatnonzero(OF_SIDE[0])
LANDMARKS = np.stack((np.array([*_LEFT, *MIDLINE]), np.array([*MIRRORED[_LEFT], *MIDLINE])))
"""(2, K) int64: landmarks of the left half and their counterparts of the right one, the middle's last."""
ON_MIDLINE = slice(len(_LEFT), None)
"""Which of them are in the middle."""

_ROW_OF_BROWS = (0, *range(17, 27), 16)
"""Raised landmarks in the order in which they follow one another."""
_RAISED = {landmark: 68 + i for i, landmark in enumerate(RAISED_LANDMARKS)}

_Corner = tuple[int, int]
"""A vertex p as (p, _ITSELF); as (p, q) the point of the middle between p and the mirror image of q."""
_ITSELF = -1


class HalfMesh:
    """Triangles over half of a symmetric face.

    The vertices are the landmarks of half a face, those of them that are raised so that the forehead stays
    (docs/algorithms/alignment-and-fhog.md#mask), and points of the middle where edges cross it.

    Parameters
    ----------
    triangles
        (T, 3) landmarks of the triangles of a whole face's mask.

    Attributes
    ----------
    mask
        (t, 3) int32 vertices of triangles: what they cover together is what the mask shows.
    fine
        (u, 3) int32 likewise, over landmarks as they are where there are such; earlier ones come first.
    """

    def __init__(self, triangles: NDArray[np.int32]) -> None:
        number = {int(landmark): i for i, landmark in enumerate(LANDMARKS[0])}
        raised = [landmark for landmark in RAISED_LANDMARKS if landmark in number]
        self._lifted = np.array([number[landmark] for landmark in raised], np.intp)
        number |= {_RAISED[landmark]: len(number) + i for i, landmark in enumerate(raised)}
        coarse = [[_RAISED.get(int(corner), int(corner)) for corner in triangle] for triangle in triangles]
        # Triangles without raised landmarks are the same in both.
        lifted = [triangle for triangle in coarse if max(triangle) >= 68]
        mask, fine = _halves(coarse), _halves([*triangles.tolist(), *_forehead(), *lifted])
        crossings = sorted({corner for half in (*mask, *fine) for corner in half if corner[1] != _ITSELF})
        names = {(vertex, _ITSELF): i for vertex, i in number.items()}
        names |= {crossing: len(number) + i for i, crossing in enumerate(crossings)}
        ends = [[number[p], number[q]] for p, q in crossings]
        self._ends = np.ascontiguousarray(np.array(ends, np.intp).reshape(-1, 2).T)
        self.mask, self.fine = (
            np.array([[names[corner] for corner in half] for half in some], np.int32).reshape(-1, 3)
            for some in (mask, fine)
        )

    def vertices(self, halves: NDArray[np.float64], lift: float) -> NDArray[np.float64]:
        """Where the vertices are.

        Parameters
        ----------
        halves
            (2, K, 3) float64: `LANDMARKS` of both halves, x the distance from the middle.
        lift
            How far up landmarks are raised, in the unit of ``halves``.

        Returns
        -------
        ndarray
            (2, V, 3) float64.
        """
        count = halves.shape[1] + len(self._lifted) + self._ends.shape[1]
        out: NDArray[np.float64] = np.empty((2, count, 3))
        kernels.vertices_of(halves, self._lifted, self._ends, lift, out)
        return out


def _forehead() -> list[list[int]]:
    """The strip between brows and raised brows."""
    strip = []
    for a, b in pairwise(_ROW_OF_BROWS):
        strip += [[a, b, _RAISED[a]], [b, _RAISED[b], _RAISED[a]]]
    return strip


def _halves(triangles: list[list[int]]) -> list[list[_Corner]]:
    """The parts of triangles in the left half, as triangles."""
    found = []
    for triangle in triangles:
        outline = _clipped(triangle)
        found += [[outline[0], *pair] for pair in pairwise(outline[1:])]
    return found


def _clipped(triangle: list[int]) -> list[_Corner]:
    """Corners of what a triangle has in the left half."""
    sides = [_side(corner) for corner in triangle]
    if max(sides) <= 0:
        return []
    outline: list[_Corner] = []
    for k in range(3):
        here, there = triangle[k - 1], triangle[k]
        if sides[k - 1] >= 0:
            outline.append((here, _ITSELF))
        if sides[k - 1] * sides[k] < 0:
            left, right = (here, there) if sides[k - 1] > 0 else (there, here)
            outline.append((left, _counterpart(right)))
    return outline


def _side(vertex: int) -> int:
    """1 on the left, -1 on the right, 0 in the middle."""
    landmark = _landmark(vertex)
    return int(OF_SIDE[0, landmark]) - int(OF_SIDE[1, landmark])


def _counterpart(vertex: int) -> int:
    mirrored = int(MIRRORED[_landmark(vertex)])
    return mirrored if vertex < 68 else _RAISED[mirrored]


def _landmark(vertex: int) -> int:
    return vertex if vertex < 68 else RAISED_LANDMARKS[vertex - 68]
