"""Small pictures of moments: the right frame, the right place, and never another video's."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mien.report import ReportOptions, report_text, write_report
from mien.report.face_rows import faces_in
from mien.report.moments import SIDE_PX, cut, find_source, on_black, thumbnails
from mien.report.peaks import peaks_of
from mien.results import RecordedSource
from mien.video.file import VideoFile
from mien.view.tracked_video import TrackedVideoWriter
from recording_results import recording

OPTIONS = ReportOptions()


@pytest.fixture(scope="module")
def grey_video(tmp_path_factory):
    """60 frames whose brightness counts them."""
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    with TrackedVideoWriter(path, fps=30) as writer:
        for index in range(60):
            writer.append(np.full((480, 640, 3), 20 + 3 * index, np.uint8), index / 30)
        writer.close()
    return path


def pixels(address):
    with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as image:
        return np.asarray(image.convert("RGB"), np.int64)


def moments_of(result, options=OPTIONS, folder=None):
    peaks = peaks_of(faces_in(result, 0.8))
    return peaks, *thumbnails(peaks, find_source(result, options, folder))


def test_pictures_are_of_the_frames_that_their_words_name(grey_video, tmp_path):
    result = recording(60, lost=(), source=RecordedSource("clip.mp4", grey_video, 640, 480, 30.0))
    peaks, pictures, why = moments_of(result, folder=tmp_path)
    assert why == ""
    assert 2 <= len(peaks) <= 8
    with VideoFile(grey_video) as video:
        greys = [float(np.median(frame.bgr)) for frame in video]
    for peak, picture in zip(peaks, pictures, strict=True):
        image = pixels(picture)
        assert image.shape == (SIDE_PX, SIDE_PX, 3)
        # the ground between the lines
        assert abs(np.median(image) - greys[peak.row]) <= 1.5


def test_landmarks_are_drawn_where_they_are():
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points = (np.stack([60 * np.cos(turn), 60 * np.sin(turn)], axis=1) + np.array([320, 240])).astype(
        np.float32
    )
    image = np.asarray(cut(np.full((480, 640, 3), 90, np.uint8), points), np.int64)
    drawn = np.abs(image - 90).max(axis=2) > 40
    rows, columns = np.nonzero(drawn)
    side = 120 * 1.7
    radius = np.hypot(rows - SIDE_PX / 2, columns - SIDE_PX / 2) * side / SIDE_PX
    assert 55 < np.median(radius) < 65
    assert drawn.sum() > 300


def test_the_peak_of_each_unit_is_a_moment():
    result = recording(600, lost=())
    result.au_intensity[:] = 0.1
    result.au_intensity[[100, 300, 302, 500], [8, 4, 3, 11]] = (4, 3, 2, 5)
    rows = [peak.row for peak in peaks_of(faces_in(result, 0.8))]
    assert {100, 300, 500} <= set(rows)
    assert 302 not in rows


def test_rows_that_do_not_count_are_no_moments():
    result = recording(300, lost=((100, 130),))
    result.au_intensity[110] = 5
    assert not any(100 <= peak.row < 130 for peak in peaks_of(faces_in(result, 0.8)))


def test_another_video_of_the_same_name_is_not_shown(grey_video, tmp_path):
    made = {"source": {"path": "/gone/clip.mp4", "bytes": 17}}
    _, pictures, why = moments_of(recording(60, provenance=made), folder=grey_video.parent)
    assert not any(pictures)
    assert "another size" in why


def test_a_video_that_moved_with_its_table_is_found(grey_video):
    made = {
        "source": {"path": "C:\\gone\\clip.mp4", "bytes": grey_video.stat().st_size},
        "options": {"compat": None},
    }
    _, pictures, why = moments_of(recording(60, provenance=made), folder=grey_video.parent)
    assert all(pictures), why


def test_why_there_are_no_pictures_is_said(tmp_path):
    text = report_text(recording(60), folder=tmp_path)
    assert "the table does not say which video it is of" in text
    assert "<img" not in text


def test_a_video_that_can_not_be_read_costs_only_its_pictures(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"no video")
    result = recording(60, source=RecordedSource("clip.mp4", tmp_path / "clip.mp4", 640, 480, 30.0))
    write_report(result, tmp_path / "a.html")
    assert "Without pictures: " in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_no_face_and_no_landmarks_without_pictures(grey_video, tmp_path):
    result = recording(60, source=RecordedSource("clip.mp4", grey_video, 640, 480, 30.0))
    with_them = report_text(result, OPTIONS)
    without = report_text(result, replace(OPTIONS, pictures="none"))
    assert with_them.count("data:image/jpeg") >= 2
    assert "data:image" not in without
    assert "<img" not in without


def test_landmarks_on_black_show_nothing_else(grey_video):
    result = recording(60, source=RecordedSource("clip.mp4", grey_video, 640, 480, 30.0))
    pictures = on_black(peaks_of(faces_in(result, 0.8)))
    assert len(pictures) >= 2
    for picture in pictures:
        image = pixels(picture)
        assert (image < 25).all(axis=2).mean() > 0.7
        assert (image > 120).any()
