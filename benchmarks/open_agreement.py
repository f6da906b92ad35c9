"""Compares the open models with what OpenFace gave for the same videos, and writes the table into the docs.

    python benchmarks/open_agreement.py REFERENCE_FOLDER MEDIA_FOLDER [--write]

REFERENCE_FOLDER/videos/NAME/full.npz holds OpenFace's values of every frame, MEDIA_FOLDER the videos.
OpenFace is not ground truth. Landmarks, pose, gaze and action units are compared on frames in which OpenFace
succeeded with a confidence above 0.8 and both trackers are on the same face: their inner landmarks lie within
12 % of the distance of the outer eye corners. "Clean" frames agree within 5.5 % and have less than 30 degrees
of yaw.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mien.action_units.geometric import GeometricActionUnits
from mien.action_units.mesh_measures import RULES
from mien.datatypes import FaceResult
from mien.gaze.mesh_gaze import VERTICAL_OFFSET_RAD
from mien.geometry.pinhole import default_camera
from mien.models import open as pack
from mien.options import AnalysisOptions
from mien.packs.open import build
from mien.pipeline import Pipeline
from mien.shape.canonical_face import read_canonical_face
from mien.video.file import VideoFile

DOCS = Path(__file__).resolve().parent.parent / "docs" / "open-models.md"
BEGIN, END = "<!-- agreement: begin -->", "<!-- agreement: end -->"
CONFIDENT, SAME_FACE, CLEAN, CLEAN_YAW_DEG = 0.8, 12.0, 5.5, 30.0
LEAST_DEVIATION = 0.1
"""An action unit is compared in a video where OpenFace's intensity has at least this standard deviation."""
PARTS = {
    "all 68": range(68),
    "inner 51": range(17, 68),
    "jaw": range(17),
    "brows": range(17, 27),
    "nose": range(27, 36),
    "eyes": range(36, 48),
    "mouth": range(48, 68),
}
GAZE = ("gaze x (°)", "gaze y (°)", "gaze y without the offset (°)")
POSE = ("Tx (mm)", "Ty (mm)", "Tz (mm)", "Rx (°)", "Ry (°)", "Rz (°)")


@dataclass
class Video:
    """Both programs' values of one video, one row per frame."""

    name: str
    success: np.ndarray
    reference_success: np.ndarray
    same: np.ndarray
    clean: np.ndarray
    point_errors: np.ndarray
    angles: np.ndarray
    reference_angles: np.ndarray
    units: dict[str, np.ndarray]
    reference_units: dict[str, np.ndarray]


def load(folder: Path, media: Path) -> Video:
    """Analyse one video and put its values beside the reference's."""
    with np.load(folder / "full.npz") as archive:
        reference = {key: archive[key] for key in archive.files}
    (path,) = media.glob(f"{folder.name}.*")
    with VideoFile(path, compat="openface") as video:
        stages = build(AnalysisOptions(), default_camera)
        face = read_canonical_face(pack.CANONICAL_FACE.path)
        # turned faces too, so that all frames compare
        stages = replace(stages, action_units=GeometricActionUnits(face, max_yaw_rad=None))
        pipeline = Pipeline(stages, threads=2)
        faces = list(pipeline.run(video))[: len(reference["frame"])]
    measures = pipeline.finish().measures
    reference = {key: values[: len(faces)] for key, values in reference.items()}
    points = np.stack([face.landmarks.points for face in faces]).astype(np.float64)
    theirs = reference["landmarks"].reshape(-1, 2, 68).transpose(0, 2, 1)
    size = np.linalg.norm(theirs[:, 36] - theirs[:, 45], axis=1)
    errors = 100 * np.linalg.norm(points - theirs, axis=2) / size[:, None]
    success = np.array([face.landmarks.success for face in faces])
    reference_success = reference["success"].ravel() > 0
    inner = errors[:, PARTS["inner 51"]].mean(axis=1)
    confident = reference_success & (reference["certainty"].ravel() > CONFIDENT)
    reference_angles = np.concatenate([reference["pose"], reference["gaze_angle"]], axis=1)
    reference_angles = reference_angles[:, [*range(8), 7]] * ([1] * 3 + [180 / np.pi] * 6)
    same = confident & success & (inner < SAME_FACE)
    names = [str(name) for name in reference["au_reg_final_names"]]
    return Video(
        name=folder.name,
        success=success,
        reference_success=reference_success,
        same=same,
        clean=same & (inner < CLEAN) & (np.abs(reference_angles[:, 4]) < CLEAN_YAW_DEG),
        point_errors=errors,
        angles=np.array([angles_of(face) for face in faces]),
        reference_angles=reference_angles,
        units={name: measures[f"{name}_cm"][: len(faces)] for name in RULES},
        reference_units={name: reference["au_reg_final"][:, names.index(name)] for name in RULES},
    )


def angles_of(face: FaceResult) -> list[float]:
    """Position in mm and angles in degrees, in the order of `POSE` and `GAZE`."""
    assert face.gaze is not None
    x, y = np.degrees(face.gaze.angle_rad)
    rotation = np.degrees(face.pose.rotation_rad)
    return [*face.pose.translation_mm, *rotation, x, y, y - np.degrees(VERTICAL_OFFSET_RAD)]


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 2 and a.std() > 0 and b.std() > 0 else np.nan


def mean(values: list[float]) -> str:
    """Mean over videos with its standard error."""
    known = np.array([value for value in values if np.isfinite(value)])
    if len(known) < 2:
        return f"{known.mean():.2f}" if len(known) else "–"
    return f"{known.mean():.2f} ± {known.std(ddof=1) / np.sqrt(len(known)):.2f}"


def number(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else "–"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def detection(videos: list[Video]) -> list[str]:
    rows = []
    for video in videos:
        found = (video.success & video.reference_success).sum() / video.reference_success.sum()
        rows.append(
            [
                video.name,
                str(len(video.success)),
                f"{100 * found:.1f}",
                f"{100 * video.same.sum() / video.reference_success.sum():.1f}",
                f"{100 * video.clean.sum() / video.reference_success.sum():.1f}",
            ]
        )
    head = ["video", "frames", "% of OpenFace's faces found", "% the same face", "% clean"]
    return table(head, rows)


def landmarks(videos: list[Video]) -> list[str]:
    rows = []
    for part, numbers in PARTS.items():
        per_video = [video.point_errors[video.same][:, numbers].mean() for video in videos]
        pooled = np.concatenate([video.point_errors[video.same][:, numbers].mean(axis=1) for video in videos])
        cells = [part, *(number(value, 1) for value in per_video)]
        rows.append([*cells, number(float(np.mean(per_video)), 1), number(float(np.median(pooled)), 1)])
    return table(["landmarks, %", *(video.name for video in videos), "mean", "median frame"], rows)


def deviations(
    videos: list[Video], labels: tuple[str, ...], pairs: list[tuple[np.ndarray, np.ndarray]]
) -> list[str]:
    """Mean absolute differences, plain and centred per video, bias and correlation within videos."""
    rows = []
    for column, label in enumerate(labels):
        differences = [ours[:, column] - theirs[:, column] for ours, theirs in pairs]
        rows.append(
            [
                label,
                *(number(float(np.abs(d).mean()), 1) for d in differences),
                number(float(np.mean([np.abs(d).mean() for d in differences])), 1),
                number(float(np.mean([np.abs(d - np.median(d)).mean() for d in differences])), 1),
                number(float(np.median([np.median(d) for d in differences])), 1),
                mean([correlation(ours[:, column], theirs[:, column]) for ours, theirs in pairs]),
            ]
        )
    head = [
        "mean abs. difference",
        *(video.name for video in videos),
        "mean",
        "centred per video",
        "median bias",
        "r within videos",
    ]
    return table(head, rows)


def action_units(videos: list[Video]) -> list[str]:
    rows = []
    for name in ("AU12", "AU45", "AU02", "AU01", "AU06", "AU25", "AU26"):
        every: list[float] = []
        clean: list[float] = []
        for video in videos:
            active = video.reference_units[name][video.same].std() >= LEAST_DEVIATION
            for chosen, out in ((video.same, every), (video.clean, clean)):
                r = correlation(video.units[name][chosen], video.reference_units[name][chosen])
                out.append(r if active else np.nan)
        rows.append([name, *(number(r) for r in every), mean(every), mean(clean)])
    return table(["r", *(video.name for video in videos), "mean", "mean, clean"], rows)


def report(videos: list[Video]) -> str:
    poses_and_gazes = [(video.angles[video.same], video.reference_angles[video.same]) for video in videos]
    same = sum(int(video.same.sum()) for video in videos)
    lines = [
        f"{len(videos)} videos, {sum(len(video.success) for video in videos)} frames, {same} of them "
        f"compared ({sum(int(video.clean.sum()) for video in videos)} clean). "
        "Made by `benchmarks/open_agreement.py`.",
        "",
        *detection(videos),
        "Landmarks: mean distance in % of the distance of the outer eye corners.",
        "",
        *landmarks(videos),
        "Head pose and gaze.",
        "",
        *deviations(videos, POSE + GAZE, poses_and_gazes),
        "Action units: correlation of the value in cm with OpenFace's final intensity, in videos where that "
        f"has a standard deviation of at least {LEAST_DEVIATION}.",
        "",
        *action_units(videos),
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reference", type=Path)
    parser.add_argument("media", type=Path)
    parser.add_argument("--write", action="store_true", help=f"put the tables into {DOCS.name}")
    arguments = parser.parse_args()
    folders = sorted(path.parent for path in (arguments.reference / "videos").glob("*/full.npz"))
    text = report([load(folder, arguments.media) for folder in folders])
    print(text)
    if arguments.write:
        before, rest = DOCS.read_text(encoding="utf-8").split(BEGIN)
        after = rest.split(END)[1]
        DOCS.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
