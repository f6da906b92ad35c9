"""Which vertices of the face mesh mean what; the tables themselves lie beside the networks as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelFileError
from mien.storage.regular_file import read_regular

MESH_POINTS = 468
IRIS_POINTS = 5


@dataclass(frozen=True, slots=True)
class MeshIndices:
    """Index lists of the mesh (docs/algorithms/open-mesh.md); "left" and "right" are the image's.

    Attributes
    ----------
    refined
        (222,) int64: the vertices whose x and y the attention heads replace; lips, left eye, right eye.
    left_contour, right_contour
        (16,) int64: the vertices of an eye's own contour, whose mean depth its iris takes.
    ibug68
        (68,) int64: the vertices that stand for iBUG's 68 points, jaw fitted on videos.
    ibug68_conventional
        (68,) int64: the same with the conventional jaw.
    """

    refined: NDArray[np.int64]
    left_contour: NDArray[np.int64]
    right_contour: NDArray[np.int64]
    ibug68: NDArray[np.int64]
    ibug68_conventional: NDArray[np.int64]


def read_mesh_indices(path: Path) -> MeshIndices:
    """Read the index lists of the mesh.

    Parameters
    ----------
    path
        The pack's ``indices.json``.

    Returns
    -------
    MeshIndices

    Raises
    ------
    ModelFileError
        The file is missing, is no JSON, or lacks a list.
    """
    try:
        lists = json.loads(read_regular(path).decode("utf-8"))
        return MeshIndices(
            refined=_indices(lists["lips"] + lists["left_eye"] + lists["right_eye"], 222),
            left_contour=_indices(lists["iris_z_left"], 16),
            right_contour=_indices(lists["iris_z_right"], 16),
            ibug68=_indices(lists["map68"], 68),
            ibug68_conventional=_indices(lists["map68_conventional"], 68),
        )
    except (OSError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ModelFileError(
            f"{path}: expected the mesh's index lists as JSON, got {type(error).__name__}: {error}; "
            "install mien again"
        ) from error


def _indices(values: list[int], count: int) -> NDArray[np.int64]:
    array = np.array(values, np.int64)
    if array.shape != (count,) or array.min() < 0 or array.max() >= MESH_POINTS:
        raise ValueError(f"expected {count} indices below {MESH_POINTS}, got shape {array.shape}")
    return array
