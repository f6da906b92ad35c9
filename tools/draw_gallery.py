"""Draws docs/images/gallery: what mien's commands leave, of the portrait that they ship with.

    python tools/draw_gallery.py docs/images/gallery

runs the commands with the embedded models on the video of `mien demo` (Eileen Collins, NASA, public domain)
and makes small pictures of their files. Pages are photographed in Chromium, which must be installed with
chromedriver.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from mien.results import read_openface_csv
from mien.video.file import VideoFile
from mien.video.known_motion import write_video

_SMILE = 40
_UNITS = {"AU12_r": "AU12, smile", "AU02_r": "AU02, outer brow", "AU45_r": "AU45, blink"}
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
)


def mien() -> str:
    """The installed command."""
    return str(Path(sys.executable).with_name("mien"))


def environment(folder: Path) -> dict[str, str]:
    """One in which only the embedded models are found."""
    return os.environ | {"MIEN_MODELS": str(folder / "none")}


def run(folder: Path, *words: str) -> None:
    """Type a command in a folder."""
    subprocess.run([mien(), *words, "-q"], cwd=folder, env=environment(folder), check=True)


def frame_of(video: Path, number: int) -> Image.Image:
    """One frame, counted from 0."""
    with VideoFile(video) as source:
        shown = next(frame for frame in source if frame.index == number)
    return Image.fromarray(np.ascontiguousarray(shown.bgr[..., ::-1]))


def save(picture: Image.Image, path: Path, width: int) -> None:
    """Write a picture of a width, as small as it stays clear."""
    small = picture.convert("RGB").resize(
        (width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS
    )
    small.save(path, quality=82, optimize=True, progressive=True)
    print(f"{path.name}: {path.stat().st_size // 1000} kB")


def draw_courses(table: Path, path: Path) -> None:
    """Time courses of three action units."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    columns = read_openface_csv(table)
    figure, axes = pyplot.subplots(figsize=(9, 3.2), dpi=100, layout="constrained")
    for (name, label), style in zip(_UNITS.items(), ("-", "--", "-."), strict=True):
        axes.plot(columns["timestamp"], columns[name], style, label=label)
    axes.set(xlabel="s", ylabel="intensity", xlim=(0, 6), ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=3, loc="upper right")
    figure.savefig(path)
    print(f"{path.name}: {path.stat().st_size // 1000} kB")


def photograph(address: str, width: int, height: int, seconds: float = 2) -> Image.Image:
    """What a browser shows of a page after a while: courses are drawn one after the other."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for argument in (*_ARGUMENTS, f"--window-size={width},{height}"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver") or ""))
    try:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1.5, "mobile": False},
        )
        driver.get(address)
        time.sleep(seconds)
        return Image.open(io.BytesIO(driver.get_screenshot_as_png()))
    finally:
        driver.quit()


def write_again_and_again(video: Path, path: Path, times: int = 5) -> None:
    """A longer video of the same."""
    with VideoFile(video) as source:
        frames = [np.ascontiguousarray(frame.bgr[..., ::-1]) for frame in source]
    write_video(frames * times, path)


def photograph_live(folder: Path, video: Path) -> Image.Image:
    """The live page while it shows a video."""
    write_again_and_again(video, folder / "session.mp4")
    words = ("live", "session.mp4", "--page", "--jsonl", os.devnull)
    with subprocess.Popen(
        [mien(), *words], cwd=folder, env=environment(folder), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = (line for line in process.stderr or () if "Live page:" in line)
            address = next(lines).split()[-1]
            return photograph(address, 1200, 820, seconds=10)
        finally:
            process.terminate()


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    """Two pictures with a line between them."""
    both = Image.new("RGB", (left.width + right.width + 8, left.height), "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width + 8, 0))
    return both


def main() -> None:
    """Run the commands, draw the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    target = parser.parse_args().folder
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        run(work, "demo")
        video = work / "interview.mp4"
        shutil.copy(work / "mien_demo" / "portrait.mp4", video)
        run(work, "analyze", "interview.mp4", "--report")
        run(work, "sides", "interview.mp4", "--picture", "1.3")
        save(Image.open(work / "mien_demo" / "portrait.overlay.png"), target / "overlay.jpg", 1200)
        draw_courses(work / "interview.csv", target / "courses.png")
        save(photograph((work / "interview.report.html").as_uri(), 1100, 1200), target / "report.jpg", 1100)
        save(Image.open(work / "interview.sides.png"), target / "sides.jpg", 1100)
        save(photograph_live(work, video), target / "live.jpg", 1100)
        hidden = []
        for way in ("blur", "black"):
            run(work, "analyze", "interview.mp4", "--tracked", "--anonymous", way)
            hidden.append(frame_of(work / "interview.tracked.mp4", _SMILE))
        save(beside(*hidden), target / "anonymous.jpg", 1200)


if __name__ == "__main__":
    main()
