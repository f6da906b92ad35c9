"""How fast a study is: one core against two, and Dask; what this machine allows; a call with nothing to do.

    python benchmarks/study.py VIDEO [--clips N] [--frames N] [--rounds N] [--files N] [--no-dask]

The study is so many clips of a video. Figures are of whole commands, from their start to the study's tables;
kinds take turns, and the median counts. "A worker" is what the log says of the analyses alone, without start
and end: slower beside another than alone means that the cores are not two (they share a clock, caches or
units). That is the ceiling of every program here, and is measured by two plain analyses and by two loops that
need no memory, each on a core of its own, against one of them alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from statistics import median

import av

from machine import machine_block

LOOP = """
import sys, time
import numpy as np
values = np.linspace(0, 1, 4096, dtype=np.float32)
print(flush=True)
sys.stdin.readline()
begin = time.perf_counter()
for _ in range(400_000):
    np.multiply(values, 0.999, out=values)
    np.add(values, 0.001, out=values)
print(time.perf_counter() - begin)
"""
INSTALLED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""So that the first call, which does not count, leaves the bytecode that an installed package has."""
KINDS = {"1 core": (1, ("--workers", "1")), "2 cores": (2, ("--workers", "2"))}


def cut(video: Path, clips: int, frames: int, folder: Path) -> None:
    """Clips of so many frames, one after the other, and again from the beginning where the video is short."""
    folder.mkdir()
    made = 0
    while made < clips:
        with av.open(str(video)) as container:
            pictures: list[av.VideoFrame] = []
            for picture in container.decode(video=0):
                pictures.append(picture)
                if len(pictures) == frames:
                    encode(folder / f"{made:04}.mp4", pictures)
                    pictures, made = [], made + 1
                    if made == clips:
                        return


def encode(path: Path, pictures: list[av.VideoFrame]) -> None:
    """Encode them at a high bit rate."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height = pictures[0].width, pictures[0].height
        stream.pix_fmt, stream.bit_rate = "yuv420p", 6_000_000
        for number, picture in enumerate(pictures):
            frame = picture.reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def run(folder: Path, out: Path, cores: int, *arguments: str) -> dict[str, float]:
    """One call: its time, that of all its processes, and the largest worker's memory."""
    cpus = sorted(os.sched_getaffinity(0))[:cores]
    begin = time.time()
    command = [sys.executable, "-m", "mien", "study", str(folder), "-o", str(out), "-q", *arguments]
    process = subprocess.Popen(command, env=INSTALLED, preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    # The system has counted all processes that it waited for: nobody need look at them while they work.
    _, status, usage = os.wait4(process.pid, 0)
    end = time.time()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    found = {"seconds": end - begin, "processor": usage.ru_utime + usage.ru_stime}
    return found | {"memory": usage.ru_maxrss * 1024 / 1e6} | of_recordings(out, begin, end)


def of_recordings(out: Path, begin: float, end: float) -> dict[str, float]:
    """Speed of one worker while it analyses, frames/s; time before the first recording and after the last, s.

    Both as the entries of recordings have it: a worker's files of its first count as start.
    """
    entries = list((out / ".mien-study" / "done").rglob("*.json"))
    outcomes = [json.loads(path.read_text("utf-8"))["outcome"] for path in entries]
    noted = [path.stat().st_mtime for path in entries]
    return {
        "worker": sum(each["frames"] for each in outcomes) / sum(each["seconds"] for each in outcomes),
        "start": min(at - each["seconds"] for at, each in zip(noted, outcomes, strict=True)) - begin,
        "end": end - max(noted),
    }


@contextmanager
def cluster(workers: int, folder: Path) -> Iterator[str]:
    """A scheduler and workers of one thread; gives the scheduler's file."""
    place = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    common = ["--scheduler-file", str(place), "--no-dashboard"]
    commands = [[*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *common]]
    commands += [[*dask, "worker", *common, "--nthreads", "1", "--no-nanny"]] * workers
    processes = []
    try:
        for command in commands:
            processes.append(subprocess.Popen(command, **quiet))
            while not place.exists():
                time.sleep(0.1)
        time.sleep(5)
        yield str(place)
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def throughput(study: Path, frames: int, rounds: int, work: Path, *, dask: bool) -> None:
    """Print frames per second, processor time and memory of every kind."""
    found: dict[str, list[dict[str, float]]] = {}
    with cluster(2, work) if dask else contextmanager(lambda: iter([""]))() as place:
        kinds = dict(KINDS) | ({"Dask, 2 workers": (2, ("--scheduler", place))} if dask else {})
        for number in range(rounds + 1):
            for kind, (cores, arguments) in kinds.items():
                out = work / "out"
                measured = run(study, out, cores, *arguments)
                shutil.rmtree(out)
                if number:  # the first warms caches up
                    found.setdefault(kind, []).append(measured)
    print(
        f"{'':16}{'s':>8}{'start':>8}{'end':>8}{'frames/s':>10}{'a worker':>10}"
        f"{'ms of processor/frame':>24}{'MB/worker':>11}"
    )
    for kind, every in found.items():
        middle = {name: median(each[name] for each in every) for name in every[0]}
        own = f"{1e3 * middle['processor'] / frames:.1f}" if "Dask" not in kind else "–"
        memory = f"{middle['memory']:.0f}" if "Dask" not in kind else "–"
        speeds = f"{frames / middle['seconds']:10.1f}{middle['worker']:10.1f}"
        times = f"{middle['seconds']:8.1f}{middle['start']:8.2f}{middle['end']:8.2f}"
        print(f"{kind:16}{times}{speeds}{own:>24}{memory:>11}")
    pairs = list(zip(found["1 core"], found["2 cores"], strict=True))
    print(f"two cores / one: {median(one['seconds'] / two['seconds'] for one, two in pairs):.2f}")
    for kind, every in found.items():
        share = median((each["start"] + each["end"]) / each["seconds"] for each in every)
        print(f"start and end of {kind}: {100 * share:.0f} % of its time")
    print(f"without start and end: {median(2 * two['worker'] / one['worker'] for one, two in pairs):.2f}")
    if dask:
        pairs = zip(found["2 cores"], found["Dask, 2 workers"], strict=True)
        print(f"Dask / two cores: {median(own['seconds'] / other['seconds'] for own, other in pairs):.2f}")


def ceiling(study: Path, rounds: int, work: Path) -> None:
    """Print how much two cores do here of what one does, at work that has nothing in common."""
    cpus = sorted(os.sched_getaffinity(0))[:2]
    clips = sorted(study.glob("*.mp4"))[:4]
    loops, analyses = list[float](), list[float]()
    for _ in range(rounds):
        loops.append(2 * max(looped(cpus[:1])) / max(looped(cpus)))
        analyses.append(2 * max(analysed(clips, cpus[:1], work)) / max(analysed(clips, cpus, work)))
    print(
        f"ceiling: two loops / one {median(loops):.2f}, two plain analyses / one {median(analyses):.2f} "
        f"(from {min(analyses):.2f} to {max(analyses):.2f})"
    )


def looped(cpus: list[int]) -> list[float]:
    """Seconds of a loop on each of these cores at the same time."""
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", LOOP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=partial(os.sched_setaffinity, 0, [cpu]),
        )
        for cpu in cpus
    ]
    for process in begun:
        process.stdout.readline()
    return [float(process.communicate("\n")[0]) for process in told(begun)]


def told(begun: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    """Let all go at the same moment."""
    for process in begun:
        process.stdin.write("\n")
        process.stdin.flush()
    return begun


def analysed(clips: list[Path], cpus: list[int], work: Path) -> list[float]:
    """Seconds of the same analyses on each of these cores at the same time."""
    begin = time.perf_counter()
    begun = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "mien",
                "analyze",
                *clips,
                "-o",
                f"{work / str(cpu)}/",
                "-q",
                "--threads",
                "1",
            ],
            env=INSTALLED,
            preexec_fn=partial(os.sched_setaffinity, 0, [cpu]),
        )
        for cpu in cpus
    ]
    seconds = []
    for process in begun:
        if process.wait():
            raise SystemExit("a plain analysis failed")
        seconds.append(time.perf_counter() - begin)
    return seconds


def nothing_to_do(video: Path, files: int, work: Path) -> None:
    """Print how long a call takes that finds everything done."""
    study = work / "many"
    cut(video, 1, 2, study)
    for number in range(1, files):
        shutil.copyfile(study / "0000.mp4", study / f"{number:04}.mp4")
    out = work / "out"
    first = run(study, out, 2)
    again = [run(study, out, 2)["seconds"] for _ in range(5)]
    print(f"{files} files of 2 frames: {first['seconds']:.1f} s; again, nothing to do: {median(again):.2f} s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--no-dask", action="store_true")
    given = parser.parse_args()
    print(machine_block())
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if given.rounds:
            cut(given.video, given.clips, given.frames, work / "study")
            print(
                f"{given.clips} clips of {given.frames} frames of {given.video.name}, {given.rounds} rounds"
            )
            ceiling(work / "study", given.rounds, work)
            throughput(work / "study", given.clips * given.frames, given.rounds, work, dask=not given.no_dask)
        if given.files:
            nothing_to_do(given.video, given.files, work)


if __name__ == "__main__":
    main()
