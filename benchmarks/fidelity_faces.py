"""How far pictures, sequences and several faces are from the original's: a table of docs/fidelity.md.

    python benchmarks/fidelity_faces.py [--data DIR]

Needs OpenFace's models (``MIEN_MODELS`` or installed) and the data folder that CONTRIBUTING.md describes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import mien
from mien.results import VideoResult, read_openface_csv
from mien.results.table import Table

CLOSE_PX = 0.1
COLUMNS = (
    "material",
    "rows",
    "in both",
    "success equal",
    "landmarks, mean / 99 %",
    f"rows within {CLOSE_PX} px",
    "AU intensity, mean / max difference",
    "presence equal",
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two tables agree, all rows included, whether they succeeded or not.

    Attributes
    ----------
    rows
        Rows of both tables.
    distance_px
        (N,) mean distance of the 68 landmarks in the rows that both have.
    success_equal
        (N,) bool.
    intensity, presence_equal
        (N, 17), (N, 18): absolute differences of intensities; whether presences are equal.
    """

    rows: tuple[int, int]
    distance_px: np.ndarray
    success_equal: np.ndarray
    intensity: np.ndarray
    presence_equal: np.ndarray

    @property
    def matched_percent(self) -> float:
        """Share of all rows, of either table, that both have and whose landmarks are close."""
        close = int((self.distance_px <= CLOSE_PX).sum())
        return 100 * close / (sum(self.rows) - len(self.distance_px))


def agreement(ours: Table, theirs: Table, *, frames: int | None = None) -> Agreement:
    """Compare two tables by frame and face, or, of pictures, by face.

    Parameters
    ----------
    ours, theirs
        The tables.
    frames
        Only the first frames.
    """
    keys, kept = [], []
    for table in (ours, theirs):
        sequence = "frame" in table
        key = np.stack([table["frame"], table["face_id"]] if sequence else [table["face"]], axis=1)
        wanted = key[:, 0] <= frames if frames is not None and sequence else np.ones(len(table), bool)
        kept.append(np.flatnonzero(wanted))
        keys.append([tuple(row) for row in key[wanted].astype(int).tolist()])
    places = {key: row for row, key in zip(kept[1], keys[1], strict=True)}
    pairs = [(row, places[key]) for row, key in zip(kept[0], keys[0], strict=True) if key in places]
    rows = np.array(pairs, int).reshape(-1, 2)

    def both(names: list[str]) -> tuple[np.ndarray, np.ndarray]:
        return ours.select(names)[rows[:, 0]], theirs.select(names)[rows[:, 1]]

    a, b = both([f"{axis}_{k}" for axis in "xy" for k in range(68)])
    difference = (a - b).reshape(-1, 2, 68)
    intensities = [name for name in theirs.names if name.startswith("AU") and name.endswith("_r")]
    presences = [name for name in theirs.names if name.startswith("AU") and name.endswith("_c")]
    success = both(["success"]) if "success" in theirs else (np.ones(1), np.ones(1))
    a, b = both(intensities)
    c, d = both(presences)
    return Agreement(
        rows=(len(kept[0]), len(kept[1])),
        distance_px=np.hypot(difference[:, 0], difference[:, 1]).mean(axis=1),
        success_equal=(success[0] == success[1]).ravel(),
        intensity=np.abs(a - b),
        presence_equal=c == d,
    )


def line(name: str, found: Agreement) -> str:
    """One line of the table."""
    cells = (
        name,
        f"{found.rows[0]} / {found.rows[1]}",
        str(len(found.distance_px)),
        f"{100 * found.success_equal.mean():.2f} %",
        f"{found.distance_px.mean():.3f} / {np.percentile(found.distance_px, 99):.2f} px",
        f"{found.matched_percent:.2f} %",
        f"{found.intensity.mean():.4f} / {found.intensity.max():.2f}",
        f"{100 * found.presence_equal.mean():.2f} %",
    )
    return f"| {' | '.join(cells)} |"


def saved(result: VideoResult, form: str = "sequence") -> Table:
    """A result rounded as its file is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        result.save(path, form=form, provenance=False)
        return read_openface_csv(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    folder = os.environ.get("MIEN_TEST_DATA")
    parser.add_argument("--data", type=Path, default=folder, required=folder is None)
    data = parser.parse_args().data
    media, images, variants = data / "media", data / "reference" / "images", data / "reference" / "variants"
    like = mien.AnalysisOptions(models="openface", compat="openface", landmarks="clnf")
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
    for path in sorted(media.glob("*.jpg")):
        theirs = read_openface_csv(images / path.stem / f"{path.stem}.csv")
        print(line(path.name, agreement(saved(mien.analyze(path, like), "image"), theirs)), flush=True)
    runs = (
        ("image_sequence", {"sequence": True}, "image_sequence/image_sequence.csv"),
        ("default.wmv", {"action_units": "static"}, "default_au_static/default.csv"),
        ("multi_face.avi", {"faces": "many"}, "multi_face_multi/multi_face.csv"),
    )
    for name, options, reference in runs:
        theirs = read_openface_csv(variants / reference)
        ours = saved(mien.analyze(media / name, like, **options))
        title = f"{name}, {' '.join(f'{key}={value}' for key, value in options.items())}"
        if "faces" in options:
            print(line(f"{title}, first 200 frames", agreement(ours, theirs, frames=200)))
        print(line(title, agreement(ours, theirs)), flush=True)


if __name__ == "__main__":
    main()
