"""Comparison of tables: every figure on values worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers_reference import VIDEOS, read_video, result_of
from mien.errors import TableError
from mien.results import PRESETS, Limits, compare_tables, read_openface_csv, write_openface_csv
from synthetic_result import make_result


@pytest.fixture
def result():
    return make_result(40)


def changed(result, **arrays):
    return replace(
        result, **{name: array.astype(getattr(result, name).dtype) for name, array in arrays.items()}
    )


def test_a_table_agrees_with_itself(result):
    found = compare_tables(result, result)
    assert found.rows == (40, 40)
    assert (found.matched, found.compared, found.same_rows) == (40, 40, True)
    assert (found.success_percent, found.presence_percent) == (100, 100)
    assert (found.landmark_mean_px, found.landmark_p99_px, found.eye_px) == (0, 0, 0)
    assert (found.pose_deg, found.pose_mm, found.gaze_deg, found.intensity_difference) == (0, 0, 0, 0)
    assert found.intensity_r_lowest == pytest.approx(1)
    assert not PRESETS["openface"].exceeded(found)


def test_landmarks_are_compared_by_distance(result):
    moved = result.landmarks.copy()
    moved[:, :34] += (3, 4)
    found = compare_tables(result, changed(result, landmarks=moved))
    assert found.landmark_mean_px == pytest.approx(2.5, abs=1e-4)
    assert found.landmark_p99_px == pytest.approx(5, abs=1e-3)


def test_pose_gaze_and_eyes_are_compared_by_coordinate(result):
    other = changed(
        result,
        pose_translation_mm=result.pose_translation_mm + np.array((0.3, -0.3, 0.6)),
        pose_rotation_rad=result.pose_rotation_rad + np.radians((1.0, -2.0, 0.0)),
        gaze_angle_rad=result.gaze_angle_rad + np.radians((0.5, 0.0)),
        eye_landmarks=result.eye_landmarks + np.array((0.2, 0.0)),
    )
    found = compare_tables(result, other)
    assert found.pose_mm == pytest.approx(0.4)
    assert found.pose_deg == pytest.approx(1.0)
    assert found.gaze_deg == pytest.approx(0.25)
    assert found.eye_px == pytest.approx(0.1, abs=1e-4)


def test_angles_differ_the_short_way_round(result):
    a = changed(result, pose_rotation_rad=np.full((40, 3), np.pi - 0.01))
    b = changed(result, pose_rotation_rad=np.full((40, 3), -np.pi + 0.01))
    assert compare_tables(a, b).pose_deg == pytest.approx(np.degrees(0.02))


def test_rows_that_failed_in_either_count_for_success_and_action_units_only(result):
    success = result.success.copy()
    success[:10] = False
    moved = result.landmarks.copy()
    moved[:10] += 100
    found = compare_tables(result, changed(result, success=success, landmarks=moved))
    assert found.success_percent == 75
    assert (found.matched, found.compared) == (40, 30)
    assert found.landmark_mean_px == 0


def test_rows_are_matched_by_frame_and_face(result):
    shuffled = result[np.random.default_rng(0).permutation(40)]
    found = compare_tables(result, shuffled)
    assert found.same_rows
    assert found.landmark_mean_px == 0
    found = compare_tables(result, result[5:])
    assert (found.rows, found.matched, found.same_rows) == ((40, 35), 35, False)
    other_face = changed(result, face_id=np.ones(40))
    found = compare_tables(result, other_face)
    assert (found.matched, found.same_rows) == (0, False)
    assert np.isnan(found.landmark_mean_px)


def test_units_constant_in_both_have_no_r_and_in_one_have_none_in_common(result):
    a, b = result.au_intensity.copy(), result.au_intensity.copy()
    a[:, 0] = b[:, 0] = 0
    b[:, 1] = 2
    found = compare_tables(changed(result, au_intensity=a), changed(result, au_intensity=b))
    assert found.constant_units == ("AU01",)
    units = {unit.name: unit for unit in found.units}
    assert np.isnan(units["AU01"].r)
    assert units["AU02"].r == 0
    assert found.intensity_r_lowest == 0
    assert found.intensity_r_mean == pytest.approx(15 / 16)
    assert found.intensity_difference == pytest.approx(np.abs(a - b).mean())


def test_correlation_is_pearsons(result):
    noise = np.random.default_rng(1).normal(0, 0.5, (40, 17))
    other = changed(result, au_intensity=result.au_intensity + noise)
    units = {unit.name: unit for unit in compare_tables(result, other).units}
    expected = np.corrcoef(result.au_intensity[:, 8], other.au_intensity[:, 8])[0, 1]
    assert units["AU12"].r == pytest.approx(expected)


def test_presence_is_counted_in_equal_rows(result):
    presence = result.au_presence.copy()
    presence[:20, 0] = 1 - presence[:20, 0]
    found = compare_tables(result, changed(result, au_presence=presence))
    assert found.presence_percent == pytest.approx(100 * (17.5 / 18))
    assert "AU28" in [unit.name for unit in found.units]


def test_what_one_table_did_not_measure_is_left_out(result):
    intensity = result.au_intensity.copy()
    intensity[:, 3] = np.nan
    intensity[:5, 4] = np.nan
    found = compare_tables(result, changed(result, au_intensity=intensity))
    units = {unit.name: unit for unit in found.units}
    assert np.isnan(units["AU05"].r)
    assert units["AU06"].mean_difference == 0
    assert found.intensity_r_lowest == pytest.approx(1)


def test_missing_groups_cannot_be_compared_and_exceed_every_limit(result):
    found = compare_tables(result, make_result(40, gaze=False, units=False))
    assert np.isnan([found.gaze_deg, found.eye_px, found.intensity_r_mean, found.presence_percent]).all()
    assert found.units == ()
    assert Limits(gaze_deg=100.0).exceeded(found) == ("gaze_deg",)
    assert not Limits().exceeded(found)


@pytest.mark.parametrize(
    ("limits", "exceeded"),
    [
        (Limits(landmark_mean_px=5.0), ()),
        (Limits(landmark_mean_px=4.9), ("landmark_mean_px",)),
        (Limits(presence_percent=100.0), ()),
        (Limits(same_rows=True), ()),
        (Limits(landmark_p99_px=1.0, pose_mm=0.0), ("landmark_p99_px",)),
    ],
)
def test_limits_bound_figures_from_their_bad_side(result, limits, exceeded):
    result.landmarks[:] = 0
    other = changed(result, landmarks=result.landmarks + np.array((3, 4)))
    assert limits.exceeded(compare_tables(result, other)) == exceeded


def test_files_and_results_can_be_mixed(result, tmp_path):
    write_openface_csv(result, tmp_path / "t.csv")
    found = compare_tables(result, tmp_path / "t.csv")
    assert not PRESETS["openface"].exceeded(found)
    # the rounding to 0.1 px alone
    assert found.landmark_mean_px == pytest.approx(0.038, abs=0.001)
    assert (
        compare_tables(str(tmp_path / "t.csv"), read_openface_csv(tmp_path / "t.csv")).landmark_mean_px == 0
    )


def test_tables_of_single_images_are_matched_by_face(result, tmp_path):
    write_openface_csv(changed(result, face_id=np.arange(40)), tmp_path / "t.csv", form="image")
    found = compare_tables(tmp_path / "t.csv", tmp_path / "t.csv")
    assert (found.matched, found.landmark_mean_px) == (40, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "expected a column 'frame' or 'face', got a, b"),
        ("frame,face_id\n1,0\n1,0\n", "every face once per frame"),
        ("frame,face_id\n1,\n", "a frame and a face in every row"),
    ],
)
def test_tables_without_frames_or_with_a_face_twice_are_refused(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(TableError, match=message):
        compare_tables(tmp_path / "t.csv", tmp_path / "t.csv")


@pytest.mark.models
@pytest.mark.parametrize("name", VIDEOS)
def test_full_precision_is_within_the_limits_of_its_own_rounding(name, reference_dir):
    folder = reference_dir / "videos" / name
    found = compare_tables(result_of(read_video(folder)), folder / f"{name}.csv")
    assert not PRESETS["openface"].exceeded(found)
    assert found.landmark_mean_px == pytest.approx(0.038, abs=0.001)
