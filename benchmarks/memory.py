"""Peak memory of a video, and of the same video shown again and again.

    python benchmarks/memory.py VIDEO [--minutes M] [--models PACK] [--landmarks NAME]

Each run is a process of its own that goes the whole way to the table. The repeated video is made by opening
the file again whenever it ends, with frame numbers and times going on. Without ``--minutes`` the second run
shows the video four times.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from machine import machine_block
from mien.analysis import open_source
from mien.datatypes import Frame
from mien.models.packs import choose_pack
from mien.options import AnalysisOptions
from mien.packs import build_stages
from mien.pipeline import Pipeline
from mien.results import ResultBuilder
from mien.runtime.memory import peak_memory_mb


def repeated(video: Path, options: AnalysisOptions, frames: int) -> Iterator[Frame]:
    """So many frames of a video that begins again when it ends."""
    count, before = 0, 0.0
    while True:
        with open_source(video, options) as source:
            time_s = 0.0
            for frame in source:
                if count == frames:
                    return
                time_s = frame.time_s
                yield dataclasses.replace(frame, index=count, time_s=before + time_s)
                count += 1
            before += time_s + 1 / source.info.fps


def measure(video: Path, frames: int, options: AnalysisOptions) -> dict[str, float]:
    """What the process of one run does."""
    sys.modules.setdefault("scipy", None)  # type: ignore[arg-type]  # As the command does.
    with open_source(video, options) as source:
        info = source.info
    stages = build_stages(choose_pack(options.models), options, info)
    pipeline, builder, early = Pipeline(stages, threads=2), ResultBuilder(), 0.0
    for result in pipeline.run(repeated(video, options, frames)):
        builder.append(result)
        if len(builder) == min(frames, 200):
            early = peak_memory_mb() or 0.0
    analysed = peak_memory_mb() or 0.0
    with tempfile.TemporaryDirectory() as folder:
        builder.finish(pipeline.finish()).save(Path(folder) / "table.csv")
    return {"early": early, "analysed": analysed, "written": peak_memory_mb() or 0.0}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--models")
    parser.add_argument("--landmarks")
    parser.add_argument("--frames", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    options = AnalysisOptions(models=arguments.models, landmarks=arguments.landmarks)
    if arguments.frames:
        print(json.dumps(measure(arguments.video, arguments.frames, options)))
        return
    with open_source(arguments.video, options) as source:
        once, fps = sum(1 for _ in source), source.info.fps
    longer = round(arguments.minutes * 60 * fps) if arguments.minutes else 4 * once
    print(machine_block())
    print(f"{'frames':>8}{'after 200':>12}{'analysed':>12}{'table written':>15}   peak, MB")
    for frames in (once, longer):
        command = [sys.executable, *sys.argv, "--frames", str(frames)]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        peak = json.loads(output.splitlines()[-1])
        print(f"{frames:8}{peak['early']:12.0f}{peak['analysed']:12.0f}{peak['written']:15.0f}", flush=True)


if __name__ == "__main__":
    main()
