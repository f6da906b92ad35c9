"""Compares the open models with what OpenFace gave for the same videos, and writes the table into the docs.

    python benchmarks/open_agreement.py REFERENCE_FOLDER MEDIA_FOLDER [--write]

REFERENCE_FOLDER/videos/NAME/full.npz holds OpenFace's values of every frame, MEDIA_FOLDER the videos.
OpenFace is not ground truth. Landmarks, pose, gaze and action units are compared on frames in which OpenFace
succeeded with a confidence above 0.8 and both trackers are on the same face: their inner landmarks lie within
12 % of the distance of the outer eye corners. "Clean" frames agree within 5.5 % and have less than 30 degrees
of yaw. Action units are compared on the same frames by geometry alone and as they are reported, and once more
with every picture reduced, so that the face is small.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from mien.action_units.blendshapes import BlendshapeNetwork, read_blendshape_landmarks
from mien.action_units.catalogue import INTENSITY_NAMES
from mien.action_units.mesh_formulas import MEASURED_UNITS
from mien.action_units.mesh_measures import RULES
from mien.action_units.mesh_units import MeshActionUnits
from mien.datatypes import FaceResult, Frame
from mien.gaze.mesh_gaze import VERTICAL_OFFSET_RAD
from mien.geometry.pinhole import default_camera
from mien.models import open as pack
from mien.options import AnalysisOptions
from mien.packs.open import build
from mien.pipeline import Pipeline
from mien.runtime.sessions import create_session
from mien.shape.canonical_face import read_canonical_face
from mien.video.file import VideoFile

DOCS = Path(__file__).resolve().parent.parent / "docs" / "open-models.md"
BEGIN, END = "<!-- agreement: begin -->", "<!-- agreement: end -->"
CONFIDENT, SAME_FACE, CLEAN, CLEAN_YAW_DEG = 0.8, 12.0, 5.5, 30.0
RELATED = 0.3
LEAST_DEVIATION = 0.1
"""An action unit is compared in a video where OpenFace's intensity has at least this standard deviation."""
SMALL_PX = (60.0, 45.0, 30.0)
"""Distances of the outer eye corners to which pictures are reduced."""
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
    eye_px: float
    success: np.ndarray
    reference_success: np.ndarray
    same: np.ndarray
    clean: np.ndarray
    point_errors: np.ndarray
    angles: np.ndarray
    reference_angles: np.ndarray
    geometry: dict[str, np.ndarray]
    units: dict[str, np.ndarray]
    reference_units: dict[str, np.ndarray]


def reduced(frames: Iterable[Frame], factor: float) -> Iterator[Frame]:
    """The same pictures, smaller."""
    for frame in frames:
        height, width = frame.gray.shape
        size = (round(width * factor), round(height * factor))
        bgr = Image.fromarray(frame.bgr).resize(size, Image.Resampling.BOX)
        gray = Image.fromarray(frame.gray).resize(size, Image.Resampling.BOX)
        yield replace(frame, bgr=np.asarray(bgr), gray=np.asarray(gray))


def analyse(path: Path, factor: float = 1.0) -> tuple[list[FaceResult], dict[str, np.ndarray], np.ndarray]:
    """Faces of every frame, measures and intensities; turned faces too, so that all frames compare."""
    with VideoFile(path, compat="openface") as video:
        stages = build(AnalysisOptions(), default_camera)
        face = read_canonical_face(pack.CANONICAL_FACE)
        landmarks = read_blendshape_landmarks(pack.BLENDSHAPE_LISTS)
        network = BlendshapeNetwork(create_session(pack.BLENDSHAPES), landmarks)
        stages = replace(stages, action_units=MeshActionUnits(face, network, max_yaw_rad=None))
        pipeline = Pipeline(stages, threads=2)
        faces = list(pipeline.run(video if factor == 1 else reduced(video, factor)))
    series = pipeline.finish()
    return faces, series.measures, series.intensity


def load(folder: Path, media: Path) -> Video:
    """Analyse one video and put its values beside the reference's."""
    with np.load(folder / "full.npz") as archive:
        reference = {key: archive[key] for key in archive.files}
    (path,) = media.glob(f"{folder.name}.*")
    faces, measures, intensity = analyse(path)
    faces = faces[: len(reference["frame"])]
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
        eye_px=float(np.median(size[same])),
        success=success,
        reference_success=reference_success,
        same=same,
        clean=same & (inner < CLEAN) & (np.abs(reference_angles[:, 4]) < CLEAN_YAW_DEG),
        point_errors=errors,
        angles=np.array([angles_of(face) for face in faces]),
        reference_angles=reference_angles,
        geometry={name: measures[f"{name}_cm"][: len(faces)] for name in RULES},
        units=by_name(intensity, len(faces)),
        reference_units={name: reference["au_reg_final"][:, names.index(name)] for name in MEASURED_UNITS},
    )


def by_name(intensity: np.ndarray, frames: int) -> dict[str, np.ndarray]:
    return {name: intensity[:frames, INTENSITY_NAMES.index(name)] for name in MEASURED_UNITS}


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


def agreement(video: Video, name: str, values: np.ndarray, chosen: np.ndarray) -> float:
    """Correlation with OpenFace's final intensity; NaN in a video where that hardly varies."""
    theirs = video.reference_units[name]
    if theirs[video.same].std() < LEAST_DEVIATION:
        return np.nan
    return correlation(values[chosen], theirs[chosen])


def action_units(videos: list[Video]) -> list[str]:
    rows = []
    for name in MEASURED_UNITS:
        new = [agreement(video, name, video.units[name], video.same) for video in videos]
        clean = [agreement(video, name, video.units[name], video.clean) for video in videos]
        if name in RULES:
            old = [agreement(video, name, video.geometry[name], video.same) for video in videos]
            old_clean = [agreement(video, name, video.geometry[name], video.clean) for video in videos]
            before = [f"{name} before", *(number(r) for r in old), mean(old), mean(old_clean), ""]
            rows.append(before)
        gain = mean([b - a for a, b in zip(old, new, strict=True)]) if name in RULES else ""
        rows.append([f"**{name}**", *(number(r) for r in new), f"**{mean(new)}**", mean(clean), gain])
    head = ["r", *(video.name for video in videos), "mean", "mean, clean", "gain"]
    return table(head, rows)


def scales(videos: list[Video]) -> list[str]:
    """How much OpenFace's intensity changes with 1 of ours, and how far ours is from it."""
    rows = []
    for name in MEASURED_UNITS:
        slopes, errors, constants = [], [], []
        for video in videos:
            ours, theirs = video.units[name][video.same], video.reference_units[name][video.same]
            known = np.isfinite(ours)
            errors.append(np.abs(ours - theirs)[known].mean())
            constants.append(np.abs(theirs - np.median(theirs))[known].mean())
            if agreement(video, name, video.units[name], video.same) > RELATED:
                slopes.append(float(np.polyfit(ours[known], theirs[known], 1)[0]))
        spread = f"{min(slopes):.2f} to {max(slopes):.2f} ({len(slopes)})" if slopes else "–"
        middle = f"{np.median(slopes):.2f}" if slopes else "–"
        rows.append([name, middle, spread, f"{np.mean(errors):.2f}", f"{np.mean(constants):.2f}"])
    head = ["", "OpenFace's change per 1, median", "least to most (videos)", "mean abs. difference"]
    return table([*head, "the same of a video's own median"], rows)


def sizes(videos: list[Video], media: Path) -> list[str]:
    """Change of the agreement, on the same frames, where pictures are reduced."""
    changes: dict[str, list[list[float]]] = {name: [[] for _ in SMALL_PX] for name in MEASURED_UNITS}
    found: list[list[float]] = [[] for _ in SMALL_PX]
    for video in videos:
        (path,) = media.glob(f"{video.name}.*")
        for column, px in enumerate(SMALL_PX):
            if px >= video.eye_px:
                continue
            faces, _, intensity = analyse(path, px / video.eye_px)
            frames = len(video.same)
            success = np.array([face.landmarks.success for face in faces[:frames]])
            found[column].append(100 * float(success[video.same].mean()))
            for name, units in by_name(intensity, frames).items():
                before = agreement(video, name, video.units[name], video.same)
                changes[name][column].append(agreement(video, name, units, video.same) - before)
    rows = [[name, *(mean(values) for values in columns)] for name, columns in changes.items()]
    rows.append(["faces found, %", *(f"{np.mean(values):.1f}" for values in found)])
    heads = [f"{px:.0f} px ({len(values)} videos)" for px, values in zip(SMALL_PX, found, strict=True)]
    return table(["change of r", *heads], rows)


def report(videos: list[Video], media: Path) -> str:
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
        "Action units: correlation within a video with OpenFace's final intensity, in videos where that has "
        f'a standard deviation of at least {LEAST_DEVIATION}. "Before" is geometry alone, signed, in cm; the '
        "gain is the mean difference of the two in the same videos, on the same frames.",
        "",
        *action_units(videos),
        "Median distance of the outer eye corners: "
        + ", ".join(f"{video.name} {video.eye_px:.0f} px" for video in videos)
        + ".",
        "",
        "Scale: how much OpenFace's intensity changes where ours changes by 1 (in videos with r above "
        f"{RELATED}), and how far the values are apart.",
        "",
        *scales(videos),
        "Small faces: the same frames once more with every picture reduced, so that the outer eye corners "
        "are that far apart; videos whose faces are smaller as they are, are left out.",
        "",
        *sizes(videos, media),
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reference", type=Path)
    parser.add_argument("media", type=Path)
    parser.add_argument("--write", action="store_true", help=f"put the tables into {DOCS.name}")
    arguments = parser.parse_args()
    folders = sorted(path.parent for path in (arguments.reference / "videos").glob("*/full.npz"))
    text = report([load(folder, arguments.media) for folder in folders], arguments.media)
    print(text)
    if arguments.write:
        before, rest = DOCS.read_text(encoding="utf-8").split(BEGIN)
        after = rest.split(END)[1]
        DOCS.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
