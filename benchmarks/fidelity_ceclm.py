"""How far CE-CLM is from the original program's, with stand-in weights: the tables of docs/fidelity.md.

    python benchmarks/fidelity_ceclm.py [videos] [pictures] [noise] [--data DIR]

``noise`` tells amplified rounding from faults: mien is compared with itself when every frame's fit begins
0.0001 px beside its place, and single frames are fitted from what the original's table says of the frame
before.
Needs OpenFace's models (``MIEN_MODELS`` or installed) and the data folder that CONTRIBUTING.md describes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

import mien
from ceclm import link_model
from fidelity import COLUMNS, measured
from mien.analysis.videos import open_source
from mien.datatypes import FaceBoxes, Frame
from mien.detection.mtcnn import MtcnnDetector
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.options import FitOptions
from mien.landmarks.tracker import FaceTracker, TrackerState
from mien.landmarks.validator import LandmarkValidator
from mien.models.readers import read_landmark_model, read_mtcnn
from mien.options import AnalysisOptions
from mien.packs import describe_pack
from mien.results import read_openface_csv
from mien.results.table import Table
from mien.shape.model import ShapeParameters

VIDEOS = ("default.wmv", "subj01_timepoint01.mp4", "0417_02_003_bill_clinton.avi", "clip2.mp4")
PICTURES = (
    *("24795717_1", "24795717_1_multiview", "24795717_1_wild", "sample1", "sample1_wild"),
    *("sample2", "sample2_multiview", "sample3", "sample3_multiview", "sample3_wild"),
)
PICTURE_COLUMNS = (
    "picture",
    "faces",
    "confidence equal",
    "landmarks, mean / max",
    "AU intensity, mean / max",
    "presence equal",
)
NUDGE_PX = 1e-4
SEEDS = 4


def stand_in_model(openface: Path, stand_ins: Path, folder: Path) -> Path:
    """Link a landmark model whose CEN files are the stand-ins; returns its main file."""
    main_file = link_model(folder, openface)
    (folder / "patch_experts").mkdir()
    for entry in stand_ins.glob("cen_patches_*.dat"):
        (folder / "patch_experts" / entry.name).symlink_to(entry)
    return main_file


def videos(main_file: Path, data: Path, reference: Path) -> Iterator[str]:
    """One line per video, free running."""
    yield _line(COLUMNS)
    yield "|---" * len(COLUMNS) + "|"
    with tempfile.TemporaryDirectory() as folder:
        for video in VIDEOS:
            yield measured(data / "media" / video, reference, str(main_file), Path(folder))


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


# --- pictures ---------------------------------------------------------------------------------------------


def pictures(main_file: Path, data: Path, reference: Path) -> Iterator[str]:
    """One line per picture and way of fitting."""
    yield _line(PICTURE_COLUMNS)
    yield "|---" * len(PICTURE_COLUMNS) + "|"
    with tempfile.TemporaryDirectory() as folder:
        for name in PICTURES:
            stem = name.removesuffix("_wild").removesuffix("_multiview")
            result = mien.analyze(
                data / "media" / f"{stem}.jpg",
                models="openface",
                compat="openface",
                landmarks=str(main_file),
                multi_view=name != stem,
                wild=name.endswith("_wild"),
            )
            result.save(Path(folder) / "ours.csv", form="image")
            yield _picture(name, Path(folder) / "ours.csv", reference / f"{name}.csv")


def _picture(name: str, ours: Path, theirs: Path) -> str:
    a, b = read_openface_csv(ours), read_openface_csv(theirs)
    apart = np.hypot(*(_columns(a, f"{axis}_", 68) - _columns(b, f"{axis}_", 68) for axis in "xy"))
    units = [unit for unit in b.names if unit.startswith("AU")]
    strength = np.array([np.abs(a[u] - b[u]) for u in units if u.endswith("_r")])
    equal = np.array([a[u] == b[u] for u in units if u.endswith("_c")])
    cells = (
        name,
        f"{len(a)} / {len(b)}",
        "yes" if np.abs(a["confidence"] - b["confidence"]).max() < 1e-3 else "no",
        f"{apart.mean():.3f} / {apart.max():.2f} px",
        f"{strength.mean():.3f} / {strength.max():.2f}",
        f"{100 * equal.mean():.1f} %",
    )
    return _line(cells)


def _columns(table: Table, prefix: str, count: int) -> np.ndarray:
    return np.stack([np.asarray(table[f"{prefix}{k}"], float) for k in range(count)], axis=1)


# --- noise ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Track:
    """A followed face: points (N, 68, 2), parameters (N, 6) and (N, 34), whether each fit is valid (N,)."""

    points: np.ndarray
    global_params: np.ndarray
    local_params: np.ndarray
    valid: np.ndarray

    @classmethod
    def of_table(cls, table: Table) -> Track:
        """What a table says, rounded as it is."""
        names = ("p_scale", "p_rx", "p_ry", "p_rz", "p_tx", "p_ty")
        return cls(
            np.stack([_columns(table, "x_", 68), _columns(table, "y_", 68)], axis=2),
            np.stack([np.asarray(table[name], float) for name in names], axis=1),
            _columns(table, "p_", 34),
            np.asarray(table["success"]) == 1,
        )

    def rounded(self) -> Track:
        """The same as a table would say it."""
        return Track(
            self.points.astype(float).round(1),
            self.global_params.astype(float).round(3),
            self.local_params.astype(float).round(3),
            self.valid,
        )


def follow(make: Callable[[], FaceTracker], frames: list[Frame], seed: int | None = None) -> Track:
    """Follow a face; with a seed each frame's fit begins `NUDGE_PX` beside where the last one ended."""
    rng, tracker, faces = np.random.default_rng(seed), make(), []
    for frame in frames:
        if seed is not None and tracker.state.tracking:
            before = tracker.state.detection
            moved = before.params.global_params.copy()
            moved[4:6] += np.float32(NUDGE_PX) * rng.choice([-1, 1], 2).astype(np.float32)
            start = ShapeParameters(moved, before.params.local_params)
            tracker.state = replace(tracker.state, detection=replace(before, params=start))
        faces.append(tracker.follow(frame))
    return Track(
        np.stack([face.points for face in faces]),
        np.stack([face.global_params for face in faces]),
        np.stack([face.local_params for face in faces]),
        np.array([face.valid for face in faces]),
    )


def single_frames(tracker: FaceTracker, frames: list[Frame], track: Track, usable: np.ndarray) -> np.ndarray:
    """Distances (M, 68) of frames that are fitted from the frame before as a track has it, to the track."""
    apart = []
    for k in range(1, len(frames)):
        if not usable[k - 1] or not usable[k]:
            continue
        start = ShapeParameters(
            track.global_params[k - 1].astype(np.float32), track.local_params[k - 1].astype(np.float32)
        )
        before = replace(tracker.state.detection, params=start, success=True)
        tracker.state = TrackerState(before, tracking=True, failures=-1)
        apart.append(np.linalg.norm(tracker.follow(frames[k]).points - track.points[k], axis=1))
    return np.array(apart)


def noise(main_file: Path, data: Path, reference: Path) -> Iterator[str]:
    """One line per video."""
    yield (
        "| video | mien, the original | mien, mien nudged | mien nudged, the original | one frame from the "
        "original's table | one frame from mien's own |"
    )
    yield "|---" * 6 + "|"
    for name in VIDEOS:
        frames = list(open_source(data / "media" / name, AnalysisOptions(compat="openface")))
        theirs = Track.of_table(read_openface_csv(reference / f"{Path(name).stem}.csv"))
        make = partial(_tracker, main_file, {})
        ours = follow(make, frames)
        nudged = [follow(make, frames, seed) for seed in range(SEEDS)]
        usable, tracker = ours.valid & theirs.valid, make()
        cells = (
            name,
            _spread([_apart(ours, theirs)]),
            _spread([_apart(ours, other) for other in nudged]),
            _spread([_apart(other, theirs) for other in nudged]),
            _spread([single_frames(tracker, frames, theirs, usable)]),
            _spread([single_frames(tracker, frames, ours.rounded(), usable)]),
        )
        yield _line(cells)


def _tracker(main_file: Path, known: dict[int, FaceBoxes]) -> FaceTracker:
    """A tracker; faces are detected once per frame, for all trackers."""
    record = read_landmark_model(main_file)
    detector = MtcnnDetector(read_mtcnn(main_file.parent / "mtcnn_detector/MTCNN_detector.txt"))

    def detect(bgr: np.ndarray) -> FaceBoxes:
        if id(bgr) not in known:
            known[id(bgr)] = detector.detect(bgr)
        return known[id(bgr)]

    validate = LandmarkValidator(record.validator).certainty
    return FaceTracker(LandmarkDetector(record, FitOptions(), validate), detect)


def _apart(a: Track, b: Track) -> np.ndarray:
    return np.linalg.norm(a.points - b.points, axis=2)[a.valid & b.valid]


def _spread(runs: list[np.ndarray]) -> str:
    """Mean and 99 % of distances, from the smallest to the largest of several runs."""
    figures = [f"{run.mean():.3f} / {np.percentile(run, 99):.2f}" for run in runs]
    if len(figures) == 1:
        return f"{figures[0]} px"
    by_late = sorted(figures, key=lambda text: float(text.split()[-1]))
    return f"{by_late[0]} to {by_late[-1]} px"


TABLES = {"videos": videos, "pictures": pictures, "noise": noise}


def main() -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], default=list(TABLES))
    folder = os.environ.get("MIEN_TEST_DATA")
    parser.add_argument("--data", type=Path, default=folder, required=folder is None)
    given = parser.parse_args()
    reference = given.data / "reference" / "ce_clm"
    openface = describe_pack("openface").folder / "LandmarkDetector" / "model"
    with tempfile.TemporaryDirectory() as models:
        main_file = stand_in_model(openface, reference / "models", Path(models))
        for name in given.tables:
            for line in TABLES[name](main_file, given.data, reference / "out"):
                print(line, flush=True)
            print()


if __name__ == "__main__":
    main()
