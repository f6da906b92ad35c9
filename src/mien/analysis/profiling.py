"""Where the time of an analysis goes: per stage, at the start, and in the landmarks' fit.

Two runs are measured. One goes through the stages one after the other, with every stage's verb wrapped by a
`Profiler`. The other is a process of its own that analyses the video as ``mien analyze`` does, with threads,
nothing wrapped but what its start needs; it gives frames per second, start-up and memory.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from mien.errors import MienError
from mien.options import AnalysisOptions
from mien.runtime.compilation import counting_compilations
from mien.runtime.memory import peak_memory_mb
from mien.runtime.own_process import leave_out_unneeded
from mien.runtime.profiler import Probe, Profiler, StageTime

HYPOTHESES = "first fit, all hypotheses"
PARTS = "parts"
_DETECTION = "detection"
_KERNEL_STAGE = "kernels"
_MAIN = "ConstrainedLocalModel.fit"

_SOURCE = (
    Probe("decoding", "mien.video.file", "VideoFile.__iter__", iterates=True),
    Probe("grey", "mien.imaging.kernels", "bgr_to_gray"),
)
PROBES: dict[str, tuple[Probe, ...]] = {
    "openface": (
        *_SOURCE,
        Probe("tracking, the rest", "mien.landmarks.tracker", "FaceTracker.track"),
        Probe(_DETECTION, "mien.detection.mtcnn", "MtcnnDetector.detect"),
        Probe(HYPOTHESES, "mien.landmarks.tracker", "landmarks_from_box", whole=True),
        Probe("main fit", "mien.landmarks.fitting", _MAIN),
        Probe(PARTS, "mien.landmarks.parts", "PartModel.fit", whole=True),
        Probe("validator", "mien.landmarks.validator", "LandmarkValidator.certainty"),
        Probe("pose", "mien.pose.head_pose", "HeadPoseEstimator.estimate"),
        Probe("gaze", "mien.gaze.eye_gaze", "GazeEstimator.estimate"),
        Probe("action units, the rest", "mien.action_units.analyzer", "ActionUnitAnalyzer.analyze"),
        Probe("alignment + FHOG", "mien.appearance.extractor", "AppearanceExtractor.extract"),
        Probe("medians", "mien.action_units.running_median", "RunningMedian.update"),
        Probe("predictors", "mien.action_units.predictors", "PredictorSet.project"),
        Probe("predictors", "mien.action_units.predictors", "PredictorSet.scores"),
    ),
    "open": (
        *_SOURCE,
        Probe("tracking, the rest", "mien.landmarks.mesh_tracker", "MeshTracker.track"),
        Probe(_DETECTION, "mien.detection.blazeface", "BlazeFace.detect"),
        Probe("mesh", "mien.landmarks.mesh", "MeshNetwork.read"),
        Probe("pose", "mien.pose.mesh_pose", "MeshPoseEstimator.estimate"),
        Probe("gaze", "mien.gaze.mesh_gaze", "MeshGazeEstimator.estimate"),
        Probe("action units, the rest", "mien.action_units.mesh_units", "MeshActionUnits.analyze"),
        Probe("blendshapes", "mien.action_units.blendshapes", "BlendshapeNetwork.read"),
    ),
}
"""By model pack; private names are avoided, so that only a renamed stage needs a change here."""

_ROWS = Probe("collecting rows", "mien.results.builder", "ResultBuilder.append")
_KERNELS = Probe(_KERNEL_STAGE, "numba.core.dispatcher", "Dispatcher.compile", whole=True)
"""Loading a kernel from the cache, or compiling it."""


@dataclass(slots=True)
class FitHealth:
    """How the main model's fits went, apart from the hypotheses of first fits.

    Attributes
    ----------
    limit
        Iterations that are allowed.
    iterations
        How often a call took so many, by (scale's place in the fit, "rigid" or "full").
    hypotheses
        Fits of first detections.
    failures
        Frames without success.
    """

    limit: int = 0
    iterations: dict[tuple[int, str], Counter[int]] = field(default_factory=dict)
    hypotheses: int = 0
    failures: int = 0

    def add(self, iterations: tuple[tuple[int, int], ...]) -> None:
        """Count one fit: iterations of the rigid and the full call of every scale."""
        for scale, counts in enumerate(iterations):
            for name, count in zip(("rigid", "full"), counts, strict=True):
                self.iterations.setdefault((scale, name), Counter())[count] += 1


@dataclass(frozen=True, slots=True)
class StageProfile:
    """The sequential run.

    Attributes
    ----------
    frames
        Frames measured; the first one of the video is not among them.
    seconds
        What they took.
    stages
        Their stages.
    table_s
        Post-processing and writing of the table.
    health
        How the fits went; nothing in it for models without a fit.
    pack, landmark_model
        What was used.
    width, height
        Of the frames, px.
    networks
        Device on which each network ran.
    """

    frames: int
    seconds: float
    stages: tuple[StageTime, ...]
    table_s: float
    health: FitHealth
    pack: str
    landmark_model: str
    width: int
    height: int
    networks: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunMeasurement:
    """The run in a process of its own; seconds.

    Attributes
    ----------
    interpreter, imports, models, kernels, detection, first_row
        Python's own start; importing packages; opening video and models; loading or compiling kernels and
        face detection, both until the first row; the rest until the first row.
    compiled
        Kernels that had to be compiled.
    total
        From the start of the process until the table was written.
    frames
        Rows written.
    peak_mb
        Peak memory, 1e6 bytes; None where the system does not tell.
    threads
        Threads used.
    """

    interpreter: float
    imports: float
    models: float
    kernels: float
    detection: float
    first_row: float
    compiled: int
    total: float
    frames: int
    peak_mb: float | None
    threads: int


def profile_stages(video: Path, options: AnalysisOptions) -> StageProfile:
    """Analyse a video frame by frame in one thread and measure every stage.

    Raises
    ------
    MienError
        The video or the models cannot be read.
    """
    from mien.analysis.videos import Analysis
    from mien.packs import choose_pack

    options = dataclasses.replace(options, threads=1)
    pack = choose_pack(options.models)
    profiler, health = Profiler(), FitHealth()
    probes, observers = (*PROBES[pack.name], _ROWS), _observers(pack.name, profiler, health)
    with profiler.watching(probes, observers), Analysis(video, options) as analysis:
        detector = getattr(analysis.stages.tracker, "detector", None)
        health.limit = detector.options.iterations if detector is not None else 0
        frames, begin = 0, 0.0
        for face in analysis:
            profiler.next_frame()
            frames += 1
            health.failures += not face.landmarks.success
            if frames == 1:
                profiler.forget()
                begin = time.perf_counter()
        seconds = time.perf_counter() - begin
        table_s = _write_table(analysis)
        stages, info = analysis.stages, analysis.info
    return StageProfile(
        frames=max(0, frames - 1),
        seconds=seconds,
        stages=tuple(profiler.times()),
        table_s=table_s,
        health=health,
        pack=stages.pack,
        landmark_model=stages.landmark_model,
        width=info.width,
        height=info.height,
        networks=stages.networks(),
    )


def _observers(pack: str, profiler: Profiler, health: FitHealth) -> dict[str, Callable[[Any], None]]:
    if pack != "openface":
        return {}

    def fitted(fit: Any) -> None:
        if profiler.inside(HYPOTHESES):
            health.hypotheses += not profiler.inside(PARTS)
        elif not profiler.inside(PARTS):
            health.add(fit.iterations)

    return {_MAIN: fitted}


def _write_table(analysis: Any) -> float:
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        analysis.result().save(Path(folder) / "table.csv")
    return time.perf_counter() - begin


def measure_run(video: Path, options: AnalysisOptions) -> RunMeasurement:
    """Analyse a video in a process of its own and measure its start, its speed and its memory.

    Raises
    ------
    MienError
        The process failed; the message is what it said.
    """
    arguments = {"video": str(video), "options": dataclasses.asdict(options), "began": time.time()}
    process = subprocess.run(
        [sys.executable, "-m", "mien.analysis.profiling", json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        said = process.stderr.strip().splitlines() or ["nothing"]
        raise MienError(f"the measured run failed with code {process.returncode}; it said: {said[-1]}")
    return RunMeasurement(**json.loads(process.stdout.splitlines()[-1]))


def _measured_run(video: str, options: dict[str, Any], began: float) -> RunMeasurement:
    """What the process of `measure_run` does."""
    marks = [began, time.time()]
    from mien.analysis.videos import Analysis
    from mien.packs import choose_pack
    from mien.results import VideoResult  # noqa: F401

    chosen = AnalysisOptions.of(options)
    pack = choose_pack(chosen.models)
    probes = [_KERNELS, *(probe for probe in PROBES[pack.name] if probe.stage == _DETECTION)]
    for probe in PROBES[pack.name]:
        probe.find()
    marks.append(time.time())
    start, frames = Profiler(), 0
    with tempfile.TemporaryDirectory() as folder, counting_compilations() as compiled:
        with start.watching(probes), Analysis(video, chosen) as analysis:
            marks.append(time.time())
            results = iter(analysis)
            frames += next(results, None) is not None
            marks.append(time.time())
            start.next_frame()
            frames += sum(1 for _ in results)
            analysis.result().save(Path(folder) / "table.csv")
        total = time.time() - began
    interpreter, imports, models, first = (b - a for a, b in pairwise(marks))
    spent = {stage.stage: 1e-3 * float(stage.frame_ms[0]) for stage in start.times()}
    return RunMeasurement(
        interpreter=interpreter,
        imports=imports,
        models=models,
        kernels=spent.get(_KERNEL_STAGE, 0.0),
        detection=spent.get(_DETECTION, 0.0),
        first_row=first - sum(spent.values()),
        compiled=compiled(),
        total=total,
        frames=frames,
        peak_mb=peak_memory_mb(),
        threads=chosen.threads_used,
    )


if __name__ == "__main__":
    leave_out_unneeded()  # as the command does
    sys.stdout.write(json.dumps(dataclasses.asdict(_measured_run(**json.loads(sys.argv[1])))) + "\n")
