"""All files that an analysis leaves, behind one object (docs/algorithms/output-table.md#names)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import Camera, FaceResult, Frame
from mien.errors import OptionError, OutputError
from mien.imaging.kernels import bgr_to_gray
from mien.results.aligned import AlignedOptions, AlignedWriter
from mien.results.columns import Form, GroupChoice, chosen_groups
from mien.results.details import Details, write_details
from mien.results.hog import HogWriter
from mien.results.pictures import picture_suffix, write_picture
from mien.results.video_result import VideoResult
from mien.runtime.writebehind import WriteBehind
from mien.view.drawing import DrawingOptions

if TYPE_CHECKING:
    from mien.view.drawing import Drawer
    from mien.view.tracked_video import TrackedVideoWriter


class AlignedImage(Protocol):
    """An aligned face; see `mien.appearance.alignment.AlignedFace`."""

    @property
    def bgr(self) -> NDArray[np.uint8]:
        """(size, size, 3) uint8."""
        ...


class Appearance(Protocol):
    """How one face looks; see `mien.appearance.extractor.Appearance`."""

    @property
    def aligned(self) -> AlignedImage:
        """The face that action units are read from; black where the frame failed."""
        ...

    @property
    def fhog(self) -> NDArray[np.float32]:
        """(4464,) float32; zeros where the frame failed."""
        ...

    @property
    def global_params(self) -> NDArray[np.float32]:
        """(6,) float32; the last two are the position in the frame, px."""
        ...

    @property
    def good(self) -> bool:
        """Whether the landmarks were valid."""
        ...


class Aligner(Protocol):
    """Aligns faces to another size; see `mien.appearance.alignment.FaceAligner`."""

    def align(
        self, bgr: NDArray[np.uint8], points: NDArray[np.float32], tx: float, ty: float
    ) -> AlignedImage:
        """Align one face."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """Which files an analysis leaves, and where.

    Attributes
    ----------
    folder
        Where they go; made if needed.
    base
        What their names begin with; see `base_name`.
    tables
        Endings of the tables: ".csv", ".parquet", ".jsonl".
    groups
        Groups of columns in the tables; None means all that there are.
    form
        "sequence" for videos, "image" for a single picture.
    hog
        Whether descriptors are written: BASE.hog.
    aligned
        How aligned faces are written, into the folder BASE_aligned; None for not at all.
    drawing
        How pictures with the faces drawn over them are written, with live action units; None for not at all.
        The file is BASE.tracked.mp4, of an image BASE.tracked.jpg; in OpenFace's style BASE.avi or BASE.jpg.
    details
        Whether BASE_of_details.txt is written.
    provenance
        Whether BASE.provenance.json is written beside the tables.
    source
        The input's path as the user gave it, for the details; None for a camera.
    good_by
        What decides whether a face counts as found in its .hog record and aligned pictures: "success", the
        tracker's report (FeatureExtraction), or "valid", the validator's verdict (images, several faces).
    """

    folder: Path
    base: str
    tables: tuple[str, ...] = (".csv",)
    groups: GroupChoice = None
    form: Form = Form.SEQUENCE
    hog: bool = False
    aligned: AlignedOptions | None = None
    drawing: DrawingOptions | None = None
    details: bool = False
    provenance: bool = True
    source: str | None = None
    good_by: str = "success"

    def __post_init__(self) -> None:
        chosen_groups(self.groups)
        if self.good_by not in ("success", "valid"):
            raise OptionError(f"good_by: expected success or valid, got {self.good_by!r}")
        if self.drawing is not None and self.form is Form.IMAGE:
            picture_suffix(self.drawing_format)

    @property
    def needs_appearance(self) -> bool:
        """Whether `OutputSet.add` must be given the faces' appearance."""
        return self.hog or self.aligned is not None

    @property
    def drawing_format(self) -> str:
        """Ending of the drawn video or picture, without the dot."""
        wanted = None if self.drawing is None else self.drawing.file_format
        if wanted is None:
            if self.form is Form.IMAGE:
                return "jpg"
            return "avi" if self.drawing is not None and self.drawing.style == "openface" else "mp4"
        return wanted.lower().removeprefix(".")

    @property
    def drawing_name(self) -> str:
        """Name of the drawn video or picture."""
        middle = "" if self.drawing is not None and self.drawing.style == "openface" else ".tracked"
        return f"{self.base}{middle}.{self.drawing_format}"

    def paths(self) -> list[Path]:
        """Every file and folder that is going to be written, but the provenance."""
        names = [self.base + ending for ending in self.tables]
        names += [f"{self.base}.hog"] * self.hog
        names += [f"{self.base}_aligned"] * (self.aligned is not None)
        names += [self.drawing_name] * (self.drawing is not None)
        names += [f"{self.base}_of_details.txt"] * self.details
        return [self.folder / name for name in names]


def base_name(source: str | Path) -> str:
    """What the names of a source's outputs begin with.

    Parameters
    ----------
    source
        A file, whose name is taken without its last ending; or a folder, whose name is taken as it is.
    """
    path = Path(source)
    return path.resolve().name if path.is_dir() else path.stem


@dataclass(slots=True)
class _Rate:
    """Frames per second of the last frames, as OpenFace writes into its pictures."""

    times: list[float] = field(default_factory=list)

    def text(self) -> str:
        self.times = [*self.times[-9:], time.perf_counter()]
        passed = self.times[-1] - self.times[0]
        return f"FPS:{round((len(self.times) - 1) / passed) if passed else 0}"


class OutputSet:
    """Writes everything that was asked for while an analysis goes on; files appear when all is complete.

    Give it every frame in order with `add`, then call `close`, or `abort` if the results are of no use. As a
    context manager it is aborted when an error passes, and closed without tables if nobody has closed it.

    Parameters
    ----------
    options
        What is wanted.
    camera
        Intrinsics that positions were computed with.
    source
        The input's path; an output that would replace it is refused.
    fps
        Nominal frames per second, for the drawn video.
    aligner
        For aligned faces other than those that action units are read from.
    threaded
        Whether writing is done in a thread of its own. What is given to `add` must not change afterwards.

    Raises
    ------
    OutputError
        A file can't be written there, or would replace the input.
    OptionError
        A format is unknown, or the aligner is missing.

    Examples
    --------
    >>> options = OutputOptions(folder=Path("results"), base="clip", hog=True, details=True)
    >>> with OutputSet(options, camera) as outputs:
    ...     for frame, face, appearance in analysis:
    ...         outputs.add(frame, [face], [appearance])
    ...     outputs.close(result)
    """

    def __init__(
        self,
        options: OutputOptions,
        camera: Camera,
        *,
        source: str | Path | None = None,
        fps: float = 0.0,
        aligner: Aligner | None = None,
        threaded: bool = False,
    ) -> None:
        if options.aligned is not None and not options.aligned.as_analysed and aligner is None:
            raise OptionError("aligned faces of another size, scale or mask need an aligner; give one")
        _protect(source, options.paths())
        self.options = options
        self._camera = camera
        self._aligner = aligner
        self._rate = _Rate()
        self._rows = 0
        self._writers: list[HogWriter | AlignedWriter | TrackedVideoWriter] = []
        self._hog: HogWriter | None = None
        self._aligned: AlignedWriter | None = None
        self._video: TrackedVideoWriter | None = None
        self._drawer: Drawer | None = None
        self._picture: NDArray[np.uint8] | None = None
        self._thread: WriteBehind | None = None
        self._open = True
        try:
            self._begin(fps)
        except BaseException:
            self.abort()
            raise
        if threaded and (self._writers or self._drawer):
            self._thread = WriteBehind(name="mien-outputs")

    def _begin(self, fps: float) -> None:
        options = self.options
        if options.hog:
            self._hog = HogWriter(options.folder / f"{options.base}.hog")
            self._writers.append(self._hog)
        if options.aligned is not None:
            folder = options.folder / f"{options.base}_aligned"
            self._aligned = AlignedWriter(
                folder, form=options.form, picture_format=options.aligned.picture_format
            )
            self._writers.append(self._aligned)
        if options.drawing is not None:
            from mien.view.drawing import make_drawer

            single = options.form is Form.IMAGE
            self._drawer = make_drawer(options.drawing, self._camera, single_image=single)
            if not single:
                from mien.view.tracked_video import TrackedVideoWriter

                self._video = TrackedVideoWriter(options.folder / options.drawing_name, fps=fps)
                self._writers.append(self._video)

    def add(
        self, frame: Frame, faces: Sequence[FaceResult], appearances: Sequence[Appearance | None] = ()
    ) -> None:
        """Write what belongs to one frame.

        Parameters
        ----------
        frame
            The picture.
        faces
            Its rows of the table; maybe none.
        appearances
            Their appearance, in the same order; needed for descriptors and aligned faces only.

        Raises
        ------
        OutputError
            Something can't be written; call `abort`.
        ValueError
            An appearance is missing.
        """
        if self.options.needs_appearance and len(appearances) != len(faces):
            raise ValueError(f"expected an appearance for each of {len(faces)} faces, got {len(appearances)}")
        self._rows += len(faces)
        faces, appearances = list(faces), list(appearances)
        if self._thread is not None:
            self._thread.submit(lambda: self._write(frame, faces, appearances))
        else:
            self._write(frame, faces, appearances)

    def close(self, result: VideoResult | None = None, *, partial: bool = False) -> list[Path]:
        """Complete all files.

        Parameters
        ----------
        result
            What the tables hold; without it none are written.
        partial
            Whether the analysis ended early: then names begin with BASE.partial, and complete files that were
            there before stay.

        Returns
        -------
        list of Path
            What was written.

        Raises
        ------
        OutputError
            Something can't be written; nothing more is.
        """
        if not self._open:
            return []
        try:
            if self._thread is not None:
                self._thread.finish()
            written = self._finish(f"{self.options.base}.partial" if partial else self.options.base, result)
        except BaseException:
            self.abort()
            raise
        self._open = False
        return written

    def abort(self) -> None:
        """Give everything up that is not complete; what was there before stays."""
        if not self._open:
            return
        self._open = False
        if self._thread is not None:
            self._thread.cancel()
        for writer in self._writers:
            with suppress(OutputError):
                writer.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.abort()
        else:
            self.close()

    def _write(
        self, frame: Frame, faces: Sequence[FaceResult], appearances: Sequence[Appearance | None]
    ) -> None:
        for face, appearance in zip(faces, appearances, strict=False):
            good = face.landmarks.success if self.options.good_by == "success" else face.landmarks.valid
            if self._hog is not None:
                self._hog.append(None if appearance is None else appearance.fhog, good)
            if self._aligned is not None:
                self._write_aligned(frame, face, appearance, good)
        if self._drawer is not None:
            self._draw(frame, faces)

    def _write_aligned(
        self, frame: Frame, face: FaceResult, appearance: Appearance | None, good: bool
    ) -> None:
        options = self.options.aligned
        assert options is not None
        assert self._aligned is not None
        if not good and not options.keep_failed:
            return
        image = self._align(options, frame, face, appearance)
        if options.gray:
            colours, image = image, np.empty(image.shape[:2], np.uint8)
            bgr_to_gray(colours, image)
        self._aligned.append(image, face.frame, face.face_id)

    def _align(
        self, options: AlignedOptions, frame: Frame, face: FaceResult, appearance: Appearance | None
    ) -> NDArray[np.uint8]:
        if appearance is None or not appearance.global_params.any():
            # zeros stand for a face that was not aligned
            return np.zeros((options.size, options.size, 3), np.uint8)
        if options.as_analysed:
            return appearance.aligned.bgr
        assert self._aligner is not None
        tx, ty = appearance.global_params[4:6].tolist()
        return self._aligner.align(frame.bgr, face.landmarks.points, tx, ty).bgr

    def _draw(self, frame: Frame, faces: Sequence[FaceResult]) -> None:
        assert self._drawer is not None
        assert self.options.drawing is not None
        original = self.options.drawing.style == "openface"
        notes = [self._rate.text()] if original and self._video is not None else []
        picture = self._drawer.draw(frame.bgr, faces, notes)
        if self._video is not None:
            self._video.append(picture, frame.time_s)
        else:
            self._picture = picture

    def _finish(self, base: str, result: VideoResult | None) -> list[Path]:
        options, folder = self.options, self.options.folder
        written: list[Path] = []
        written += self._write_tables(base, result)
        if self._hog is not None:
            written.append(folder / f"{base}.hog")
            self._hog.close(written[-1])
        if self._aligned is not None:
            written.append(folder / f"{base}_aligned")
            self._aligned.close(written[-1])
        if self._drawer is not None:
            written.append(folder / options.drawing_name.replace(options.base, base, 1))
            if self._video is not None:
                self._video.close(written[-1])
            elif self._picture is not None:
                folder.mkdir(parents=True, exist_ok=True)
                write_picture(self._picture, written[-1])
        if options.details:
            written.append(folder / f"{base}_of_details.txt")
            write_details(self._details(base), written[-1])
        return written

    def _write_tables(self, base: str, result: VideoResult | None) -> list[Path]:
        options = self.options
        # OpenFace makes no table for a picture without a face
        if result is None or (options.form is Form.IMAGE and not len(result)):
            return []
        paths = [options.folder / (base + ending) for ending in options.tables]
        for path in paths:
            result.save(path, groups=options.groups, form=options.form, provenance=options.provenance)
        return paths

    def _details(self, base: str) -> Details:
        options = self.options
        drawing = None if options.drawing is None else options.drawing_name.replace(options.base, base, 1)
        single = options.form is Form.IMAGE
        return Details(
            source=options.source,
            camera=self._camera,
            hog=f"{base}.hog" if options.hog else None,
            video=None if single else drawing,
            image=drawing if single else None,
            aligned=f"{base}_aligned" if options.aligned is not None else None,
            table=base + options.tables[0] if self._rows and options.tables else None,
            groups=chosen_groups(options.groups),
        )


def _protect(source: str | Path | None, outputs: Sequence[Path]) -> None:
    """Refuse to replace the input by an output."""
    if source is None or not Path(source).exists():
        return
    for path in outputs:
        if path.exists() and path.samefile(source):
            raise OutputError(f"{path} is the input itself; choose another folder or name")
