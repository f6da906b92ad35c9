"""Who is who: switches, fragments and losses of identities against the truth; a table of docs/faces.md.

    python benchmarks/identities.py VIDEO --truth people_multi_face.csv [--models openface|open]

The truth is a table of key frames: where the middle of each person's face is, and how long its side is, px.
Between two of them, within a stretch, the face moves evenly; outside all stretches it cannot be seen. The
video is followed as it is, backwards, mirrored, at half its size and with frames left out: the identities
should not depend on any of these.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from mien.datatypes import Frame, TrackedFace
from mien.options import AnalysisOptions
from mien.packs import build_stages, choose_pack
from mien.people.assignment import assign
from mien.video.file import VideoFile

NEAR = 0.75
"""How far a face may be from its person, in sides of the face."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Where everybody is: per person and frame x, y, side; absent while nothing can be seen of the face."""

    places: dict[int, dict[str, np.ndarray]]

    @classmethod
    def read(cls, path: Path) -> Truth:
        """Fill in the frames between the key frames."""
        stretches = defaultdict(list)
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                keys = stretches[row["person"], row["stretch"]]
                keys.append([float(row[name]) for name in ("frame", "x", "y", "side")])
        places: dict[int, dict[str, np.ndarray]] = defaultdict(dict)
        for (person, _), keys in stretches.items():
            frames, *values = np.array(keys).T
            for frame in range(int(frames[0]), int(frames[-1]) + 1):
                places[frame - 1][person] = np.array([np.interp(frame, frames, column) for column in values])
        return cls(dict(places))

    def owners(self, index: int, centres: np.ndarray) -> list[str | None]:
        """Whose the faces around these centres (N, 2) are."""
        people = sorted(self.places.get(index, {}))
        costs = np.array([[self._distance(index, person, c) for person in people] for c in centres])
        pairs = dict(assign(costs.reshape(len(centres), len(people)), NEAR))
        return [people[pairs[k]] if k in pairs else None for k in range(len(centres))]

    def _distance(self, index: int, person: str, centre: np.ndarray) -> float:
        x, y, side = self.places[index][person]
        return float(np.hypot(centre[0] - x, centre[1] - y) / side)


@dataclass(slots=True)
class Count:
    """What became of the people."""

    seen: Counter = field(default_factory=Counter)
    found: Counter = field(default_factory=Counter)
    switches: Counter = field(default_factory=Counter)
    numbers: dict = field(default_factory=lambda: defaultdict(Counter))
    strays: int = 0
    last: dict = field(default_factory=dict)

    def add(self, people: set[str], numbers: dict[str, int]) -> None:
        """One frame: who can be seen, and under which number each was found."""
        for person in people:
            self.seen[person] += 1
        for person, number in numbers.items():
            self.found[person] += 1
            self.numbers[person][number] += 1
            self.switches[person] += self.last.get(person, number) != number
            self.last[person] = number

    @property
    def idf1(self) -> float:
        """Share of right identities (Ristani et al. 2016): the best one-to-one naming of the numbers."""
        people = sorted(self.numbers)
        known = sorted({number for counts in self.numbers.values() for number in counts})
        hits = np.array([[self.numbers[p][n] for n in known] for p in people], float)
        right = sum(hits[row, column] for row, column in assign(-hits.reshape(len(people), len(known)), 0))
        return 200 * right / (self.seen.total() + self.found.total() + self.strays)

    def line(self, name: str) -> str:
        """One line of the table."""
        used = [len(self.numbers[person]) for person in sorted(self.seen)]
        found, seen = self.found.total(), self.seen.total()
        cells = (
            name,
            f"{found} of {seen} ({100 * found / seen:.2f} %)",
            str(self.switches.total()),
            " / ".join(map(str, used)),
            str(self.strays),
            f"{self.idf1:.2f} %",
        )
        return f"| {' | '.join(cells)} |"


@dataclass(frozen=True, slots=True)
class Change:
    """Another view of the same video."""

    name: str
    mirrored: bool = False
    backwards: bool = False
    half: bool = False
    every: int = 1

    def frames(self, frames: list[Frame]) -> Iterator[tuple[int, Frame]]:
        """Number of the original frame, and the frame as it is shown."""
        shown = frames[:: -self.every] if self.backwards else frames[:: self.every]
        for place, frame in enumerate(shown):
            bgr, gray = frame.bgr, frame.gray
            if self.half:
                bgr, gray = (
                    cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for p in (bgr, gray)
                )
            if self.mirrored:
                bgr, gray = (np.ascontiguousarray(picture[:, ::-1]) for picture in (bgr, gray))
            yield frame.index, replace(frame, index=place, bgr=bgr, gray=gray)

    def original(self, points: np.ndarray, width: int) -> np.ndarray:
        """Where points of a shown frame are in the original one."""
        x, y = points.T
        x = (width // 2 if self.half else width) - 1 - x if self.mirrored else x
        return np.stack([x, y], axis=1) * (2 if self.half else 1)


CHANGES = (
    Change("as it is"),
    Change("mirrored", mirrored=True),
    Change("backwards", backwards=True),
    Change("half its size", half=True),
    Change("every 2nd frame", every=2),
    Change("every 3rd frame", every=3),
)


def follow(tracker, change: Change, frames: list[Frame], truth: Truth) -> Count:
    """Follow everybody once."""
    tracker.reset()
    count = Count()
    for index, frame in change.frames(frames):
        faces: list[TrackedFace] = [face for face in tracker.track(frame) if face.landmarks.success]
        points = [change.original(face.landmarks.points, frames[0].bgr.shape[1]) for face in faces]
        centres = np.array([(p.min(axis=0) + p.max(axis=0)) / 2 for p in points]).reshape(-1, 2)
        owners = truth.owners(index, centres)
        count.strays += owners.count(None)
        named = {o: face.face_id for o, face in zip(owners, faces, strict=True) if o is not None}
        count.add(set(truth.places.get(index, {})), named)
    return count


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--models", default="openface")
    parser.add_argument("--compat")
    parser.add_argument("--changes", nargs="*", default=[change.name for change in CHANGES])
    arguments = parser.parse_args()
    options = AnalysisOptions(
        models=arguments.models,
        landmarks="clnf" if arguments.models == "openface" else None,
        compat=arguments.compat,
        faces="many",
    )
    truth = Truth.read(arguments.truth)
    with VideoFile(arguments.video) as video:
        frames = list(video)
        stages = build_stages(choose_pack(arguments.models), options)
    print(
        "| video | faces found | switches | numbers per person | strays | IDF1 |\n|---|---|---|---|---|---|"
    )
    for change in CHANGES:
        if change.name in arguments.changes:
            print(follow(stages.tracker, change, frames, truth).line(change.name), flush=True)


if __name__ == "__main__":
    main()
