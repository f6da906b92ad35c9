"""All files that an analysis leaves, behind one object: they appear together or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from mien.analysis.outputs import OutputOptions
from mien.analysis.staging import Staging, naming_places
from mien.datatypes import Appearance, Camera, FaceResult, Frame
from mien.errors import OptionError, OutputError
from mien.imaging.kernels import bgr_to_gray
from mien.results.aligned import AlignedOptions, AlignedWriter
from mien.results.columns import Form, chosen_groups
from mien.results.details import Details, write_details
from mien.results.files import Unfinished
from mien.results.hog import HogWriter
from mien.results.picture_files import write_picture
from mien.results.video_result import VideoResult
from mien.runtime.writebehind import WriteBehind

if TYPE_CHECKING:
    from mien.analysis.recordings import RecordingScores
    from mien.stages import Aligner
    from mien.view.drawing import Drawer
    from mien.view.tracked_video import TrackedVideoWriter


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
        _protect(source, options)
        self.options = options
        self._camera = camera
        self._aligner = aligner
        self._rate = _Rate()
        self._rows = 0
        self._hog: HogWriter | None = None
        self._aligned: AlignedWriter | None = None
        self._video: TrackedVideoWriter | None = None
        self._drawer: Drawer | None = None
        self._picture: NDArray[np.uint8] | None = None
        self._thread: WriteBehind | None = None
        self._staging = Staging(options.folder)
        self._open = True
        try:
            self._begin(fps)
        except BaseException:
            self.abort()
            raise
        if threaded and options.needs_frames:
            self._thread = WriteBehind(name="mien-outputs")

    def _begin(self, fps: float) -> None:
        options, folder = self.options, self._staging.path
        if options.hog:
            self._hog = HogWriter(folder / f"{options.base}.hog")
        if options.aligned is not None:
            self._aligned = AlignedWriter(
                folder / f"{options.base}_aligned",
                form=options.form,
                picture_format=options.aligned.picture_format,
            )
        if options.drawing is not None and not options.drawn_last:
            from mien.view.drawing import make_drawer

            single = options.form is Form.IMAGE
            self._drawer = make_drawer(options.drawing, self._camera, single_image=single)
            if not single:
                from mien.view.tracked_video import TrackedVideoWriter

                self._video = TrackedVideoWriter(folder / options.drawing_name, fps=fps)

    @property
    def _writers(self) -> Iterator[Unfinished]:
        return (writer for writer in (self._hog, self._aligned, self._video) if writer is not None)

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
        with naming_places():
            if self._thread is not None:
                self._thread.submit(lambda: self._write(frame, faces, appearances))
            else:
                self._write(frame, faces, appearances)

    def close(
        self,
        result: VideoResult | None = None,
        *,
        scores: RecordingScores | None = None,
        partial: bool = False,
    ) -> list[Path]:
        """Complete all files, then put them in their places.

        Parameters
        ----------
        result
            What the tables hold; without it none are written.
        scores
            What is kept of the predictors' scores: where that is wanted, and of an analysis that ended early.
        partial
            Whether the analysis ended early: then names begin with BASE.partial, and complete files that were
            there before stay.

        Returns
        -------
        list of Path
            What was written, but the provenance.

        Raises
        ------
        OutputError
            Something can't be written; nothing is, and what was there before stays.
        """
        if not self._open:
            return []
        named = self.options
        if partial:
            named = replace(named.partial, scores=scores is not None)
        try:
            with naming_places():
                if self._thread is not None:
                    self._thread.finish()
                self._finish(named, result)
                if scores is not None and named.scores:
                    scores.save(self._staging.path / named.scores_name)
            written = self._staging.commit([path.name for path in named.paths()])
        except BaseException:
            self.abort()
            raise
        self._open = False
        return written

    def hidden_place(self, name: str) -> Path:
        """Where something of this name is put that appears with the other files, such as the drawn video."""
        return self._staging.path / name

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
        self._staging.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
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

    def _finish(self, named: OutputOptions, result: VideoResult | None) -> None:
        """Complete everything under its final name in the hidden folder."""
        folder = self._staging.path
        if result is not None:
            save_tables(result, named, folder)
        if self._hog is not None:
            self._hog.close(folder / f"{named.base}.hog")
        if self._aligned is not None:
            self._aligned.close(folder / f"{named.base}_aligned")
        if self._video is not None:
            self._video.close(folder / named.drawing_name)
        elif self._picture is not None:
            write_picture(self._picture, folder / named.drawing_name)
        if named.details:
            write_details(self._details(named), folder / f"{named.base}_of_details.txt")

    def _details(self, named: OutputOptions) -> Details:
        drawing = None if named.drawing is None else named.drawing_name
        single = named.form is Form.IMAGE
        return Details(
            source=named.source,
            camera=self._camera,
            hog=f"{named.base}.hog" if named.hog else None,
            video=None if single else drawing,
            image=drawing if single else None,
            aligned=f"{named.base}_aligned" if named.aligned is not None else None,
            table=named.table.name if self._rows and named.tables else None,
            groups=chosen_groups(named.groups),
        )


def save_tables(result: VideoResult, named: OutputOptions, folder: Path) -> list[Path]:
    """Write the tables of a result into a folder, how it was made beside the first, and the report.

    OpenFace makes no table for a picture without a face.

    Raises
    ------
    OutputError
        One can't be written there.
    """
    if named.form is Form.IMAGE and not len(result):
        return []
    paths = [folder / (named.base + ending) for ending in named.tables]
    for path in paths:
        provenance = named.provenance and path is paths[0]
        result.save(path, **named.layout, form=named.form, provenance=provenance)
    if named.report is not None:
        from mien.report.making import write_report

        paths.append(folder / named.report_name)
        write_report(result, paths[-1], named.report)
    return paths


def _protect(source: str | Path | None, options: OutputOptions) -> None:
    """Refuse to replace the input by an output, or a file by a folder."""
    for path in options.paths():
        if source is not None and path.exists() and Path(source).exists() and path.samefile(source):
            raise OutputError(f"{path} is the input itself; choose another folder or name")
        wanted = "folder" if path.name == f"{options.base}_aligned" else "file"
        if path.exists() and path.is_dir() != (wanted == "folder"):
            found = "folder" if path.is_dir() else "file"
            raise OutputError(
                f"{path} can't be written: it is a {found}, expected a {wanted}; choose another name"
            )
