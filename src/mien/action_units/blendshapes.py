"""Blendshapes: how much of 52 facial expressions a face mesh shows, by MediaPipe's network.

Method and licence: ``docs/open-models.md``; network: "MediaPipe BlendShape V2" (Grishchenko et al., 2022).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import BLENDSHAPE_NAMES, Blendshapes
from mien.errors import ModelFileError
from mien.runtime.sessions import device_of

_OUTPUTS = ("blendshapes", "logits")
_LANDMARKS, _MESH_POINTS = 146, 478


class BlendshapeNetwork:
    """Reads blendshapes from a mesh: no neutral face is needed.

    Parameters
    ----------
    session
        ONNX Runtime session of the network.
    landmarks
        (146,) mesh points that it reads, irises among them.
    """

    def __init__(self, session: Any, landmarks: NDArray[np.int64]) -> None:
        self._session = session
        self._landmarks = landmarks

    @property
    def networks(self) -> dict[str, str]:
        """Where the network runs, by name."""
        return {"blendshapes": device_of(self._session)}

    def read(self, mesh: NDArray[np.float32]) -> Blendshapes:
        """Read the blendshapes of one face.

        Parameters
        ----------
        mesh
            (478, 3) float32, px of the image; z is not read. Position and size do not matter.

        Returns
        -------
        Blendshapes
            NaN where the mesh has gaps, such as a mesh without irises.
        """
        points = mesh[self._landmarks, :2].astype(np.float32)
        if not np.isfinite(points).all():
            return no_blendshapes()
        return Blendshapes(*self._session.run(_OUTPUTS, {"input": points[None]}))


def no_blendshapes() -> Blendshapes:
    """Blendshapes of a face that has none: NaN.

    Returns
    -------
    Blendshapes
    """
    missing = np.full(len(BLENDSHAPE_NAMES), np.nan, np.float32)
    return Blendshapes(missing, missing)


def read_blendshape_landmarks(path: Path) -> NDArray[np.int64]:
    """Read which points of the mesh the network reads.

    Parameters
    ----------
    path
        The pack's ``blendshapes.json``.

    Returns
    -------
    ndarray
        (146,) int64.

    Raises
    ------
    ModelFileError
        The file is missing, is no JSON, lacks a list, or names other blendshapes.
    """
    try:
        lists = json.loads(path.read_text(encoding="utf-8"))
        if tuple(lists["names"]) != BLENDSHAPE_NAMES:
            raise ValueError(f"expected {len(BLENDSHAPE_NAMES)} names of blendshapes, got others")
        landmarks = np.array(lists["landmarks"], np.int64)
        if landmarks.shape != (_LANDMARKS,) or landmarks.min() < 0 or landmarks.max() >= _MESH_POINTS:
            raise ValueError(
                f"expected {_LANDMARKS} points below {_MESH_POINTS}, got shape {landmarks.shape}"
            )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{path}: expected points and names of blendshapes as JSON, got {type(error).__name__}: "
            f"{error}; install mien again"
        ) from error
    return landmarks
