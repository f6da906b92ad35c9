"""Peak memory of a video, and of the same video shown again and again.

    python benchmarks/memory.py VIDEO [--minutes M] [--models PACK] [--landmarks NAME]

Each run is a process of its own that goes the whole way to the table. The repeated video is a file with the
same packets over and over. Without ``--minutes`` it shows the video four times.
"""

# ruff: noqa: E402
from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.modules.setdefault("scipy", None)  # As the command does; before Numba is imported.

import av

from machine import machine_block
from mien.analysis.videos import Analysis, open_source
from mien.options import AnalysisOptions
from mien.runtime.memory import peak_memory_mb


def repeat(video: Path, frames: int, longer: Path) -> None:
    """Write so many frames of a video that begins again when it ends: its packets, not encoded again."""
    with av.open(str(longer), "w") as target:
        stream, written, shift = None, 0, 0
        while written < frames:
            with av.open(str(video)) as source:
                original = source.streams.video[0]
                stream = stream or target.add_stream_from_template(original)
                end = 0
                for packet in source.demux(original):
                    if packet.dts is None or written == frames:
                        continue
                    end = max(end, packet.dts + (packet.duration or 1))
                    packet.dts, packet.pts = packet.dts + shift, (packet.pts or packet.dts) + shift
                    packet.stream = stream
                    target.mux(packet)
                    written += 1
                shift += end


def measure(video: Path, options: AnalysisOptions) -> dict[str, float]:
    """What the process of one run does."""
    early, frames = 0.0, 0
    with tempfile.TemporaryDirectory() as folder, Analysis(video, options) as analysis:
        for _ in analysis:
            frames += 1
            if frames == 200:
                early = peak_memory_mb() or 0.0
        analysed = peak_memory_mb() or 0.0
        analysis.result().save(Path(folder) / "table.csv")
    return {"frames": frames, "early": early, "analysed": analysed, "written": peak_memory_mb() or 0.0}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--models")
    parser.add_argument("--landmarks")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    options = AnalysisOptions(models=arguments.models, landmarks=arguments.landmarks)
    if arguments.measure:
        print(json.dumps(measure(arguments.video, options)))
        return
    with open_source(arguments.video, options) as source:
        once, fps = sum(1 for _ in source), source.info.fps
    wanted = round(arguments.minutes * 60 * fps) if arguments.minutes else 4 * once
    print(machine_block())
    print(f"{'frames':>8}{'after 200':>12}{'analysed':>12}{'table written':>15}   peak, MB")
    with tempfile.TemporaryDirectory() as folder:
        longer = Path(folder) / arguments.video.name
        repeat(arguments.video, wanted, longer)
        for video in (arguments.video, longer):
            command = [sys.executable, sys.argv[0], str(video), "--measure"]
            for name in ("models", "landmarks"):
                value = getattr(arguments, name)
                command += [f"--{name}", value] if value else []
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            peak = json.loads(output.splitlines()[-1])
            figures = f"{peak['early']:12.0f}{peak['analysed']:12.0f}{peak['written']:15.0f}"
            print(f"{peak['frames']:8}{figures}", flush=True)


if __name__ == "__main__":
    main()
