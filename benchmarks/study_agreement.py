"""Summaries and events of videos from mien's table and from the original's own, side by side.

    python benchmarks/study_agreement.py MEDIA REFERENCE [--landmarks clnf]

MEDIA holds videos, REFERENCE a folder of the same name for each with the table that FeatureExtraction wrote.
An event of one table is found again if one of the same name and signal in the other overlaps it for at least
half of both together (intersection over union).
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from mien.analysis.videos import analyze
from mien.study import Events, find_events, summarise
from mien.study.read import read_series

VIDEOS = (
    "2015-10-15-15-14.avi",
    "default.wmv",
    "subj01_timepoint01.mp4",
    "0417_02_003_bill_clinton.avi",
    "clip2.mp4",
)


def found_again(one: Events, other: Events) -> int:
    """How many events of one have a counterpart of their own in the other."""
    rest = defaultdict(list)
    for event in other:
        rest[event.name, event.signal].append(event)
    count = 0
    for event in one:
        for candidate in rest[event.name, event.signal]:
            both = min(event.offset_s, candidate.offset_s) - max(event.onset_s, candidate.onset_s)
            either = max(event.offset_s, candidate.offset_s) - min(event.onset_s, candidate.onset_s)
            if both >= 0.5 * either:
                rest[event.name, event.signal].remove(candidate)
                count += 1
                break
    return count


def main() -> None:
    """Analyse, sum up, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("media", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--landmarks", default="clnf")
    given = parser.parse_args()
    kinds = defaultdict(lambda: np.zeros(3, int))
    figures: dict[str, list[str]] = defaultdict(list)
    means, shares = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name in VIDEOS:
            stem = Path(name).stem
            table = Path(folder) / f"{stem}.csv"
            options = {"models": "openface", "landmarks": given.landmarks, "compat": "openface"}
            analyze(given.media / name, **options).save(table)
            series = [
                read_series(table, name=name),
                read_series(given.reference / stem / f"{stem}.csv", name=name),
            ]
            (mine,), (theirs,) = (summarise(each) for each in series)
            events = [find_events(each) for each in series]
            for key in (
                "usable_share",
                "AU12_r_mean",
                "AU12_c_share",
                "AU12_r_events",
                "AU45_r_mean",
                "blink_au45_events",
                "blink_eyes_events",
                "duchenne_06_12_r_events",
                "head_yaw_sd_deg",
                "gaze_x_sd_deg",
            ):
                figures[key].append(f"{mine.get(key, np.nan):.3g} / {theirs.get(key, np.nan):.3g}")
            both = sorted(set(mine) & set(theirs))
            means += [mine[key] - theirs[key] for key in both if key.endswith("_r_mean")]
            shares += [
                mine[key] - theirs[key] for key in both if key.startswith("AU") and key.endswith("_c_share")
            ]
            for kind in ("action_unit", "composite", "blink"):
                for signal in ("intensity", "presence", "eye_aspect"):
                    pair = [
                        Events([event for event in each if (event.kind, event.signal) == (kind, signal)])
                        for each in events
                    ]
                    kinds[kind, signal] += (len(pair[0]), len(pair[1]), found_again(*pair))
    print("| " + " | ".join(["mien / original", *VIDEOS]) + " |")
    print("|---" * (len(VIDEOS) + 1) + "|")
    for key, values in figures.items():
        print(f"| `{key}` | " + " | ".join(values) + " |")
    print("\n| events | mien | original | the same | share of both |\n|---|---|---|---|---|")
    for (kind, signal), (one, other, same) in kinds.items():
        if one or other:
            share = 100 * 2 * same / (one + other)
            print(f"| {kind}, {signal} | {one} | {other} | {same} | {share:.0f} % |")
    print(f"\nmean intensities: mean |Δ| {np.abs(means).mean():.3f}, largest {np.abs(means).max():.3f}")
    present = 100 * np.abs(shares)
    print(f"shares present: mean |Δ| {present.mean():.2f} %, largest {present.max():.1f} %")


if __name__ == "__main__":
    main()
