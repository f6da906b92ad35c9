"""The demonstration's truth is true: pictures move as the motion says."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mien.errors import OutputError
from mien.video.known_motion import BACKGROUND, follow, portrait_motion, render, write_video

MOTION = portrait_motion(24)
POINTS = np.random.default_rng(0).uniform(50, 200, (68, 2))


def moved(motion=MOTION, points=POINTS):
    matrices = [motion.matrix(frame) for frame in range(len(motion))]
    return np.stack([points @ matrix[:, :2].T + matrix[:, 2] for matrix in matrices])


def test_it_pans_zooms_and_rolls_and_starts_at_rest():
    np.testing.assert_allclose(MOTION.matrix(0), [[1, 0, 95], [0, 1, 100]])
    assert np.degrees(np.abs(MOTION.roll_rad).max()) == pytest.approx(15, abs=0.1)
    assert MOTION.scale.min() == pytest.approx(0.75, abs=0.01)
    assert MOTION.scale.max() == pytest.approx(1.25, abs=0.01)
    assert np.abs(MOTION.shift).max(axis=0) == pytest.approx([60, 15], abs=0.5)


def test_a_mark_in_the_picture_is_drawn_where_the_motion_puts_it():
    y, x = np.mgrid[:512, :512]
    blob = 150 * np.exp(-((x - 225) ** 2 + (y - 120) ** 2) / (2 * 6**2))
    picture = np.stack([BACKGROUND[0] + blob, blob, blob], axis=2).round().astype(np.uint8)
    y, x = np.mgrid[:480, :640]
    for frame, pixels in enumerate(render(Image.fromarray(picture), MOTION, (640, 480))):
        mark = np.maximum(pixels[:, :, 0].astype(float) - BACKGROUND[0] - 3, 0)
        centre = [(mark * axis).sum() / mark.sum() for axis in (x, y)]
        np.testing.assert_allclose(centre, MOTION.matrix(frame) @ (225, 120, 1), atol=0.1)


def test_perfect_landmarks_have_no_error():
    followed = follow(moved(), MOTION)
    for error in (followed.roll_error_deg, followed.scale_error_percent, followed.shift_error_px):
        np.testing.assert_allclose(error, 0, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.floats(-2, 2), st.floats(-3, 3), st.floats(0, 2))
def test_errors_of_a_frame_are_measured(roll_deg, percent, pixels):
    points = moved()
    middle = points[5].mean(axis=0)
    turn, size = np.radians(roll_deg), 1 + percent / 100
    wrong = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * size
    points[5] = (points[5] - middle) @ wrong.T + middle + (pixels, 0)
    followed = follow(points, MOTION)
    # the reference is the mean of all 24 frames, which a wrong one pulls along a little
    assert followed.roll_error_deg[5] == pytest.approx(roll_deg, abs=0.1)
    assert followed.scale_error_percent[5] == pytest.approx(percent, abs=0.2)
    assert followed.shift_error_px[5] == pytest.approx(pixels, abs=0.12)


def test_frames_without_landmarks_are_nan_and_leave_the_others_alone():
    points = moved()
    points[3] = np.nan
    followed = follow(points, MOTION)
    assert np.isnan(followed.roll_error_deg[3])
    np.testing.assert_allclose(np.delete(followed.shift_error_px, 3), 0, atol=1e-9)


def test_the_video_holds_the_frames(tmp_path):
    frames = [np.full((48, 64, 3), 40 * i, np.uint8) for i in range(5)]
    write_video(frames, tmp_path / "clip.mp4", fps=25)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        stream = container.streams.video[0]
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert stream.average_rate == 25
    assert len(decoded) == 5
    for frame, expected in zip(decoded, frames, strict=True):
        np.testing.assert_allclose(frame.mean(), expected.mean(), atol=3)


def test_a_folder_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="choose another folder"):
        write_video([np.zeros((48, 64, 3), np.uint8)], tmp_path / "none" / "clip.mp4")
