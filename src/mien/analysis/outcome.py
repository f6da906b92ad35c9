"""A job, what became of it, and how that is counted."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mien.analysis.outputs import OutputOptions
from mien.datatypes import FaceResult, HeadPose
from mien.errors import MienError, ModelFileError, ModelsMissingError, OptionError, ProviderError

OF_ALL_SOURCES = (OptionError, ModelsMissingError, ModelFileError, ProviderError)
"""Errors that every other source with the same options would meet, too: they are raised, and end the work."""

_MOST_TURNED = math.cos(math.radians(80.0))
"""Cosine of the angle to the camera beyond which no face can be followed."""
_MOST_ROLLED_RAD = math.radians(100.0)
"""A head rolled further stands upside down."""
_SENSES = {90: "clockwise", 270: "counterclockwise"}
_USUAL_SUCCESS = 0.95
_USUAL_CONFIDENCE = 0.93
"""Means of upright videos are mostly 0.97 and more, of turned ones 0.91 at most (OpenFace's models)."""


@dataclass(frozen=True, slots=True)
class Job:
    """A video, or pictures that make one, and what shall come of it.

    Attributes
    ----------
    source
        The file or folder.
    outputs
        Its files: one set, which is completed as a whole, or kept as NAME.partial… as far as it goes.
    """

    source: Path
    outputs: OutputOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """What became of a job; can be passed between processes.

    Attributes
    ----------
    source
        What was analysed.
    name
        Its short name, for messages.
    frames, rows, successes
        Frames analysed, rows of the table, rows with success. Of pictures: pictures, faces, valid faces.
    seconds
        How long the analysis took, from the first frame to the last.
    pictures
        Whether they were independent pictures, not videos.
    mean_confidence
        Of all rows, 0 to 1; 0 without rows.
    people
        For every identity in how many frames it was found.
    impossible
        Successful rows whose head pose no visible face has.
    turned_deg
        By how much the video must be turned, clockwise, for its people to be upright: 90, 180, 270, or 0
        where they seem to be.
    empty
        Names of pictures without a face.
    pack, landmark_model, networks
        Models used, and on which device each network ran.
    lost
        What could not be read; empty when all could.
    notes
        What else a user should know of the source, a sentence each.
    stopped
        Whether it was stopped before its end.
    partial
        Whether the files are those of an analysis that ended early.
    written
        The files, but the provenance.
    error
        What went wrong; None if nothing did.
    """

    source: Path | None
    name: str
    frames: int = 0
    rows: int = 0
    successes: int = 0
    seconds: float = 0.0
    mean_confidence: float = 0.0
    pictures: bool = False
    people: tuple[tuple[int, int], ...] = ()
    impossible: int = 0
    turned_deg: int = 0
    empty: tuple[str, ...] = ()
    pack: str = ""
    landmark_model: str = ""
    networks: dict[str, str] = field(default_factory=dict)
    lost: str = ""
    notes: tuple[str, ...] = ()
    stopped: bool = False
    partial: bool = False
    written: tuple[Path, ...] = ()
    error: MienError | None = None

    @property
    def faceless(self) -> bool:
        """Whether all was analysed, and no face was found; in pictures not even a doubtful one."""
        found = self.rows if self.pictures else self.successes
        return self.error is None and not self.stopped and self.frames > 0 and found == 0

    @property
    def mostly_impossible(self) -> bool:
        """Whether more than half of the faces have a pose that no visible face has."""
        return 2 * self.impossible > self.successes > 0


def turned_sentence(name: str, turn_deg: int) -> str:
    """Ask whether the people of a video are upright, of one that should be turned clockwise."""
    turn = "180 degrees" if turn_deg == 180 else "90 degrees " + _SENSES[turn_deg]
    lies = "upside down" if turn_deg == 180 else "on its side"
    return (
        f"In most frames faces are found more surely when the picture is turned by {turn}: is {name} {lies}?"
    )


def impossible_pose(pose: HeadPose) -> bool:
    """Whether a head turned so shows no face to the camera, or stands upside down."""
    pitch, yaw, roll = pose.rotation_rad.tolist()
    return math.cos(pitch) * math.cos(yaw) < _MOST_TURNED or abs(roll) > _MOST_ROLLED_RAD


@dataclass(slots=True)
class Tally:
    """Counts rows while they pass by.

    ``rows`` and ``successes`` count faces in frames, ``people`` the successes of each identity.
    """

    frames: int = 0
    rows: int = 0
    successes: int = 0
    impossible: int = 0
    confidence: float = 0.0
    seconds: float = 0.0
    people: Counter[int] = field(default_factory=Counter)

    def add(self, face: FaceResult, *, good: bool) -> None:
        """Count a face; ``good`` decides whether it counts as found."""
        self.rows += 1
        self.successes += good
        self.people[face.face_id] += good
        self.impossible += good and impossible_pose(face.pose)
        if face.landmarks.confidence == face.landmarks.confidence:  # NaN where no face was found
            self.confidence += face.landmarks.confidence

    @property
    def doubtful(self) -> bool:
        """Whether a face was lost, or hardly followed, more often than in most videos."""
        seldom = self.successes < _USUAL_SUCCESS * self.frames
        return seldom or self.confidence < _USUAL_CONFIDENCE * self.rows

    def summary(self) -> dict[str, Any]:
        """Fields of a `JobOutcome`."""
        return {
            "frames": self.frames,
            "rows": self.rows,
            "successes": self.successes,
            "seconds": self.seconds,
            "mean_confidence": self.confidence / max(1, self.rows),
            "people": tuple(sorted(self.people.items())),
            "impossible": self.impossible,
        }
