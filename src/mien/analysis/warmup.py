"""Compiles all kernels ahead of their first use, in two processes where the machine has two cores.

Numba compiles in one thread at a time, so a second process takes a share of the kernels of its own. Both
write to the same cache, from which every later run of `mien` loads them. Of several that are started at the
same time one does the work, and the others wait for it.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mien.data import PORTRAIT
from mien.datatypes import FaceResult, Frame, TrackedFace
from mien.errors import MienError
from mien.landmarks.detector import Detection
from mien.landmarks.tracker import FaceTracker
from mien.options import AnalysisOptions, available_cores
from mien.packs import Pack, build_stages, choose_pack
from mien.pipeline import Pipeline
from mien.results import ResultBuilder
from mien.runtime.compilation import compiling_alone, counting_compilations, is_warm, remember_warm
from mien.runtime.kernel_cache import kernel_folder
from mien.stages import Stages
from mien.video.known_motion import portrait_motion, render
from mien.video.source import frame_of

logger = logging.getLogger(__name__)

_SIZE = (640, 480)
_FRAMES = 4
_SMALL_BOX = np.array([300, 220, 40, 40], np.float32)
"""A face too small for its parts to be refined."""


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What was done.

    Attributes
    ----------
    seconds
        How long it took.
    compiled
        Kernels that this process compiled; those of a second process are not among them.
    processes
        Processes that compiled.
    """

    seconds: float
    compiled: int
    processes: int


def warm_up(pack: Pack, options: AnalysisOptions) -> WarmUp:
    """Compile what analyses of videos with these models need, or load it from the cache.

    Raises
    ------
    MienError
        The models are missing or damaged.
    """
    begin = time.perf_counter()
    known = is_warm(pack.name, options.landmarks)
    with compiling_alone(), counting_compilations() as compiled:
        if is_warm(pack.name, options.landmarks) and not known:
            return WarmUp(time.perf_counter() - begin, 0, 0)  # Another process has just done it.
        processes = _compile(pack, options)
        remember_warm(pack.name, options.landmarks)
    return WarmUp(time.perf_counter() - begin, compiled(), processes)


def _compile(pack: Pack, options: AnalysisOptions) -> int:
    """Compile what is not in the cache; gives the number of processes."""
    shares = _SHARES.get(pack.name, ())
    alone = is_warm(pack.name, options.landmarks) or kernel_folder() is None or available_cores() < 2
    helper = _start_helper(options) if len(shares) > 1 and not alone else None
    frames = portrait_frames()
    stages = build_stages(pack, options)
    if helper is not None:
        shares[0](stages, frames[0])
        _wait(helper)
    _analyze(stages, frames)
    return 1 if helper is None else 2


def portrait_frames() -> list[Frame]:
    """Some pictures of the portrait that comes with mien."""
    frames = []
    with Image.open(PORTRAIT) as portrait:
        pictures = render(portrait, portrait_motion(30), _SIZE)
        for index, rgb in enumerate(itertools.islice(pictures, _FRAMES)):
            frames.append(frame_of(np.ascontiguousarray(rgb[:, :, ::-1]), index, index / 30))
    return frames


def _analyze(stages: Stages, frames: list[Frame]) -> None:
    """Go the way of a short video, up to its table."""
    pipeline, builder = Pipeline(stages), ResultBuilder()
    results: list[FaceResult] = list(pipeline.run(frames))
    for result in results:
        builder.append(result)
    with tempfile.TemporaryDirectory() as folder:
        builder.finish(pipeline.finish()).save(Path(folder) / "table.csv")


def _fit_landmarks(stages: Stages, frame: Frame) -> None:
    """The first share of the kernels: responses and optimisation of the main model."""
    if isinstance(stages.tracker, FaceTracker):
        detector = stages.tracker.detector
        start = detector.pdm.from_box(_SMALL_BOX * 2)
        detector.model.fit(frame.gray, start, detector.options.windows_initial)


def _all_but_the_fit(stages: Stages, frame: Frame) -> None:
    """The other share: refits, validation, pose, gaze, appearance, medians, predictors."""
    tracker = stages.tracker
    if isinstance(tracker, FaceTracker):
        detector, camera = tracker.detector, stages.camera_for(*frame.size)
        params = detector.pdm.from_box(_SMALL_BOX)
        start = Detection(params, detector.pdm.points(params), (), 0.0, 1.0, True, 0)
        landmarks = detector.describe(detector.complete(frame.gray, start), True)
        landmarks = dataclasses.replace(landmarks, success=True, valid=True)
        pose, landmarks_3d = stages.pose.estimate(landmarks, camera)
        if stages.appearance is not None and stages.action_units is not None:
            for _ in range(2):
                appearance = stages.appearance.extract(frame, landmarks)
                stages.action_units.analyze(TrackedFace(0, landmarks), appearance)
            stages.action_units.finish()
        if stages.gaze is not None:
            stages.gaze.estimate(landmarks, landmarks_3d, pose, camera)


_SHARES: dict[str, tuple[Callable[[Stages, Frame], None], ...]] = {
    "openface": (_fit_landmarks, _all_but_the_fit),
}
"""Shares that have few kernels in common and take about the same time to compile."""


def _start_helper(options: AnalysisOptions) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "mien.analysis.warmup", json.dumps(dataclasses.asdict(options))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait(helper: subprocess.Popen[bytes]) -> None:
    """Wait for the second process; what it did not do is done in this one."""
    try:
        code = helper.wait()
    except BaseException:
        helper.kill()
        raise
    if code:
        logger.debug("the second process that compiles ended with code %d", code)


def _help(options: dict[str, Any]) -> None:
    """What the second process does."""
    chosen = AnalysisOptions.of(options)
    pack = choose_pack(chosen.models)
    _SHARES[pack.name][1](build_stages(pack, chosen), portrait_frames()[0])


if __name__ == "__main__":
    try:
        _help(json.loads(sys.argv[1]))
    except MienError as error:
        sys.exit(str(error))
