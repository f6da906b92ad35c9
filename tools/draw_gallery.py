"""Draws docs/images/gallery: what mien's commands leave, of the portrait that they ship with.

    python tools/draw_gallery.py docs/images/gallery

runs the commands with the embedded models on the video of `mien demo` (Eileen Collins, NASA, public domain)
and makes small pictures of their files. Pages are photographed in Chromium, which must be installed with
chromedriver.
"""

from __future__ import annotations

import argparse
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

_SMILE = 40
_UNITS = {"AU12_r": "AU12, smile", "AU02_r": "AU02, outer brow", "AU45_r": "AU45, blink"}
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
)


def run(folder: Path, *words: str) -> None:
    """Type a command in a folder, with the embedded models."""
    environment = os.environ | {"MIEN_MODELS": str(folder / "none")}
    mien = str(Path(sys.executable).with_name("mien"))
    subprocess.run([mien, *words, "-q"], cwd=folder, env=environment, check=True)


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


def photograph(page: Path, width: int, height: int) -> Image.Image:
    """What a browser shows of a page."""
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
        driver.get(page.resolve().as_uri())
        time.sleep(2)  # the courses are drawn one after the other
        picture = page.with_suffix(".png")
        picture.write_bytes(driver.get_screenshot_as_png())
    finally:
        driver.quit()
    return Image.open(picture)


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
        save(photograph(work / "interview.report.html", 1100, 1200), target / "report.jpg", 1100)
        save(Image.open(work / "interview.sides.png"), target / "sides.jpg", 1100)
        hidden = []
        for way in ("blur", "black"):
            run(work, "analyze", "interview.mp4", "--tracked", "--anonymous", way)
            hidden.append(frame_of(work / "interview.tracked.mp4", _SMILE))
        save(beside(*hidden), target / "anonymous.jpg", 1200)


if __name__ == "__main__":
    main()
