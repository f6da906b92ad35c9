"""How well the sides of a face are measured: the figures of docs/sides-methods.md.

    python benchmarks/sides.py PART --media FOLDER --reference FOLDER

PART is one of reference, procedures, flip, additivity, light, spread, cost. FOLDER of media holds the three
videos, that of references what the original program made of their composites, as ``NAME_left_mirrored.csv``
beside ``NAME_left_mirrored.mp4`` and so on. Needs OpenFace's models. ``sides_faces.py`` has the parts with
made faces: choices, turned, hybrids.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

import mien
from mien.action_units.catalogue import INTENSITY_NAMES
from mien.action_units.normalisation import normalise
from mien.datatypes import Frame
from mien.imaging.kernels import bgr_to_gray
from mien.options import AnalysisOptions
from mien.results.csv_reader import read_openface_csv
from mien.shape.mirror import SIDES, mirror_landmarks
from mien.sides.analysis import SidesAnalysis, SidesOptions
from mien.sides.measures import SIDE_MEASURES
from mien.sides.relative import pooled, series_of
from mien.sides.result import SidesResult
from mien.video.file import VideoFile

VIDEOS = (
    ("subj01_timepoint01", ".mp4", 158),
    ("2015-10-15-15-14", ".avi", 300),
    ("default", ".wmv", 288),
)
OPTIONS = AnalysisOptions(models="openface", landmarks="clnf", compat="openface", threads=1, skip=("gaze",))


class Changed:
    """A video's first frames, each changed before anything sees it."""

    def __init__(self, path: Path, count: int, change=None) -> None:
        self._video, self._count, self._change = VideoFile(path, compat="openface"), count, change
        self.info, self.lost = replace(self._video.info, frame_count=count), ""

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._video:
            if frame.index >= self._count:
                return
            yield frame if self._change is None else changed(frame, self._change(frame.bgr))

    def close(self) -> None:
        """Close the video."""
        self._video.close()

    def __enter__(self):
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def changed(frame: Frame, bgr: np.ndarray) -> Frame:
    bgr = np.ascontiguousarray(bgr)
    gray = np.empty(bgr.shape[:2], np.uint8)
    bgr_to_gray(bgr, gray)
    return Frame(frame.index, frame.time_s, bgr, gray)


def flipped(bgr: np.ndarray) -> np.ndarray:
    return bgr[:, ::-1]


def both(path: Path, count: int, change=None, watch=None, **how) -> SidesResult:
    with SidesAnalysis(Changed(path, count, change), OPTIONS, SidesOptions(**how), watch=watch) as analysis:
        for _ in analysis:
            pass
        return analysis.sides()


def agreement(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Mean absolute difference, correlation, and ICC(A,1) of two series."""
    good = np.isfinite(a) & np.isfinite(b)
    a, b = a[good], b[good]
    pair = np.stack([a, b])
    n, k = pair.shape[1], 2
    rows, columns = pair.mean(axis=0), pair.mean(axis=1)
    between = k * ((rows - pair.mean()) ** 2).sum() / (n - 1)
    raters = n * ((columns - pair.mean()) ** 2).sum() / (k - 1)
    error = ((pair - rows - columns[:, None] + pair.mean()) ** 2).sum() / ((n - 1) * (k - 1))
    below = between + (k - 1) * error + k * (raters - error) / n
    r = np.corrcoef(a, b)[0, 1] if min(a.std(), b.std()) > 0.02 else np.nan
    icc = (between - error) / below if below > 0 and min(a.std(), b.std()) > 0.02 else np.nan
    return float(np.abs(a - b).mean()), float(r), float(icc)


def reference(media: Path, folder: Path) -> None:
    """openface-like in memory, and the composites' files themselves, against the original program."""
    print("| video | side | of | mean abs. diff. | worst unit | mean r | least r | presence agrees |")
    print("|---|---|---|---|---|---|---|---|")
    for name, ending, count in VIDEOS:
        ours = both(media / f"{name}{ending}", count, procedure="openface-like", neutral="own")
        for side, word in enumerate(SIDES):
            table = read_openface_csv(folder / f"{name}_{word}_mirrored.csv")
            intensity = table.select([f"{unit}_r" for unit in INTENSITY_NAMES])
            presence = table.select([f"{unit}_c" for unit in mien_presence()])
            line(
                name, word, "frames in memory", ours.intensity[side], ours.presence[side], intensity, presence
            )
            whole = mien.analyze(folder / f"{name}_{word}_mirrored.mp4", OPTIONS)
            line(name, word, "the file", whole.au_intensity, whole.au_presence, intensity, presence)
        whole = mien.analyze(folder / f"{name}_flipped.mp4", OPTIONS)
        table = read_openface_csv(folder / f"{name}_flipped.csv")
        intensity = table.select([f"{unit}_r" for unit in INTENSITY_NAMES])
        presence = table.select([f"{unit}_c" for unit in mien_presence()])
        line(name, "flipped", "the file", whole.au_intensity, whole.au_presence, intensity, presence)


def mien_presence() -> tuple[str, ...]:
    from mien.action_units.catalogue import PRESENCE_NAMES

    return PRESENCE_NAMES


def line(name, word, of, intensity, presence, their_intensity, their_presence) -> None:
    units = [agreement(intensity[:, u], their_intensity[:, u]) for u in range(17)]
    mean, r = np.array([unit[0] for unit in units]), np.array([unit[1] for unit in units])
    agrees = (presence == their_presence).mean()
    print(
        f"| {name} | {word} | {of} | {mean.mean():.3f} | {INTENSITY_NAMES[mean.argmax()]} {mean.max():.3f} | "
        f"{np.nanmean(r):.3f} | {INTENSITY_NAMES[np.nanargmin(r)]} {np.nanmin(r):.3f} | {100 * agrees:.1f} % |"  # noqa: E501
    )


def procedures(media: Path, folder: Path) -> None:
    """Direct against openface-like, per action unit and by yaw; all with each side's own neutral face."""
    pairs = []
    for name, ending, count in VIDEOS:
        path = media / f"{name}{ending}"
        one = both(path, count, neutral="own")
        other = both(path, count, procedure="openface-like", neutral="own")
        pairs.append((one, other))
        d = np.abs(one.intensity - other.intensity)
        print(
            f"{name}: left {np.nanmean(d[0]):.3f}, right {np.nanmean(d[1]):.3f}, left - right "
            f"{np.nanmean(np.abs(difference(one) - difference(other))):.3f}"
        )
    print("\n| unit | left: diff., r, ICC | right | left - right |\n|---|---|---|---|")
    for unit, name in enumerate(INTENSITY_NAMES):
        cells = []
        for pick in (lambda r: r.intensity[0], lambda r: r.intensity[1], difference):
            a, b = (np.concatenate([pick(pair[k])[:, unit] for pair in pairs]) for k in (0, 1))
            cells.append("{:.2f}, {:.2f}, {:.2f}".format(*agreement(a, b)).replace("nan", "–"))
        print(f"| {name} | " + " | ".join(cells) + " |")
    print("\n| yaw | frames | left | right | left - right |\n|---|---|---|---|---|")
    yaw = np.degrees(np.abs(np.concatenate([pair[0].yaw_rad for pair in pairs])))
    for low, high in ((0, 2.5), (2.5, 5), (5, 10), (10, 15), (15, 40)):
        here = (yaw >= low) & (yaw < high)
        if here.sum() < 5:
            continue
        cells = [
            np.nanmean(np.abs(np.concatenate([pick(a) - pick(b) for a, b in pairs])[here]))
            for pick in (lambda r: r.intensity[0], lambda r: r.intensity[1], difference)
        ]
        print(f"| {low}–{high}° | {here.sum()} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |")
    print("\nBland-Altman of the ratio min/max of the sides (units where the stronger side has 0.5 or more):")
    ratios = [np.concatenate([ratio(pair[k]) for pair in pairs]) for k in (0, 1)]
    gap = ratios[0] - ratios[1]
    gap = gap[np.isfinite(gap)]
    print(
        f"n {len(gap)}, bias {gap.mean():.3f}, limits {gap.mean() - 1.96 * gap.std():.2f} to {gap.mean() + 1.96 * gap.std():.2f}"  # noqa: E501
    )


def difference(result: SidesResult) -> np.ndarray:
    return result.intensity[0] - result.intensity[1]


def ratio(result: SidesResult) -> np.ndarray:
    low, high = result.intensity.min(axis=0), result.intensity.max(axis=0)
    return np.where(high >= 0.5, low / np.maximum(high, 1e-9), np.nan).ravel()


class Exact:
    """Reads flipped frames with exactly flipped landmarks."""

    def __init__(self, record, predictors) -> None:
        from mien.sides.observer import DirectReader, direct_sketcher

        self.reader, self.sketch = DirectReader(record, predictors), direct_sketcher(record)

    def watch(self, frame, face, sketch, made) -> None:
        """Read a frame flipped."""
        turned = changed(frame, flipped(frame.bgr))
        if sketch is None:
            self.reader.read(turned, face, None)
            return
        used = sketch.midplane.project(sketch.midplane.face).astype(np.float32)  # without the tracker's bias
        marks = replace(face.landmarks, points=mirror_landmarks(used, frame.size[0] - 1))
        self.reader.read(turned, face, self.sketch(marks))


def flip(media: Path, folder: Path) -> None:
    """In a flipped video the sides must swap."""
    from mien.action_units.predictors import PredictorSet
    from mien.packs import choose_pack
    from mien.sides.analysis import read_record

    record = read_record(choose_pack("openface").folder, "dynamic")
    print("| video | exact landmarks | worst unit | tracked anew | worst unit | whole face, flipped |")
    print("|---|---|---|---|---|---|")
    for name, ending, count in VIDEOS:
        path = media / f"{name}{ending}"
        predictors = PredictorSet(record.predictors)
        exact = Exact(record, predictors)
        straight = both(path, count, watch=exact.watch)
        scores = exact.reader.scores()
        turned = series_of(scores, pooled(scores, predictors)).intensity[::-1]
        again = both(path, count, flipped)
        cells = []
        for other in (turned, again.intensity[::-1]):
            units = np.nanmean(np.abs(straight.intensity - other), axis=(0, 1))
            cells += [f"{units.mean():.4f}", f"{INTENSITY_NAMES[units.argmax()]} {units.max():.3f}"]
        whole = np.abs(straight.video.au_intensity - again.video.au_intensity).mean()
        print(f"| {name} | " + " | ".join(cells) + f" | {whole:.3f} |")
        worst = {
            m.name: np.nanmean(np.abs(straight.measures[m.name] - again.measures[m.name][::-1]))
            for m in SIDE_MEASURES
        }
        print("    measures, tracked anew: " + ", ".join(f"{k} {v:.2f}" for k, v in worst.items()))


class SeenAlike:
    """Reads the whole face both ways as composites are made: seen from ahead, in the composites' place."""

    def __init__(self, record, predictors) -> None:
        from mien.action_units.analyzer import ScoreKeeper
        from mien.appearance.fhog import FhogExtractor
        from mien.shape.model import PointDistributionModel
        from mien.sides.composite import CompositeMaker

        self.maker, self.fhog = CompositeMaker(record), FhogExtractor()
        self.pdm, self.keeper = PointDistributionModel(record.pdm), ScoreKeeper(record, predictors, 1)

    def watch(self, frame, face, sketch, made) -> None:
        """Read a frame; the halves of composites lie where they lie in the whole face."""
        if sketch is None:
            self.keeper.add(None)
            return
        left, right = (one.appearance for one in self.maker.make(frame, sketch.midplane))
        views = [(right.aligned.bgr, left.aligned.bgr), (left.aligned.bgr, right.aligned.bgr)]
        pictures = [np.concatenate((one[:, :56], other[:, 56:]), axis=1) for one, other in views]
        points = seen_from_ahead(sketch.midplane)
        params = [self.pdm.fit_to_points(marks)[1] for marks in (points, mirror_landmarks(points, 0))]
        fhog = np.mean([self.fhog.describe(picture) for picture in pictures], axis=0)
        self.keeper.add([replace(left, fhog=fhog, local_params=np.mean(params, axis=0))])

    def scores(self):
        """Scores of the whole face."""
        return self.keeper.scores()[0]


def seen_from_ahead(midplane) -> np.ndarray:
    """Landmarks (68, 2) of a face as it is, seen by a camera in its plane of symmetry."""
    from mien.sides.composite import _from_ahead

    return _from_ahead(midplane.face, midplane).astype(np.float32)


def additivity(media: Path, folder: Path) -> None:
    """The mean of the sides against the whole face: as mien analyze reads it, and seen as composites are."""
    from mien.action_units.predictors import PredictorSet
    from mien.packs import choose_pack
    from mien.sides.analysis import read_record

    record = read_record(choose_pack("openface").folder, "dynamic")
    kinds = ("in the table", "the sides' zero", "own neutral faces", "raw")
    print("| video | " + " | ".join((*kinds, *kinds[1:], "read one way")) + " |\n|---|" + "---|" * 8)
    for name, ending, count in VIDEOS:
        path = media / f"{name}{ending}"
        alike = SeenAlike(record, PredictorSet(record.predictors))
        with SidesAnalysis(Changed(path, count), OPTIONS, watch=alike.watch) as analysis:
            for _ in analysis:
                pass
            both_sides = analysis.scores_of_sides()
            baseline = pooled(both_sides, analysis.predictors)
        whole, one_way = (whole_face(path, count, both_ways=ways) for ways in (True, False))
        sides = series_of(both_sides, baseline).intensity.mean(axis=0)
        own = series_of(both_sides, None).intensity.mean(axis=0)
        sides_raw = sum(raw(side) for side in both_sides) / 2
        cells = [apart(sides, normalise(whole).intensity)]
        for other in (whole, alike.scores()):
            cells.append(apart(sides, normalise(other, baseline).intensity))
            cells.append(apart(own, normalise(other).intensity))
            cells.append(apart(sides_raw, raw(other)))
        print(f"| {name} | " + " | ".join([*cells, apart(sides, normalise(one_way).intensity)]) + " |")


def whole_face(path: Path, count: int, *, both_ways: bool):
    """Scores of the whole face as mien analyze reads it."""
    options = replace(OPTIONS, both_ways=both_ways, keep_scores=True)
    with mien.Analysis(Changed(path, count), options) as analysis:
        for _ in analysis:
            pass
        return analysis.scores().clip


def apart(one: np.ndarray, other: np.ndarray) -> str:
    """Mean difference over frames and units, and the unit where it is largest."""
    units = np.nanmean(np.abs(one - other), axis=0)
    return f"{units.mean():.3f} ({INTENSITY_NAMES[units.argmax()]} {units.max():.2f})"


def raw(clip) -> np.ndarray:
    values = clip.scores[:, :17] - np.median(clip.scores[:, :17], axis=0)
    return (values[:-2] + values[1:-1] + values[2:]) / 3


def light(media: Path, folder: Path) -> None:
    """One half of the picture darkened along the face's middle: how much left - right changes."""
    print("| video | darker by | left - right changes by | worst units | presence |\n|---|---|---|---|---|")
    for name, ending, count in VIDEOS:
        path = media / f"{name}{ending}"
        straight = both(path, count)
        middle = np.median(straight.video.landmarks[:, 27:31, 0], axis=1)
        for share in (0.1, 0.2, 0.3, 0.4):
            at = iter(range(count))

            def darken(bgr, share=share, at=at):
                x = np.arange(bgr.shape[1]) - middle[min(next(at), len(middle) - 1)]  # noqa: B023
                width = 0.02 * bgr.shape[1]
                weight = 1 - share / (1 + np.exp(-x / width))
                return np.rint(bgr * weight[None, :, None]).astype(np.uint8)

            dark = both(path, count, darken)
            units = np.nanmean(np.abs(difference(dark) - difference(straight)), axis=0)
            worst = ", ".join(f"{INTENSITY_NAMES[u]} {units[u]:.2f}" for u in np.argsort(-units)[:3])
            other = np.nanmean(dark.presence != straight.presence)
            print(f"| {name} | {100 * share:.0f} % | {units.mean():.3f} | {worst} | {100 * other:.1f} % |")


def spread(media: Path, folder: Path) -> None:
    """Left - right of healthy faces, 5 to 95 %: less may not be called asymmetric."""
    results = []
    for path, count in [(media / f"{n}{e}", c) for n, e, c in VIDEOS] + [
        (media / "0417_02_003_bill_clinton.avi", 330),
        (media / "clip2.mp4", 240),
    ]:
        if path.exists():
            results.append(both(path, count))
    print(f"{len(results)} videos, {sum(int(r.usable.sum()) for r in results)} usable frames\n")
    print("| unit or measure | left - right, 5 % | median | 95 % |\n|---|---|---|---|")
    rows = [(n, [difference(r)[r.usable, u] for r in results]) for u, n in enumerate(INTENSITY_NAMES)]
    rows += [
        (f"{m.name}, {m.unit}", [np.subtract(*r.measures[m.name])[r.usable] for r in results])
        for m in SIDE_MEASURES
    ]
    for name, values in rows:
        low, middle, high = np.nanpercentile(np.concatenate(values), (5, 50, 95))
        print(f"| {name} | {low:.2f} | {middle:.2f} | {high:.2f} |")


def cost(media: Path, folder: Path, rounds: int = 5) -> None:
    """Mien analyze and mien sides in turn, processor time and wall time per frame."""
    print(
        "| video | threads | analyze, ms | sides, ms | ratio, processor | ratio, wall | analyze --both-ways |\n|---|---|---|---|---|---|---|"  # noqa: E501
    )
    for name, ending, _ in VIDEOS:
        path = media / f"{name}{ending}"
        for threads in (1, 2):
            plain = replace(OPTIONS, threads=threads, skip=())
            kinds = {
                "analyze": lambda: mien.Analysis(path, replace(plain, end_s=9.9)),  # noqa: B023
                "sides": lambda: SidesAnalysis(path, replace(plain, end_s=9.9)),  # noqa: B023
                "both": lambda: mien.Analysis(path, replace(plain, end_s=9.9, both_ways=True)),  # noqa: B023
            }
            found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
            for turn in range(rounds + 1):
                for kind, make in kinds.items():
                    with make() as analysis:
                        begin, used = perf_counter(), processor_s()
                        frames = sum(1 for _ in analysis)
                        if turn:
                            found[kind].append(
                                (
                                    (processor_s() - used) / frames * 1e3,
                                    (perf_counter() - begin) / frames * 1e3,
                                )
                            )
            low = {kind: np.median(times, axis=0) for kind, times in found.items()}
            a, s, b = low["analyze"], low["sides"], low["both"]
            print(
                f"| {name} | {threads} | {a[0]:.2f} | {s[0]:.2f} | {s[0] / a[0]:.2f} | {s[1] / a[1]:.2f} | {b[0] / a[0]:.2f} |",  # noqa: E501
                flush=True,
            )


def processor_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


PARTS = (reference, procedures, flip, additivity, light, spread, cost)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="+", choices=[part.__name__ for part in PARTS])
    parser.add_argument("--media", type=Path, required=True)
    parser.add_argument("--reference", type=Path, required=True)
    given = parser.parse_args()
    for part in PARTS:
        if part.__name__ in given.parts:
            print(f"\n## {part.__name__}\n", flush=True)
            part(given.media, given.reference)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
