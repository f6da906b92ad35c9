"""Frames, numbers and times of real videos against those the original program saw."""

import csv

import cv2
import numpy as np
import pytest

from mien.video.file import VideoFile

pytestmark = pytest.mark.models

VIDEOS = [
    "0417_02_003_bill_clinton.avi",
    "2015-10-15-15-14.avi",
    "clip2.mp4",
    "default.wmv",
    "multi_face.avi",
    "subj01_timepoint01.mp4",
]


@pytest.mark.parametrize("name", VIDEOS)
def test_frames_and_times_equal_the_originals(media_dir, reference_dir, name):
    stem = name.rsplit(".", 1)[0]
    with (reference_dir / "videos" / stem / f"{stem}.csv").open() as table:
        rows = csv.reader(table, skipinitialspace=True)
        next(rows)
        expected = [(int(row[0]), row[2]) for row in rows]
    dumped = {
        int(folder.name.removeprefix("frame_")): folder
        for folder in (reference_dir / "stages" / stem).glob("frame_*")
    }
    seen = []
    with VideoFile(media_dir / name, compat="openface") as video:
        assert video.info.frame_count == len(expected)
        for frame in video:
            seen.append((frame.index + 1, f"{frame.time_s:.3f}"))
            if folder := dumped.pop(frame.index + 1, None):
                assert np.array_equal(frame.bgr, cv2.imread(str(folder / "frame.png")))
                assert np.array_equal(frame.gray, cv2.imread(str(folder / "gray.png"), cv2.IMREAD_GRAYSCALE))
        assert video.lost == ""
    assert seen == expected
    assert not dumped


@pytest.mark.parametrize("name", VIDEOS)
def test_a_selection_equals_the_same_part_of_the_whole(media_dir, name):
    start_s, end_s = 2.51, 2.9
    with VideoFile(media_dir / name, end_s=end_s) as video:
        expected = {f.index: (f.time_s, f.bgr) for f in video if f.time_s >= start_s}
    with VideoFile(media_dir / name, start_s=start_s, end_s=end_s) as video:
        part = list(video)
    assert [f.index for f in part] == list(expected)
    for frame in part:
        time_s, bgr = expected[frame.index]
        assert frame.time_s == time_s
        assert np.array_equal(frame.bgr, bgr)
