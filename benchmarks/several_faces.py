"""What every further face costs: prints a table of docs/faces.md.

    python benchmarks/several_faces.py VIDEO [--box X Y W H] [--frames N] [--threads N] [--models NAME]

The part of a video around its one face is tiled: one to four times the same face in pictures of one size, the
rest grey. Times are those of the processor, of all threads together, so that other programs matter less.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from mien.datatypes import Frame
from mien.options import AnalysisOptions
from mien.packs import build_stages, choose_pack
from mien.pipeline import Pipeline
from mien.video.file import VideoFile

MOST, ROUNDS = 4, 8


def tiled(frames: list[Frame], box: tuple[int, int, int, int], faces: int) -> Iterator[Frame]:
    """Two by two copies of the part of every frame that the box x, y, width, height cuts out."""
    x, y, width, height = box
    for frame in frames:
        bgr = np.full((2 * height, 2 * width, 3), 128, np.uint8)
        gray = np.full((2 * height, 2 * width), 128, np.uint8)
        for number in range(faces):
            row, column = divmod(number, 2)
            place = np.s_[row * height : (row + 1) * height, column * width : (column + 1) * width]
            bgr[place] = frame.bgr[y : y + height, x : x + width]
            gray[place] = frame.gray[y : y + height, x : x + width]
        yield replace(frame, bgr=bgr, gray=gray)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--box", type=int, nargs=4, default=(160, 80, 320, 320))
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--models", default="openface")
    arguments = parser.parse_args()
    clnf = "clnf" if arguments.models == "openface" else None
    options = AnalysisOptions(models=arguments.models, landmarks=clnf, threads=arguments.threads)
    pack = choose_pack(arguments.models)
    with VideoFile(arguments.video) as video:
        frames = [frame for frame, _ in zip(video, range(arguments.frames), strict=False)]
    people = build_stages(pack, replace(options, faces="many"))
    runs = [("one face", build_stages(pack, options), 1)]
    runs += [("people", people, count) for count in range(1, MOST + 1)]
    if arguments.models == "openface":
        places = build_stages(pack, replace(options, faces="many", compat="openface"))
        runs += [("compat openface", places, count) for count in range(1, MOST + 1)]
    costs, found = [float("inf")] * len(runs), [0.0] * len(runs)
    for _ in range(ROUNDS):
        for k, (_, stages, count) in enumerate(runs):
            pictures = list(tiled(frames, tuple(arguments.box), count))
            pipeline = Pipeline(stages, threads=arguments.threads)
            begin = time.process_time()
            rows = sum(face.landmarks.success for face in pipeline.run(pictures))
            pipeline.finish()
            costs[k] = min(costs[k], 1e3 * (time.process_time() - begin) / len(pictures))
            found[k] = 100 * rows / (count * len(pictures))
    print("| | faces | found | ms per frame | ms per face |\n|---|---|---|---|---|")
    for (name, _, count), cost, share in zip(runs, costs, found, strict=True):
        print(f"| {name} | {count} | {share:.1f} % | {cost:.1f} | {cost / count:.1f} |")


if __name__ == "__main__":
    main()
