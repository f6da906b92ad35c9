"""OpenFace's own models: what they are, and their stages put together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.datatypes import Camera
from mien.errors import OptionError
from mien.models.store import ModelStore, OpenFaceFiles
from mien.options import MOST_FACES, AnalysisOptions
from mien.packs.pack import Pack
from mien.stages import RunsNetworks, Stages, Tracker, networks_of

if TYPE_CHECKING:
    from mien.detection.mtcnn import MtcnnDetector
    from mien.landmarks.accelerator import Accelerator
    from mien.landmarks.detector import LandmarkDetector
    from mien.landmarks.validator import LandmarkValidator
    from mien.models.records import ActionUnitRecord, LandmarkModelRecord


_GIVES = (
    "68 landmarks, 2D and 3D, and 56 eye landmarks",
    "head pose",
    "gaze",
    "17 action-unit intensities, 18 presences",
)
_LICENCE = "academic and non-commercial research only, no redistribution"


def describe(store: ModelStore | None = None) -> Pack:
    """OpenFace's own models as they are in a store."""
    store = store or ModelStore()
    status, version = store.status(), store.manifest.version
    return Pack(
        name="openface",
        version=version,
        licence=_LICENCE,
        gives=_GIVES,
        folder=store.folder,
        notice=f"models: OpenFace {version} ({_LICENCE})",
        installed=status.installed,
        complete=status.complete,
        missing=tuple(file.path for file in status.lacking("clnf")),
        landmark_models=status.landmark_models,
        files=tuple(file.path for file in status.present),
    )


def complain(store: ModelStore | None = None) -> None:
    """Raise the error that says what is missing and how to get it."""
    (store or ModelStore()).locate()


@dataclass(frozen=True, slots=True)
class SharedModels:
    """What analyses read; several that run at the same time may share it.

    Attributes
    ----------
    files
        Where the models are.
    landmarks
        The landmark model.
    detector, validator
        Networks that find faces, and that judge landmarks; None where the model has none.
    place
        Where the networks of patch experts run, for all analyses that share this; None is the processor.
    """

    files: OpenFaceFiles
    landmarks: LandmarkModelRecord
    detector: MtcnnDetector
    validator: LandmarkValidator | None
    place: Accelerator | None

    def member(self) -> AbstractContextManager[None]:
        """Take part in what is done for several analyses at once."""
        return nullcontext() if self.place is None else self.place.member()

    def used(self, pack: Pack, predictors: Path, experts: RunsNetworks) -> dict[str, Any]:
        """How stages name their models, and where networks run."""
        files = (*self.landmarks.files, *_below(pack, self.files.detector), *_below(pack, predictors))
        owners = (
            [self.detector, experts] if self.validator is None else [self.detector, experts, self.validator]
        )
        return {
            "pack": pack.name,
            "landmark_model": self.files.landmarks,
            "model_files": files,
            "networks": networks_of(*owners),
        }


def read_models(
    pack: Pack, options: AnalysisOptions, *, accelerator: Accelerator | None = None
) -> SharedModels:
    """Read what all analyses with these options need.

    Parameters
    ----------
    pack, options
        As for `mien.packs.build_stages`.
    accelerator
        Where the networks of patch experts run; by default the options' device, on the processor mien's
        kernel.

    Raises
    ------
    ModelsMissingError, ModelFileError, OptionError, ProviderError
        See `mien.packs.build_stages`.
    """
    from mien.detection.mtcnn import MtcnnDetector
    from mien.landmarks.accelerator import place_of
    from mien.landmarks.validator import LandmarkValidator
    from mien.models.readers import read_landmark_model, read_mtcnn

    files = ModelStore(pack.folder).locate(options.landmarks)
    landmarks = read_landmark_model(files.landmark_model)
    detector = MtcnnDetector(read_mtcnn(files.detector), device=options.device)
    validator = None
    if landmarks.validator is not None:
        validator = LandmarkValidator(landmarks.validator, device=options.device)
    place = place_of(accelerator or options.device, options.threads_used)
    return SharedModels(files, landmarks, detector, validator, place)


def build(
    options: AnalysisOptions,
    camera_for: Callable[[int, int], Camera],
    *,
    pack: Pack,
    live: bool = False,
    pictures: bool = False,
    shared: SharedModels | None = None,
) -> Stages:
    """Put the stages together: see `mien.packs.build_stages`.

    Single pictures, and the places for faces that compatibility asks for, know no person and so no neutral
    face: their predictors are the static ones.
    """
    from mien.action_units.analyzer import ActionUnitAnalyzer, StaticActionUnitAnalyzer
    from mien.action_units.identities import IdentityAnalyzers
    from mien.action_units.predictors import PredictorSet
    from mien.appearance.extractor import AppearanceExtractor
    from mien.gaze.eye_gaze import GazeEstimator
    from mien.pose.head_pose import HeadPoseEstimator

    _refuse(options, pictures=pictures)
    models = shared or read_models(pack, options)
    detector = _landmark_detector(options, models)
    many = options.faces == "many" and not pictures
    nobody = pictures or (many and options.compat == "openface")
    record, entry = _predictors(models, "static" if nobody else options.action_units)
    units: ActionUnitAnalyzer | StaticActionUnitAnalyzer | IdentityAnalyzers
    if nobody:
        units = StaticActionUnitAnalyzer(record)
    elif many:
        predictors = PredictorSet(record.predictors)
        units = IdentityAnalyzers(
            partial(ActionUnitAnalyzer, record, predictors=predictors, camera_source=live)
        )
    else:
        units = ActionUnitAnalyzer(record, camera_source=live, keep_scores=options.keep_scores)
    return Stages(
        tracker=_tracker(options, models, detector, pictures=pictures),
        pose=HeadPoseEstimator(),
        gaze=GazeEstimator(always=pictures),
        appearance=AppearanceExtractor(
            record.pdm, record.triangles, always=nobody, both_ways=options.both_ways
        ),
        action_units=units,
        camera_for=camera_for,
        refit=detector.refit,
        **models.used(pack, entry, detector),
    )


def _refuse(options: AnalysisOptions, *, pictures: bool) -> None:
    many = options.faces == "many" and not pictures
    if (pictures or many) and (options.fast or "parts" in options.skip):
        raise OptionError("fast and skip parts are for videos of one face; leave them out")
    if many and options.compat == "openface" and options.most_faces != MOST_FACES:
        raise OptionError("most_faces: compat openface follows four faces; leave one of both out")


def _tracker(
    options: AnalysisOptions, models: SharedModels, detector: LandmarkDetector, *, pictures: bool
) -> Tracker:
    detect = models.detector.detect
    if pictures:
        from mien.landmarks.images import ImageLandmarker, PictureTracker

        return PictureTracker(ImageLandmarker(detector, detect).find, widest_only=options.faces == "one")
    if options.faces == "many":
        return _tracker_of_many(options, models, detector)
    if options.fast or "parts" in options.skip:
        from mien.landmarks.approximate_tracker import FAST, ApproximateTracker, Approximations

        less = replace(FAST if options.fast else Approximations(), parts="parts" not in options.skip)
        return ApproximateTracker(detector, detect, less)
    from mien.landmarks.tracker import FaceTracker

    return FaceTracker(detector, detect)


def _tracker_of_many(options: AnalysisOptions, models: SharedModels, detector: LandmarkDetector) -> Tracker:
    """People, or the original's places for faces where compatibility is wanted."""
    if options.compat == "openface":
        from mien.landmarks.multi_face import MultiFaceTracker

        return MultiFaceTracker(detector, models.detector.detect)
    from mien.landmarks.follower import LandmarkFollower
    from mien.landmarks.joint_follower import JointFollower
    from mien.people.people_tracker import PeopleOptions, PeopleTracker

    follow_all = None
    if models.place is not None and options.threads_used > 1:
        followers = [
            LandmarkFollower(_landmark_detector(options, models)) for _ in range(options.threads_used)
        ]
        follow_all = JointFollower(followers, models.place).follow_all
    people = PeopleOptions(most_faces=options.most_faces)
    return PeopleTracker(LandmarkFollower(detector), models.detector.detect, people, follow_all=follow_all)


def _landmark_detector(options: AnalysisOptions, models: SharedModels) -> LandmarkDetector:
    from mien.landmarks.detector import LandmarkDetector
    from mien.landmarks.options import FitOptions

    fit = FitOptions(exact=options.fit == "exact", validate=options.validate)
    fit = fit.wild() if options.wild else fit
    fit = replace(fit, multi_view=options.multi_view, **options.fitting)
    validate = None if models.validator is None else models.validator.certainty
    place = models.place or "cpu"
    return LandmarkDetector(models.landmarks, fit, validate, threads=options.threads_used, device=place)


def _predictors(models: SharedModels, kind: str) -> tuple[ActionUnitRecord, Path]:
    """Predictors of action units, and their entry file."""
    from mien.models.readers import read_action_units

    files = models.files
    entry = files.static_action_units if kind == "static" else files.dynamic_action_units
    return read_action_units(entry), entry


def _below(pack: Pack, entry: Path) -> list[Path]:
    """Files of a pack in the folder of an entry file, and in folders below."""
    paths = (pack.folder / name for name in pack.files)
    return [path for path in paths if path.is_relative_to(entry.parent)]
