"""What a user can choose about an analysis."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from mien.errors import OptionError

COMPAT_MODES = ("openface",)
FITS = ("openface", "exact")
FACES = ("one", "many")
ACTION_UNITS = ("dynamic", "static")
SKIPPABLE = ("gaze", "aus", "parts")
MOST_FACES = 16
FOCAL_PX = (1.0, 1e6)
"""Focal lengths that a camera may have, px."""
FPS = (1e-6, 1e6)
"""Pictures per second that a sequence may have: one in eleven days, or one in a microsecond."""

_USEFUL_THREADS = 3
"""Decoding, tracking and analysis: more threads would have nothing to do."""


class OptionValues(TypedDict, total=False):
    """The fields of `AnalysisOptions`, for functions that take them as keywords."""

    models: str | None
    landmarks: str | None
    compat: str | None
    start_s: float
    end_s: float | None
    threads: int | None
    device: str
    focal_px: tuple[float, float] | None
    centre_px: tuple[float, float] | None
    keep_scores: bool
    every: int
    skip: tuple[str, ...]
    fit: str
    fast: bool
    faces: str | None
    most_faces: int
    action_units: str
    both_ways: bool
    multi_view: bool
    sequence: bool
    fps: float | None
    boxes: str | Path | None
    wild: bool
    sigma: float | None
    regularisation: float | None
    weight_factor: float | None
    iterations: int | None
    validate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisOptions:
    """How a video is analysed.

    Attributes
    ----------
    models
        Model pack: "openface" or "open"; None takes "openface" where it is installed, else "open".
    landmarks
        Landmark model within the pack: a name ("clnf", "ce-clm") or the path of a model's main file;
        None takes the pack's best.
    compat
        "openface" counts time from the nominal frame rate and reads pictures as stored, as OpenFace
        does; None takes the container's time stamps and turns phone videos upright.
    start_s, end_s
        Analyse only frames with start_s <= time < end_s, in seconds.
    threads
        Threads that may compute at the same time; None takes what the machine has, up to 3. Results
        do not depend on it.
    device
        Where networks run: "cpu", "cuda", "tensorrt", "coreml", "directml", "openvino", or "auto", the
        first of them that starts. One that cannot be used is an error.
    focal_px, centre_px
        Focal lengths (fx, fy) and principal point (cx, cy) of the camera in px, where they are known.
    keep_scores
        Keep what action units can be computed from again with another neutral face; the "openface" pack only.
    every
        Analyse every Nth frame and interpolate the ones between: an approximation.
    skip
        What to leave out: "gaze", "aus" (action units), "parts" (the refinement of inner face and eyes by
        models of their own, and with the eyes the gaze; the "openface" pack only).
    fit
        "openface" fits landmarks as OpenFace does; "exact" leaves out its grids, for landmarks that rounding
        does not change (docs/exact-fit.md; the "openface" pack only).
    fast
        Approximate the landmarks; what that costs stands in docs/performance.md. The "openface" pack only.
    faces
        "one" face per frame, or "many": everybody, each under a number of their own (docs/faces.md). None
        takes one of a video, all of a picture.
    most_faces
        Faces that are followed at the same time; of more, the largest.
    action_units
        Predictors that know the person's neutral face ("dynamic", for videos) or judge every frame by itself
        ("static"); pictures are always judged by themselves. The "openface" pack only.
    both_ways
        Read action units from a face and from its mirror image, and give the mean: it does not change when a
        picture is flipped (docs/sides-methods.md). The "openface" pack only.
    multi_view
        Try eleven head orientations for every face of a picture in place of one; videos always do. The
        "openface" pack only.
    sequence
        Take the pictures of a folder for a video.
    fps
        Pictures per second of such a sequence; None is not known, and all time stamps are 0.
    boxes
        Folder with face boxes for pictures, NAME.txt for NAME.jpg; None detects faces.
    wild
        OpenFace's parameters of the fit for difficult pictures (``-wild``; its ``multi_view`` apart). This
        and what follows: the "openface" pack only.
    sigma, regularisation, weight_factor, iterations
        Single parameters of the fit, as `mien.landmarks.options.FitOptions` explains them; None takes
        OpenFace's.
    validate
        Whether fitted landmarks are validated; else every fit counts as a face, with confidence 1.
    """

    models: str | None = None
    landmarks: str | None = None
    compat: str | None = None
    start_s: float = 0.0
    end_s: float | None = None
    threads: int | None = None
    device: str = "cpu"
    focal_px: tuple[float, float] | None = None
    centre_px: tuple[float, float] | None = None
    keep_scores: bool = False
    every: int = 1
    skip: tuple[str, ...] = ()
    fit: str = "openface"
    fast: bool = False
    faces: str | None = None
    most_faces: int = MOST_FACES
    action_units: str = "dynamic"
    both_ways: bool = False
    multi_view: bool = False
    sequence: bool = False
    fps: float | None = None
    boxes: str | Path | None = None
    wild: bool = False
    sigma: float | None = None
    regularisation: float | None = None
    weight_factor: float | None = None
    iterations: int | None = None
    validate: bool = True

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> AnalysisOptions:
        """Options as `dataclasses.asdict` gives them, also after JSON, which has no tuples."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**fields)

    def __post_init__(self) -> None:
        self._need_known("compat", self.compat, COMPAT_MODES)
        self._need_known("fit", self.fit, FITS)
        self._need_known("faces", self.faces, FACES)
        self._need_known("action_units", self.action_units, ACTION_UNITS)
        if self.device != "cpu":
            from mien.runtime.sessions import DEVICES

            self._need_known("device", self.device, DEVICES)
        if self.fit == "exact" and self.fast:
            raise OptionError("fit exact and fast contradict each other; leave one out")
        if not self.start_s >= 0:
            raise OptionError(f"start: expected 0 s or more, got {self.start_s}")
        if self.end_s is not None and not self.end_s > self.start_s:
            raise OptionError(f"end: expected more than the start, {self.start_s} s, got {self.end_s}")
        if self.threads is not None and self.threads < 1:
            raise OptionError(f"threads: expected 1 or more, got {self.threads}")
        if self.every < 1:
            raise OptionError(f"every: expected 1 or more, got {self.every}")
        if self.every > 1 and self.keep_scores:
            raise OptionError("keep_scores needs every frame; leave out every")
        if self.action_units == "static" and self.keep_scores:
            raise OptionError("keep_scores needs dynamic action units; leave out action_units static")
        if "aus" in self.skip and self.keep_scores:
            raise OptionError("keep_scores needs action units; leave out skip aus")
        if "aus" in self.skip and self.both_ways:
            raise OptionError("both_ways needs action units; leave out skip aus")
        for name in self.skip:
            if name not in SKIPPABLE:
                raise OptionError(f"skip: expected one of {', '.join(SKIPPABLE)}, got {name!r}")

        if self.faces == "many" and (self.every > 1 or self.keep_scores):
            raise OptionError("every and keep_scores are for one face per frame; leave out faces many")
        if self.most_faces < 1:
            raise OptionError(f"most_faces: expected 1 or more, got {self.most_faces}")
        if self.landmarks == "":
            raise OptionError("landmarks: expected a name or the path of a main file, got nothing")
        self._check_fitting()
        self._check_measures()

    def _check_measures(self) -> None:
        low, high = FOCAL_PX
        if self.focal_px is not None and not all(low <= value <= high for value in self.focal_px):
            raise OptionError(
                f"focal_px: expected focal lengths of {low:g} to {high:g} px, got {self.focal_px}"
            )
        if self.centre_px is not None and not all(abs(value) <= high for value in self.centre_px):
            raise OptionError(f"centre_px: expected a point within {high:g} px, got {self.centre_px}")
        slow, fast = FPS
        if self.fps is not None and not slow <= self.fps <= fast:
            raise OptionError(f"fps: expected {slow:g} to {fast:g} pictures per second, got {self.fps}")

    def _check_fitting(self) -> None:
        if self.sigma is not None and not self.sigma > 0:
            raise OptionError(f"sigma: expected more than 0, got {self.sigma}")
        for name, value in (("regularisation", self.regularisation), ("weight_factor", self.weight_factor)):
            if value is not None and not value >= 0:
                raise OptionError(f"{name}: expected 0 or more, got {value}")
        if self.iterations is not None and self.iterations < 1:
            raise OptionError(f"iterations: expected 1 or more, got {self.iterations}")
        approximate = self.fast or "parts" in self.skip
        if approximate and (self.wild or self.fitting or not self.validate):
            raise OptionError(
                "fast and skip parts have fitting parameters of their own; leave one of both out"
            )

    @staticmethod
    def _need_known(name: str, value: str | None, known: tuple[str, ...]) -> None:
        if value is not None and value not in known:
            raise OptionError(f"{name}: expected one of {', '.join(known)}, got {value!r}")

    @property
    def threads_used(self) -> int:
        """Number of threads, decided for this machine where it was left open."""
        return self.threads or min(_USEFUL_THREADS, available_cores())

    @property
    def fitting(self) -> dict[str, Any]:
        """Parameters of the fit that are given one by one."""
        names = ("sigma", "regularisation", "weight_factor", "iterations")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    @property
    def approximations(self) -> tuple[str, ...]:
        """What of it departs from the exact numbers or leaves some out; empty by default."""
        every = (f"every {self.every}",) if self.every > 1 else ()
        return (*every, *(("fast",) if self.fast else ()), *(f"skip {name}" for name in self.skip))


def available_cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
