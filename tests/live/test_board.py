"""The latest picture and the last numbers, for viewers at their own pace."""

import io
import json
import struct
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from shown_results import live_face

from mien.datatypes import Camera
from mien.errors import OptionError
from mien.live.board import IN_FLIGHT, Board
from mien.live.numbers import ROW, drawing_of, layout, row_of
from mien.live.picture import PictureMaker
from simple_stages import CAMERA
from synthetic_result import make_face


def read(message):
    (size,) = struct.unpack("<I", message[:4])
    return json.loads(message[4 : 4 + size]), message[4 + size :]


@pytest.fixture
def board():
    made = Board(PictureMaker(), lambda width, height: CAMERA)
    yield made
    made.close()


def numbers(board, viewer, count):
    """Fetch and draw so many pictures, posting one before each."""
    seen = []
    for _ in range(count):
        board.post(live_face(len(seen)))
        about, _ = read(board.fetch(viewer))
        board.drawn(viewer, about["number"])
        seen.append(about["number"])
    return seen


def test_a_viewer_is_told_the_state_first_then_pictures_with_numbers(board):
    viewer = board.enter(4)
    board.tell({"state": "running"})
    assert json.loads(board.fetch(viewer)) == {"state": "running"}
    result = live_face(3)
    board.post(result, {"table_rows": 9})
    about, jpeg = read(board.fetch(viewer))
    assert (about["frame"], about["size"], about["table_rows"], about["dropped"]) == (4, [64, 48], 9, 2)
    assert about["rows"] == [json.loads(row_of(result.face))]
    assert len(about["drawing"]["points"]) == 136
    picture = np.asarray(Image.open(io.BytesIO(jpeg)))
    assert picture.shape == (48, 64, 3)
    # a JPEG of one colour, without anything drawn over it
    assert np.abs(picture.astype(int) - 21).max() <= 2


def test_whoever_draws_gets_every_picture(board):
    viewer = board.enter(4)
    board.fetch(viewer)
    assert numbers(board, viewer, 5) == [1, 2, 3, 4, 5]
    assert viewer.left_out == 0
    assert viewer.statistics.frames == 5


def test_whoever_stops_drawing_is_sent_a_few_pictures_and_costs_others_nothing(board):
    stalled, other = board.enter(4), board.enter(4)
    for viewer in (stalled, other):
        board.fetch(viewer)
    for count in range(IN_FLIGHT):
        numbers(board, other, 1)
        assert read(board.fetch(stalled))[0]["number"] == count + 1
    waiting = threading.Thread(target=board.fetch, args=(stalled,), daemon=True)
    waiting.start()
    assert len(numbers(board, other, 60)) == 60
    assert other.left_out == 0
    assert waiting.is_alive()
    board.leave(stalled)
    waiting.join(60)
    assert not waiting.is_alive()


def test_whoever_is_late_gets_the_latest_picture_and_all_rows_between(board):
    late, other = board.enter(4), board.enter(4)
    for viewer in (late, other):
        board.fetch(viewer)
    numbers(board, other, 1)
    first, _ = read(board.fetch(late))
    numbers(board, other, 9)
    board.drawn(late, first["number"])
    about, _ = read(board.fetch(late))
    assert about["number"] == 10
    assert len(about["rows"]) == 9
    assert late.left_out == about["left_out"] == 8


def test_a_picture_that_was_sent_but_never_drawn_counts_as_left_out(board):
    viewer = board.enter(4)
    board.fetch(viewer)
    for index in range(2):
        board.post(live_face(index))
        board.fetch(viewer)
    board.drawn(viewer, 2)
    assert viewer.left_out == 1
    assert viewer.statistics.frames == 1


def test_words_about_pictures_that_were_not_sent_are_of_no_account(board):
    viewer = board.enter(4)
    board.fetch(viewer)
    for number in (-1, 0, 99, 10**30):
        board.drawn(viewer, number)
    assert viewer.statistics.frames == 0


def test_whoever_comes_later_gets_the_last_half_minute_and_no_more(board):
    for index in range(40):
        result = live_face(index)
        board.post(replace(result, face=replace(result.face, time_s=float(index))))
    viewer = board.enter(4)
    board.fetch(viewer)
    about, _ = read(board.fetch(viewer))
    assert [row[0] for row in about["rows"]] == list(range(9, 40))


def test_a_picture_from_before_a_viewer_came_says_nothing_about_its_latency(board):
    board.post(live_face(0))
    viewer = board.enter(4)
    board.fetch(viewer)
    about, _ = read(board.fetch(viewer))
    board.drawn(viewer, about["number"])
    assert viewer.statistics.frames == 0
    assert viewer.ready


def test_a_new_run_forgets_the_rows_and_says_so(board):
    viewer = board.enter(4)
    board.fetch(viewer)
    board.begin()
    board.post(live_face(7))
    one, _ = read(board.fetch(viewer))
    board.begin()
    board.post(live_face(0))
    two, _ = read(board.fetch(viewer))
    assert two["run"] == one["run"] + 1
    assert len(two["rows"]) == 1


def test_nobody_more_than_there_is_room_for(board):
    assert board.enter(2) is not None
    first = board.enter(2)
    assert board.enter(2) is None
    board.leave(first)
    assert board.enter(2) is not None


def test_no_picture_is_made_while_nobody_looks_on():
    made = []

    class Counting(PictureMaker):
        def make(self, bgr, face):
            made.append(face.frame)
            return super().make(bgr, face)

    board = Board(Counting(), lambda width, height: CAMERA)
    for index in range(20):
        board.post(live_face(index))
    time.sleep(0.05)
    assert made == []
    viewer = board.enter(1)
    board.fetch(viewer)
    assert read(board.fetch(viewer))[0]["frame"] == 20
    assert made == [19]
    board.close()
    assert board.fetch(viewer) is None


def test_a_picture_that_cannot_be_made_does_not_end_the_numbers(caplog):
    class Broken(PictureMaker):
        def make(self, bgr, face):
            raise OSError("encoder error")

    board = Board(Broken(), lambda width, height: CAMERA)
    viewer = board.enter(1)
    board.fetch(viewer)
    for index in range(2):
        board.post(live_face(index))
        about, jpeg = read(board.fetch(viewer))
        assert (about["frame"], jpeg) == (index + 1, b"")
    board.close()
    assert caplog.text.count("encoder error") == 1


def test_rows_have_a_place_for_everything_and_nothing_where_there_is_no_face():
    about = layout()
    row = json.loads(row_of(make_face(3)))
    places = {unit[kind] for unit in about["units"] for kind in ("intensity", "presence")} - {None}
    assert places == set(range(len(ROW), len(row)))
    unit = next(each for each in about["units"] if each["name"] == "AU12")
    assert row[unit["intensity"]] == pytest.approx(make_face(3).action_units.intensity[8], abs=6e-4)
    assert row[ROW.index("yaw")] == pytest.approx(np.degrees(make_face(3).pose.rotation_rad[1]), abs=6e-3)
    lost = json.loads(row_of(make_face(3, success=False)))
    assert len(lost) == len(row)
    assert lost[2] == 0
    assert set(lost[3:]) == {None}


def test_numbers_that_are_not_known_are_null():
    face = make_face(1, gaze=False, units=False)
    bent = replace(face, pose=replace(face.pose, rotation_rad=np.array([np.nan, np.inf, 0.0])))
    row = json.loads(row_of(bent))
    assert row[3:6] == [None, None, 0.0]
    assert row[9:] == [None] * (len(row) - 9)


def test_what_lies_nowhere_is_not_drawn():
    face = make_face(1)
    points = face.landmarks.points.copy()
    points[3] = np.nan
    lost = replace(face, landmarks=replace(face.landmarks, points=points))
    assert drawing_of(lost, CAMERA)["points"] == []
    behind = replace(face, pose=replace(face.pose, translation_mm=np.array([0.0, 0.0, -500.0])))
    assert all(edge == [] for edge in drawing_of(behind, CAMERA)["near"])
    assert drawing_of(make_face(1, success=False), CAMERA) is None


def test_the_dense_mesh_is_drawn_where_there_is_one():
    assert len(drawing_of(make_face(1, mesh=True), Camera(500, 500, 320, 240))["mesh"]) == 956


def test_wide_pictures_are_made_smaller():
    bgr = np.zeros((1080, 1920, 3), np.uint8)
    bgr[..., 2] = 200
    picture = Image.open(io.BytesIO(PictureMaker().make(bgr, make_face(0))))
    assert picture.size == (1280, 720)
    assert np.abs(np.asarray(picture).mean(axis=(0, 1)) - (200, 0, 0)).max() < 3


def test_nothing_of_a_picture_leaves_in_black_and_no_face_does_blurred():
    rng = np.random.default_rng(0)
    bgr = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    face = make_face(0, success=False)
    assert PictureMaker("black").make(bgr, face) == b""
    plain, blurred = (
        np.asarray(Image.open(io.BytesIO(PictureMaker(mode).make(bgr, face))), float)
        for mode in (None, "blur")
    )
    # where no face is found all of the picture may be one
    assert blurred.std() < 0.2 * plain.std()


def test_other_ways_to_hide_faces_are_refused():
    with pytest.raises(OptionError, match="expected one of blur, black"):
        PictureMaker("smile")
