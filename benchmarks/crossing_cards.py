"""Who is who among faces cut from photographs that cross one another: a table of docs/faces.md.

    python benchmarks/crossing_cards.py PICTURE... [--clips N] [--models openface|open] [--compat openface]

Three of the faces move on paths of their own, at random, in front of and behind one another and out of the
picture, for eight seconds; the light changes slowly and there is noise. The truth is known by construction.
A face counts as seen while 95 % of its middle are in the picture and not covered.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from identities import Count, Truth
from mien.datatypes import Frame
from mien.imaging.kernels import bgr_to_gray
from mien.options import AnalysisOptions
from mien.packs import build_stages, choose_pack
from mien.video.images import ImageSet

SIZE, FACE_PX, FRAMES, PEOPLE = (640, 480), 90.0, 240, 3
FIRST_SEED, MIDDLE_PX = 1000, 30


@dataclass(frozen=True, slots=True)
class Card:
    """A part of a photograph, and where the middle of the face is in it."""

    bgr: np.ndarray
    middle: np.ndarray


def cut(pictures: list[Path], options: AnalysisOptions) -> list[Card]:
    """Every face of the photographs, with hair and shoulders, at one size."""
    tracker = build_stages(choose_pack(options.models), options, pictures=True).tracker
    cards = []
    for frame in ImageSet(pictures):
        for face in tracker.track(frame):
            points = face.landmarks.points
            low, high = points.min(axis=0), points.max(axis=0)
            width, height = high - low
            scale = FACE_PX / width
            edges = low[0] - 0.45 * width, low[1] - 0.75 * height, high[0] + 0.45 * width, high[1] + height
            box = [max(0, round(float(edge))) for edge in edges]
            part = Image.fromarray(frame.bgr).crop((*box[:2], *np.minimum(box[2:], frame.bgr.shape[1::-1])))
            part = part.resize(
                (round(part.width * scale), round(part.height * scale)), Image.Resampling.BILINEAR
            )
            cards.append(Card(np.asarray(part), ((low + high) / 2 - box[:2]) * scale))
    return cards


def clip(cards: list[Card], seed: int) -> Iterator[tuple[Frame, dict[str, np.ndarray], set[str]]]:
    """Frames; x, y, side of everybody; who is seen."""
    random = np.random.default_rng(seed)
    chosen = random.choice(len(cards), PEOPLE, replace=False)
    phase, period = random.uniform(0, 2 * np.pi, (PEOPLE, 2)), random.uniform(80, 220, (PEOPLE, 2))
    for index in range(FRAMES):
        places = (320, 220) + (250, 60) * np.sin(2 * np.pi * index / period + phase)
        bgr, owner = np.full((*SIZE[::-1], 3), 150.0), np.full(SIZE[::-1], -1)
        for person, number in enumerate(chosen):
            _put(cards[number], places[person], person, bgr, owner)
        bgr = bgr * (1 + 0.1 * np.sin(index / 37 + seed)) + random.normal(0, 2, bgr.shape)
        bgr = np.clip(bgr, 0, 255).astype(np.uint8)
        gray = np.empty(bgr.shape[:2], np.uint8)
        bgr_to_gray(bgr, gray)
        where = {str(p): np.array([*places[p], FACE_PX]) for p in range(PEOPLE)}
        seen = {str(p) for p in range(PEOPLE) if _uncovered(owner, places[p], p) > 0.95}
        yield Frame(index, index / 30, bgr, gray), where, seen


def _put(card: Card, place: np.ndarray, person: int, bgr: np.ndarray, owner: np.ndarray) -> None:
    left, top = np.rint(place - card.middle).astype(int)
    height, width = card.bgr.shape[:2]
    x, y = slice(max(left, 0), max(left + width, 0)), slice(max(top, 0), max(top + height, 0))
    shown = bgr[y, x]
    rows, columns = y.start - top, x.start - left
    shown[:] = card.bgr[rows : rows + shown.shape[0], columns : columns + shown.shape[1]]
    owner[y, x] = person


def _uncovered(owner: np.ndarray, place: np.ndarray, person: int) -> float:
    x, y = np.rint(place).astype(int)
    middle = owner[max(y - MIDDLE_PX, 0) : y + MIDDLE_PX, max(x - MIDDLE_PX, 0) : x + MIDDLE_PX]
    return float((middle == person).sum()) / (2 * MIDDLE_PX) ** 2


def follow(tracker, cards: list[Card], seed: int) -> Count:
    """Follow the faces of one clip."""
    tracker.reset()
    count = Count()
    for frame, where, seen in clip(cards, seed):
        faces = [face for face in tracker.track(frame) if face.landmarks.success]
        boxes = [(face.landmarks.points.min(axis=0), face.landmarks.points.max(axis=0)) for face in faces]
        centres = np.array([(low + high) / 2 for low, high in boxes]).reshape(-1, 2)
        owners = Truth({frame.index: where}).owners(frame.index, centres)
        count.strays += owners.count(None)
        named = {owner: face.face_id for owner, face in zip(owners, faces, strict=True) if owner in seen}
        count.add(seen, named)
    return count


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--models", default="openface")
    parser.add_argument("--compat")
    arguments = parser.parse_args()
    clnf = "clnf" if arguments.models == "openface" else None
    options = AnalysisOptions(models=arguments.models, landmarks=clnf)
    cards = cut(arguments.pictures, options)
    options = replace(options, faces="many", compat=arguments.compat)
    tracker = build_stages(choose_pack(arguments.models), options).tracker
    counts = [follow(tracker, cards, FIRST_SEED + k) for k in range(arguments.clips)]
    found, seen = (sum(getattr(c, name).total() for c in counts) for name in ("found", "seen"))
    switches, strays = sum(c.switches.total() for c in counts), sum(c.strays for c in counts)
    once = sum(len(numbers) == 1 for c in counts for numbers in c.numbers.values())
    people = sum(len(c.numbers) for c in counts)
    idf1 = np.mean([c.idf1 for c in counts])
    print(f"{len(cards)} faces, {len(counts)} clips; switches by clip {[c.switches.total() for c in counts]}")
    print(
        f"| {found} of {seen} ({100 * found / seen:.2f} %) | {switches} | {once} of {people} | {strays} "
        f"| {idf1:.2f} % |"
    )


if __name__ == "__main__":
    main()
