"""What the fit without grids (``--fit exact``) changes: stability, jitter, distance to the default.

    python benchmarks/exact_fit.py VIDEO ... [--landmarks clnf] [--starts 40] [--seconds S]

Needs OpenFace's models. Prints the tables of docs/exact-fit.md:

1. Two runs over the same frames, one of them started 0.01 px beside the other, and how far apart their
   landmarks are afterwards.
2. Landmarks and action units of a face that does not move: one frame repeated, and repeated with sensor
   noise; and of the video's stillest seconds.
3. The distance of whole tables made with and without grids.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from machine import machine_block
from mien.analysis.videos import open_source
from mien.datatypes import Frame
from mien.imaging.kernels import bgr_to_gray
from mien.landmarks.tracker import FaceTracker, TrackerState
from mien.options import FITS, AnalysisOptions
from mien.packs import build_stages, choose_pack
from mien.pipeline import Pipeline
from mien.results import ResultBuilder, VideoResult
from mien.shape.model import ShapeParameters
from mien.stages import Stages

AFTER = (0, 1, 3, 10, 50)
START_PX = 0.01
STILL_FRAMES = 150
NOISE_LEVELS = 2.0
REAL_STILL_FRAMES = 30
SETTLE = 10


def read(path: Path, seconds: float | None) -> list[Frame]:
    """All frames of a video."""
    with open_source(path, AnalysisOptions(end_s=seconds)) as source:
        return list(source)


def stages_for(fit: str, landmarks: str) -> Stages:
    """Stages for a video, ready to run."""
    options = AnalysisOptions(models="openface", landmarks=landmarks, fit=fit, threads=1)
    return build_stages(choose_pack("openface"), options)


def analysed(stages: Stages, frames: Sequence[Frame]) -> VideoResult:
    """The table of some frames; ``provenance`` holds the processor time per frame."""
    pipeline, builder = Pipeline(stages), ResultBuilder()
    begin = process_time()
    for face in pipeline.run(frames):
        builder.append(face)
    builder.provenance = {"ms": 1e3 * (process_time() - begin) / len(frames)}
    return builder.finish(pipeline.finish())


def shifted(state: TrackerState, angle: float) -> TrackerState:
    """The same state with the face shifted in the image."""
    params = state.detection.params
    glob = params.global_params.copy()
    glob[4] += START_PX * np.cos(angle)
    glob[5] += START_PX * np.sin(angle)
    moved = dataclasses.replace(state.detection, params=ShapeParameters(glob, params.local_params))
    return dataclasses.replace(state, detection=moved)


def contraction(tracker: FaceTracker, frames: Sequence[Frame], starts: int) -> NDArray[np.float64]:
    """(starts, len(AFTER), 2): mean and largest distance of 68 landmarks in px, after so many frames."""
    states = []
    tracker.reset()
    for frame in frames:
        tracker.follow(frame)
        states.append(tracker.state)
    rng = np.random.default_rng(5)
    good = [k for k in range(1, len(frames) - max(AFTER)) if states[k].detection.success]
    first = np.sort(rng.choice(good, min(starts, len(good)), replace=False))
    distances = np.full((len(first), len(AFTER), 2), START_PX)
    for row, k in enumerate(first):
        tracker.state = shifted(states[k], float(rng.uniform(0, 2 * np.pi)))
        for n in range(1, max(AFTER) + 1):
            points = tracker.follow(frames[k + n]).points
            if n in AFTER:
                apart = np.hypot(*(points - states[k + n].detection.points).T)
                distances[row, AFTER.index(n)] = apart.mean(), apart.max()
    return distances


def still(frame: Frame, noise: float) -> Iterator[Frame]:
    """One frame again and again, with normally distributed noise of every grey level and channel."""
    rng = np.random.default_rng(7)
    for index in range(STILL_FRAMES):
        bgr = frame.bgr
        if noise:
            noisy = bgr + rng.normal(0.0, noise, bgr.shape)
            bgr = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        gray = np.empty(bgr.shape[:2], np.uint8)
        bgr_to_gray(bgr, gray)
        yield Frame(index, index / 30, bgr, gray)


def jitter_row(name: str, fit: str, result: VideoResult) -> str:
    """How much a table changes from frame to frame, after the first ones."""
    assert result.au_intensity is not None
    points = result.landmarks[SETTLE:].astype(np.float64)
    step = np.hypot(*np.moveaxis(np.diff(points, axis=0), -1, 0))
    spread = np.sqrt(points.var(axis=0).sum(axis=-1))
    wobble = np.hypot(*np.moveaxis(points[1:-1] - (points[:-2] + points[2:]) / 2, -1, 0))
    units = np.abs(np.diff(result.au_intensity[SETTLE:], axis=0))
    cells = (
        name,
        fit,
        f"{step.mean():.4f}",
        f"{np.percentile(step, 99):.3f}",
        f"{spread.mean():.4f}",
        f"{wobble.mean():.4f}",
        f"{units.mean():.4f}",
        f"{units.max():.2f}",
    )
    return f"| {' | '.join(cells)} |"


def stillest(result: VideoResult) -> int:
    """First frame of the stretch in which the landmarks stay closest together."""
    windows = np.lib.stride_tricks.sliding_window_view(result.landmarks, REAL_STILL_FRAMES, axis=0)
    return int(windows.var(axis=-1).sum(axis=(1, 2)).argmin())


def distance_row(name: str, one: VideoResult, other: VideoResult) -> str:
    """How far two tables of the same frames are apart."""
    assert one.au_intensity is not None
    assert other.au_intensity is not None
    both = one.success & other.success
    apart = np.hypot(*np.moveaxis(one.landmarks[both] - other.landmarks[both], -1, 0))
    units = np.abs(one.au_intensity - other.au_intensity)
    moving = one.au_intensity.std(axis=0) > 0.05
    pairs = zip(one.au_intensity.T[moving], other.au_intensity.T[moving], strict=True)
    r = [np.corrcoef(a, b)[0, 1] for a, b in pairs]
    assert one.au_presence is not None
    cells = (
        name,
        f"{len(one)}",
        f"{100 * (one.success == other.success).mean():.1f} %",
        f"{apart.mean():.3f} / {np.percentile(apart, 99):.2f}",
        f"{units.mean():.3f} / {units.max():.2f}",
        f"{np.mean(r):.4f}",
        f"{100 * (one.au_presence == other.au_presence).mean():.2f} %",
        " / ".join(f"{result.provenance['ms']:.1f}" for result in (one, other)),
    )
    return f"| {' | '.join(cells)} |"


def short(value: float) -> str:
    """Two significant digits, at most a millionth."""
    return (
        "0"
        if value < 5e-7
        else np.format_float_positional(value, 2, unique=False, fractional=False, trim="-")
    )


def head(*titles: str) -> str:
    return f"\n| {' | '.join(titles)} |\n|{'---|' * len(titles)}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--landmarks", default="clnf")
    parser.add_argument("--starts", type=int, default=40)
    parser.add_argument("--seconds", type=float)
    arguments = parser.parse_args()
    print(f"{machine_block()}\nlandmarks  {arguments.landmarks}")
    apart, jitter, far = [], [], []
    for path in arguments.videos:
        frames = read(path, arguments.seconds)
        stages = {fit: stages_for(fit, arguments.landmarks) for fit in FITS}
        for fit in FITS:
            analysed(stages[fit], frames[:10])  # so that nothing is loaded while time is taken
        whole = {fit: analysed(stages[fit], frames) for fit in FITS}
        far.append(distance_row(path.name, *whole.values()))
        quiet = stillest(whole["openface"])
        real = slice(max(0, quiet - SETTLE), quiet + REAL_STILL_FRAMES)
        for fit in FITS:
            for name, noise in (("repeated", 0.0), ("repeated, noise", NOISE_LEVELS)):
                result = analysed(stages[fit], list(still(frames[quiet], noise)))
                jitter.append(jitter_row(f"{path.name}, {name}", fit, result))
            result = analysed(stages[fit], frames[real])
            jitter.append(jitter_row(f"{path.name}, stillest 30 frames", fit, result))
            tracker = stages[fit].tracker
            assert isinstance(tracker, FaceTracker)
            distances = contraction(tracker, frames, arguments.starts)
            cells = [
                f"{short(np.median(d[:, 0]))} / {short(np.percentile(d[:, 0], 95))} / {short(d[:, 1].max())}"
                for d in islice(distances.swapaxes(0, 1), 1, None)
            ]
            apart.append(f"| {path.name} | {fit} | {len(distances)} | {' | '.join(cells)} |")
    print(head("video", "fit", "starts", *(f"after {n}" for n in AFTER[1:])), *apart, sep="\n")
    titles = ("face", "fit", "step, mean", "99 %", "spread", "wobble", "AU step, mean", "largest")
    print(head(*titles), *jitter, sep="\n")
    titles = (
        "video",
        "frames",
        "success equal",
        "landmarks, mean / 99 %, px",
        "AU, mean / max",
        "r",
        "presence",
        "ms",
    )
    print(head(*titles), *far, sep="\n")


if __name__ == "__main__":
    main()
