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
from time import thread_time
from typing import Any

import numpy as np

from machine import machine_block
from mien.analysis.sparse import SparsePipeline
from mien.analysis.videos import open_source
from mien.landmarks.approximate_tracker import FAST, ApproximateTracker, Approximations
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.options import FitOptions
from mien.options import AnalysisOptions
from mien.packs import build_stages, choose_pack
from mien.pipeline import Pipeline
from mien.results import ResultBuilder, VideoResult

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


class Case:
    """One variant on its way through the video; ``iterations`` counts those of the main fit's calls."""

    def __init__(self, video: Path, options: AnalysisOptions, name: str) -> None:
        approximations, fit, every = VARIANTS[name]
        pack = choose_pack("openface")
        source = open_source(video, options)
        stages = build_stages(pack, options)
        stages = dataclasses.replace(stages, tracker=approximate(stages.tracker, approximations, fit, pack))
        self.name, self.iterations, self.times = name, Counter[int](), []
        self._watch(stages.tracker)
        self._pipeline: Any = Pipeline(stages)
        if every > 1:
            self._pipeline = SparsePipeline(self._pipeline, every)
        self._builder = ResultBuilder()
        self._results = self._pipeline.run(source)

    def _watch(self, tracker: Any) -> None:
        model = tracker.detector.model
        original = model.fit

        def watched(*arguments: Any) -> Any:
            result = original(*arguments)
            if arguments[2] == model.options.windows_tracking:
                for counts in result.iterations:
                    self.iterations.update(counts)
            return result

        model.fit = watched

    def advance(self) -> bool:
        """Take one more frame; False at the end."""
        begin = thread_time()
        result = next(self._results, None)
        self.times.append(1e3 * (thread_time() - begin))
        if result is not None:
            self._builder.append(result)
        return result is not None

    @property
    def ms(self) -> float:
        """Mean processor time per frame, without the first ones."""
        return float(np.mean(self.times[10:-1]))

    def finish(self) -> VideoResult:
        """All of it."""
        return self._builder.finish(self._pipeline.finish())


def approximate(exact: Any, what: Approximations, fit: FitOptions | None, pack: Any) -> ApproximateTracker:
    """The same models with an approximate tracker."""
    from mien.models.readers import read_landmark_model
    from mien.models.store import ModelStore

    record = read_landmark_model(ModelStore(pack.folder).locate("clnf").landmark_model)
    detector = LandmarkDetector(record, fit or FitOptions(), exact.detector._validate)
    return ApproximateTracker(detector, exact._detect, what)


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
        cases = [Case(video, options, name) for name in VARIANTS]
        # Frame by frame in turn, so that all meet the same moments of a machine that others use too.
        while all([case.advance() for case in cases]):  # noqa: C419 (all of them must advance)
            pass
        exact = cases[0].finish()
        print(f"\n{video.name}: {len(exact)} frames; main fit: {describe(cases[0].iterations, 5)}\n")
        print("| | landmarks, mean / 99 %, px | AU intensity, mean / max | r | presence | success ", end="")
        print("| ms per frame | speed-up |\n|---|---|---|---|---|---|---|---|")
        for case in cases:
            print(row(case.name, exact, case.finish(), case.ms, cases[0].ms), flush=True)
            if "20" in case.name:
                notes = describe(case.iterations, 20)
        print(f"\nWith a limit of 20: {notes}")


if __name__ == "__main__":
    main()
