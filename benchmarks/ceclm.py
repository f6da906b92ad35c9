"""Times CE-CLM with CEN files of the true sizes.

    python benchmarks/ceclm.py write FOLDER --openface .../LandmarkDetector/model [--stand-ins DIR]
    python benchmarks/ceclm.py layers FOLDER                 dense layers: this kernel against others
    python benchmarks/ceclm.py track FOLDER VIDEO ...        the tracker, frame by frame
    python benchmarks/ceclm.py run FOLDER VIDEO ...          `mien analyze`, whole runs; [--score SCRIPT]
    python benchmarks/ceclm.py share FOLDER VIDEO            memory of several processes

``write`` makes FOLDER a landmark model (some 430 MB, with links to the other model files); see
`ceclm_files`. Weights laid out for the kernels go to mien's cache; ``MIEN_CACHE`` moves it. ``run`` needs
OpenFace's other models where ``mien models status`` finds them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter, process_time, thread_time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from ceclm_files import WIDTHS, write_patch_experts
from end_to_end import score_ms
from machine import machine_block

MAIN = "main_ceclm_general.txt"
MAIN_TEXT = """\
LandmarkDetector cen_general.txt
LandmarkDetector_part model_eye/main_clnf_synth_left.txt left_eye_28 36 8 37 10 38 12 39 14 40 16 41 18
LandmarkDetector_part model_eye/main_clnf_synth_right.txt right_eye_28 42 8 43 10 44 12 45 14 46 16 47 18
DetectionValidator detection_validation/validator_cnn_68.txt
"""
_VALIDATED = "validated"


def write(folder: Path, openface: Path, stand_ins: Path | None) -> None:
    """Make FOLDER a landmark model whose CEN files are synthetic."""
    link_model(folder, openface)
    write_patch_experts(folder / "patch_experts", stand_ins)
    if stand_ins is not None:
        (folder / _VALIDATED).touch()


def link_model(folder: Path, openface: Path) -> Path:
    """Make FOLDER a CE-CLM model that lacks its patch experts; returns its main file."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in openface.iterdir():
        if entry.name not in ("patch_experts", MAIN):
            with suppress(FileExistsError):
                (folder / entry.name).symlink_to(entry.resolve())
    (folder / MAIN).write_text(MAIN_TEXT)
    return folder / MAIN


# --- dense layers -----------------------------------------------------------------------------------------


def interleaved_ms(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median milliseconds of this thread's processor time in each call.

    The calls take turns, so that the machine's moods hit all alike.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for round_ in range(repeats + 1):
        for name, call in calls.items():
            start = thread_time()
            call()
            if round_:
                times[name].append((thread_time() - start) * 1e3)
    return {name: median(values) for name, values in times.items()}


def layers(folder: Path, repeats: int) -> None:
    """Responses of a frontal face at each scale, by the kernels and by others, on one thread."""
    from mien.landmarks.cen import CenPatchExperts
    from mien.landmarks.cen_onnx import CenOnnxPatchExperts
    from mien.models.readers.cen import read_cen

    rng = np.random.default_rng(2)
    gray = rng.integers(0, 256, (480, 640)).astype(np.uint8)
    points = np.ascontiguousarray(rng.uniform([[200], [150]], [[400], [350]], (2, 68)), np.float32)
    similarity = np.array([0.3, 0.01, 3.3, -0.1], np.float32)
    print(f"{'scale, window':16}{'way':34}{'ms':>8}{'GMAC/s':>8}")
    for scale, window in (("0.35", 9), ("0.50", 7), ("0.25", 11), ("1.00", 5)):
        record = read_cen(folder / "patch_experts" / f"cen_patches_{scale}_of.dat")
        out = np.zeros((window * window, 68), np.float32)
        ways = {
            "own kernel": CenPatchExperts(record),
            "ONNX Runtime, batched MatMul": CenOnnxPatchExperts(record, device="cpu"),
        }
        calls: dict[str, Callable[[], object]] = {
            name: partial(experts.responses, gray, 0, points, similarity, window, out)
            for name, experts in ways.items()
        }
        calls |= _numpy_products(record, window, rng)
        macs = 68 * (window * window - 1) // 2 * _macs(WIDTHS[scale])
        for name, ms in interleaved_ms(calls, repeats).items():
            print(f"{f'{scale}, {window}':16}{name:34}{ms:8.2f}{macs / ms / 1e6:8.1f}")


def _macs(widths: tuple[int, ...]) -> int:
    return sum(a * b for a, b in zip((122, *widths), widths, strict=False))


def _numpy_products(record, window: int, rng: np.random.Generator) -> dict[str, Callable[[], object]]:
    """The products, biases and rectifiers alone: no windows, no sigmoids, no maps."""
    stored = [layers for layers in record.experts[0] if layers]
    weights = [np.stack([e[k].weight.T for e in stored]) for k in range(len(stored[0]))]
    biases = [np.stack([e[k].bias for e in stored])[:, None] for k in range(len(stored[0]))]
    evaluated = (window * window - 1) // 2
    single = sum(record.mirror_landmark[i] == i for i, e in enumerate(record.experts[0]) if e)
    columns = [evaluated] * single + [2 * evaluated] * (len(stored) - single)
    windows = rng.normal(0, 0.1, (len(stored), 2 * evaluated, 122)).astype(np.float32)

    def one_by_one() -> None:
        for e, count in enumerate(columns):
            x = windows[e, :count]
            for weight, bias in zip(weights, biases, strict=True):
                x = x @ weight[e]
                x += bias[e]
                np.maximum(x, 0, out=x)

    def batched() -> None:
        x = windows
        for weight, bias in zip(weights, biases, strict=True):
            x = np.matmul(x, weight)
            x += bias
            np.maximum(x, 0, out=x)

    return {"NumPy (OpenBLAS), one by one": one_by_one, "NumPy matmul, batched": batched}


# --- tracker ----------------------------------------------------------------------------------------------


def build_tracker(folder: Path, threads: int, device: str = "cpu"):
    """The tracker of the folder's model; without validation where its weights are random."""
    from mien.detection.mtcnn import MtcnnDetector
    from mien.landmarks.detector import LandmarkDetector
    from mien.landmarks.options import FitOptions
    from mien.landmarks.tracker import FaceTracker
    from mien.landmarks.validator import LandmarkValidator
    from mien.models.readers import read_landmark_model, read_mtcnn

    record = read_landmark_model(folder / MAIN)
    detect = MtcnnDetector(read_mtcnn(folder / "mtcnn_detector/MTCNN_detector.txt")).detect
    validate = LandmarkValidator(record.validator).certainty if (folder / _VALIDATED).exists() else None
    detector = LandmarkDetector(record, FitOptions(), validate, threads=threads, device=device)
    return FaceTracker(detector, detect)


def read_frames(video: Path) -> Iterator:
    import av

    from mien.datatypes import Frame
    from mien.imaging.kernels import bgr_to_gray

    with av.open(str(video)) as container:
        for index, picture in enumerate(container.decode(video=0)):
            bgr = np.ascontiguousarray(picture.to_ndarray(format="bgr24"))
            gray = np.empty(bgr.shape[:2], np.uint8)
            bgr_to_gray(bgr, gray)
            yield Frame(index, index / 30, bgr, gray)


def track(folder: Path, videos: list[Path], device: str, count: int) -> None:
    """Milliseconds per tracked frame, of it in responses, and processor time of all threads."""
    from mien.landmarks.cen import CenPatchExperts
    from mien.landmarks.cen_onnx import CenOnnxPatchExperts

    spent = [0.0]
    for kind in (CenPatchExperts, CenOnnxPatchExperts):
        kind.responses = _timed(kind.responses, spent)
    print(
        "ms per frame:",
        f"{'threads':>26}{'first':>8}{'median':>8}{'p95':>8}{'responses':>11}{'processor':>11}",
    )
    for video in videos:
        frames = list(islice(read_frames(video), count))
        for threads in (1, 2):
            tracker = build_tracker(folder, threads, device)
            track_all(tracker, frames, spent)  # Loads kernels and touches the weights.
            times, responses, processor = track_all(tracker, frames, spent)
            figures = f"{times[0]:8.1f}{median(times[1:]):8.1f}{np.percentile(times[1:], 95):8.1f}"
            print(
                f"{video.name:32}{threads:8}{figures}{median(responses[1:]):11.1f}{median(processor[1:]):11.1f}"
            )


def track_all(tracker, frames: list, spent: list[float]) -> tuple[list[float], list[float], list[float]]:
    """Track a video from its start; milliseconds per frame: wall, in responses, of processor time."""
    tracker.reset()
    times, responses, processor = [], [], []
    for frame in frames:
        spent[0] = 0.0
        start, start_processor = perf_counter(), process_time()
        tracker.track(frame)
        processor.append((process_time() - start_processor) * 1e3)
        times.append((perf_counter() - start) * 1e3)
        responses.append(spent[0] * 1e3)
    return times, responses, processor


def _timed(method: Callable[..., None], spent: list[float]) -> Callable[..., None]:
    def call(*arguments: object) -> None:
        start = perf_counter()
        method(*arguments)
        spent[0] += perf_counter() - start

    return call


# --- whole runs -------------------------------------------------------------------------------------------


def run(folder: Path, videos: list[Path], repeats: int, score: Path | None) -> None:
    """`mien analyze` as its users run it: with start-up, and the start-up alone (two frames).

    With a score, milliseconds per frame are also given in times of its fixed workload, measured before and
    after each run.
    """
    columns = f"{'processor ms/frame':>20}{'start s':>9}{'peak MB':>9}{'ms per frame / score':>22}"
    print(f"{'video':28}{'cores':>6}{'frames/s':>10}{columns}")
    for video in videos:
        frames = sum(1 for _ in read_frames(video))
        for cores in (1, 2):
            starts, runs, ratios = [], [], []
            for _ in range(repeats + 1):  # The first one warms the caches.
                starts.append(_analyse(folder, video, cores, ["--end", "0.05"]))
                before = score_ms(score)
                runs.append(_analyse(folder, video, cores, []))
                after = score_ms(score)
                if before and after:
                    ratios.append(2e3 * runs[-1][0] / frames / (before + after))
            wall, processor = (median(r[k] for r in runs[1:]) for k in (0, 1))
            start, peak = median(s[0] for s in starts[1:]), max(r[2] for r in runs[1:])
            figures = f"{frames / wall:10.1f}{1e3 * processor / frames:20.2f}{start:9.2f}{peak:9.0f}"
            ratio = f"{median(ratios[1:]):22.3f}" if ratios else ""
            print(f"{video.name:28}{cores:6}{figures}{ratio}", flush=True)


def _analyse(folder: Path, video: Path, cores: int, extra: list[str]) -> tuple[float, float, float]:
    """Seconds, seconds of processor time and peak memory (MB) of one run on so many cores."""
    output = folder / "benchmark.csv"
    command = [sys.executable, "-m", "mien.cli.main", "analyze", str(video), "--quiet", "-o", str(output)]
    command += ["--landmarks", str(folder / MAIN), "--threads", str(cores), *extra]
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    start = perf_counter()
    process = subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, allowed))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


# --- memory -----------------------------------------------------------------------------------------------


def share(folder: Path, video: Path, processes: int) -> None:
    """Memory of several processes that track the same video: each one's, and its share of what is shared."""
    command = [sys.executable, __file__, "hold", str(folder), str(video)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(processes)
    ]
    for process in running:
        process.stdout.readline()
    print(f"{'process':>8}{'resident MB':>13}{'share MB':>10}{'weights MB':>12}{'their share MB':>16}")
    for number, process in enumerate(running):
        whole, weights = _mapped(process.pid, ""), _mapped(process.pid, "/cen-")
        print(f"{number:8}{whole[0]:13.0f}{whole[1]:10.0f}{weights[0]:12.0f}{weights[1]:16.0f}")
    for process in running:
        process.communicate(b"\n")


def _mapped(pid: int, name: str) -> tuple[float, float]:
    """Resident and proportional megabytes of the mappings whose file's name contains ``name``."""
    resident = proportional = 0
    counted = False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        field, *values = line.split()
        if not field.endswith(":"):
            counted = name in " ".join(values[4:])
        elif counted and field in ("Rss:", "Pss:"):
            resident += int(values[0]) * (field == "Rss:")
            proportional += int(values[0]) * (field == "Pss:")
    return resident / 1024, proportional / 1024


def hold(folder: Path, video: Path) -> None:
    """Track some frames, say so, and wait."""
    tracker = build_tracker(folder, 1)
    for frame in islice(read_frames(video), 60):
        tracker.track(frame)
    print("ready", flush=True)
    sys.stdin.readline()


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=["write", "layers", "track", "run", "share", "hold"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("videos", type=Path, nargs="*")
    parser.add_argument("--openface", type=Path)
    parser.add_argument("--stand-ins", type=Path)
    parser.add_argument(
        "--score", type=Path, help="script that prints the machine's score, see end_to_end.py"
    )
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    if given.task == "hold":
        hold(given.folder, given.videos[0])
        return
    print(machine_block(), end="\n\n")
    if given.task == "write":
        write(given.folder, given.openface, given.stand_ins)
    elif given.task == "layers":
        layers(given.folder, given.repeats)
    elif given.task == "track":
        track(given.folder, given.videos, given.device, given.frames)
    elif given.task == "run":
        run(given.folder, given.videos, given.repeats, given.score)
    else:
        share(given.folder, given.videos[0], given.processes)


if __name__ == "__main__":
    main()
