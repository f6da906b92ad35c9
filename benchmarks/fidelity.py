"""How far mien's tables are from the original program's: prints the table of docs/fidelity.md.

    python benchmarks/fidelity.py [--data DIR] [--landmarks NAME_OR_MAIN_FILE] [--reference DIR] [VIDEO ...]

Needs OpenFace's models (``MIEN_MODELS`` or installed) and the data folder that CONTRIBUTING.md describes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np

import mien
from mien.results import Comparison, compare_tables, read_openface_csv
from mien.results.table import Table

VIDEOS = (
    "2015-10-15-15-14.avi",
    "default.wmv",
    "subj01_timepoint01.mp4",
    "0417_02_003_bill_clinton.avi",
    "multi_face.avi",
    "clip2.mp4",
)
COLUMNS = (
    "video",
    "rows",
    "success equal",
    "landmarks, mean / 99 %",
    "failed rows included",
    "AU intensity r, mean / lowest",
    "mean abs. difference",
    "presence equal",
    "head",
    "gaze",
    "eyes",
)


def landmark_distances(a: Table, b: Table) -> np.ndarray:
    """Distance of all 68 landmarks in all rows, successful or not, px."""
    axes = [
        np.stack([np.asarray(t[f"{axis}_{k}"], float) for k in range(68)], axis=1)
        for axis in "xy"
        for t in (a, b)
    ]
    return np.hypot(axes[0] - axes[1], axes[2] - axes[3])


def row(name: str, c: Comparison, distances: np.ndarray) -> str:
    """One line of the table."""
    cells = (
        name,
        f"{c.rows[0]} / {c.rows[1]}",
        f"{c.success_percent:.2f} %",
        f"{c.landmark_mean_px:.3f} / {c.landmark_p99_px:.2f} px",
        f"{distances.mean():.3f} / {np.percentile(distances, 99):.2f} px",
        f"{c.intensity_r_mean:.4f} / {c.intensity_r_lowest:.3f}",
        f"{c.intensity_difference:.4f}",
        f"{c.presence_percent:.2f} %",
        f"{c.pose_deg:.3f}°, {c.pose_mm:.3f} mm",
        f"{c.gaze_deg:.3f}°",
        f"{c.eye_px:.3f} px",
    )
    return f"| {' | '.join(cells)} |"


def measured(video: Path, reference: Path, landmarks: str, folder: Path) -> str:
    """Analyse a video and compare its table, kept in ``folder``, with the original's: one line."""
    result = mien.analyze(video, models="openface", compat="openface", landmarks=landmarks)
    table = folder / f"{video.stem}.csv"
    result.save(table)
    original = reference / video.stem / f"{video.stem}.csv"
    if not original.exists():
        original = reference / f"{video.stem}.csv"
    ours, theirs = read_openface_csv(table), read_openface_csv(original)
    return row(video.name, compare_tables(ours, theirs), landmark_distances(ours, theirs))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", nargs="*", default=VIDEOS)
    folder = os.environ.get("MIEN_TEST_DATA")
    parser.add_argument("--data", type=Path, default=folder, required=folder is None)
    parser.add_argument("--landmarks", default="clnf")
    parser.add_argument(
        "--reference", type=Path, help="folder of the original's tables, NAME.csv or NAME/NAME.csv"
    )
    arguments = parser.parse_args()
    reference = arguments.reference or arguments.data / "reference" / "videos"
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
    with tempfile.TemporaryDirectory() as folder:
        for video in arguments.videos:
            path = arguments.data / "media" / video
            print(measured(path, reference, arguments.landmarks, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
