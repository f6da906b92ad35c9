"""Sides of faces that are made: known symmetry, known turn, known asymmetry; and the choices of the method.

    python benchmarks/sides_faces.py PART --media FOLDER

PART is one of choices, turned, hybrids, real_steps. Faces are drawn from frames of the media on the
three-dimensional face that is fitted to them. Needs OpenFace's models. The figures are those of
docs/sides-methods.md.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.action_units.catalogue import INTENSITY_NAMES
from mien.action_units.geometry import ShapeDescriptor
from mien.action_units.predictors import PredictorSet
from mien.appearance.alignment import LIFT_PX, FaceAligner
from mien.appearance.fhog import FhogExtractor
from mien.datatypes import AlignedFace, Appearance, FaceLandmarks, Frame
from mien.geometry.rotation import rotation_from_euler
from mien.packs import build_stages, choose_pack
from mien.pipeline import Pipeline
from mien.shape.mirror import STABLE, mirror_landmarks
from mien.sides import composite, kernels
from mien.sides.analysis import read_record
from mien.sides.composite import CompositeMaker, one_sided
from mien.sides.half_mesh import HalfMesh
from mien.sides.measures import SIDE_MEASURES, side_measures
from mien.sides.midplane import Midplane, MidplaneFinder
from mien.sides.tracker_bias import unbiased_in_picture
from sides import OPTIONS, VIDEOS, Changed, changed

RECORD = read_record(choose_pack("openface").folder, "dynamic")
PREDICTORS = PredictorSet(RECORD.predictors)
FINDER, MAKER = MidplaneFinder(RECORD.pdm), CompositeMaker(RECORD)
MESH = HalfMesh(np.asarray(RECORD.triangles, np.int32))
ALIGNER = FaceAligner(RECORD.pdm, RECORD.triangles)
SHAPE = ShapeDescriptor(RECORD.pdm)
FOREHEAD_MM = 43.0


@dataclass
class Tracked:
    """A frame, its landmarks and live intensities."""

    frame: Frame
    landmarks: FaceLandmarks
    intensity: np.ndarray


def tracked(path: Path, count: int) -> list[Tracked]:
    stages = build_stages(choose_pack("openface"), OPTIONS)
    kept: list[Tracked] = []

    def keep(frame, faces, looks) -> None:
        copy = Frame(frame.index, frame.time_s, frame.bgr.copy(), frame.gray.copy())
        kept.append(Tracked(copy, faces[0].landmarks, faces[0].action_units.intensity))

    for _ in Pipeline(stages, observe=keep).run(Changed(path, count)):
        pass
    return kept


def score(appearance: Appearance) -> np.ndarray:
    """Raw intensities (17,), without any neutral face, limits or smoothing: the harshest comparison."""
    descriptor = np.concatenate((appearance.fhog, SHAPE.describe(appearance.local_params)))
    return PREDICTORS.scores(PREDICTORS.project(descriptor[None].astype(np.float64))[0])[:17]


def read(frame: Frame, plane: Midplane) -> np.ndarray:
    """Raw intensities of both sides, (2, 17)."""
    return np.stack([score(made.appearance) for made in MAKER.make(frame, plane)])


def draw(plane: Midplane, texture: Midplane, bgr: np.ndarray, side: int, size: int, cut: bool = False):
    """A face laid out by ``plane``, with the skin of a side of ``texture``; ``cut`` draws only that side.

    Gives the picture, and where the face is in it.
    """
    flat = np.ascontiguousarray(bgr).reshape(-1)
    skin = MESH.vertices(composite._halves(texture.face), FOREHEAD_MM)[side] * composite._OUTWARDS[side]
    halves = MESH.vertices(composite._halves(plane.face), FOREHEAD_MM)
    wanted = np.ones((size, size), np.uint8)
    out = np.full((size, size, 3), 90, np.uint8)
    # What is nearer is drawn first: the half that is seen more of.
    for half in (side,) if cut else ((0, 1) if plane.yaw_rad >= 0 else (1, 0)):
        corners = plane.project(halves[half] * composite._OUTWARDS[half])
        kernels.draw(corners, texture.project(skin), MESH.fine, flat, *bgr.shape[:2], wanted, out)
    return out, wanted == 0


def placed(face: np.ndarray, nod: float, yaw: float, size: int, scale: float = 2.2) -> Midplane:
    rotation = rotation_from_euler(np.array([nod, 0, 0])) @ rotation_from_euler(np.array([0, yaw, 0]))
    return Midplane(scale, rotation, np.array([size / 2 + 0.3, size / 2 + 0.2]), face)


def as_frame(bgr: np.ndarray) -> Frame:
    return changed(Frame(0, 0.0, bgr, bgr[..., 0]), bgr)


class Still:
    """Tracks a face in a picture anew."""

    def __init__(self) -> None:
        self._stages = build_stages(choose_pack("openface"), OPTIONS, pictures=True)

    def points(self, frame: Frame, *, biased: bool = False) -> np.ndarray | None:
        """Landmarks (68, 2), if a face is found; ``biased`` as the tracker gives them."""
        faces = [face.landmarks for face in self._stages.tracker.track(frame) if face.landmarks.valid]
        if faces and not biased:
            return unbiased_in_picture(self._stages.refit, frame, faces[0]).points
        return faces[0].points if faces else None

    def flipped_points(self, frame: Frame) -> np.ndarray | None:
        """The same, found in the flipped picture, as the tracker gives it."""
        points = self.points(changed(frame, frame.bgr[:, ::-1]), biased=True)
        return None if points is None else mirror_landmarks(points, frame.size[0] - 1)


def flat(points: np.ndarray, through: np.ndarray, down: np.ndarray) -> Midplane:
    """Mirroring in the image across a line, as a plane that knows no depth."""
    down = down / np.linalg.norm(down)
    rotation = np.eye(3)
    rotation[:2, 0], rotation[:2, 1] = (down[1], -down[0]), down
    face = np.zeros((68, 3))
    face[:, :2] = (points - through) @ rotation[:2, :2]
    return Midplane(1.0, rotation, through.astype(np.float64), face)


def published(points: np.ndarray) -> Midplane:
    through = points[[21, 22]].mean(axis=0)
    return flat(points, through, points[8] - through)


def projected(points: np.ndarray) -> Midplane:
    plane = FINDER.find(points)
    depth = plane.face[[36, 39, 42, 45], 2].mean()
    top, bottom = plane.project(np.array([[0, plane.face[27, 1], depth], [0, plane.face[33, 1], depth]]))
    return flat(points, top, bottom - top)


def own_pose(frame: Frame, plane: Midplane) -> np.ndarray:
    """Raw intensities of composites seen as the face is seen, turned as it is, instead of from ahead."""
    return np.stack([score(turned_composite(frame, plane, side)) for side in (0, 1)])


def turned_composite(frame: Frame, plane: Midplane, side: int) -> Appearance:
    face = one_sided(plane.face, side)
    points = plane.project(face).astype(np.float32)
    global_params, local_params = MAKER._pdm.fit_to_points(points)
    matrix, spans = ALIGNER.place(points, global_params[4], global_params[5])
    wanted = (spans[:, :-1].cumsum(axis=1) > 0).astype(np.uint8)
    lift = LIFT_PX / (np.hypot(*matrix[0, :2]) * plane.scale * np.cos(plane.nod_rad))
    halves = MESH.vertices(composite._halves(face), lift)
    origins = plane.project(halves[side] * composite._OUTWARDS[side])
    out = np.zeros((112, 112, 3), np.uint8)
    flat_frame = np.ascontiguousarray(frame.bgr).reshape(-1)
    for half in (0, 1) if plane.yaw_rad >= 0 else (1, 0):
        corners = plane.project(halves[half] * composite._OUTWARDS[half]) @ matrix[:, :2].T + matrix[:, 2]
        kernels.draw(corners, origins, MESH.fine, flat_frame, *frame.bgr.shape[:2], wanted, out)
    return Appearance(
        AlignedFace(out, matrix.copy()), FhogExtractor().describe(out), global_params, local_params, good=True
    )


METHODS = {
    "plane, seen from ahead": lambda frame, points: read(frame, FINDER.find(points)),
    "plane, seen as turned": lambda frame, points: own_pose(frame, FINDER.find(points)),
    "line where the plane is": lambda frame, points: read(frame, projected(points)),
    "published line": lambda frame, points: read(frame, published(points)),
}


def symmetric(faces: list[Tracked], depth: float, yaws, size: int = 480):
    """Faces made of one side and its mirror image, turned; ``depth`` stretches them from front to back."""
    for number, face in enumerate(faces):
        texture = FINDER.find(face.landmarks.points)
        side = number % 2
        shape = one_sided(texture.face, side)
        for yaw in yaws:
            plane = placed(shape * (1, 1, depth), texture.nod_rad, np.radians(yaw), size)
            picture, _ = draw(plane, texture, face.frame.bgr, side, size)
            yield number, yaw, as_frame(picture), plane.project(plane.face).astype(np.float32)


def turned(media: Path) -> None:
    """Left - right of symmetric faces by yaw; raw points, landmarks exact and tracked anew."""
    faces = [
        kept[i]
        for n, e, _ in VIDEOS
        for kept in (tracked(media / f"{n}{e}", 121),)
        for i in range(0, 121, 20)
    ]
    still, yaws = Still(), (0, -5, 5, -10, 10, -15, 15)
    print(
        "| depth | yaw | method | left - right | worst unit | a side, against yaw 0 | lengths, left - right, mm |"  # noqa: E501
    )
    print("|---|---|---|---|---|---|---|")
    for depth in (1.0, 1.15):
        found: dict[tuple[int, str], list[np.ndarray]] = {}
        moved: dict[tuple[int, str], list[float]] = {}
        straight: dict[tuple[int, str], np.ndarray] = {}
        lengths: dict[tuple[int, str], list[float]] = {}
        floor: dict[int, list[np.ndarray]] = {}
        for number, yaw, frame, points in symmetric(faces, depth, yaws):
            methods = {name: (method, points) for name, method in METHODS.items()}
            again, biased = still.points(frame), still.points(frame, biased=True)
            if again is not None and biased is not None:
                methods["plane, tracked anew"] = METHODS["plane, seen from ahead"], again
                methods["plane, tracked anew, with bias"] = METHODS["plane, seen from ahead"], biased
                methods["published line, tracked anew"] = METHODS["published line"], biased
            twice = still.flipped_points(frame)
            if biased is not None and twice is not None:
                # The tracker's own error: the same picture followed as it is and flipped.
                gaps = [np.subtract(*read(frame, FINDER.find(marks))) for marks in (biased, twice)]
                floor.setdefault(abs(yaw), []).append(np.abs(np.subtract(*gaps)))
            for name, (method, marks) in methods.items():
                sides = method(frame, marks)
                if name.startswith("plane"):
                    lengths.setdefault((abs(yaw), name), []).append(uneven(marks))
                if yaw == 0:
                    straight[number, name] = sides
                found.setdefault((abs(yaw), name), []).append(np.abs(sides[0] - sides[1]))
                if (number, name) in straight:
                    moved.setdefault((abs(yaw), name), []).append(
                        np.abs(sides - straight[number, name]).mean()
                    )
        for yaw, values in sorted(floor.items()):
            print(f"| {depth} | {yaw}° | tracked twice, once flipped | {mean_and_error(values)} |")
        for (yaw, name), values in sorted(found.items()):
            units = np.mean(values, axis=0)
            print(
                f"| {depth} | {yaw}° | {name} | {mean_and_error(values)} | {INTENSITY_NAMES[units.argmax()]} {units.max():.2f} "  # noqa: E501
                f"| {np.mean(moved[yaw, name]):.3f} | "
                + (f"{np.mean(lengths[yaw, name]):.2f} |" if (yaw, name) in lengths else "|"),
                flush=True,
            )


def mean_and_error(values: list[np.ndarray]) -> str:
    """Mean over faces and units, and its standard error from face to face."""
    faces = np.mean(values, axis=1)
    return f"{faces.mean():.3f} ± {faces.std(ddof=1) / np.sqrt(len(faces)):.3f}"


def uneven(points: np.ndarray) -> float:
    """Mean |left - right| of all lengths, mm of the shape model; the middle of an eye stands for its iris."""
    face = FINDER.find(points).face[None, :, :2]
    eyes = np.stack([face[0, 42:48].mean(axis=0), face[0, 36:42].mean(axis=0)])[None]
    values = side_measures(face, eyes)
    return float(np.mean([abs(np.subtract(*values[m.name])[0]) for m in SIDE_MEASURES if m.unit == "mm"]))


PAIRS_OF_FRAMES = 7
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def hybrids(media: Path) -> None:
    """Faces whose left half is at rest and whose right half moves by a known share: means of pairs."""
    print(
        "| video | unit | whole action | side that moves, at 0, 25, 50, 75, 100 % (exact landmarks) | at-rest side | tracked anew: moves | at rest |"  # noqa: E501
    )
    print("|---|---|---|---|---|---|---|")
    still, errors, rising = Still(), [], []
    for name, ending, count in VIDEOS:
        kept = tracked(media / f"{name}{ending}", count)
        values = np.array([face.intensity for face in kept])
        for unit in most_moving(values):
            pairs = [course(kept[i], kept[j], unit, still) for i, j in rest_and_action(values[:, unit])]
            whole, exact, again = (np.nanmean(part, axis=0) for part in zip(*pairs, strict=True))
            errors += [part[1][-1, 1] - part[0] for part in pairs]
            if abs(whole) >= 0.5:
                rising.append(bool((np.diff(exact[:, 1]) * np.sign(whole) > 0).all()))
            still_side = [np.nanmax(np.abs(values[:, 0])) for values in (exact, again)]
            print(
                f"| {name} | {INTENSITY_NAMES[unit]} | {whole:.2f} | {steps(exact[:, 1])} | "
                f"{still_side[0]:.2f} | {steps(again[:, 1])} | {still_side[1]:.2f} |",
                flush=True,
            )
    print(
        f"\nof actions of 0.5 points or more, {sum(rising)} of {len(rising)} go one way at every step; the "
        f"whole action of a pair is read with a mean error of {np.abs(errors).mean():.2f}, signed "
        f"{np.mean(errors):.2f}"
    )


def real_steps(media: Path) -> None:
    """The same with real frames between rest and action, in place of mixed skin; exact landmarks."""
    print(
        "| video | unit | the frames' own side, at 0, 25, 50, 75, 100 % | in the hybrid face | at-rest side | tracked anew: moves | at rest |"  # noqa: E501
    )
    print("|---|---|---|---|---|---|---|")
    still, errors, rising = Still(), [], []
    for name, ending, count in VIDEOS:
        kept = tracked(media / f"{name}{ending}", count)
        values = np.array([face.intensity for face in kept])
        planes = [FINDER.find(face.landmarks.points) for face in kept]
        own = np.array([read(face.frame, plane)[1] for face, plane in zip(kept, planes, strict=True)])
        for unit in most_moving(values):
            found = []
            for rest, action in rest_and_action(values[:, unit]):
                first, last = own[rest, unit], own[action, unit]
                wanted = [first + share * (last - first) for share in SHARES]
                between = [int(np.abs(own[:, unit] - value).argmin()) for value in wanted[1:-1]]
                frames = [rest, *between, action]
                found.append((own[frames, unit] - first, *stairs(kept, planes, frames, unit, still)))
            truth, exact, again = (np.nanmean(part, axis=0) for part in zip(*found, strict=True))
            errors += [part[1][1:, 1] - part[0][1:] for part in found]
            if abs(truth[-1]) >= 0.5:
                rising.append(bool((np.diff(exact[:, 1]) * np.sign(truth[-1]) > 0).all()))
            aside = [np.nanmax(np.abs(part[:, 0])) for part in (exact, again)]
            print(
                f"| {name} | {INTENSITY_NAMES[unit]} | {steps(truth)} | {steps(exact[:, 1])} | "
                f"{aside[0]:.2f} | {steps(again[:, 1])} | {aside[1]:.2f} |",
                flush=True,
            )
    gaps = np.array(errors)
    print(
        f"\nof actions of 0.5 points or more, {sum(rising)} of {len(rising)} go one way at every step; error at 25, "  # noqa: E501
        f"50, 75, 100 %: mean {steps(np.abs(gaps).mean(axis=0))}, signed {steps(gaps.mean(axis=0))}"
    )


def stairs(
    kept: list[Tracked], planes: list[Midplane], frames: list[int], unit: int, still: Still
) -> tuple[np.ndarray, np.ndarray]:
    """Both sides (5, 2) from rest where the right half is that of each frame; exact and tracked anew."""
    rest = frames[0]
    pictures = [
        hybrid(kept[rest], kept[frame], [planes[rest], planes[frame]], float(frame != rest))
        for frame in frames
    ]
    return from_rest(pictures, unit, still)


def from_rest(pictures: list, unit: int, still: Still) -> tuple[np.ndarray, np.ndarray]:
    """A unit of both sides (n, 2) against the first of n pictures, landmarks exact and tracked anew."""
    exact, again = [], []
    for frame, points in pictures:
        exact.append(read(frame, FINDER.find(points))[:, unit])
        marks = still.points(frame)
        again.append(read(frame, FINDER.find(marks))[:, unit] if marks is not None else [np.nan] * 2)
    return np.subtract(exact, exact[0]), np.subtract(again, again[0])


def most_moving(values: np.ndarray) -> np.ndarray:
    """The four units that move most in a video."""
    return np.argsort(-(np.percentile(values, 98, axis=0) - np.percentile(values, 10, axis=0)))[:4]


def rest_and_action(values: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of frames where a unit is at rest and where it is strongest."""
    order = np.argsort(values)
    at_rest = order[len(order) // 20 :][:PAIRS_OF_FRAMES]
    return list(zip(at_rest, order[::-1][:PAIRS_OF_FRAMES], strict=True))


def steps(values: np.ndarray) -> str:
    return " ".join(f"{value:.2f}" for value in values)


def course(rest: Tracked, action: Tracked, unit: int, still: Still) -> tuple[float, np.ndarray, np.ndarray]:
    """The action as its own frames have it; both sides (5, 2) from rest, landmarks exact and tracked anew."""
    planes = [FINDER.find(face.landmarks.points) for face in (rest, action)]
    alone = [read(face.frame, plane)[1, unit] for face, plane in zip((rest, action), planes, strict=True)]
    pictures = [hybrid(rest, action, planes, share) for share in SHARES]
    return alone[1] - alone[0], *from_rest(pictures, unit, still)


def hybrid(rest: Tracked, action: Tracked, planes: list[Midplane], share: float, size: int = 480):
    """A frame with the left half at rest and the right half moved by a share, and its exact landmarks."""
    calm, moved = (one_sided(plane.face, side) for plane, side in ((planes[0], 0), (planes[1], 1)))
    still = one_sided(planes[0].face, 1)
    # Both faces have one size and place: by the eye corners and the nose.
    moved = onto(moved, still)
    right = still + share * (moved - still)
    nod = planes[0].nod_rad
    pictures = []
    for shape, texture, source, side in (
        (calm, planes[0], rest, 0),
        (right, planes[1 if share > 0 else 0], action if share > 0 else rest, 1),
    ):
        pictures.append(draw(placed(shape, nod, 0.0, size), texture, source.frame.bgr, side, size, cut=True))
    if 0 < share < 1:
        # Skin between rest and action.
        plane = placed(right, nod, 0.0, size)
        quiet, inside = draw(plane, planes[0], rest.frame.bgr, 1, size, cut=True)
        loud = pictures[1][0]
        mixed = np.rint(quiet * (1 - share) + loud * share).astype(np.uint8)
        pictures[1] = mixed, inside
    picture = np.where(pictures[0][1][..., None], pictures[0][0], pictures[1][0])
    left = placed(calm, nod, 0.0, size).project(calm)
    points = placed(right, nod, 0.0, size).project(right)
    keep = calm[:, 0] > 0.5
    middle = np.abs(calm[:, 0]) <= 0.5
    points[keep], points[middle] = left[keep], (points[middle] + left[middle]) / 2
    return as_frame(picture), points.astype(np.float32)


def onto(face: np.ndarray, other: np.ndarray) -> np.ndarray:
    """A face (68, 3) scaled and shifted so that its stable landmarks lie nearest to another's."""
    a, b = face[list(STABLE)], other[list(STABLE)]
    a0, b0 = a.mean(axis=0), b.mean(axis=0)
    a0[0] = b0[0] = 0.0
    scale = ((b - b0) * (a - a0)).sum() / ((a - a0) ** 2).sum()
    return (face - a0) * scale + b0


def choices(media: Path) -> None:
    """What smoothing of the plane, the weight of stable landmarks, and folded predictors would change."""
    flat_fold = Fold()
    print(
        "| video | choice | left - right | from frame to frame | nose from the plane, mm: mean, sd |\n|---|---|---|---|---|"  # noqa: E501
    )
    for name, ending, _ in VIDEOS:
        kept = tracked(media / f"{name}{ending}", 100)
        for weight in (1, 6, 20):
            finder = MidplaneFinder(RECORD.pdm, stable_weight=weight)
            planes = [finder.find(face.landmarks.points) for face in kept]
            for window in (1, 3, 5, 9) if weight == 6 else (1,):
                used = smoothed(planes, window)
                gap = np.array(
                    [np.subtract(*read(face.frame, plane)) for face, plane in zip(kept, used, strict=True)]
                )
                nose = np.array([plane.face[[27, 28, 29, 30, 33], 0].mean() for plane in used])
                print(
                    f"| {name} | stable landmarks x{weight}, window {window} | {np.abs(gap).mean():.3f} | "
                    f"{np.abs(np.diff(gap, axis=0)).mean():.3f} | {nose.mean():.2f}, {nose.std():.2f} |",
                    flush=True,
                )
        planes = [FINDER.find(face.landmarks.points) for face in kept]
        robust(name, kept[::10])
        base = np.array([read(face.frame, plane) for face, plane in zip(kept, planes, strict=True)])
        aside = np.array(
            [read(face.frame, moved(plane, 0.3)) for face, plane in zip(kept[::2], planes[::2], strict=True)]
        )
        gap = np.abs(
            np.subtract(*aside.transpose(1, 0, 2)) - np.subtract(*base[::2].transpose(1, 0, 2))
        ).mean()
        print(f"| {name} | plane moved by 0.3 mm: left - right changes by | {gap:.3f} | | |")
        folded = np.array(
            [flat_fold.read(face.frame, plane) for face, plane in zip(kept[::2], planes[::2], strict=True)]
        )
        centre = folded - base[::2]
        apart = np.abs(centre).mean(), np.abs(centre - np.median(centre, axis=0)).mean()
        print(
            f"| {name} | folded predictors instead of mirrored pictures | {apart[0]:.3f} raw, {apart[1]:.3f} without constants | | |",  # noqa: E501
            flush=True,
        )


def robust(name: str, kept: list[Tracked]) -> None:
    """How far the plane goes when parts of the face are drawn aside, and what it costs to leave them out."""
    whole = MidplaneFinder(RECORD.pdm)
    every = np.array([*range(68), *STABLE * 5], np.intp)
    whole._index, whole._subset = every, whole._model.subset(every)
    pulls = {
        "mouth 4 mm aside": (slice(48, 68), (4, 0)),
        "chin 4 mm aside": (slice(6, 11), (4, 0)),
        "one brow 5 mm down": (slice(17, 22), (0, 5)),
        "one commissure 5 mm up": (slice(54, 55), (0, -5)),
    }
    for how, finder in (("all landmarks", whole), ("without mouth and chin", FINDER)):
        cells = []
        for what, (which, shift) in pulls.items():
            away = []
            for face in kept:
                plane = finder.find(face.landmarks.points)
                drawn = plane.face.copy()
                drawn[which, :2] += shift
                other = finder.find(plane.project(drawn).astype(np.float32))
                turn = np.degrees(abs(other.yaw_rad - plane.yaw_rad))
                away.append((np.abs(other.face[27:31, 0] - plane.face[27:31, 0]).mean(), turn))
            mm, degrees = np.mean(away, axis=0)
            cells.append(f"{what}: {mm:.2f} mm, {degrees:.1f}°")
        print(f"| {name} | {how}: " + "; ".join(cells) + " | | | |", flush=True)


def moved(plane: Midplane, mm: float) -> Midplane:
    """The same face with the plane a little aside."""
    shift = plane.rotation[:2, 0] * plane.scale * mm
    return Midplane(plane.scale, plane.rotation, plane.translation + shift, plane.face - (mm, 0, 0))


def smoothed(planes: list[Midplane], window: int) -> list[Midplane]:
    """Rotations averaged over a centred window; the stable landmarks keep their distance from the plane."""
    result = []
    for at, plane in enumerate(planes):
        near = planes[max(0, at - window // 2) : at + window // 2 + 1]
        u, _, vt = np.linalg.svd(sum(one.rotation for one in near))
        rotation, depth = u @ vt, np.mean([one.face[:, 2] for one in near], axis=0)
        seen = plane.project(plane.face)

        def lay(translation, rotation=rotation, depth=depth, seen=seen, plane=plane):
            level = (seen - translation) / plane.scale - depth[:, None] * rotation[:2, 2]
            return np.column_stack((level @ np.linalg.inv(rotation[:2, :2]).T, depth))

        aside = lay(plane.translation)[list(STABLE), 0].mean() - plane.face[list(STABLE), 0].mean()
        translation = plane.translation + plane.scale * rotation[:2, 0] * aside
        result.append(Midplane(plane.scale, rotation, translation, lay(translation)))
    return result


class Fold:
    """Both sides from one descriptor, with the weights folded onto one half."""

    CHANNELS = (*range(9, -1, -1), *range(17, 9, -1), 18, *range(26, 18, -1), 29, 30, 27, 28)

    def __init__(self) -> None:
        entries = np.arange(4464).reshape(12, 12, 31)
        mirrored = entries[:, ::-1][:, :, list(self.CHANNELS)].reshape(-1)
        weights = PREDICTORS._weights
        folded = weights[:, :4464] + weights[:, :4464][:, mirrored]
        half = np.zeros((12, 12, 31), bool)
        half[:, 6:] = True
        self._halves = folded * half.reshape(-1), folded * ~half.reshape(-1)
        self._fhog = FhogExtractor()

    def read(self, frame: Frame, plane: Midplane) -> np.ndarray:
        """Raw intensities of both sides, (2, 17)."""
        made = [made.appearance for made in MAKER.make(frame, plane)]
        joined = made[1].aligned.bgr.copy()
        joined[:, 56:] = made[0].aligned.bgr[:, 56:]
        x = self._fhog.describe(joined).astype(np.float64)
        shape = [PREDICTORS._weights[:, 4464:] @ SHAPE.describe(one.local_params) for one in made]
        return np.stack(
            [PREDICTORS.scores(half @ x + part)[:17] for half, part in zip(self._halves, shape, strict=True)]
        )


PARTS = (choices, turned, hybrids, real_steps)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="+", choices=[part.__name__ for part in PARTS])
    parser.add_argument("--media", type=Path, required=True)
    given = parser.parse_args()
    for part in PARTS:
        if part.__name__ in given.parts:
            print(f"\n## {part.__name__}\n", flush=True)
            part(given.media)


if __name__ == "__main__":
    main()
