"""The stages of OpenFace's own models, put together."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.datatypes import Camera
from mien.errors import OptionError
from mien.models.packs import Pack
from mien.models.store import ModelStore, OpenFaceFiles
from mien.options import MOST_FACES, AnalysisOptions
from mien.stages import ManyStages, PictureStages, RunsNetworks, Stages, networks_of

if TYPE_CHECKING:
    from mien.appearance.extractor import AppearanceExtractor
    from mien.detection.mtcnn import MtcnnDetector
    from mien.landmarks.accelerator import Accelerator
    from mien.landmarks.detector import Validate
    from mien.landmarks.validator import LandmarkValidator
    from mien.models.records import ActionUnitRecord, LandmarkModelRecord


@dataclass(frozen=True, slots=True)
class OpenFaceModels:
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

    @property
    def validate(self) -> Validate | None:
        """What judges landmarks."""
        return None if self.validator is None else self.validator.certainty

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
) -> OpenFaceModels:
    """Read what all analyses with these options need.

    Parameters
    ----------
    pack, options
        As for `build_stages`.
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
    return OpenFaceModels(files, landmarks, detector, validator, place)


def build_stages(
    pack: Pack,
    options: AnalysisOptions,
    camera: Camera,
    *,
    live: bool = False,
    models: OpenFaceModels | None = None,
) -> Stages:
    """Stages for the one face of a video.

    Parameters
    ----------
    pack
        The complete pack.
    options
        How the video is analysed.
    camera
        Intrinsics of the source.
    live
        Whether the source is a camera.
    models
        As `read_models` gives them, where other analyses use them too.

    Raises
    ------
    ModelsMissingError, ModelFileError, OptionError, ProviderError
        See `mien.packs.build_stages`.
    """
    from mien.action_units.analyzer import ActionUnitAnalyzer
    from mien.gaze.eye_gaze import GazeEstimator
    from mien.landmarks.tracker import FaceTracker
    from mien.pose.head_pose import HeadPoseEstimator

    models = models or read_models(pack, options)
    tracker: FaceTracker
    arguments = _fit_arguments(options, models)
    detect = models.detector.detect
    if options.fast or "parts" in options.skip:
        from mien.landmarks.approximate_tracker import FAST, ApproximateTracker, Approximations

        less = replace(FAST if options.fast else Approximations(), parts="parts" not in options.skip)
        tracker = ApproximateTracker(models.landmarks, detect, models.validate, less, **arguments)
    else:
        tracker = FaceTracker(models.landmarks, detect, models.validate, **arguments)
    record, predictors = _predictors(models, options.action_units)
    return Stages(
        tracker=tracker,
        pose=HeadPoseEstimator(camera),
        gaze=GazeEstimator(camera),
        action_units=ActionUnitAnalyzer(
            record, _extractor(record), camera_source=live, keep_scores=options.keep_scores
        ),
        camera=camera,
        **models.used(pack, predictors, tracker),
    )


def build_many_stages(
    pack: Pack, options: AnalysisOptions, camera: Camera, *, models: OpenFaceModels | None = None
) -> ManyStages:
    """Stages for all faces of a video: people, or the original's places where compatibility is wanted.

    Parameters
    ----------
    pack, options, camera, models
        As for `build_stages`.

    Raises
    ------
    ModelsMissingError, ModelFileError, OptionError, ProviderError
        See `mien.packs.build_stages`.
    """
    from mien.action_units.analyzer import ActionUnitAnalyzer, StaticActionUnitAnalyzer
    from mien.action_units.identities import IdentityAnalyzers, IndependentFaces
    from mien.action_units.predictors import PredictorSet
    from mien.gaze.eye_gaze import GazeEstimator
    from mien.landmarks.follower import LandmarkFollower
    from mien.landmarks.joint_follower import JointFollower
    from mien.landmarks.multi_face import MultiFaceTracker
    from mien.people.people_tracker import PeopleOptions, PeopleTracker
    from mien.pose.head_pose import HeadPoseEstimator

    _refuse_approximations(options)
    if options.compat == "openface" and options.most_faces != MOST_FACES:
        raise OptionError("most_faces: compat openface follows four faces; leave one of both out")
    models = models or read_models(pack, options)
    fit, detect = _fit_arguments(options, models), models.detector.detect
    tracker: MultiFaceTracker | PeopleTracker
    units: IdentityAnalyzers | IndependentFaces
    if options.compat == "openface":
        record, predictors = _predictors(models, "static")
        tracker = MultiFaceTracker(models.landmarks, detect, models.validate, **fit)
        experts: RunsNetworks = tracker
        units = IndependentFaces(StaticActionUnitAnalyzer(record, _extractor(record)))
    else:
        record, predictors = _predictors(models, options.action_units)
        make_follower = partial(LandmarkFollower, models.landmarks, models.validate, **fit)
        experts = follower = make_follower()
        follow_all = None
        if models.place is not None and options.threads_used > 1:
            follow_all = JointFollower(make_follower, models.place, options.threads_used).follow_all
        people = PeopleOptions(most_faces=options.most_faces)
        tracker = PeopleTracker(follower, detect, people, follow_all=follow_all)
        extractor = _extractor(record)
        make = partial(ActionUnitAnalyzer, record, extractor, predictors=PredictorSet(record.predictors))
        units = IdentityAnalyzers(make, extractor=extractor)
    return ManyStages(
        tracker=tracker,
        pose=HeadPoseEstimator(camera),
        gaze=GazeEstimator(camera),
        action_units=units,
        camera=camera,
        **models.used(pack, predictors, experts),
    )


def build_picture_stages(pack: Pack, options: AnalysisOptions) -> PictureStages:
    """Stages for all faces of independent pictures.

    Parameters
    ----------
    pack, options
        As for `build_stages`.

    Raises
    ------
    ModelsMissingError, ModelFileError, OptionError, ProviderError
        See `mien.packs.build_stages`.
    """
    from mien.action_units.analyzer import StaticActionUnitAnalyzer
    from mien.action_units.identities import IndependentFaces
    from mien.gaze.eye_gaze import GazeEstimator
    from mien.landmarks.images import ImageLandmarker
    from mien.pose.head_pose import HeadPoseEstimator

    _refuse_approximations(options)
    models = read_models(pack, options)
    record, predictors = _predictors(models, "static")
    fit = _fit_arguments(options, models)
    finder = ImageLandmarker(models.landmarks, models.detector.detect, models.validate, **fit)
    return PictureStages(
        finder=finder,
        pose_for=HeadPoseEstimator,
        gaze_for=partial(GazeEstimator, always=True),
        action_units=IndependentFaces(StaticActionUnitAnalyzer(record, _extractor(record))),
        **models.used(pack, predictors, finder),
    )


def _fit_arguments(options: AnalysisOptions, models: OpenFaceModels) -> dict[str, Any]:
    from mien.landmarks.options import FitOptions

    fit = FitOptions(exact=options.fit == "exact", validate=options.validate)
    fit = fit.wild() if options.wild else fit
    fit = replace(fit, multi_view=options.multi_view, **options.fitting)
    return {"options": fit, "threads": options.threads_used, "device": models.place or "cpu"}


def _extractor(record: ActionUnitRecord) -> AppearanceExtractor:
    """Describes faces with the shape model that action units are predicted from."""
    from mien.appearance.extractor import AppearanceExtractor

    return AppearanceExtractor(record.pdm, record.triangles)


def _predictors(models: OpenFaceModels, kind: str) -> tuple[ActionUnitRecord, Path]:
    """Predictors of action units, and their entry file."""
    from mien.models.readers import read_action_units

    files = models.files
    entry = files.static_action_units if kind == "static" else files.dynamic_action_units
    return read_action_units(entry), entry


def _refuse_approximations(options: AnalysisOptions) -> None:
    if options.fast or "parts" in options.skip:
        raise OptionError("fast and skip parts are for videos of one face; leave them out")


def _below(pack: Pack, entry: Path) -> list[Path]:
    """Files of a pack in the folder of an entry file, and in folders below."""
    paths = (pack.folder / name for name in pack.files)
    return [path for path in paths if path.is_relative_to(entry.parent)]
