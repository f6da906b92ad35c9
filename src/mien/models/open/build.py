"""The stages of the open model pack, put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from mien.action_units.geometric import GeometricActionUnits
from mien.datatypes import Camera
from mien.detection import blazeface
from mien.detection.blazeface import BlazeFace, FirstSuccess
from mien.detection.mtcnn import MtcnnDetector
from mien.errors import ModelsMissingError, OptionError
from mien.gaze.mesh_gaze import MeshGazeEstimator
from mien.landmarks.mesh import MeshNetwork
from mien.landmarks.mesh_indices import MeshIndices, read_mesh_indices
from mien.landmarks.mesh_tracker import FaceDetector, MeshTracker
from mien.models import open as pack
from mien.models.open import PackFile
from mien.models.readers import mtcnn_from_npz
from mien.options import AnalysisOptions
from mien.pose.mesh_pose import MeshPoseEstimator
from mien.runtime.sessions import create_session
from mien.shape.canonical_face import CanonicalFace, read_canonical_face
from mien.stages import Stages

LANDMARK_MODELS: dict[str, PackFile] = {"mesh": pack.ATTENTION_MESH, "mesh-plain": pack.PLAIN_MESH}
"""What ``AnalysisOptions.landmarks`` may name; the first is the default."""
T = TypeVar("T")

DETECTORS: dict[str, tuple[PackFile, ...]] = {
    "blazeface": (pack.SHORT_RANGE, pack.FULL_RANGE),
    "mtcnn": (pack.MTCNN,),
}
"""Which files a detector needs; the first is the default."""


def build_stages(options: AnalysisOptions, camera: Camera, *, detector: str = "blazeface") -> Stages:
    """Read the pack's models and build the stages for one source.

    Parameters
    ----------
    options
        ``landmarks`` is "mesh" (None means this) or "mesh-plain": twice as fast, without irises
        and therefore without gaze.
    camera
        Intrinsics of the source.
    detector
        "blazeface" or "mtcnn".

    Returns
    -------
    Stages

    Raises
    ------
    ModelsMissingError, ModelFileError
        A file of the pack is missing or damaged: the installation is.
    OptionError
        The landmark model, the detector or the device is not known.
    """
    landmark_model = options.landmarks or "mesh"
    mesh_file = _choose("landmarks", landmark_model, LANDMARK_MODELS)
    files = (*_choose("detector", detector, DETECTORS), mesh_file, pack.INDICES, pack.CANONICAL_FACE)
    _require(files)
    face = read_canonical_face(pack.CANONICAL_FACE.path)
    return Stages(
        tracker=build_tracker(mesh_file, face, detector=detector, device=options.device),
        pose=MeshPoseEstimator(camera, face),
        gaze=MeshGazeEstimator(camera, face),
        action_units=GeometricActionUnits(face),
        camera=camera,
        pack="open",
        landmark_model=landmark_model,
        model_files=tuple(file.path for file in files),
    )


def build_tracker(
    mesh_file: PackFile, face: CanonicalFace, *, detector: str = "blazeface", device: str = "cpu"
) -> MeshTracker:
    """Build the tracker alone.

    Parameters
    ----------
    mesh_file
        The mesh network's file.
    face
        The canonical face.
    detector, device
        As in `build_stages` and in `AnalysisOptions`.

    Returns
    -------
    MeshTracker
    """
    indices: MeshIndices = read_mesh_indices(pack.INDICES.path)
    network = MeshNetwork(create_session(mesh_file.path, device=device), indices)
    return MeshTracker(_detector(detector, device), network, face, indices.ibug68)


def _detector(name: str, device: str) -> FaceDetector:
    if name == "mtcnn":
        return MtcnnDetector(mtcnn_from_npz(pack.MTCNN.path), device=device)
    layouts = (blazeface.SHORT_RANGE, blazeface.FULL_RANGE)
    sessions = (create_session(file.path, device=device) for file in DETECTORS["blazeface"])
    return FirstSuccess(
        [BlazeFace(session, layout) for session, layout in zip(sessions, layouts, strict=True)]
    )


def _choose(option: str, name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        raise OptionError(f"{option}: the open models know {' and '.join(known)}, got {name!r}")
    return known[name]


def _require(files: tuple[PackFile, ...]) -> None:
    missing = [file.name for file in files if not file.path.is_file()]
    if missing:
        raise ModelsMissingError(
            f"the open models lack {', '.join(missing)} in {pack.FOLDER}: the installation is damaged; "
            "install mien again"
        )
