"""Nobody can be recognised in anonymous pictures: what is left of faces is measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mien.data import PORTRAIT
from mien.datatypes import Camera, Frame
from mien.errors import OptionError
from mien.results import faces_of
from mien.video.file import VideoFile
from mien.view.anonymous import AnonymousDrawer, convex_hull, hide, outline
from mien.view.drawing import DrawingOptions, make_drawer
from mien.view.render import draw_video
from synthetic_drawing import drawn_face


class Plain:
    """Draws nothing, so that only what is hidden differs."""

    def draw(self, bgr, faces, notes=()):
        return bgr


def nobody(bgr):
    return np.empty((0, 4), np.float32)


def noise(seed=0, shape=(480, 640)):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3)).astype(np.uint8)


def drawer(mode="blur", others=nobody):
    return AnonymousDrawer(Plain(), mode, others)


def inside(points, shape=(480, 640)):
    """Pixels within the convex hull of points."""
    hull = convex_hull(np.asarray(points, np.float64))
    y, x = np.mgrid[: shape[0], : shape[1]]
    mask = np.ones(shape, bool)
    for (ax, ay), (bx, by) in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        mask &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0
    return mask


def detail(bgr, mask):
    """How much neighbouring pixels differ: what is left of features."""
    steps = np.abs(np.diff(bgr.astype(int), axis=1)).mean(axis=2)
    return float(steps[mask[:, 1:] & mask[:, :-1]].mean())


def test_nothing_is_left_of_the_pixels_of_a_face():
    face, picture = drawn_face(), noise()
    hidden = drawer().draw(picture, [face])
    mask = inside(face.landmarks.points)
    assert detail(hidden, mask) < 0.05 * detail(picture, mask)
    correlation = np.corrcoef(hidden[mask].ravel(), picture[mask].ravel())[0, 1]
    assert abs(correlation) < 0.1


def test_the_forehead_is_hidden_and_the_rest_of_the_picture_is_not():
    face, picture = drawn_face(), noise()
    hidden = drawer().draw(picture, [face])
    points = face.landmarks.points
    brow, chin = points[17:27].mean(axis=0), points[8]
    above = brow + 0.6 * (brow - chin)
    x, y = above.round().astype(int)
    around = np.zeros((480, 640), bool)
    around[max(y - 5, 0) : y + 5, x - 5 : x + 5] = True
    assert detail(hidden, around) < 0.1 * detail(picture, around)
    changed = (hidden != picture).any(axis=2)
    assert changed.mean() < 0.6
    assert not changed[:, :5].any()


def test_the_picture_itself_is_not_changed():
    picture = noise()
    before = picture.copy()
    drawer().draw(picture, [drawn_face()])
    drawer().draw(picture, [])
    assert (picture == before).all()


@pytest.mark.parametrize("faces", ["none", "failed", "not finite"])
def test_where_no_face_is_found_the_whole_picture_is_hidden(faces):
    lost = drawn_face()
    lost = replace(lost, landmarks=replace(lost.landmarks, success=False))
    gone = drawn_face()
    gone = replace(gone, landmarks=replace(gone.landmarks, points=np.full((68, 2), np.nan, np.float32)))
    picture = noise()
    given = {"none": [], "failed": [lost], "not finite": [gone]}[faces]
    hidden = drawer().draw(picture, given)
    everywhere = np.ones((480, 640), bool)
    assert detail(hidden, everywhere) < 0.05 * detail(picture, everywhere)


def test_a_face_that_is_missing_for_a_moment_hides_the_whole_picture():
    one, other = drawn_face(x=160), drawn_face(x=480, face_id=1)
    drawing = drawer()
    drawing.draw(noise(), [one, other])
    picture = noise(1)
    hidden = drawing.draw(picture, [one])
    assert detail(hidden, inside(other.landmarks.points)) < 0.05 * detail(
        picture, inside(other.landmarks.points)
    )


def test_a_face_that_left_long_ago_hides_nothing_any_more():
    one, other = drawn_face(x=160), drawn_face(x=480, face_id=1)
    drawing, picture = drawer(), noise(shape=(480, 640))
    drawing.draw(picture, [one, other])
    for _ in range(90):
        hidden = drawing.draw(picture, [one])
    assert (hidden[:, 560:] == picture[:, 560:]).all()


def test_faces_of_others_are_hidden_too_also_when_their_detector_skips_a_frame():
    boxes = [np.array([[400, 100, 80, 100]], np.float32), np.empty((0, 4), np.float32)]
    drawing = drawer(others=lambda bgr: boxes.pop(0))
    for _ in range(2):
        picture = noise()
        hidden = drawing.draw(picture, [drawn_face(x=160)])
        mask = np.zeros((480, 640), bool)
        mask[100:200, 400:480] = True
        assert detail(hidden, mask) < 0.1 * detail(picture, mask)


def test_on_black_nothing_of_the_picture_is_left():
    for faces in ([], [drawn_face()]):
        assert not drawer("black").draw(noise(), faces).any()


@pytest.mark.parametrize("place", [(-300, -300), (639, 0), (10_000, 50), (320, 479)])
def test_faces_at_and_beyond_the_borders_are_hidden_without_fail(place):
    points = drawn_face().landmarks.points
    moved = points - points.mean(axis=0) + place
    assert hide(noise(), outline(moved)).shape == (480, 640, 3)


def test_the_real_detectors_find_a_face_that_nobody_tracks():
    with Image.open(PORTRAIT) as image:
        portrait = np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1])
    height, width = portrait.shape[:2]
    picture = np.full((height, 2 * width, 3), 128, np.uint8)
    picture[:, width:] = portrait
    tracked = drawn_face(x=width / 2, y=height / 2)
    camera = Camera(500, 500, width, height / 2)
    options = DrawingOptions(anonymous="blur", panel=False, zoom=1)
    drawn = make_drawer(options, camera).draw(picture, [tracked])
    plain = make_drawer(replace(options, anonymous=None), camera).draw(picture, [tracked])
    centre = np.zeros(picture.shape[:2], bool)
    centre[height // 4 : height // 2, width + width // 3 : width + 2 * width // 3] = True
    assert detail(drawn, centre) < 0.35 * detail(plain, centre)


def test_a_drawn_video_is_anonymous_in_every_frame(tmp_path):
    from mien.results import ResultBuilder

    builder = ResultBuilder()
    for index in (0, 2):
        builder.append(drawn_face(frame=index))
    result = builder.finish()
    pictures = [noise(seed) for seed in range(3)]
    frames = [Frame(index, index / 20, picture, picture[:, :, 0]) for index, picture in enumerate(pictures)]
    options = DrawingOptions(anonymous="blur", panel=False, zoom=1)
    camera = Camera(500, 500, 320, 240)
    draw_video(frames, result, tmp_path / "t.mp4", camera=camera, fps=20, options=options)
    points = next(faces_of(result)).landmarks.points
    mask = inside(points)
    with VideoFile(tmp_path / "t.mp4") as video:
        shown = [frame.bgr for frame in video]
    assert len(shown) == 3
    # the middle frame has no face: all of it is hidden
    assert detail(shown[1], np.ones((480, 640), bool)) < 0.05 * detail(pictures[1], np.ones((480, 640), bool))
    for index in (0, 2):
        correlation = np.corrcoef(shown[index][mask].ravel(), pictures[index][mask].ravel())[0, 1]
        assert abs(correlation) < 0.1


def test_unknown_ways_to_hide_are_refused():
    with pytest.raises(OptionError, match="blur, black"):
        DrawingOptions(anonymous="pixels")
