"""What approximations cost: distance to the exact run in pixels and units of action units, and time.

    python benchmarks/approximations.py VIDEO ... [--seconds S]

Needs OpenFace's models. Prints the table of docs/performance.md: iteration limits, motion prediction,
``--fast`` and ``--every N`` against the exact run of the same frames, and how often its fits converge.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections import Counter
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from machine import machine_block
from mien.analysis import open_source
from mien.landmarks.approximate_tracker import FAST, ApproximateTracker, Approximations
from mien.landmarks.options import FitOptions
from mien.models.packs import choose_pack
from mien.options import AnalysisOptions
from mien.packs import build_stages
from mien.pipeline import Pipeline
from mien.results import ResultBuilder, VideoResult
from mien.sparse import SparsePipeline

VARIANTS: dict[str, tuple[Approximations, FitOptions | None, int]] = {
    "exact": (Approximations(), None, 1),
    "4 iterations": (Approximations(iterations=4), None, 1),
    "3 iterations": (Approximations(iterations=3), None, 1),
    "2 iterations": (Approximations(iterations=2), None, 1),
    "1 iteration": (Approximations(iterations=1), None, 1),
    "20 iterations (main fit)": (Approximations(), FitOptions(iterations=20), 1),
    "motion prediction": (Approximations(predict_motion=True), None, 1),
    "--fast": (FAST, None, 1),
    "--every 2": (Approximations(), None, 2),
    "--every 3": (Approximations(), None, 3),
    "--every 5": (Approximations(), None, 5),
}


def run(video: Path, options: AnalysisOptions, name: str) -> tuple[VideoResult, float, Counter[int]]:
    """Result, processor time in ms per frame after the first, iterations of the main fit's calls."""
    approximations, fit, every = VARIANTS[name]
    pack = choose_pack("openface")
    converged: Counter[int] = Counter()
    with open_source(video, options) as source:
        stages = build_stages(pack, options, source.info)
        stages = dataclasses.replace(stages, tracker=approximate(stages.tracker, approximations, fit, pack))
        model: Any = stages.tracker.detector.model  # type: ignore[attr-defined]
        original = model.fit

        def watched(*arguments: Any) -> Any:
            result = original(*arguments)
            if arguments[2] == model.options.windows_tracking:
                for counts in result.iterations:
                    converged.update(counts)
            return result

        model.fit = watched
        pipeline: Any = Pipeline(stages)
        if every > 1:
            pipeline = SparsePipeline(pipeline, every)
        builder, begin = ResultBuilder(), 0.0
        for result in pipeline.run(source):
            begin = begin or process_time()
            builder.append(result)
        elapsed = process_time() - begin
        whole = builder.finish(pipeline.finish())
    return whole, 1e3 * elapsed / max(1, len(whole) - 1), converged


def approximate(exact: Any, what: Approximations, fit: FitOptions | None, pack: Any) -> ApproximateTracker:
    """The same models with an approximate tracker."""
    from mien.models.readers import read_landmark_model
    from mien.models.store import ModelStore

    record = read_landmark_model(ModelStore(pack.folder).locate("clnf").landmark_model)
    return ApproximateTracker(record, exact._detect, exact.detector._validate, what, options=fit)


def row(name: str, exact: VideoResult, other: VideoResult, ms: float, exact_ms: float) -> str:
    """One line of the table."""
    distances = np.hypot(*np.moveaxis(other.landmarks - exact.landmarks, -1, 0))
    for result in (exact, other):
        assert result.au_intensity is not None
        assert result.au_presence is not None
    intensity = np.abs(other.au_intensity - exact.au_intensity)
    moving = exact.au_intensity.std(axis=0) > 0.05
    r = [
        np.corrcoef(a, b)[0, 1]
        for a, b in zip(exact.au_intensity.T[moving], other.au_intensity.T[moving], strict=True)
    ]
    presence = 100 * float((exact.au_presence == other.au_presence).mean())
    success = 100 * float((exact.success == other.success).mean())
    cells = (
        name,
        f"{distances.mean():.3f} / {np.percentile(distances, 99):.2f}",
        f"{intensity.mean():.3f} / {intensity.max():.2f}",
        f"{np.nanmean(r):.4f}",
        f"{presence:.1f} %",
        f"{success:.1f} %",
        f"{ms:.2f}",
        f"{exact_ms / ms:.2f}",
    )
    return f"| {' | '.join(cells)} |"


def describe(iterations: Counter[int], limit: int) -> str:
    """How the calls of the main fit went."""
    calls = iterations.total()
    converged = sum(times for count, times in iterations.items() if count < limit)
    mean = sum(count * times for count, times in iterations.items()) / calls
    return f"{converged} of {calls} calls converged before {limit} iterations, {mean:.1f} on average"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float)
    arguments = parser.parse_args()
    print(machine_block())
    options = AnalysisOptions(models="openface", landmarks="clnf", threads=1, end_s=arguments.seconds)
    for video in arguments.videos:
        run(video, dataclasses.replace(options, end_s=0.2), "exact")
        exact, exact_ms, converged = run(video, options, "exact")
        print(f"\n{video.name}: {len(exact)} frames, one thread; main fit: {describe(converged, 5)}\n")
        print("| | landmarks, mean / 99 %, px | AU intensity, mean / max | r | presence | success ", end="")
        print("| ms per frame | speed-up |\n|---|---|---|---|---|---|---|---|")
        for name in VARIANTS:
            other, ms, met = run(video, options, name)
            print(row(name, exact, other, ms, exact_ms), flush=True)
            if "20" in name:
                notes = f"With a limit of 20: {describe(met, 20)}"
        print(f"\n{notes}")


if __name__ == "__main__":
    main()
