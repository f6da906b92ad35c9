"""The stages of the open model pack, put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from mien.action_units.blendshapes import BlendshapeNetwork, read_blendshape_landmarks
from mien.action_units.identities import IdentityAnalyzers, IndependentFaces
from mien.action_units.mesh_units import MeshActionUnits, SingleMesh
from mien.datatypes import Camera
from mien.detection import blazeface
from mien.detection.blazeface import BlazeFace, FirstSuccess
from mien.detection.mtcnn import MtcnnDetector
from mien.detection.together import Together
from mien.errors import ModelsMissingError, OptionError
from mien.gaze.mesh_gaze import MeshGazeEstimator
from mien.landmarks.mesh import MeshNetwork
from mien.landmarks.mesh_finder import MeshFinder
from mien.landmarks.mesh_follower import MeshFollower
from mien.landmarks.mesh_indices import MeshIndices, read_mesh_indices
from mien.landmarks.mesh_tracker import MeshTracker
from mien.models import open as pack
from mien.models.open import PackFile
from mien.models.readers import mtcnn_from_npz
from mien.options import AnalysisOptions
from mien.people.tracker import PeopleOptions, PeopleTracker
from mien.pose.mesh_pose import MeshPoseEstimator
from mien.runtime.sessions import create_session
from mien.shape.canonical_face import read_canonical_face
from mien.stages import ManyStages, NetworkReport, PictureStages, Stages, networks_of

T = TypeVar("T")

LANDMARK_MODELS: dict[str, PackFile] = {"mesh": pack.ATTENTION_MESH, "mesh-plain": pack.PLAIN_MESH}
"""What ``AnalysisOptions.landmarks`` may name; the first is the default."""
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
    files = (*_choose("detector", detector, DETECTORS), *_files_of_mesh(mesh_file))
    _require(files)
    face = read_canonical_face(pack.CANONICAL_FACE.path)
    network, indices = _mesh(mesh_file, options)
    shapes = _blendshapes(mesh_file, options)
    detectors = _detectors(detector, options.device)
    return Stages(
        tracker=MeshTracker(FirstSuccess(detectors), network, face, indices.ibug68),
        pose=MeshPoseEstimator(camera, face),
        gaze=MeshGazeEstimator(camera, face),
        action_units=MeshActionUnits(face, shapes),
        camera=camera,
        pack="open",
        landmark_model=landmark_model,
        model_files=tuple(file.path for file in files),
        networks=networks_of(network, *detectors, *_existing(shapes)),
    )


def build_finder(options: AnalysisOptions) -> MeshFinder:
    """Read the pack's models and build what finds all faces of a still picture.

    All detectors are asked: BlazeFace sees the picture at 192x192 px at most and misses faces below about a
    tenth of it, which MTCNN finds down to 60 px; MTCNN misses very large and tilted ones.

    Parameters
    ----------
    options
        As in `build_stages`.

    Returns
    -------
    MeshFinder

    Raises
    ------
    ModelsMissingError, ModelFileError, OptionError
        As `build_stages`.
    """
    return _finder(options)[0]


def _finder(options: AnalysisOptions) -> tuple[MeshFinder, NetworkReport]:
    """What finds all faces of a picture, and what says where its networks run."""
    mesh_file, _ = _files_of_all_detectors(options)
    network, indices = _mesh(mesh_file, options)
    detectors = [detector for name in DETECTORS for detector in _detectors(name, options.device)]
    finder = MeshFinder(detectors, network, read_canonical_face(pack.CANONICAL_FACE.path), indices.ibug68)
    return finder, networks_of(network, *detectors)


def build_many_stages(options: AnalysisOptions, camera: Camera) -> ManyStages:
    """Read the pack's models and build the stages for all faces of a video.

    Parameters
    ----------
    options, camera
        As in `build_stages`.

    Returns
    -------
    ManyStages
        MTCNN, which sees small faces, is asked before BlazeFace, which sees very large and tilted ones.

    Raises
    ------
    ModelsMissingError, ModelFileError, OptionError
        As `build_stages`.
    """
    mesh_file, files = _files_of_all_detectors(options)
    face = read_canonical_face(pack.CANONICAL_FACE.path)
    network, indices = _mesh(mesh_file, options)
    shapes = _blendshapes(mesh_file, options)
    detectors = [detector for name in ("mtcnn", "blazeface") for detector in _detectors(name, options.device)]
    return ManyStages(
        tracker=PeopleTracker(
            MeshFollower(network, face, indices.ibug68),
            Together(detectors).detect,
            PeopleOptions(most_faces=options.most_faces),
        ),
        pose=MeshPoseEstimator(camera, face),
        gaze=MeshGazeEstimator(camera, face),
        action_units=IdentityAnalyzers(lambda: MeshActionUnits(face, shapes)),
        camera=camera,
        pack="open",
        landmark_model=options.landmarks or "mesh",
        model_files=tuple(file.path for file in files),
        networks=networks_of(network, *detectors, *_existing(shapes)),
    )


def build_picture_stages(options: AnalysisOptions) -> PictureStages:
    """Read the pack's models and build the stages for independent pictures.

    Parameters
    ----------
    options
        As in `build_stages`.

    Returns
    -------
    PictureStages
        A single picture has no neutral face to be compared with: intensities that need one are NaN.

    Raises
    ------
    ModelsMissingError, ModelFileError, OptionError
        As `build_stages`.
    """
    finder, networks = _finder(options)
    face = read_canonical_face(pack.CANONICAL_FACE.path)
    mesh_file, files = _files_of_all_detectors(options)
    shapes = _blendshapes(mesh_file, options)
    return PictureStages(
        finder=finder,
        pose_for=lambda camera: MeshPoseEstimator(camera, face),
        gaze_for=lambda camera: MeshGazeEstimator(camera, face),
        action_units=IndependentFaces(SingleMesh(face, shapes)),
        pack="open",
        landmark_model=options.landmarks or "mesh",
        model_files=tuple(file.path for file in files),
        networks=lambda: networks() | networks_of(*_existing(shapes))(),
    )


def _files_of_all_detectors(options: AnalysisOptions) -> tuple[PackFile, tuple[PackFile, ...]]:
    """The mesh network, and every file that is needed with all detectors."""
    mesh_file = _choose("landmarks", options.landmarks or "mesh", LANDMARK_MODELS)
    detector_files = (file for files in DETECTORS.values() for file in files)
    files = (*detector_files, *_files_of_mesh(mesh_file))
    _require(files)
    return mesh_file, files


def _files_of_mesh(mesh_file: PackFile) -> tuple[PackFile, ...]:
    """A mesh network and what reads its mesh; blendshapes need the irises, which the plain one has not."""
    shapes = (pack.BLENDSHAPES, pack.BLENDSHAPE_LISTS) if mesh_file is pack.ATTENTION_MESH else ()
    return (mesh_file, pack.INDICES, pack.CANONICAL_FACE, *shapes)


def _blendshapes(mesh_file: PackFile, options: AnalysisOptions) -> BlendshapeNetwork | None:
    if pack.BLENDSHAPES not in _files_of_mesh(mesh_file):
        return None
    landmarks = read_blendshape_landmarks(pack.BLENDSHAPE_LISTS.path)
    return BlendshapeNetwork(create_session(pack.BLENDSHAPES.path, device=options.device), landmarks)


def _existing(shapes: BlendshapeNetwork | None) -> tuple[BlendshapeNetwork, ...]:
    return () if shapes is None else (shapes,)


def _mesh(file: PackFile, options: AnalysisOptions) -> tuple[MeshNetwork, MeshIndices]:
    indices = read_mesh_indices(pack.INDICES.path)
    return MeshNetwork(create_session(file.path, device=options.device), indices), indices


def _detectors(name: str, device: str) -> list[MtcnnDetector | BlazeFace]:
    if name == "mtcnn":
        return [MtcnnDetector(mtcnn_from_npz(pack.MTCNN.path), device=device)]
    layouts = (blazeface.SHORT_RANGE, blazeface.FULL_RANGE)
    files = zip(DETECTORS["blazeface"], layouts, strict=True)
    return [BlazeFace(create_session(file.path, device=device), layout) for file, layout in files]


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
