"""The stages of the open model pack, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mien.action_units.blendshapes import BlendshapeNetwork, read_blendshape_landmarks
from mien.action_units.identities import IdentityAnalyzers
from mien.action_units.mesh_units import MeshActionUnits
from mien.datatypes import Camera
from mien.detection import blazeface
from mien.detection.blazeface import BlazeFace
from mien.detection.mtcnn import MtcnnDetector
from mien.detection.several import FirstSuccess, Together
from mien.errors import ModelsMissingError, OptionError
from mien.gaze.mesh_gaze import MeshGazeEstimator
from mien.landmarks.images import PictureTracker
from mien.landmarks.mesh import MeshNetwork
from mien.landmarks.mesh_finder import MeshFinder
from mien.landmarks.mesh_follower import MeshFollower
from mien.landmarks.mesh_indices import MeshIndices, read_mesh_indices
from mien.landmarks.mesh_tracker import MeshTracker
from mien.models import open as pack
from mien.models.readers import mtcnn_from_npz
from mien.options import AnalysisOptions
from mien.people.people_tracker import PeopleOptions, PeopleTracker
from mien.pose.mesh_pose import MeshPoseEstimator
from mien.runtime.sessions import create_session
from mien.shape.canonical_face import read_canonical_face
from mien.stages import ActionUnitAnalyzer, Stages, Tracker, networks_of

T = TypeVar("T")

LANDMARK_MODELS: dict[str, Path] = {"mesh": pack.ATTENTION_MESH, "mesh-plain": pack.PLAIN_MESH}
"""What ``AnalysisOptions.landmarks`` may name; the first is the default."""
DETECTORS: dict[str, tuple[Path, ...]] = {
    "blazeface": (pack.SHORT_RANGE, pack.FULL_RANGE),
    "mtcnn": (pack.MTCNN,),
}
"""Which files a detector needs; the first is the default."""


_DOUBTFUL = 0.3
"""Least score of a face that is to be hidden."""


def build(
    options: AnalysisOptions,
    camera_for: Callable[[int, int], Camera],
    *,
    pictures: bool = False,
    detector: str = "blazeface",
) -> Stages:
    """Put the stages together: see `mien.packs.build_stages`.

    All detectors are asked where several faces are wanted: BlazeFace sees the picture at 192x192 px at most
    and misses faces below about a tenth of it, which MTCNN finds down to 60 px; MTCNN misses very large and
    tilted ones. A single picture has no neutral face to be compared with: intensities that need one are
    NaN.

    Parameters
    ----------
    options
        ``landmarks`` is "mesh" (None means this) or "mesh-plain": twice as fast, without irises
        and therefore without gaze and blendshapes.
    camera_for
        Intrinsics of frames of a width and height.
    pictures
        Whether every frame is a picture of its own.
    detector
        What finds the one face of a video: "blazeface" or "mtcnn".
    """
    several = pictures or options.faces == "many"
    landmark_model = options.landmarks or "mesh"
    mesh_file = _choose("landmarks", landmark_model, LANDMARK_MODELS)
    chosen = tuple(DETECTORS.values()) if several else (_choose("detector", detector, DETECTORS),)
    files = (*(file for each in chosen for file in each), *_files_of_mesh(mesh_file))
    _require(files)
    face = read_canonical_face(pack.CANONICAL_FACE)
    network, indices = _mesh(mesh_file, options)
    shapes = _blendshapes(mesh_file, options)
    # In a video the detector of small faces is asked first.
    names = tuple(DETECTORS) if pictures else ("mtcnn", "blazeface") if several else (detector,)
    detectors = [each for name in names for each in _detectors(name, options.device)]
    tracker: Tracker
    units: ActionUnitAnalyzer
    if pictures:
        finder = MeshFinder(detectors, network, face, indices.ibug68)
        tracker = PictureTracker(finder.find, widest_only=options.faces == "one")
        units = IdentityAnalyzers(lambda: MeshActionUnits(face, shapes))
    elif options.faces == "many":
        follower = MeshFollower(network, face, indices.ibug68)
        people = PeopleOptions(most_faces=options.most_faces)
        tracker = PeopleTracker(follower, Together(detectors).detect, people)
        units = IdentityAnalyzers(lambda: MeshActionUnits(face, shapes))
    else:
        tracker = MeshTracker(FirstSuccess(detectors), network, face, indices.ibug68)
        units = MeshActionUnits(face, shapes)
    return Stages(
        tracker=tracker,
        pose=MeshPoseEstimator(face),
        gaze=MeshGazeEstimator(face),
        appearance=None,
        action_units=units,
        camera_for=camera_for,
        pack="open",
        landmark_model=landmark_model,
        model_files=files,
        networks=networks_of(network, *detectors, *(() if shapes is None else (shapes,))),
    )


def _files_of_mesh(mesh_file: Path) -> tuple[Path, ...]:
    """A mesh network and what reads its mesh; blendshapes need the irises, which the plain one has not."""
    shapes = (pack.BLENDSHAPES, pack.BLENDSHAPE_LISTS) if mesh_file is pack.ATTENTION_MESH else ()
    return (mesh_file, pack.INDICES, pack.CANONICAL_FACE, *shapes)


def _blendshapes(mesh_file: Path, options: AnalysisOptions) -> BlendshapeNetwork | None:
    if pack.BLENDSHAPES not in _files_of_mesh(mesh_file):
        return None
    landmarks = read_blendshape_landmarks(pack.BLENDSHAPE_LISTS)
    return BlendshapeNetwork(create_session(pack.BLENDSHAPES, device=options.device), landmarks)


def _mesh(file: Path, options: AnalysisOptions) -> tuple[MeshNetwork, MeshIndices]:
    indices = read_mesh_indices(pack.INDICES)
    return MeshNetwork(create_session(file, device=options.device), indices), indices


def _detectors(name: str, device: str, threshold: float | None = None) -> list[MtcnnDetector | BlazeFace]:
    if name == "mtcnn":
        return [MtcnnDetector(mtcnn_from_npz(pack.MTCNN), device=device)]
    layouts = (blazeface.SHORT_RANGE, blazeface.FULL_RANGE)
    files = zip(DETECTORS["blazeface"], layouts, strict=True)
    return [BlazeFace(create_session(file, device=device), layout, threshold) for file, layout in files]


def all_face_boxes() -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """What finds all faces of a picture, also doubtful ones: for those who want to hide them.

    Returns
    -------
    callable
        (H, W, 3) uint8 to (N, 4) float32, px: x, y, width, height; a face may have several boxes.

    Raises
    ------
    ModelsMissingError
        The installation is damaged.
    """
    _require(DETECTORS["blazeface"])
    detectors = _detectors("blazeface", "cpu", _DOUBTFUL)
    return lambda bgr: np.concatenate([each.detect(bgr).boxes for each in detectors])


def _choose(option: str, name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        raise OptionError(f"{option}: the open models know {' and '.join(known)}, got {name!r}")
    return known[name]


def _require(files: tuple[Path, ...]) -> None:
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ModelsMissingError(
            f"the open models lack {', '.join(missing)} in {pack.FOLDER}: the installation is damaged; "
            "install mien again"
        )
