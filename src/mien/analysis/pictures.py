"""Pictures that have nothing to do with one another: all faces of each (docs/algorithms/pictures.md)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mien.datatypes import Appearance, Camera, FaceResult, Frame
from mien.errors import FrameError, OptionError
from mien.options import AnalysisOptions
from mien.packs import build_stages, choose_pack
from mien.pipeline import Pipeline
from mien.results import RecordedSource, ResultBuilder, VideoResult, collect_provenance
from mien.video.images import ImageSet
from mien.video.source import SourceInfo


@dataclass(frozen=True, slots=True)
class Picture:
    """One analysed picture.

    Attributes
    ----------
    frame, info
        Its pixels; name and size.
    faces
        Its faces, in the order of the detector or of the given boxes.
    appearances
        How each of them looks; None where no stage describes it.
    result
        The same as arrays; ``face_id`` counts the faces, ``frame`` is the picture's place among all.
    camera
        Intrinsics that positions in mm were computed with.
    """

    frame: Frame
    info: SourceInfo
    faces: tuple[FaceResult, ...]
    appearances: tuple[Appearance | None, ...]
    result: VideoResult
    camera: Camera


class PictureAnalysis:
    """Pictures being analysed: iterate it to get one after the other.

    Parameters
    ----------
    source
        A picture file, a folder, or several of them.
    options
        How to analyse them; ``faces="one"`` keeps the widest face of each.
    stopped
        Ends the analysis after the picture at hand once it is set.

    Raises
    ------
    SourceError
        There is no picture, or a file of face boxes is missing.
    ModelsMissingError, ModelFileError
        The models are not installed or damaged.
    OptionError
        Options contradict each other, or are for videos only.

    Examples
    --------
    >>> for picture in PictureAnalysis("photographs/"):
    ...     picture.result.save(f"{picture.info.path.stem}.csv", form="image")
    """

    def __init__(
        self,
        source: str | Path | Sequence[str | Path],
        options: AnalysisOptions | None = None,
        *,
        stopped: threading.Event | None = None,
    ) -> None:
        self.options = options or AnalysisOptions()
        _refuse_for_pictures(self.options)
        self._pictures = ImageSet(source, compat=self.options.compat, boxes=self.options.boxes)
        self.pack = choose_pack(self.options.models)
        self.stages = build_stages(self.pack, self.options, pictures=True)
        self._stopped = stopped or threading.Event()
        self._failed: list[FrameError] = []

    @property
    def files(self) -> tuple[Path, ...]:
        """All picture files, in order."""
        return self._pictures.files

    @property
    def name(self) -> str:
        """Short name of the source."""
        return self._pictures.name

    @property
    def lost(self) -> str:
        """Which pictures could not be read or analysed so far; empty when all could."""
        return "; ".join(filter(None, (self._pictures.lost, _describe(self._failed))))

    @property
    def notes(self) -> tuple[str, ...]:
        """What else a user should know, a sentence each: files of the folder that were passed over."""
        return self._pictures.notes

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called, or what it was given was set."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """End after the picture at hand; may be called from a signal handler or another thread."""
        self._stopped.set()

    def __iter__(self) -> Iterator[Picture]:
        """Analyse the pictures that can be read, in order.

        One on which a stage fails is left out and named in `lost`.

        Raises
        ------
        FrameError
            A stage failed on every picture.
        SourceError
            No picture can be read.
        """
        self._failed.clear()
        for frame in self._pictures:
            if self.stopped:
                return
            try:
                picture = self._analyze(frame)
            except FrameError as error:
                self._failed.append(FrameError(f"{self._pictures.info_of(frame).name}: {error}"))
                if len(self._failed) == len(self.files):
                    raise
                continue
            yield picture

    def _analyze(self, frame: Frame) -> Picture:
        info = self._pictures.info_of(frame)
        camera = self.stages.camera_for(info.width, info.height)
        appearances: list[Appearance | None] = []
        pipeline = Pipeline(self.stages, observe=lambda _, faces, looks: appearances.extend(looks))
        faces = tuple(pipeline.run([frame]))
        source = RecordedSource(info.name, info.path, info.width, info.height, info.fps, camera)
        builder = ResultBuilder(source=source, provenance=self.provenance(info.path))
        for face in faces:
            builder.append(face)
        return Picture(frame, info, faces, tuple(appearances), builder.finish(), camera)

    def provenance(self, source: Path | None) -> dict[str, Any]:
        """How the result of a picture, or of all, is made."""
        made = collect_provenance(
            source=source,
            options=self.options,
            networks=self.stages.networks(),
            notes=self.notes,
            **self._models,
        )
        made["analysed"] = {"stopped": self.stopped, "lost": self.lost}
        return made

    @cached_property
    def _models(self) -> dict[str, Any]:
        return {
            "pack": self.stages.pack,
            "landmark_model": self.stages.landmark_model,
            **self.pack.fingerprints(self.stages.model_files),
        }


def _describe(failed: Sequence[FrameError]) -> str:
    if not failed:
        return ""
    noun = "picture" if len(failed) == 1 else "pictures"
    return f"{len(failed)} {noun} could not be analysed: {failed[0]}"


def _refuse_for_pictures(options: AnalysisOptions) -> None:
    """Options that only videos know."""
    given = {
        "start": options.start_s > 0,
        "end": options.end_s is not None,
        "every": options.every > 1,
        "keep_scores": options.keep_scores,
        "fps": options.fps is not None,
    }
    for name, wanted in given.items():
        if wanted:
            raise OptionError(f"{name} is for videos; leave it out for independent pictures, or add sequence")


def analyze_pictures(
    source: str | Path | Sequence[str | Path], options: AnalysisOptions | None = None
) -> VideoResult:
    """Analyse pictures and give all of their faces as arrays.

    Parameters
    ----------
    source, options
        As for `PictureAnalysis`.

    Returns
    -------
    VideoResult
        One row per face; ``frame`` is the picture's place among all, which ``provenance["pictures"]`` names.

    Raises
    ------
    MienError
        As `PictureAnalysis` and its iteration.
    """
    table = PictureTable(PictureAnalysis(source, options))
    for picture in table.analysis:
        table.add(picture)
    return table.result()


class PictureTable:
    """Collects the faces of all pictures.

    Parameters
    ----------
    analysis
        What analyses the pictures.
    """

    def __init__(self, analysis: PictureAnalysis) -> None:
        self.analysis = analysis
        self._builder = ResultBuilder()

    def add(self, picture: Picture) -> None:
        """Add a picture's faces."""
        self._builder.source = _joined(self._builder.source, picture, self.analysis.name)
        for face in picture.faces:
            self._builder.append(face)

    def result(self) -> VideoResult:
        """All faces so far; ``provenance["pictures"]`` names the pictures that ``frame`` counts."""
        files = self.analysis.files
        made = self.analysis.provenance(files[0] if len(files) == 1 else None)
        if len(files) > 1 and self.analysis.options.compat is None:
            self._builder.pictures = _names(files)
        self._builder.provenance = made | {"pictures": [str(path) for path in files]}
        return self._builder.finish()


def _names(files: Sequence[Path]) -> tuple[str, ...]:
    """Names that tell files apart: without their folders where that is enough."""
    names = tuple(path.name for path in files)
    return names if len(set(names)) == len(names) else tuple(map(str, files))


def _joined(before: RecordedSource | None, picture: Picture, name: str) -> RecordedSource:
    """Source of several pictures: its size is the first one's, a camera it has while all have the same."""
    own = picture.result.source
    assert own is not None
    if before is None:
        return own
    camera = before.camera if before.camera == own.camera else None
    return replace(before, name=name, path=None, camera=camera)
