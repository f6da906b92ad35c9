"""A finished result drawn over its video."""

from __future__ import annotations

import numpy as np
import pytest

from mien.datatypes import Frame
from mien.errors import SourceError
from mien.results import ResultBuilder
from mien.video.file import VideoFile
from mien.view.drawing import DrawingOptions
from mien.view.render import draw_video
from synthetic_drawing import CAMERA, drawn_face

PLAIN = DrawingOptions(panel=False)


def frames(count=6, start=0):
    for index in range(start, count):
        bgr = np.full((480, 640, 3), 90, np.uint8)
        yield Frame(index, index / 20, bgr, bgr[:, :, 0])


def result_of(faces):
    builder = ResultBuilder()
    for face in faces:
        builder.append(face)
    return builder.finish()


def drawn_frames(path):
    with VideoFile(path) as video:
        return [(np.abs(f.bgr.astype(int) - 90) > 30).any(axis=2) for f in video], video.info


def test_faces_are_drawn_on_their_frames(tmp_path):
    result = result_of(
        [drawn_face(frame=1), drawn_face(frame=3, x=120), drawn_face(frame=3, x=520, face_id=1)]
    )
    calls = []
    draw_video(
        frames(4),
        result,
        tmp_path / "t.mp4",
        camera=CAMERA,
        fps=20,
        options=PLAIN,
        on_frame=lambda: calls.append(1),
    )
    drawn, info = drawn_frames(tmp_path / "t.mp4")
    assert len(drawn) == len(calls) == 4
    assert info.fps == pytest.approx(20)
    assert [d[:, 315:325].any() for d in drawn] == [False, True, False, False]
    assert [d[:, 115:125].any() and d[:, 515:525].any() for d in drawn] == [False, False, False, True]


def test_drawing_ends_with_the_last_analysed_frame(tmp_path):
    draw_video(frames(6), result_of([drawn_face(frame=2)]), tmp_path / "t.mp4", camera=CAMERA, fps=20)
    assert len(drawn_frames(tmp_path / "t.mp4")[0]) == 3


def test_frames_before_the_analysed_range_may_be_missing(tmp_path):
    result = result_of([drawn_face(frame=index) for index in (0, 1, 3, 4)])
    draw_video(frames(6, start=3), result, tmp_path / "t.mp4", camera=CAMERA, fps=20, options=PLAIN)
    assert [d.any() for d in drawn_frames(tmp_path / "t.mp4")[0]] == [True, True]


def test_the_panel_has_room_for_all_faces(tmp_path):
    widths = []
    for count in (1, 3):
        faces = [drawn_face(face_id=i) for i in range(count)]
        draw_video(frames(1), result_of(faces), tmp_path / "t.mp4", camera=CAMERA, fps=20)
        widths.append(drawn_frames(tmp_path / "t.mp4")[1].width)
    assert widths[0] != widths[1]


def test_a_source_that_fails_leaves_no_video(tmp_path):
    def failing():
        yield from frames(2)
        raise SourceError("gone")

    result = result_of([drawn_face(frame=5)])
    with pytest.raises(SourceError):
        draw_video(failing(), result, tmp_path / "t.mp4", camera=CAMERA, fps=20)
    assert not list(tmp_path.iterdir())
