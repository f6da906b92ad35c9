"""What can be used of a face's rows: shares, lost stretches, heads turned too far."""

from __future__ import annotations

import numpy as np
import pytest

from mien.report.face_rows import faces_in
from mien.report.quality import quality_of
from recording_results import recording


def only(result, confidence=0.8):
    (face,) = faces_in(result, confidence)
    return face


def test_lost_stretches_reach_half_a_step_to_both_sides():
    face = only(recording(300, fps=10, lost=((100, 130), (299, 300))))
    quality = quality_of(face, 30)
    assert np.allclose(quality.lost, [(9.95, 12.95), (29.85, 29.9)])
    assert quality.usable == 269
    assert quality.usable_share == pytest.approx(269 / 300)


def test_rows_that_are_missing_are_lost_stretches_too():
    result = recording(300, fps=10, lost=())
    keep = (result.frame < 50) | (result.frame >= 80)
    face = only(result[keep])
    assert np.allclose(quality_of(face, 30).lost, [(4.95, 7.95)])
    assert face.gaps().tolist() == [49]


def test_low_confidence_does_not_count():
    result = recording(100, lost=())
    result.confidence[:40] = 0.5
    assert quality_of(only(result), 30).usable == 60
    assert quality_of(only(result, 0.4), 30).usable == 100


def test_heads_turned_too_far_are_counted_among_usable_rows():
    result = recording(100, lost=((50, 100),))
    result.pose_rotation_rad[:] = 0
    result.pose_rotation_rad[:10, 1] = np.radians(-31)
    result.pose_rotation_rad[10:20, 0] = np.radians(31)
    result.pose_rotation_rad[20:30, 2] = np.radians(90)
    result.pose_rotation_rad[50:, 1] = 2
    assert quality_of(only(result), 30).turned_share == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("lost", "turn", "verdict"),
    [(0, 0, "good"), (5, 0, "good"), (20, 0, "fair"), (50, 0, "poor"), (100, 0, "no face"), (0, 40, "fair")],
)
def test_verdicts(lost, turn, verdict):
    result = recording(100, lost=((0, lost),))
    result.pose_rotation_rad[:] = np.radians(turn)
    assert quality_of(only(result), 30).verdict == verdict


def test_the_face_with_most_usable_rows_comes_first():
    result = recording(100, faces=2, lost=())
    result.success[result.face_id == 0] = False
    assert [face.face_id for face in faces_in(result, 0.8)] == [1, 0]


def test_rows_out_of_order_are_put_in_order():
    result = recording(50, lost=())
    face = only(result[::-1])
    assert (np.diff(face.x) > 0).all()
    assert face.result.frame[0] == 0


def test_without_times_frames_are_counted():
    result = recording(20, lost=(), time_s=np.full(20, np.nan))
    face = only(result)
    assert face.unit == "frame"
    assert face.x.tolist() == list(range(1, 21))
