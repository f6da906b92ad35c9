"""The library's two main functions, `analyze` and `track`, and the object behind both."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

from mien.analysis.targets import need_source
from mien.analysis.turned import Samples
from mien.datatypes import ActionUnitSeries, Appearance, Camera, FaceResult, Frame
from mien.errors import FrameError, OptionError
from mien.options import AnalysisOptions, OptionValues
from mien.packs import KeptStages, build_stages, choose_pack
from mien.pipeline import Observer, Pipeline
from mien.results import RecordedSource, ResultBuilder, VideoResult, collect_provenance
from mien.stages import Stages
from mien.video.file import open_video
from mien.video.source import FrameSource, SourceInfo, are_pictures

if TYPE_CHECKING:
    from mien.analysis.output_set import OutputSet
    from mien.analysis.outputs import OutputOptions
    from mien.analysis.recordings import RecordingScores
    from mien.analysis.sparse import SparsePipeline
    from mien.packs.openface import SharedModels

_PIPELINE_THREADS = 2
"""Tracking and analysis: what threads remain beside them may help the decoder."""


class Analysis:
    """One video being analysed: iterate it, then ask for the result.

    The result may be asked for at any time, also after an error or `stop`: it holds the frames that
    were analysed until then, with their action units post-processed.

    Parameters
    ----------
    path
        A video file; with the option ``sequence`` a folder of pictures that make a video. Or any source of
        frames, such as a camera, which is closed with the analysis.
    options
        How to analyse it.
    outputs
        Files that are written while it is analysed; see `outputs`.
    shared
        Models that other analyses with the same options use at the same time.
    kept
        Stages of the analyses before, which are used again.
    stopped
        Ends the analysis after the frame at hand once it is set; several may have one in common.

    Attributes
    ----------
    camera : Camera
        Intrinsics of frames of the size that the source announces.
    outputs : OutputSet or None
        What writes these files: ask it to close when all is well, else they vanish with `close`.
    samples : Samples
        Some small pictures of a video, for who doubts its result.
    remarks : tuple of str
        Sentences about the result that its provenance shall hold.

    Raises
    ------
    SourceError
        The video cannot be read.
    ModelsMissingError, ModelFileError
        The models are not installed or damaged.
    OptionError
        Options contradict each other.
    OutputError
        A file can't be written where it was asked for.

    Examples
    --------
    >>> with Analysis("clip.mp4") as analysis:
    ...     for face in analysis:
    ...         print(face.frame, face.landmarks.confidence)
    ...     analysis.result().save("clip.csv")
    """

    def __init__(
        self,
        path: str | Path | FrameSource,
        options: AnalysisOptions | None = None,
        *,
        outputs: OutputOptions | None = None,
        shared: SharedModels | None = None,
        kept: KeptStages | None = None,
        stopped: threading.Event | None = None,
    ) -> None:
        self.options = options or AnalysisOptions()
        self.pack = choose_pack(self.options.models)
        self._source = open_source(path, self.options) if isinstance(path, str | Path) else path
        try:
            if kept is None or self.info.camera:
                self.stages = build_stages(self.pack, self.options, live=self.info.camera, shared=shared)
            else:
                self.stages = kept.of(self.pack, self.options)
            self.camera = self.stages.camera_for(self.info.width, self.info.height)
            self.outputs = None if outputs is None else self._open_outputs(outputs)
        except BaseException:
            self._source.close()
            raise
        self.samples = Samples()
        self.remarks: tuple[str, ...] = ()
        self._passed = _Passed(self.outputs)
        self._pipeline = _pipeline(self._stages_to_run(), self.options, self._passed)
        self._builder = ResultBuilder(source=_record(self.info, self.camera))
        self._stopped = stopped or threading.Event()

    @property
    def info(self) -> SourceInfo:
        """Name, size, rate and expected length of the video."""
        return self._source.info

    @property
    def lost(self) -> str:
        """What could not be read of the video; empty when nothing was lost."""
        return self._source.lost

    @property
    def notes(self) -> tuple[str, ...]:
        """What else a user should know of the video, a sentence each: a size that changes, square pixels."""
        return tuple(getattr(self._source, "notes", ()))

    @property
    def frames(self) -> int:
        """Number of frames that have been analysed."""
        return self._passed.frames if self.options.every == 1 else len(self._builder)

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called, or what it was given was set."""
        return self._stopped.is_set()

    def __iter__(self) -> Iterator[FaceResult]:
        """Analyse the video and deliver every face of every frame, with live action units."""
        with closing(self._pipeline.run(self._until_stopped())) as results:
            for result in results:
                self._builder.append(result)
                yield result
                if self._passed.all_delivered() and self.stopped:
                    return

    def _stages_to_run(self) -> Stages:
        """What frames pass through."""
        return self.stages

    def _until_stopped(self) -> Iterator[Frame]:
        """Frames may pass without a face, and so without a result at which to stop."""
        for frame in self._source:
            if self.stopped:
                return
            if not self.info.camera:
                self.samples.add(frame.bgr)
            yield frame

    def stop(self) -> None:
        """End the analysis after the frame at hand; may be called from a signal handler or another thread."""
        self._stopped.set()

    def result(self) -> VideoResult:
        """Everything analysed so far, as arrays, with post-processed action units and provenance."""
        self._builder.provenance = self._provenance()
        return self._builder.finish(_first_rows(self._pipeline.finish(), len(self._builder)))

    def scores(self) -> RecordingScores:
        """What action units can be computed from again, for the frames analysed so far.

        Raises
        ------
        OptionError
            The options do not ask for it (``keep_scores``).
        """
        from mien.action_units.analyzer import ActionUnitAnalyzer
        from mien.analysis.recordings import RecordingScores

        analyzer = self.stages.action_units
        if not self.options.keep_scores or not isinstance(analyzer, ActionUnitAnalyzer):
            raise OptionError("scores are kept with the option keep_scores and the models of OpenFace only")
        return RecordingScores.of(analyzer.scores(), self._builder.finish())

    def _open_outputs(self, options: OutputOptions) -> OutputSet:
        from mien.analysis.output_set import OutputSet

        if self.options.every > 1 and options.needs_frames:
            raise OptionError("outputs that are written frame by frame need every frame; leave out every")
        return OutputSet(
            options,
            self.camera,
            source=self.info.path,
            fps=self.info.fps,
            aligner=options.aligner(self.stages),
            threaded=self.options.threads_used > 1,
        )

    def _provenance(self) -> dict[str, Any]:
        made = collect_provenance(
            source=self.info.path,
            pack=self.stages.pack,
            landmark_model=self.stages.landmark_model,
            options=self.options,
            networks=self.stages.networks(),
            notes=(*self.notes, *self.remarks),
            **self.pack.fingerprints(self.stages.model_files),
        )
        made["approximations"] = list(self.options.approximations)
        if self.outputs is not None:
            made["columns"] = self.outputs.options.sorted_groups
        made["analysed"] = {"frames": self.frames, "stopped": self.stopped, "lost": self.lost}
        return made

    def hand_over_outputs(self) -> OutputSet | None:
        """Give away what writes the files: who has it now closes it, maybe long after the analysis."""
        outputs, self.outputs = self.outputs, None
        return outputs

    def close(self) -> None:
        """Close the video and give up outputs that are not closed; may be called more than once."""
        if self.outputs is not None:
            self.outputs.abort()
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()


def analyze(
    path: str | Path, options: AnalysisOptions | None = None, **values: Unpack[OptionValues]
) -> VideoResult:
    """Analyse a video or pictures and give all of it as arrays.

    Parameters
    ----------
    path
        A video file, a picture, or a folder of pictures (with ``sequence=True`` the frames of a video).
    options
        How to analyse it.
    **values
        Fields of `AnalysisOptions`; they take precedence over ``options``.

    Returns
    -------
    VideoResult
        Of a video one row per frame, or per face and frame with ``faces="many"``; action units are
        finished (docs/algorithms/action-unit-postprocessing.md), each person's by themselves. Of pictures
        one row per face; ``frame`` counts the pictures.

    Raises
    ------
    FrameError
        A stage failed; the error's ``partial`` is the result of the frames before.
    MienError
        The video or the models cannot be read, or the options contradict each other.

    Examples
    --------
    >>> result = mien.analyze("clip.mp4", threads=1)
    >>> result.save("clip.csv")
    """
    chosen = _options(options, values)
    need_source(path, "a video or pictures")
    if are_pictures(path) and not chosen.sequence:
        from mien.analysis.pictures import analyze_pictures

        return analyze_pictures(path, chosen)
    with Analysis(path, chosen) as analysis:
        try:
            for _ in analysis:
                pass
        except FrameError as error:
            error.partial = analysis.result()
            raise
        return analysis.result()


def track(
    path: str | Path, options: AnalysisOptions | None = None, **values: Unpack[OptionValues]
) -> Generator[FaceResult, None, None]:
    """Analyse a video, or pictures, frame by frame.

    Action units are live values: what is known at that frame. They differ from those of `analyze`, which
    knows the whole video: live intensities are the predictors' raw values relative to the person's
    running median, without the offset, the limits 0 to 5 and the smoothing over three frames; live
    presences lack the majority over seven frames. All else is the same.

    Parameters
    ----------
    path
        As for `analyze`. It is opened at once and closed when the generator ends or is closed.
    options
        How to analyse it.
    **values
        Fields of `AnalysisOptions`; they take precedence over ``options``.

    Yields
    ------
    FaceResult
        One per frame, in order; of several faces as many as there are.

    Raises
    ------
    MienError
        The video or the models cannot be read, the options contradict each other, or a stage failed.
    """
    chosen = _options(options, values)
    need_source(path, "a video or pictures")
    if are_pictures(path) and not chosen.sequence:
        from mien.analysis.pictures import PictureAnalysis

        pictures = PictureAnalysis(path, chosen)
        return (face for picture in pictures for face in picture.faces)
    pack = choose_pack(chosen.models)
    source = open_source(path, chosen)
    try:
        stages = build_stages(pack, chosen, live=source.info.camera)
    except BaseException:
        source.close()
        raise
    return _closing_run(source, _pipeline(stages, chosen))


class _Passed:
    """Counts frames and passes them on to the outputs, and to one observer that may be set ``also``.

    It knows no analysis: a circle of references would keep models, tables and descriptors of one that is
    closed until Python looks for circles, which many threads outrun.
    """

    def __init__(self, outputs: OutputSet | None) -> None:
        self.frames = 0
        self._outputs = outputs
        self.also: Observer | None = None
        self._due = 0
        self._failure: Exception | None = None

    def __call__(self, frame: Frame, faces: list[FaceResult], appearances: list[Appearance | None]) -> None:
        self.frames += 1
        self._due = len(faces)
        try:
            if self._outputs is not None:
                self._outputs.add(frame, faces, appearances)
            if self.also is not None:
                self.also(frame, faces, appearances)
        except Exception as error:
            if not faces:
                raise
            # The faces of this frame have been analysed: they are delivered first.
            self._failure = error

    def all_delivered(self) -> bool:
        """Count a face as delivered; gives whether all of its frame are, and raises what went wrong then."""
        self._due = max(0, self._due - 1)
        if self._due:
            return False
        if self._failure is not None:
            raise self._failure
        return True


def _first_rows(series: ActionUnitSeries | None, count: int) -> ActionUnitSeries | None:
    """The rows that were delivered: where a frame failed, some of its faces may have been analysed before."""
    if series is None or len(series.intensity) <= count:
        return series
    measures = {name: values[:count] for name, values in series.measures.items()}
    return ActionUnitSeries(series.intensity[:count], series.presence[:count], measures)


def _closing_run(
    source: FrameSource, pipeline: Pipeline | SparsePipeline
) -> Generator[FaceResult, None, None]:
    with source:
        yield from pipeline.run(source)


def _pipeline(
    stages: Stages, options: AnalysisOptions, observe: Observer | None = None
) -> Pipeline | SparsePipeline:
    pipeline = Pipeline(stages, threads=options.threads_used, observe=observe)
    if options.every == 1:
        return pipeline
    from mien.analysis.sparse import SparsePipeline

    return SparsePipeline(pipeline, options.every)


def _record(info: SourceInfo, camera: Camera) -> RecordedSource:
    return RecordedSource(info.name, info.path, info.width, info.height, info.fps, camera)


def open_source(path: str | Path, options: AnalysisOptions) -> FrameSource:
    """Open a source of frames as the options ask."""
    if options.boxes is not None:
        raise OptionError("boxes are for independent pictures; leave them out for a video or a sequence")
    if options.sequence:
        if options.start_s or options.end_s is not None:
            raise OptionError("start and end are for video files; choose the pictures of a sequence instead")
        from mien.video.images import ImageSequence

        sequence = ImageSequence(path, compat=options.compat, fps=options.fps)
        if len(sequence.files) == 1 and Path(path).is_file():
            raise OptionError(
                f"{path} is one picture; expected a folder of pictures, or a file of several pages, to take "
                "for a video: give its folder, or leave out sequence"
            )
        return sequence
    if options.fps is not None:
        raise OptionError("fps is for pictures taken for a video; add sequence, or leave it out")
    need_source(path)
    return open_video(
        path,
        compat=options.compat,
        start_s=options.start_s,
        end_s=options.end_s,
        threads=max(1, options.threads_used - _PIPELINE_THREADS),
    )


def _options(options: AnalysisOptions | None, values: OptionValues) -> AnalysisOptions:
    try:
        return dataclasses.replace(options or AnalysisOptions(), **values)
    except TypeError as error:
        known = ", ".join(field.name for field in dataclasses.fields(AnalysisOptions))
        unknown = ", ".join(sorted(set(values) - set(known.split(", "))))
        raise OptionError(f"unknown options {unknown}: expected some of {known}") from error
