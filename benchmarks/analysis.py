"""Times the parts of the analysis of one frame: refit, alignment, FHOG, medians, predictors.

    python benchmarks/analysis.py [--entry main_dynamic_svms.txt --video FILE --landmarks full.npz]

Without arguments it draws a synthetic face and uses random predictors of the usual size (needs the
development requirements). With them it runs on a real video, with the landmarks of an archive (``landmarks``:
one row of x, then y, per frame).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from machine import machine_block
from mien.action_units.analyzer import ActionUnitAnalyzer
from mien.action_units.geometry import ShapeDescriptor
from mien.action_units.predictors import PredictorSet
from mien.action_units.running_median import RunningMedian
from mien.appearance.alignment import FaceAligner
from mien.appearance.extractor import AppearanceExtractor
from mien.appearance.fhog import FhogExtractor
from mien.datatypes import ActionUnits, FaceLandmarks, Frame, TrackedFace
from mien.models.readers.action_units import read_action_units
from mien.models.records import ActionUnitRecord
from mien.shape.model import PointDistributionModel

Sample = tuple[Frame, FaceLandmarks]


def _sample(index: int, bgr: np.ndarray, points: np.ndarray) -> Sample:
    blank = np.zeros((68, 3), np.float32), np.zeros(6, np.float32), np.zeros(34, np.float32)
    landmarks = FaceLandmarks(np.ascontiguousarray(points, np.float32), *blank, (), 1.0, True, True)
    return Frame(index, index / 30, np.ascontiguousarray(bgr), bgr[:, :, 0]), landmarks


def synthetic(count: int) -> tuple[ActionUnitRecord, list[Sample]]:
    """A drawn face that moves and turns a little."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from synthetic_face import Pose, landmarks, picture
    from synthetic_models import PREDICTORS, write_openface

    with tempfile.TemporaryDirectory() as folder:
        record = read_action_units(write_openface(Path(folder)) / PREDICTORS / "main_dynamic_svms.txt")
    samples = []
    for i in range(count):
        t = 2 * np.pi * i / count
        pose = Pose(1.6 + 0.1 * np.sin(3 * t), (0.05 * np.sin(5 * t), 0.1 * np.sin(t), 0.03 * np.cos(2 * t)))
        samples.append(_sample(i, picture(pose), landmarks(pose)))
    return record, samples


def recorded(arguments: argparse.Namespace) -> tuple[ActionUnitRecord, list[Sample]]:
    """A real video with known landmarks."""
    import av

    rows = np.load(arguments.landmarks)["landmarks"][: arguments.frames]
    with av.open(arguments.video) as container:
        pictures = [f.to_ndarray(format="bgr24") for f in islice(container.decode(video=0), len(rows))]
    samples = [
        _sample(i, bgr, row.reshape(2, 68).T)
        for i, (bgr, row) in enumerate(zip(pictures, rows, strict=False))
    ]
    return read_action_units(arguments.entry), samples


def timed(steps: Iterator[Callable[[], object]], warm_up: int) -> tuple[float, float]:
    """Median and mean milliseconds of a sequence of calls, without the first ones."""
    times = []
    for step in steps:
        start = perf_counter()
        step()
        times.append((perf_counter() - start) * 1e3)
    return median(times[warm_up:]), float(np.mean(times[warm_up:]))


def parts(record: ActionUnitRecord, samples: list[Sample], frames: int) -> Iterator[tuple[str, float, float]]:
    """Name, median and mean milliseconds per frame of each part."""
    pdm, aligner, fhog = (
        PointDistributionModel(record.pdm),
        FaceAligner(record.pdm, record.triangles),
        FhogExtractor(),
    )
    shape, predictors = ShapeDescriptor(record.pdm), PredictorSet(record.predictors)
    fitted = [pdm.fit_to_points(landmarks.points) for _, landmarks in samples]
    faces = [
        aligner.align(frame.bgr, landmarks.points, g[4], g[5]).bgr
        for (frame, landmarks), (g, _) in zip(samples, fitted, strict=True)
    ]
    descriptors = [fhog.describe(face).astype(np.float64) for face in faces]
    shapes = [shape.describe(local) for _, local in fitted]
    pairs = [np.tile(np.append(a, b), (2, 1)) for a, b in zip(descriptors, shapes, strict=True)]
    medians = (
        RunningMedian(fhog.length, -0.005, 1.0, 1000, 0.0),
        RunningMedian(shape.length, -60.0, 60.0, 10000),
    )

    def order() -> Iterator[int]:
        return islice(cycle(range(len(samples))), frames)

    def adapt(i: int) -> None:
        medians[0].update(descriptors[i], True)
        medians[1].update(shapes[i], True)

    analyzer = ActionUnitAnalyzer(record)
    extractor = AppearanceExtractor(record.pdm, record.triangles)

    def whole(i: int) -> ActionUnits:
        frame, landmarks = samples[i]
        return analyzer.analyze(TrackedFace(0, landmarks), extractor.extract(frame, landmarks))

    calls: dict[str, Callable[[int], object]] = {
        "refit": lambda i: pdm.fit_to_points(samples[i][1].points),
        "align, mask, warp": lambda i: aligner.align(
            samples[i][0].bgr, samples[i][1].points, *fitted[i][0][4:6]
        ),
        "FHOG": lambda i: fhog.describe(faces[i]),
        "geometry": lambda i: shape.describe(fitted[i][1]),
        "medians (every other frame)": adapt,
        "predictors, frame and neutral": lambda i: predictors.project(pairs[i]),
        "whole analysis": whole,
    }
    for name, call in calls.items():
        yield name, *timed((partial(call, i) for i in order()), warm_up=20)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entry", type=Path)
    parser.add_argument("--video", type=Path)
    parser.add_argument("--landmarks", type=Path)
    parser.add_argument("--frames", type=int, default=300)
    arguments = parser.parse_args()
    real = arguments.entry and arguments.video and arguments.landmarks
    record, samples = recorded(arguments) if real else synthetic(60)
    height, width = samples[0][0].bgr.shape[:2]
    print(machine_block())
    source = arguments.video if real else "synthetic"
    print(f"input      {source}, {width} x {height}, {arguments.frames} frames\n")
    print(f"{'ms per call':34}{'median':>8}{'mean':>8}")
    for name, middle, mean in parts(record, samples, arguments.frames):
        print(f"{name:34}{middle:8.3f}{mean:8.3f}")


if __name__ == "__main__":
    main()
