"""Memory and descriptors of a process that analyses one video after another, several at a time.

    python benchmarks/closed_analyses.py VIDEO [--rounds 10] [--threads 4] [--seconds S] [--models PACK]
                                         [--landmarks NAME] [--abandon]

Every round starts as many threads, each of which analyses the video and closes it; then everything should be
as before. With ``--abandon`` the analyses are left after ten frames and never closed.
"""

# ruff: noqa: E402
from __future__ import annotations

import argparse
import gc
import os
import sys
import threading
import time
from pathlib import Path

sys.modules.setdefault("scipy", None)  # As the command does; before Numba is imported.

import mien
from machine import machine_block


def resident_mb() -> float:
    """Resident memory now, and not its peak; NaN where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def descriptors() -> int:
    """Open descriptors; -1 where the system does not tell."""
    folder = next((folder for folder in ("/proc/self/fd", "/dev/fd") if os.path.isdir(folder)), None)
    return len(os.listdir(folder)) if folder else -1


def analyse(video: Path, options: mien.AnalysisOptions, *, abandon: bool) -> None:
    if not abandon:
        mien.analyze(video, options)
        return
    for number, _ in enumerate(mien.track(video, options)):
        if number == 10:
            break


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--seconds", type=float, help="of the video; all of it")
    parser.add_argument("--models")
    parser.add_argument("--landmarks")
    parser.add_argument("--abandon", action="store_true")
    arguments = parser.parse_args()
    options = mien.AnalysisOptions(
        models=arguments.models, landmarks=arguments.landmarks, end_s=arguments.seconds
    )
    print(machine_block())
    print(f"{'round':>6}{'resident, MB':>14}{'descriptors':>13}{'threads':>9}{'objects':>10}{'s':>7}")
    for number in range(1, arguments.rounds + 1):
        started = time.perf_counter()
        threads = [
            threading.Thread(
                target=analyse, args=(arguments.video, options), kwargs={"abandon": arguments.abandon}
            )
            for _ in range(arguments.threads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - started
        figures = (
            f"{resident_mb():14.0f}{descriptors():13}{threading.active_count():9}{len(gc.get_objects()):10}"
        )
        print(f"{number:6}{figures}{took:7.1f}", flush=True)


if __name__ == "__main__":
    main()
