"""The validator equals the original's, bit for bit up to the network, and the same bin after it."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import synthetic_models
from mien.imaging.kernels import bgr_to_gray
from mien.landmarks.validator import CERTAINTY_THRESHOLD, LandmarkValidator, ViewJudge
from mien.models.readers import read_validator
from oracle import networks, validation
from synthetic_face import Pose, landmarks, picture

FRONTAL = np.zeros(3)


def read_gray(path):
    return np.ascontiguousarray(np.asarray(Image.open(path)))


def drawn_face():
    """A drawn face in grey and its landmarks."""
    pose = Pose(1.5, x=320.0, y=240.0)
    bgr = picture(pose)
    gray = np.empty(bgr.shape[:2], np.uint8)
    bgr_to_gray(np.ascontiguousarray(bgr), gray)
    return gray, landmarks(pose).astype(np.float32)


def textured_view(rng):
    """A view whose mean and deviation images vary."""
    view = synthetic_models.validator_record().views[0]
    count = len(view.mean_image)
    return replace(view, mean_image=rng.normal(0, 1, count), std_image=rng.uniform(0.1, 2, count))


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 2**32 - 1))
def test_network_input_equals_its_definition(seed):
    rng = np.random.default_rng(seed)
    view = textured_view(rng)
    gray = rng.integers(0, 256, (90, 110), dtype=np.uint8)
    x, y = rng.uniform(0, 100, 2)
    points = landmarks(Pose(rng.uniform(0.1, 0.7), x=x, y=y)).astype(np.float32)
    points += rng.normal(0, 1, points.shape).astype(np.float32)
    expected = validation.network_input(view, gray, points)
    found = ViewJudge(view).network_input(gray, points)
    if expected is None:
        assert found is None
    else:
        np.testing.assert_allclose(found[0, 0], expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("bins", [20, 30])
def test_certainty_is_that_of_the_largest_bin(bins):
    gray, points = drawn_face()
    record = synthetic_models.validator_record(bins)
    validator = LandmarkValidator(record)
    for shift in (0, 12):
        moved = points + np.float32([shift, 0])
        outputs = networks.run(record.views[0].layers, validator.judge(0).network_input(gray, moved)[0])
        expected = np.float32(0.5 * (1 - (-1 + 1 / bins + 2 * int(np.argmax(outputs)) / bins)))
        assert validator.certainty(FRONTAL, gray, moved) == expected


def test_good_landmarks_are_trusted_and_shifted_ones_are_not():
    gray, points = drawn_face()
    validator = LandmarkValidator(synthetic_models.validator_record())
    assert validator.certainty(FRONTAL, gray, points) > CERTAINTY_THRESHOLD
    assert validator.certainty(FRONTAL, gray, points + np.float32([60, 30])) < CERTAINTY_THRESHOLD


def test_the_sixth_of_twenty_bins_equals_the_threshold_and_fails():
    layers = synthetic_models.validator_record(20).views[0].layers
    bias = np.zeros(20, np.float32)
    bias[5] = 1e6
    view = synthetic_models.validator_record(20).views[0]
    judge = ViewJudge(replace(view, layers=(*layers[:-1], replace(layers[-1], bias=bias))))
    certainty = judge.certainty(*drawn_face())
    assert certainty == np.float32(0.725)
    assert not certainty > CERTAINTY_THRESHOLD


@pytest.mark.parametrize("shift", [(-2000, 0), (0, -2000), (5000, 0), (0, 5000), (1e9, 0), (np.nan, 0)])
def test_landmarks_off_the_image_have_no_certainty(shift):
    gray, points = drawn_face()
    validator = LandmarkValidator(synthetic_models.validator_record())
    assert validator.certainty(FRONTAL, gray, points + np.float32(shift)) == 0


def test_a_blank_image_gives_a_finite_input():
    _, points = drawn_face()
    judge = ViewJudge(textured_view(np.random.default_rng(0)))
    assert np.isfinite(judge.network_input(np.full((480, 640), 128, np.uint8), points)).all()


def test_the_nearest_view_is_chosen_and_the_first_of_equals():
    record = synthetic_models.validator_record()
    validator = LandmarkValidator(record)
    degrees = [-40, -14, 0, 14, 16, 50]
    views = [validator.nearest_view(np.array([0.1, np.deg2rad(yaw), 0], np.float32)) for yaw in degrees]
    assert views == [1, 0, 0, 0, 2, 2]
    halfway = np.array([0, record.views[1].orientation[1] / 2, 0])
    assert validator.nearest_view(halfway) == 0


def test_landmarks_in_another_memory_layout_give_the_same_certainty():
    gray, points = drawn_face()
    validator = LandmarkValidator(synthetic_models.validator_record())
    columns = np.asfortranarray(points.astype(np.float64))
    assert validator.certainty(FRONTAL, gray, columns) == validator.certainty(FRONTAL, gray, points)


def _dumped_validations(files, gray_of):
    """Grey image, dump and key prefix of every validation."""
    for path in files:
        gray_path = gray_of(path)
        if not gray_path.exists():
            continue
        gray = read_gray(gray_path)
        with np.load(path) as dump:
            for key in dump.files:
                if key.endswith("_main_valid_view"):
                    prefix = key.removesuffix("valid_view")
                    yield gray, {name: dump[prefix + name] for name in _KEYS}


_KEYS = ("valid_view", "valid_cnn_input", "certainty", "success", "refined_landmarks", "refined_global")


def _assert_equals_original(validator, validations, at_least):
    count = 0
    for gray, dump in validations:
        points = np.ascontiguousarray(dump["refined_landmarks"].reshape(2, 68).T)
        orientation = dump["refined_global"].ravel()[1:4]
        view = validator.nearest_view(orientation)
        assert view == dump["valid_view"][0]
        assert np.array_equal(
            validator.judge(view).network_input(gray, points)[0, 0], dump["valid_cnn_input"]
        )
        certainty = validator.certainty(orientation, gray, points)
        assert certainty == dump["certainty"][0]
        assert (certainty > CERTAINTY_THRESHOLD) == bool(dump["success"][0])
        count += 1
    assert count >= at_least


def _validator(openface_dir, name):
    folder = openface_dir / "LandmarkDetector/model/detection_validation"
    return LandmarkValidator(read_validator(folder / name))


@pytest.mark.models
def test_thirty_bins_equal_the_original(openface_dir, reference_dir):
    files = sorted(reference_dir.glob("stages/*/frame_*/*.npz"))
    validations = _dumped_validations(files, lambda path: path.parent / "gray.png")
    _assert_equals_original(_validator(openface_dir, "validator_cnn.txt"), validations, 44)


@pytest.mark.models
def test_twenty_bins_equal_the_original(openface_dir, reference_dir):
    files = sorted(reference_dir.glob("ce_clm/stages/*_track.npz"))
    files += sorted(reference_dir.glob("ce_clm/stages/*_image.npz"))
    validations = _dumped_validations(
        files, lambda path: path.with_name(path.stem.rsplit("_", 1)[0] + "_gray.png")
    )
    _assert_equals_original(_validator(openface_dir, "validator_cnn_68.txt"), validations, 27)


@pytest.mark.models
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("validator_cnn.txt", [0.983, 0.883, 0.883, 0.75, 0.55, 0.35]),
        ("validator_cnn_68.txt", [0.975, 0.875, 0.825, 0.725, 0.575, 0.325]),
    ],
)
def test_certainty_falls_with_the_shift_as_it_should(openface_dir, media_dir, reference_dir, name, expected):
    with (reference_dir / "variants/image_sequence/image_sequence.csv").open() as lines:
        row = next(csv.DictReader(lines, skipinitialspace=True))
    points = np.array([[row[f"x_{i}"], row[f"y_{i}"]] for i in range(68)], np.float32)
    bgr = np.asarray(Image.open(media_dir / "image_sequence/001.jpg"))[..., ::-1]
    gray = np.empty(bgr.shape[:2], np.uint8)
    bgr_to_gray(np.ascontiguousarray(bgr), gray)
    validator = _validator(openface_dir, name)
    found = [
        validator.certainty(FRONTAL, gray, points + np.float32([dx, 0])) for dx in (3, 6, 10, 15, 25, 40)
    ]
    np.testing.assert_allclose(found, expected, atol=6e-4)
