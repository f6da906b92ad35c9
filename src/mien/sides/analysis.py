"""Both sides of the face in a video or in pictures: `mien.sides`, and the analysis behind it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from mien.action_units.normalisation import Baseline
from mien.action_units.predictors import PredictorSet
from mien.analysis.targets import need_source
from mien.analysis.videos import Analysis
from mien.datatypes import FaceLandmarks, Frame
from mien.errors import FrameError, OptionError
from mien.models.records import ActionUnitRecord
from mien.models.store import ModelStore
from mien.options import AnalysisOptions, OptionValues
from mien.packs import build_stages, choose_pack, shared_models
from mien.results import VideoResult
from mien.sides.epochs import REST, Epoch, codes_in, read_epochs
from mien.sides.observer import (
    DirectReader,
    PictureReader,
    ScoringReader,
    SidesObserver,
    Watcher,
    direct_sketcher,
)
from mien.sides.relative import BothScores, pooled, resting, series_of
from mien.sides.result import SidesResult, assemble
from mien.sides.sketch import Sketcher, mesh_sketch
from mien.sides.tracker_bias import BiasMeasuringTracker, unbiased_in_picture
from mien.stages import Stages
from mien.video.source import FrameSource, are_pictures

PROCEDURES = ("direct", "openface-like")
MAX_YAW_DEG = 15.0
_NO_EPOCH = "neutral {}: expected an epoch of that code, or pooled, own, or a recording"


@dataclass(frozen=True, slots=True, kw_only=True)
class SidesOptions:
    """How both sides of a face are compared.

    Attributes
    ----------
    procedure
        "direct" mirrors landmarks and picture across the plane of symmetry; "openface-like" mirrors whole
        frames across a line and looks for the face in them anew, as published.
    neutral
        What the intensities are relative to: "pooled", one neutral face and one zero of both sides; "own",
        each side's own, as published; the code of an epoch at rest, such as "BL"; or a recording of the same
        person at rest. None is "pooled", for the procedure openface-like "own".
    epochs
        File of coded actions, see `mien.sides.epochs.read_epochs`; or epochs.
    tier
        Tier of a file of ELAN or Praat.
    selfie
        Whether the pictures are mirrored, as some front cameras store them: it swaps the sides.
    max_yaw_deg
        Frames in which the face is turned further are marked as not usable.
    """

    procedure: str = "direct"
    neutral: str | Path | None = None
    epochs: str | Path | Sequence[Epoch] | None = None
    tier: str | None = None
    selfie: bool = False
    max_yaw_deg: float = MAX_YAW_DEG

    def __post_init__(self) -> None:
        if self.procedure not in PROCEDURES:
            raise OptionError(f"procedure: expected one of {', '.join(PROCEDURES)}, got {self.procedure!r}")
        if not 0 < self.max_yaw_deg <= 90:
            raise OptionError(f"max_yaw: expected more than 0 and at most 90 degrees, got {self.max_yaw_deg}")
        if self.tier is not None and self.epochs is None:
            raise OptionError("tier names one of a file of epochs; give epochs too, or leave it out")

    @property
    def neutral_used(self) -> str:
        """What the intensities are relative to."""
        if self.neutral is not None:
            return str(self.neutral)
        return "own" if self.procedure == "openface-like" else "pooled"

    @property
    def neutral_code(self) -> str | None:
        """The code of the epochs at rest, where that is what the intensities are relative to."""
        name = self.neutral_used
        return None if name in ("pooled", "own") or self.neutral_recording is not None else name

    @property
    def neutral_recording(self) -> Path | None:
        """The recording at rest, where one is named."""
        name = self.neutral_used
        path = Path(name)
        # A folder may well have the name of a code.
        named = isinstance(self.neutral, Path) or path.suffix or path.is_file()
        return path if name not in ("pooled", "own") and named else None


class SidesAnalysis(Analysis):
    """A video being analysed, whole and by sides: iterate it, then ask for `sides`.

    Parameters
    ----------
    path
        As for `mien.Analysis`.
    options
        How to analyse it; one face.
    how
        How to compare the sides.
    watch
        Is shown every frame and its composites.

    Raises
    ------
    OptionError
        Options contradict each other.
    MienError
        As `mien.Analysis`.
    """

    _tracker: BiasMeasuringTracker | None = None

    def __init__(
        self,
        path: str | Path | FrameSource,
        options: AnalysisOptions | None = None,
        how: SidesOptions | None = None,
        *,
        watch: Watcher | None = None,
        **others: Any,
    ) -> None:
        options, self.how = options or AnalysisOptions(), how or SidesOptions()
        refuse(options, self.how)
        super().__init__(path, options, **others)
        try:
            self.predictors: PredictorSet | None = None
            self._reader: ScoringReader | None = None
            sketch: Sketcher = mesh_sketch
            if self.pack.name == "openface":
                record = read_record(self.pack.folder, "dynamic")
                sketch = direct_sketcher(record)
                self.predictors = PredictorSet(record.predictors)
                self._reader = self._make_reader(record, self.predictors)
            self._sides = SidesObserver(sketch, self._reader, watch, unbiased=self._without_bias)
            self._passed.also = self._sides.observe
        except BaseException:
            self.close()
            raise

    def _stages_to_run(self) -> Stages:
        stages = self.stages
        if stages.refit is None:
            return stages
        self._tracker = BiasMeasuringTracker(stages.tracker, stages.refit)
        return replace(stages, tracker=self._tracker)

    def _without_bias(self, frame: Frame, landmarks: FaceLandmarks) -> FaceLandmarks:
        bias = None if self._tracker is None else self._tracker.next_bias()
        return landmarks if bias is None else bias.removed_from(landmarks)

    def _make_reader(self, record: ActionUnitRecord, predictors: PredictorSet) -> ScoringReader | None:
        if "aus" in self.options.skip:
            return None
        if self.how.procedure == "direct":
            return DirectReader(record, predictors)
        from mien.sides.openface_like import OpenFaceLikeReader

        options = replace(self.options, keep_scores=True, both_ways=False)
        shared = shared_models(self.pack, options)
        return OpenFaceLikeReader([build_stages(self.pack, options, shared=shared) for _ in range(2)])

    def scores_of_sides(self) -> BothScores | None:
        """Scores of the left and of the right side of the image's subject; None without action units."""
        return None if self._reader is None else self._reader.scores()

    def sides(self, epochs: Sequence[Epoch] = (), baseline: Baseline | None = None) -> SidesResult:
        """Both sides in all frames so far.

        Parameters
        ----------
        epochs
            Coded actions, where the neutral face is one of them.
        baseline
            The neutral face, where it comes from elsewhere.

        Raises
        ------
        OptionError
            The neutral face is an epoch that is not there, or shows no face.
        """
        layout = self._sides.layout()
        # One of them may have a frame more, where the analysis failed on it or was left in between.
        whole = self.result()
        count = min(len(whole), len(layout.found))
        video = whole[:count]
        code = self.how.neutral_used
        at_rest = _coded(epochs, self.how.neutral_code or REST, video.time_s)
        series = None
        scores = self.scores_of_sides()
        if scores is not None:
            assert self.predictors is not None
            if baseline is None and code not in ("own", "pooled"):
                if at_rest is None:
                    raise OptionError(_NO_EPOCH.format(code))
                baseline = resting(scores, self.predictors, at_rest, code)
            elif baseline is None and code == "pooled":
                baseline = pooled(scores, self.predictors)
            series = series_of(scores, baseline)
        result = assemble(
            video,
            _first(layout, count),
            None if series is None else _first(series, count, axis=1),
            max_yaw_rad=math.radians(self.how.max_yaw_deg),
            at_rest=at_rest,
            selfie=self.how.selfie,
        )
        result.provenance["sides"] = self.how_made()
        return result

    def how_made(self) -> dict[str, Any]:
        """For the provenance."""
        made = _told(self.how) | {"neutral": self.how.neutral_used}
        if self._tracker is not None and self._tracker.bias is not None:
            made["tracker_bias"] = self._tracker.bias.told()
        return made


def sides(
    path: str | Path,
    options: AnalysisOptions | None = None,
    how: SidesOptions | None = None,
    **values: Unpack[OptionValues],
) -> SidesResult:
    """Measure both sides of the face in a video, or of the faces in pictures.

    Parameters
    ----------
    path
        As for `mien.analyze`.
    options
        How to analyse it.
    how
        How to compare the sides.
    **values
        Fields of `AnalysisOptions`; they take precedence over ``options``.

    Returns
    -------
    SidesResult

    Raises
    ------
    MienError
        The video, the epochs or the models cannot be read, or options contradict each other.

    Examples
    --------
    >>> both = mien.sides("smile.mp4")
    >>> both.measures["commissure_height"]          # (2, N): left, right
    >>> both.save("smile.sides.csv")
    """
    chosen, how = dataclasses.replace(options or AnalysisOptions(), **values), how or SidesOptions()
    need_source(path, "a video or pictures")
    if are_pictures(path) and not chosen.sequence:
        return picture_sides(path, chosen, how)
    check_epochs(how)
    baseline = neutral_baseline(how, chosen)
    with SidesAnalysis(path, chosen, how) as analysis:
        try:
            for _ in analysis:
                pass
        except FrameError as error:
            error.partial = analysis.result()
            raise
        partial = is_part(chosen) or bool(analysis.lost)
        return analysis.sides(epochs_of(how, analysis.result(), partial=partial), baseline)


def check_epochs(how: SidesOptions) -> None:
    """What is wrong with the epochs whatever the video is told before it is analysed, not after.

    Raises
    ------
    SourceError, OptionError
        They can't be read, one is impossible, or that of the neutral face is not there.
    """
    if how.epochs is None:
        there: frozenset[str] = frozenset()
    elif isinstance(how.epochs, str | Path):
        there = codes_in(how.epochs, tier=how.tier)
    else:
        there = frozenset(epoch.action for epoch in how.epochs)
    if how.neutral_code is not None and how.neutral_code not in there:
        raise OptionError(_NO_EPOCH.format(how.neutral_code))


def epochs_of(how: SidesOptions, video: VideoResult, *, partial: bool = False) -> tuple[Epoch, ...]:
    """The epochs of a video; where only a part of it was analysed, those that lie in that part."""
    if how.epochs is None:
        return ()
    if isinstance(how.epochs, str | Path):
        frames = video.frame + 1
        return read_epochs(how.epochs, video.time_s, tier=how.tier, frames=frames, partial=partial)
    return tuple(how.epochs)


def neutral_baseline(how: SidesOptions, options: AnalysisOptions) -> Baseline | None:
    """Neutral face and zero from another recording, where one is named: over both of its sides."""
    recording = how.neutral_recording
    if recording is None:
        return None
    if choose_pack(options.models).name != "openface":
        raise OptionError(
            "neutral: a recording is for action units, which need OpenFace's models; leave it out"
        )
    itself = replace(how, neutral="pooled", epochs=None)
    whole = replace(options, start_s=0.0, end_s=None, sequence=False, fps=None)
    with SidesAnalysis(recording, whole, itself) as analysis:
        for _ in analysis:
            pass
        scores = analysis.scores_of_sides()
        if scores is None or analysis.predictors is None:
            raise OptionError("neutral: a recording is for action units; leave it out, or skip aus")
        return resting(scores, analysis.predictors, np.ones(len(scores[0]), np.bool_), str(recording))


def picture_sides(
    path: str | Path | Sequence[str | Path],
    options: AnalysisOptions,
    how: SidesOptions,
    watch: Watcher | None = None,
) -> SidesResult:
    """Both sides of every face in pictures, without any neutral face."""
    from mien.analysis.pictures import PictureAnalysis, PictureTable

    if how.procedure != "direct" or how.neutral is not None or how.epochs is not None:
        raise OptionError("procedure, neutral and epochs are for videos; leave them out for pictures")
    analysis = PictureAnalysis(path, options)
    reader: PictureReader | None = None
    sketch: Sketcher = mesh_sketch
    if analysis.pack.name == "openface":
        record = read_record(analysis.pack.folder, "static")
        sketch = direct_sketcher(record)
        reader = None if "aus" in options.skip else PictureReader(record)
    refit = analysis.stages.refit
    unbiased = None if refit is None else partial(unbiased_in_picture, refit)
    observer = SidesObserver(sketch, reader, watch, unbiased=unbiased)
    table = PictureTable(analysis)
    for picture in analysis:
        observer.observe(picture.frame, picture.faces, picture.appearances)
        table.add(picture)
    result = assemble(
        table.result(),
        observer.layout(),
        None if reader is None else reader.series(),
        max_yaw_rad=math.radians(how.max_yaw_deg),
        selfie=how.selfie,
        one_person=False,
    )
    result.closure.fill(np.nan)
    result.provenance["sides"] = _told(how)
    return result


def refuse(options: AnalysisOptions, how: SidesOptions) -> None:
    """Stop where options contradict each other.

    Raises
    ------
    OptionError
        They do.
    """
    if options.faces == "many" or options.every > 1:
        raise OptionError("sides looks at every frame of one face; leave out faces many and every")
    if options.action_units == "static":
        raise OptionError("sides gives static intensities besides; leave out action_units static")
    if how.procedure == "openface-like" and choose_pack(options.models).name != "openface":
        raise OptionError(
            "the procedure openface-like needs OpenFace's models; run mien models fetch, or leave it out"
        )


def is_part(options: AnalysisOptions) -> bool:
    """Whether only a part of a video is wanted, so that epochs may lie outside."""
    return options.start_s > 0 or options.end_s is not None


def read_record(folder: Path, kind: str) -> ActionUnitRecord:
    """Read OpenFace's predictors, "static" or "dynamic", with their shape model."""
    from mien.models.readers import read_action_units

    files = ModelStore(folder).locate()
    return read_action_units(files.static_action_units if kind == "static" else files.dynamic_action_units)


def _told(how: SidesOptions) -> dict[str, Any]:
    sides = "the subject's; pictures taken as mirrored" if how.selfie else "the subject's"
    return dataclasses.asdict(how) | {"left_and_right": sides, "note": "research measure, not a diagnosis"}


def _coded(epochs: Sequence[Epoch], code: str, time_s: Any) -> Any:
    """Frames (N,) of the epochs with a code; None where there are none."""
    frames = [epoch.frames(time_s) for epoch in epochs if epoch.action == code]
    return np.logical_or.reduce(frames) if frames else None


def _first(arrays: Any, count: int, axis: int = 0) -> Any:
    """The first rows of every array of a dataclass: a frame may have failed after it was begun."""
    cut = {
        field.name: getattr(arrays, field.name)[(slice(None),) * axis + (slice(count),)]
        for field in dataclasses.fields(arrays)
    }
    return type(arrays)(**cut)
