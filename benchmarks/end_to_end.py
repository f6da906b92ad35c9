"""Times the whole command on whole videos, with one thread and two, beside the machine's speed just then.

    python benchmarks/end_to_end.py VIDEO ... [--score SCRIPT] [--rounds N] [--models PACK] [--landmarks NAME]
                                    [--store] [--compare FILE]

Runs ``mien analyze`` in processes of their own, all cases in turn, N times; a case counts with its median.
SCRIPT prints "machine score X ms", the time of a fixed workload: it is run before and after each case, and
milliseconds per frame divided by it can be compared between moments and machines of one kind. Without it,
compare nothing that was not measured together. Kernels are compiled before. ``--store`` writes
benchmarks/results/end_to_end.json; FILE, by default that one, is what the results are compared with.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median
from time import perf_counter

from machine import machine_block

STORED = Path(__file__).parent / "results" / "end_to_end.json"


def score_ms(script: Path | None) -> float | None:
    """The machine's speed at this moment."""
    if script is None:
        return None
    command = [sys.executable, str(script), "5"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"score ([0-9.]+) ms", output)
    if found is None:
        raise SystemExit(f"{script} printed no score: {output!r}")
    return float(found[1])


def analyze_s(video: Path, threads: int, options: list[str]) -> tuple[float, int]:
    """Seconds of the whole process, and rows of its table."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        command = [sys.executable, "-m", "mien.cli.main", "analyze", str(video), "-q", "-o", str(table)]
        begin = perf_counter()
        subprocess.run([*command, "--threads", str(threads), *options], check=True)
        elapsed = perf_counter() - begin
        with table.open() as lines:
            return elapsed, sum(1 for _ in lines) - 1


def measure(arguments: argparse.Namespace, options: list[str]) -> dict[str, dict[str, float]]:
    """Median ms per frame, and ms per score, of every case."""
    cases = [(video, threads) for video in arguments.videos for threads in (1, 2)]
    times, ratios = defaultdict(list), defaultdict(list)
    for _ in range(arguments.rounds):
        for video, threads in cases:
            before = score_ms(arguments.score)
            seconds, rows = analyze_s(video, threads, options)
            after = score_ms(arguments.score)
            name = f"{video.name}, {threads} thread{'s' if threads > 1 else ''}"
            times[name].append(1e3 * seconds / rows)
            if before and after:
                ratios[name].append(2e3 * seconds / rows / (before + after))
    return {
        name: {"ms": median(values)} | ({"scores": median(ratios[name])} if ratios[name] else {})
        for name, values in times.items()
    }


def show(results: dict[str, dict[str, float]], stored: dict[str, dict[str, float]]) -> None:
    print(f"{'whole process, per frame':44}{'ms':>8}{'frames/s':>10}{'scores':>9}{'stored':>9}{'change':>9}")
    for name, result in results.items():
        unit = "scores" if "scores" in result and "scores" in stored.get(name, {}) else "ms"
        before = stored.get(name, {}).get(unit)
        change = f"{before:9.3f}{100 * (result[unit] / before - 1):+8.1f}%" if before else ""
        score = f"{result['scores']:9.3f}" if "scores" in result else f"{'':9}"
        print(f"{name:44}{result['ms']:8.2f}{1e3 / result['ms']:10.1f}{score}{change}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--score", type=Path, help="script that prints the machine's score")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", default="openface")
    parser.add_argument("--landmarks", default="clnf")
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--compare", type=Path, default=STORED)
    arguments = parser.parse_args()
    options = ["--models", arguments.models]
    if arguments.models == "openface":
        options += ["--landmarks", arguments.landmarks]
    subprocess.run([sys.executable, "-m", "mien.cli.main", "warmup", *options], check=True)
    results = measure(arguments, options)
    print(machine_block() + "\n")
    stored = json.loads(arguments.compare.read_text()) if arguments.compare.exists() else {}
    show(results, stored.get("results", {}))
    if arguments.store:
        STORED.parent.mkdir(exist_ok=True)
        text = json.dumps({"machine": machine_block().splitlines(), "results": results}, indent=1)
        STORED.write_text(text + "\n")


if __name__ == "__main__":
    main()
