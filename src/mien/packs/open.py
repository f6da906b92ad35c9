"""The open model pack: what it is, and its stages put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mien.datatypes import Camera
from mien.errors import ModelsMissingError, OptionError
from mien.models import open as files
from mien.models.store import ModelStore
from mien.options import AnalysisOptions
from mien.packs.pack import Pack
from mien.stages import ActionUnitAnalyzer, Stages, Tracker, networks_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mien.detection.blazeface import BlazeFace
    from mien.detection.mtcnn import MtcnnDetector
    from mien.landmarks.mesh import MeshNetwork
    from mien.shape.canonical_face import CanonicalFace

T = TypeVar("T")

LANDMARK_MODELS: dict[str, Path] = {"mesh": files.ATTENTION_MESH, "mesh-plain": files.PLAIN_MESH}
"""What ``AnalysisOptions.landmarks`` may name; the first is the default."""
DETECTORS: dict[str, tuple[Path, ...]] = {
    "blazeface": (files.SHORT_RANGE, files.FULL_RANGE),
    "mtcnn": (files.MTCNN,),
}
"""Which files a detector needs; the first is the default."""


_GIVES = (
    "68 landmarks, 478 mesh points",
    "head pose",
    "coarse gaze",
    "action units 12, 45, 06, 02 (experimental: 01, 05, 10, 25, 26), no presences",
    "52 blendshapes",
)
_NOTICE = (
    "models: open (9 of 17 action units, on a scale of their own, no presences); for OpenFace's own models "
    "run `mien models fetch` (academic, non-commercial licence)"
)
_DOUBTFUL = 0.3
"""Least score of a face that is to be hidden."""


def describe(store: ModelStore | None = None) -> Pack:
    """The models that are part of the installation, whatever is in a store."""
    missing = tuple(file.name for file in files.NEEDED if not (files.FOLDER / file.name).is_file())
    there = [path.name for path in files.FOLDER.glob("*") if path.suffix in (".onnx", ".npz", ".json")]
    return Pack(
        name="open",
        version="mediapipe 0.10.21, facenet-pytorch 2.6.0",
        licence="Apache-2.0 and MIT, commercial use allowed",
        gives=_GIVES,
        folder=files.FOLDER,
        notice=_NOTICE,
        installed=True,
        complete=not missing,
        missing=missing,
        landmark_models=() if missing else ("mesh",),
        files=tuple(sorted(there)),
    )


def complain(store: ModelStore | None = None) -> None:
    """Raise the error that says what is missing and how to get it."""
    missing = describe().missing
    raise ModelsMissingError(
        f"the open models are part of mien, but {', '.join(missing)} are not in {files.FOLDER}; "
        "install mien again"
    )


def read_models(pack: Pack, options: AnalysisOptions, *, accelerator: object = None) -> None:
    """Nothing that analyses would share: the models are small."""


def build(
    options: AnalysisOptions,
    camera_for: Callable[[int, int], Camera],
    *,
    pack: Pack | None = None,
    live: bool = False,
    pictures: bool = False,
    shared: object = None,
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
    pack, live, shared
        Of no account.
    pictures
        Whether every frame is a picture of its own.
    detector
        What finds the one face of a video: "blazeface" or "mtcnn".
    """
    from mien.action_units.blendshapes import BlendshapeNetwork, read_blendshape_landmarks
    from mien.action_units.identities import IdentityAnalyzers
    from mien.action_units.mesh_units import MeshActionUnits
    from mien.gaze.mesh_gaze import MeshGazeEstimator
    from mien.landmarks.mesh import MeshNetwork
    from mien.landmarks.mesh_indices import read_mesh_indices
    from mien.pose.mesh_pose import MeshPoseEstimator
    from mien.runtime.sessions import create_session
    from mien.shape.canonical_face import read_canonical_face

    _refuse(options)
    several = pictures or options.faces == "many"
    landmark_model = options.landmarks or "mesh"
    mesh_file = _choose("landmarks", landmark_model, LANDMARK_MODELS)
    chosen = tuple(DETECTORS.values()) if several else (_choose("detector", detector, DETECTORS),)
    needed = (*(file for each in chosen for file in each), *_files_of_mesh(mesh_file))
    _require(needed)
    face = read_canonical_face(files.CANONICAL_FACE)
    indices = read_mesh_indices(files.INDICES)
    network = MeshNetwork(create_session(mesh_file, device=options.device), indices)
    shapes = None
    if files.BLENDSHAPES in needed:
        landmarks = read_blendshape_landmarks(files.BLENDSHAPE_LISTS)
        shapes = BlendshapeNetwork(create_session(files.BLENDSHAPES, device=options.device), landmarks)
    # In a video the detector of small faces is asked first.
    names = tuple(DETECTORS) if pictures else ("mtcnn", "blazeface") if several else (detector,)
    detectors = [each for name in names for each in _detectors(name, options.device)]
    tracker = _tracker(options, pictures, detectors, network, face, indices.ibug68)
    units: ActionUnitAnalyzer = MeshActionUnits(face, shapes)
    if several:
        units = IdentityAnalyzers(lambda: MeshActionUnits(face, shapes))
    return Stages(
        tracker=tracker,
        pose=MeshPoseEstimator(face),
        gaze=MeshGazeEstimator(face),
        appearance=None,
        action_units=units,
        camera_for=camera_for,
        pack="open",
        landmark_model=landmark_model,
        model_files=needed,
        networks=networks_of(network, *detectors, *(() if shapes is None else (shapes,))),
    )


def _tracker(
    options: AnalysisOptions,
    pictures: bool,
    detectors: list[MtcnnDetector | BlazeFace],
    network: MeshNetwork,
    face: CanonicalFace,
    ibug68: NDArray[np.int64],
) -> Tracker:
    """What finds faces in pictures, or follows them in a video: all of them or one."""
    from mien.detection.several import FirstSuccess, Together
    from mien.landmarks.images import PictureTracker
    from mien.landmarks.mesh_finder import MeshFinder
    from mien.landmarks.mesh_follower import MeshFollower
    from mien.landmarks.mesh_tracker import MeshTracker
    from mien.people.people_tracker import PeopleOptions, PeopleTracker

    if pictures:
        finder = MeshFinder(detectors, network, face, ibug68)
        return PictureTracker(finder.find, widest_only=options.faces == "one")
    if options.faces == "many":
        follower = MeshFollower(network, face, ibug68)
        people = PeopleOptions(most_faces=options.most_faces)
        return PeopleTracker(follower, Together(detectors).detect, people)
    return MeshTracker(FirstSuccess(detectors), network, face, ibug68)


def _files_of_mesh(mesh_file: Path) -> tuple[Path, ...]:
    """A mesh network and what reads its mesh; blendshapes need the irises, which the plain one has not."""
    shapes = (files.BLENDSHAPES, files.BLENDSHAPE_LISTS) if mesh_file is files.ATTENTION_MESH else ()
    return (mesh_file, files.INDICES, files.CANONICAL_FACE, *shapes)


def _detectors(name: str, device: str, threshold: float | None = None) -> list[MtcnnDetector | BlazeFace]:
    from mien.detection import blazeface
    from mien.detection.mtcnn import MtcnnDetector
    from mien.models.readers import mtcnn_from_npz
    from mien.runtime.sessions import create_session

    if name == "mtcnn":
        return [MtcnnDetector(mtcnn_from_npz(files.MTCNN), device=device)]
    layouts = (blazeface.SHORT_RANGE, blazeface.FULL_RANGE)
    pairs = zip(DETECTORS["blazeface"], layouts, strict=True)
    return [
        blazeface.BlazeFace(create_session(file, device=device), layout, threshold) for file, layout in pairs
    ]


def _doubting_detectors() -> list[MtcnnDetector | BlazeFace]:
    """Both BlazeFace networks, with doubtful faces too."""
    _require(DETECTORS["blazeface"])
    return _detectors("blazeface", "cpu", _DOUBTFUL)


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
    import numpy as np

    detectors = _doubting_detectors()
    return lambda bgr: np.concatenate([each.detect(bgr).boxes for each in detectors])


def face_certainty() -> Callable[[NDArray[np.uint8]], float]:
    """What says how surely a picture shows an upright face: for those who doubt that it is upright.

    Returns
    -------
    callable
        (H, W, 3) uint8, C-contiguous, to the sum of both BlazeFace networks' best scores, 0 to 2. Not for
        several threads.

    Raises
    ------
    ModelsMissingError
        The installation is damaged.
    """
    detectors = _doubting_detectors()
    return lambda bgr: sum(float(each.detect(bgr).scores.max(initial=0.0)) for each in detectors)


def _choose(option: str, name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        raise OptionError(f"{option}: the open models know {' and '.join(known)}, got {name!r}")
    return known[name]


def _require(wanted: tuple[Path, ...]) -> None:
    missing = [file.name for file in wanted if not file.is_file()]
    if missing:
        raise ModelsMissingError(
            f"the open models lack {', '.join(missing)} in {files.FOLDER}: the installation is damaged; "
            "install mien again"
        )


def _refuse(options: AnalysisOptions) -> None:
    """Options that only OpenFace's models know."""
    asked = {
        "keep_scores": options.keep_scores,
        "fast": options.fast,
        "fit exact": options.fit == "exact",
        "skip parts": "parts" in options.skip,
        "action_units static": options.action_units == "static",
        "both_ways": options.both_ways,
        "multi_view": options.multi_view,
        "parameters of the fit": options.wild or bool(options.fitting) or not options.validate,
    }
    names = [name for name, wanted in asked.items() if wanted]
    if names:
        raise OptionError(
            f"{', '.join(names)}: for the models of OpenFace only; choose them with models openface"
        )
