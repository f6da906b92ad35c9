"""The sample picture of docs/algorithms/worked-example.md, as the original program fitted it.

A whole fit may differ by a few hundredths of a pixel: docs/algorithms/numerical-noise.md.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers_kernels import area_of_interest, place_reference, unpack_responses
from mien.datatypes import Frame
from mien.detection.mtcnn import MtcnnDetector
from mien.imaging.kernels import bgr_to_gray
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.hypotheses import ORIENTATIONS, landmarks_from_box
from mien.landmarks.options import FitOptions
from mien.landmarks.tracker import FaceTracker
from mien.landmarks.validator import LandmarkValidator
from mien.models.readers import read_landmark_model, read_mtcnn

pytestmark = pytest.mark.models

BOX = np.array([149.69302, 178.16966, 190.21271, 195.76611], np.float32)


@cache
def read_frame(folder: Path, number: int) -> Frame:
    rgb = np.array(Image.open(folder / f"image_sequence/{number:03}.jpg").convert("RGB"))
    bgr = np.ascontiguousarray(rgb[..., ::-1])
    gray = np.empty(bgr.shape[:2], np.uint8)
    bgr_to_gray(bgr, gray)
    return Frame(number - 1, number / 30, bgr, gray)


@pytest.fixture(scope="module")
def record(openface_dir):
    return read_landmark_model(openface_dir / "LandmarkDetector/model/main_clnf_general.txt")


@pytest.fixture(scope="module")
def detector(record) -> LandmarkDetector:
    return LandmarkDetector(record, FitOptions(), LandmarkValidator(record.validator).certainty)


@pytest.fixture
def frame(media_dir) -> Frame:
    return read_frame(media_dir, 1)


def test_box_gives_the_golden_start(detector):
    glob = detector.pdm.from_box(BOX).global_params
    np.testing.assert_allclose(glob, [1.35692, 0, 0, 0, 246.1683, 266.3619], rtol=1e-6)


def test_areas_and_responses_have_the_golden_sums(detector, frame):
    """Scale 0 with its window of 11."""
    start = detector.pdm.from_box(BOX)
    experts = detector.model.experts[0]
    base, similarity = place_reference(detector.pdm, start.global_params, start.local_params, experts.scale)
    areas = [area_of_interest(frame.gray, *base[:, i], *similarity[2:], 21) for i in range(68)]
    assert areas[30][10, 10] == 186.3125
    assert np.sum(areas, dtype=float) == pytest.approx(4853294.70, abs=20)
    maps = np.empty((121, 68), np.float32)
    experts.responses(frame.gray, 0, base, similarity, 11, maps)
    responses = unpack_responses(maps)
    assert responses[30].max() == pytest.approx(0.430019, rel=1e-4)
    assert np.unravel_index(responses[30].argmax(), (11, 11)) == (5, 4)
    sums = responses.sum(axis=(1, 2), dtype=float)
    np.testing.assert_allclose(sums[[30, 0, 48]], [3.832966, 6.277183, 3.770175], rtol=1e-4)
    assert sums.sum() == pytest.approx(393.16317, rel=1e-4)


def test_main_fit_passes_through_the_golden_states(detector, frame):
    expected = [
        (1.322461, 0.051771, 0.032874, -0.007980, 240.60715, 263.04987),
        (1.315990, 0.054933, 0.037954, -0.013249, 240.61493, 262.99652),
        (1.315716, 0.050282, 0.033180, -0.014547, 240.81890, 263.19910),
    ]
    for windows, glob in zip(((11, 0, 0), (11, 9, 0), (11, 9, 7)), expected, strict=True):
        fit = detector.model.fit(frame.gray, detector.pdm.from_box(BOX), windows)
        assert fit.iterations == ((5, 5),) * len(fit.iterations)
        np.testing.assert_allclose(fit.params.global_params[[0, 4, 5]], np.array(glob)[[0, 4, 5]], atol=0.01)
        np.testing.assert_allclose(fit.params.orientation, glob[1:4], atol=5e-4)
    assert fit.likelihood == pytest.approx(0.799211, abs=1e-3)
    local = fit.params.local_params[:4]
    np.testing.assert_allclose(local, [-13.452698, 12.227983, -4.560345, 13.204634], atol=0.05)
    points = [
        (147.330, 218.515),
        (243.369, 367.742),
        (241.964, 251.110),
        (181.996, 213.775),
        (202.470, 302.450),
    ]
    np.testing.assert_allclose(detector.pdm.points(fit.params)[[0, 8, 30, 36, 48]], points, atol=0.05)


def test_final_landmarks_and_parts_are_golden(detector, frame):
    result, success = landmarks_from_box(detector, frame.gray, BOX, multi_view=False)
    assert success
    assert result.certainty == pytest.approx(0.983333, abs=1e-6)
    glob = (1.303901, 0.027241, 0.034364, -0.015105, 241.05902, 262.92853)
    np.testing.assert_allclose(result.params.global_params, glob, atol=0.01)
    local = result.params.local_params[:4]
    np.testing.assert_allclose(local, [-16.34335, 12.63301, -6.871927, 9.675753], atol=0.05)
    points = [
        (147.499, 218.766),
        (243.365, 367.624),
        (241.851, 249.025),
        (182.287, 215.005),
        (298.762, 213.961),
        (202.643, 301.954),
        (279.929, 301.399),
        (240.865, 317.321),
    ]
    np.testing.assert_allclose(result.points[[0, 8, 30, 36, 45, 48, 54, 57]], points, atol=0.05)
    likelihoods = {part.name: part.fit.likelihood for part in result.parts}
    assert likelihoods == pytest.approx(
        {"inner": 0.484398, "left_eye_28": -0.452989, "right_eye_28": -0.166050}, abs=5e-3
    )
    left, right = result.parts[1:]
    np.testing.assert_allclose(left.points[[0, 20]], [(191.541, 212.433), (197.937, 214.979)], atol=0.05)
    np.testing.assert_allclose(right.points[[0, 20]], [(271.285, 211.201), (277.874, 214.680)], atol=0.05)


def test_hypotheses_have_the_golden_likelihoods(detector, frame):
    golden = (
        *(0.7992, 0.2453, 0.6763, -1.3609, -0.8530, -0.4081, 0.1457, -1.1115),
        *(-1.9669, -1.9744, -1.9405),
    )
    certainties = (0.983, 0.883, 0.983, 0.05, 0.017, 0.883, 0.917, 0.017, 0.017, 0.017, 0.017)
    for turn, likelihood, certainty in zip(ORIENTATIONS, golden, certainties, strict=True):
        result = detector.detect(frame.gray, detector.pdm.from_box(BOX, turn), (11, 9, 7))
        assert result.likelihood == pytest.approx(likelihood, abs=5e-3)
        assert result.certainty == pytest.approx(certainty, abs=1e-3)


def test_tracker_reaches_the_golden_second_frame(record, openface_dir, media_dir):
    """Detection, eleven hypotheses, then one tracked frame."""
    mtcnn = MtcnnDetector(
        read_mtcnn(openface_dir / "LandmarkDetector/model/mtcnn_detector/MTCNN_detector.txt")
    )
    tracker = FaceTracker(
        LandmarkDetector(record, FitOptions(), LandmarkValidator(record.validator).certainty), mtcnn.detect
    )
    first = tracker.follow(read_frame(media_dir, 1))
    np.testing.assert_allclose(first.points[[0, 8]], [(147.499, 218.766), (243.365, 367.624)], atol=0.05)
    second = tracker.follow(read_frame(media_dir, 2))
    assert second.success
    assert tracker.state.detection.likelihood == pytest.approx(0.774602, abs=5e-3)
    glob = (1.295650, 0.022014, 0.041592, -0.017365, 240.87267, 262.27487)
    np.testing.assert_allclose(second.global_params, glob, atol=0.02)
    points = [
        (147.447, 219.084),
        (243.625, 365.878),
        (241.225, 248.340),
        (182.055, 215.046),
        (298.762, 213.876),
        (202.679, 301.481),
        (279.385, 300.658),
        (240.578, 317.221),
    ]
    np.testing.assert_allclose(second.points[[0, 8, 30, 36, 45, 48, 54, 57]], points, atol=0.05)
