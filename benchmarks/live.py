"""Whether a live analysis keeps up: a video at its own pace with all outputs, latency and dropped frames.

    python benchmarks/live.py VIDEO [--seconds 60] [--landmarks clnf] [--models openface]

Plays the video forth and back for a minute. Every line, with all fields, goes to a file and to a WebSocket
client in this process, and the terminal's table is drawn to nowhere. Budget for 640x480 at 30 frames/s: no
frame dropped, median latency of 40 ms or less. Needs the extra "server".
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
from contextlib import closing
from datetime import datetime
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter, process_time

import av
from av.video.frame import PictureType
from rich.console import Console

from machine import machine_block
from mien.cli.live_display import Display
from mien.live.lines import LiveEncoder
from mien.live.session import LiveAnalysis
from mien.live.sinks import FileSink
from mien.live.websocket import WebSocketSink
from mien.options import AnalysisOptions
from mien.packs import build_stages, choose_pack
from mien.video.file import VideoFile
from mien.video.pacing import RealTime


def lengthen(path: Path, seconds: float, target: Path) -> Path:
    """Play a video forth and back and forth again, so that nothing jumps, until it is long enough."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = stream.guessed_rate or Fraction(30)
        pictures = [picture.reformat(format="yuv420p") for picture in container.decode(stream)]
    there_and_back = [*pictures, *pictures[-2:0:-1]]
    with av.open(str(target), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.bit_rate = pictures[0].width, pictures[0].height, 8_000_000
        for index, picture in enumerate(islice(cycle(there_and_back), round(seconds * rate))):
            picture.pts, picture.time_base = index, 1 / rate
            picture.pict_type = PictureType.NONE
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return target


def listen(port: int, received: list[int]) -> None:
    from websockets.sync.client import connect

    with connect(f"ws://127.0.0.1:{port}", compression=None) as client:
        received.extend(len(message) for message in client)


def run(path: Path, options: AnalysisOptions) -> None:
    with VideoFile(path) as again:
        first = next(iter(again))
    source = VideoFile(path)
    pack = choose_pack(options.models)
    stages = build_stages(pack, options, live=source.info.camera)
    encoder, received = LiveEncoder(), []
    analysis = LiveAnalysis(RealTime(source), stages, first=first)
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere:
        lines = Path(folder) / "live.jsonl"
        header = encoder.header()
        sinks = [FileSink(lines), WebSocketSink(0, header=header)]
        client = threading.Thread(target=listen, args=(sinks[1].port, received))
        client.start()
        console = Console(file=nowhere, force_terminal=True, width=100, height=50)
        with Display(path.name, console) as display, closing(iter(analysis)) as results:
            cpu_s, begin, gaps = None, 0.0, []
            for result in results:
                if cpu_s is None:
                    cpu_s, begin = process_time(), perf_counter()
                display.show(result)
                if result.dropped > (gaps[-1][1] if gaps else 0):
                    gaps.append((result.face.time_s, result.dropped))
                line = encoder.line(result)
                for sink in sinks:
                    sink.write(line)
        cpu = (process_time() - (cpu_s or 0.0)) / (perf_counter() - begin)
        for sink in sinks:
            sink.close()
        client.join()
        size_mb = lines.stat().st_size / 1e6
    summary, info = analysis.statistics.summary(), source.info
    print(f"{info.width}x{info.height} at {info.fps:g} frames/s, {info.frame_count} frames")
    print(f"models     {stages.pack}, {stages.landmark_model}")
    when = ", ".join(f"{count} by {time_s:.1f} s" for time_s, count in gaps)
    print(f"analysed   {summary.frames}, dropped {summary.dropped} {when}")
    print(
        f"latency    median {1e3 * summary.latency_median_s:.1f} ms, 95 % within "
        f"{1e3 * summary.latency_95_s:.1f} ms, worst {1e3 * summary.latency_worst_s:.1f} ms"
    )
    print(f"processor  {cpu:.2f} cores")
    print(f"lines      {size_mb:.1f} MB, {len(received) - 1} received by the client")


def main() -> None:
    parser = argparse.ArgumentParser(description="Latency and dropped frames of a live analysis.")
    parser.add_argument("video", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--models")
    parser.add_argument("--landmarks")
    arguments = parser.parse_args()
    options = AnalysisOptions(models=arguments.models, landmarks=arguments.landmarks)
    with tempfile.TemporaryDirectory() as folder:
        video = lengthen(arguments.video, arguments.seconds, Path(folder) / "live.avi")
        print(machine_block())
        print(f"when       {datetime.now():%Y-%m-%d %H:%M}, load {os.getloadavg()[0]:.1f} before")
        run(video, options)
        print(f"load       {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
