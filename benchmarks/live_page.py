"""Whether the live page keeps up: three viewers in Chromium, and one that stops reading.

    python benchmarks/live_page.py VIDEO [--seconds 60] [--viewers 3] [--landmarks clnf] [--models openface]

Plays the video forth and back at its own pace. Every viewer is a window of one headless Chromium (which draws
without a graphics card). A fourth viewer answers for some seconds, then reads nothing more and says nothing
more, but stays connected. Latency is counted from the capture of a frame (the moment at which a file's frame
is due, decoding included) until the viewer's word that its browser has made the picture is back at the
server: an upper bound of what the viewer sees. Wanted at 640x480 and 30 frames/s: no frame dropped by the
analysis or left out for a viewer, median latency of 60 ms or less. Needs the extra "server", selenium,
chromium and chromedriver.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import struct
import tempfile
import threading
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from time import monotonic, perf_counter, process_time, sleep

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from live import lengthen
from machine import machine_block
from mien.live.lines import LiveEncoder
from mien.live.pausing import PausableClock, PausableFile
from mien.live.session import LiveAnalysis
from mien.live.shown import PageOptions, ShownAnalysis
from mien.options import AnalysisOptions
from mien.packs import build_stages, choose_pack
from mien.results import RecordedSource
from mien.video.file import VideoFile
from mien.video.pacing import RealTime

STOPS_AFTER_S = 5.0
SETTLING_S = 2.0
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--window-size=1280,800",
    # every viewer stands for somebody who looks at it
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--disable-background-timer-throttling",
)


def open_windows(address: str, count: int, cleanup: ExitStack) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))))
    profile = cleanup.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    cleanup.callback(browser.quit)
    for number in range(count):
        if number:
            browser.switch_to.new_window("window")
        browser.get(address)
    return browser


def stop_reading(port: int, heard: list[int], end: threading.Event) -> None:
    from websockets.sync.client import connect

    with connect(f"ws://127.0.0.1:{port}/live", compression=None, max_queue=1, ping_interval=None) as client:
        begin = None
        while begin is None or monotonic() - begin < STOPS_AFTER_S:
            message = client.recv()
            if isinstance(message, bytes):
                begin = begin or monotonic()
                (size,) = struct.unpack("<I", message[:4])
                heard.append(json.loads(message[4 : 4 + size])["number"])
                client.send(json.dumps({"drawn": heard[-1]}))
        end.wait()
        client.socket.close()


def processor_s(mark: str) -> float:
    """Processor time of all processes that have a text in their command line; 0 where there is no /proc."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "cmdline").read_text(errors="replace"):
                ticks += sum(map(int, (folder / "stat").read_text().rpartition(")")[2].split()[11:13]))
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0


def run(path: Path, options: AnalysisOptions, viewers: int, screenshot: Path | None) -> None:
    with VideoFile(path) as again:
        first = next(iter(again))
    video = VideoFile(path)
    info, pack, clock = video.info, choose_pack(options.models), PausableClock()
    source = PausableFile(RealTime(video, clock=clock.now, wait=clock.wait), clock)
    stages = build_stages(pack, options, live=False)
    encoder, end, heard = LiveEncoder(), threading.Event(), []
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        shown = ShownAnalysis(PageOptions(port=0, out=folder), stages, name=info.name, models=pack.name)
        cleanup.callback(shown.close)
        port = int(shown.address.rpartition(":")[2])
        browser = open_windows(shown.address, viewers, cleanup)
        stalling = threading.Thread(target=stop_reading, args=(port, heard, end))
        stalling.start()
        cleanup.callback(end.set)
        while len(shown.viewers()) < viewers + 1:
            sleep(0.05)
        seen = shown.viewers()
        sleep(SETTLING_S)
        analysis = LiveAnalysis(source, stages, first=first)
        recorded = RecordedSource(info.name, info.path, info.width, info.height, info.fps)
        begun, browsing = None, 0.0
        with closing(iter(analysis)) as results:
            for result in results:
                if begun is None:
                    shown.begin(source, recorded, {})
                    begun, browsing = (perf_counter(), process_time()), processor_s("user-data-dir")
                shown.show(result, lambda result=result: encoder.line(result))
        cpu = (process_time() - begun[1]) / (perf_counter() - begun[0])
        browsing = processor_s("user-data-dir") - browsing
        sleep(0.5)
        if screenshot is not None:
            browser.save_screenshot(str(screenshot))
    summary = analysis.statistics.summary()
    print(f"{info.width}x{info.height} at {info.fps:g} frames/s, {info.frame_count} frames")
    print(f"models     {stages.pack}, {stages.landmark_model}")
    print(f"analysed   {summary.frames}, dropped {summary.dropped}")
    print(f"to numbers {in_words(summary)}")
    for number, viewer in enumerate(seen):
        drawn = viewer.statistics.summary()
        words = f"drawn {drawn.frames}, left out {viewer.left_out}; to picture {in_words(drawn)}"
        stopped = " (stopped reading)" if drawn.frames < summary.frames / 2 else ""
        print(f"viewer {number + 1}   {words}{stopped}")
    print(f"processor  server {cpu:.2f} cores, browser {browsing / summary.seconds:.2f}")


def in_words(summary) -> str:
    return (
        f"median {1e3 * summary.latency_median_s:.1f} ms, 95 % within {1e3 * summary.latency_95_s:.1f} ms, "
        f"worst {1e3 * summary.latency_worst_s:.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Latency and dropped pictures of the live page.")
    parser.add_argument("video", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--viewers", type=int, default=3)
    parser.add_argument("--models")
    parser.add_argument("--landmarks")
    parser.add_argument("--screenshot", type=Path)
    arguments = parser.parse_args()
    options = AnalysisOptions(models=arguments.models, landmarks=arguments.landmarks)
    with tempfile.TemporaryDirectory() as folder:
        video = lengthen(arguments.video, arguments.seconds, Path(folder) / "live.avi")
        print(machine_block())
        print(f"when       {datetime.now():%Y-%m-%d %H:%M}, load {os.getloadavg()[0]:.1f} before")
        run(video, options, arguments.viewers, arguments.screenshot)
        print(f"load       {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
