"""Loads the open model pack and its golden values, once per test run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

import mien.models.open
from mien.action_units.blendshapes import BlendshapeNetwork, read_blendshape_landmarks
from mien.datatypes import Camera, FaceLandmarks, Frame
from mien.detection.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFace
from mien.detection.several import FirstSuccess
from mien.landmarks.mesh import FaceMesh, MeshNetwork
from mien.landmarks.mesh_indices import MeshIndices, read_mesh_indices
from mien.landmarks.mesh_tracker import MeshTracker, landmarks_from_mesh
from mien.runtime.sessions import create_session
from mien.shape.canonical_face import CanonicalFace, read_canonical_face

PACK = Path(mien.models.open.__file__).parent
GOLDEN = Path(__file__).parent / "data" / "open"
BLACK_FRAMES = (20, 21, 22)


def frame_of(rgb: np.ndarray, index: int = 0) -> Frame:
    bgr = np.ascontiguousarray(rgb[:, :, ::-1])
    return Frame(index, index / 30, bgr, bgr.mean(axis=2).astype(np.uint8))


def read_rgb(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@cache
def read_golden(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def synthetic_sequence() -> Iterator[np.ndarray]:
    """The 40 RGB frames of ``synth.npz``: the portrait moving over a black canvas, three frames empty."""
    portrait = read_rgb(GOLDEN / "astronaut.png")
    for t in range(40):
        canvas = np.zeros((480, 640, 3), np.uint8)
        if t not in BLACK_FRAMES:
            dx, dy = (64 + 6 * t, -20 + 2 * t) if t < 20 else (64 + 6 * (40 - t), 60 - 2 * (t - 20))
            x0, x1, y0, y1 = max(dx, 0), min(dx + 512, 640), max(dy, 0), min(dy + 512, 480)
            canvas[y0:y1, x0:x1] = portrait[y0 - dy : y1 - dy, x0 - dx : x1 - dx]
        yield canvas


@cache
def short_range() -> BlazeFace:
    return BlazeFace(create_session(PACK / "face_detection_short_range.onnx"), SHORT_RANGE)


@cache
def full_range() -> BlazeFace:
    return BlazeFace(create_session(PACK / "face_detection_full_range.onnx"), FULL_RANGE)


@cache
def indices() -> MeshIndices:
    return read_mesh_indices(PACK / "indices.json")


@cache
def canonical_face() -> CanonicalFace:
    return read_canonical_face(PACK / "canonical_face.npz")


@cache
def mesh_network(name: str = "face_landmark_with_attention") -> MeshNetwork:
    return MeshNetwork(create_session(PACK / f"{name}.onnx"), indices())


@cache
def blendshape_network() -> BlendshapeNetwork:
    session = create_session(PACK / "face_blendshapes.onnx")
    return BlendshapeNetwork(session, read_blendshape_landmarks(PACK / "blendshapes.json"))


def tracker(**options: bool) -> MeshTracker:
    detector = FirstSuccess([short_range(), full_range()])
    return MeshTracker(detector, mesh_network(), canonical_face(), indices().ibug68, **options)


def landmarks_of(points: np.ndarray) -> FaceLandmarks:
    """Landmarks of a given mesh (478, 3), as the tracker would report them."""
    return landmarks_from_mesh(FaceMesh(points.astype(np.float32), 1.0), canonical_face(), indices().ibug68)


def default_camera(width: int, height: int) -> Camera:
    focal = (500 * width / 640 + 500 * height / 480) / 2
    return Camera(focal, focal, width / 2, height / 2)
