"""Grey conversion, warp, remap and resize equal OpenCV 4 and their slow twins."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mien.imaging.kernels import bgr_to_gray, remap, resize_linear, warp_affine
from oracle import image_primitives as oracle

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 24)


@pytest.fixture(autouse=True)
def plain_opencv():
    """OpenCV's own code: Intel's primitives resize with other weights (up to 0.008 grey levels)."""
    used = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(False)
    yield
    cv2.ipp.setUseIPP(used)


def gray_of(bgr):
    out = np.empty(bgr.shape[:2], np.uint8)
    bgr_to_gray(bgr, out)
    return out


def warped(image, matrix, width, height):
    out = np.empty((height, width), np.float32)
    warp_affine(image, matrix, out)
    return out


def remapped(image, map_x, map_y):
    out = np.empty(map_x.shape, np.float32)
    remap(image, map_x, map_y, out)
    return out


def resized(image, width, height):
    out = np.empty((height, width, image.shape[2]), np.float32)
    resize_linear(image, out)
    return out


def noise(rng, *shape):
    return rng.integers(0, 256, shape, dtype=np.uint8)


def test_grey_equals_opencv_for_every_colour_on_a_fine_grid():
    levels = np.r_[0:256:3, 254, 255].astype(np.uint8)
    bgr = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(len(levels), -1, 3)
    assert np.array_equal(gray_of(bgr), cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY))


@settings(deadline=None, max_examples=30)
@given(seeds, sizes, sizes)
def test_grey_equals_its_definition(seed, width, height):
    bgr = noise(np.random.default_rng(seed), height, width, 3)
    assert np.array_equal(gray_of(bgr), oracle.gray(bgr))


def test_warp_equals_opencv_inside_and_across_every_border():
    rng = np.random.default_rng(0)
    gray = noise(rng, 90, 120)
    for trial in range(200):
        matrix = rng.normal(0, [[1, 1, 40]] * 2)
        matrix[:, 2] += [60, 45]
        if trial % 4 == 0:  # Entirely inside.
            matrix = np.array([[0.9, 0.1, 20], [-0.1, 1.0, 10]]) + rng.normal(0, 0.01, (2, 3))
        width, height = rng.integers(1, 40, 2)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        expected = cv2.warpAffine(gray.astype(np.float32), matrix, (int(width), int(height)), flags=flags)
        assert np.array_equal(warped(gray, matrix, width, height), expected)


@settings(deadline=None, max_examples=40)
@given(seeds, sizes, sizes)
def test_warp_equals_its_definition(seed, width, height):
    rng = np.random.default_rng(seed)
    gray = noise(rng, *rng.integers(1, 30, 2))
    matrix = rng.normal(0, [[1, 1, 15]] * 2)
    assert np.array_equal(
        warped(gray, matrix, width, height), oracle.warp_affine(gray, matrix, width, height)
    )


def test_warp_rounds_half_steps_to_the_nearest_thirty_second():
    ramp = np.tile(np.arange(0, 64, 2, dtype=np.uint8), (4, 1))
    matrix = np.array([[1, 0, 5 + 0.4 / 32], [0, 1, 1]])
    assert warped(ramp, matrix, 1, 1)[0, 0] == 10
    matrix[0, 2] = 5 + 0.6 / 32
    assert warped(ramp, matrix, 1, 1)[0, 0] == 10 + 2 / 32


def test_remap_equals_opencv_inside_and_outside():
    rng = np.random.default_rng(1)
    gray = noise(rng, 70, 50)
    map_x = rng.uniform(-4, 54, (80, 60)).astype(np.float32)
    map_y = rng.uniform(-4, 74, (80, 60)).astype(np.float32)
    map_x[:3], map_y[:2] = rng.choice([-40000.0, 40000.0, 1e9, -1.0, 49.0], (3, 60)), -1
    expected = cv2.remap(gray.astype(np.float32), map_x, map_y, cv2.INTER_LINEAR)
    assert np.array_equal(remapped(gray, map_x, map_y), expected)


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_remap_equals_its_definition(seed):
    rng = np.random.default_rng(seed)
    gray = noise(rng, *rng.integers(1, 20, 2))
    maps = rng.uniform(-5, 25, (2, 6, 7)).astype(np.float32)
    # Halves of 1/32 px show the rounding.
    maps = np.where(rng.random(maps.shape) < 0.3, np.round(maps * 64) / 64, maps).astype(np.float32)
    assert np.array_equal(remapped(gray, *maps), oracle.remap(gray, *maps))


def test_remap_gives_black_where_the_position_is_not_finite():
    gray = np.full((5, 5), 200, np.uint8)
    bad = np.array([[np.nan, np.inf, -np.inf, 2]], np.float32)
    assert remapped(gray, bad, np.full((1, 4), 2, np.float32)).tolist() == [[0, 0, 0, 200]]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_resize_equals_opencv_up_and_down(dtype):
    rng = np.random.default_rng(2)
    for _ in range(60):
        height, width, new_height, new_width = (int(n) for n in rng.integers(1, 150, 4))
        image = noise(rng, height, width, 3).astype(dtype)
        expected = cv2.resize(
            image.astype(np.float32), (new_width, new_height), interpolation=cv2.INTER_LINEAR
        )
        assert np.abs(resized(image, new_width, new_height) - expected).max() <= 1e-3


@settings(deadline=None, max_examples=30)
@given(seeds, sizes, sizes)
def test_resize_equals_its_definition(seed, width, height):
    rng = np.random.default_rng(seed)
    image = noise(rng, *rng.integers(1, 40, 2), 3)
    assert np.array_equal(resized(image, width, height), oracle.resize_linear(image, width, height))


@pytest.mark.models
def test_grey_equals_the_original_on_real_frames(reference_dir):
    folders = sorted(reference_dir.glob("stages/*/frame_*"))
    assert folders
    for folder in folders:
        bgr = np.ascontiguousarray(np.asarray(Image.open(folder / "frame.png").convert("RGB"))[..., ::-1])
        assert np.array_equal(gray_of(bgr), np.asarray(Image.open(folder / "gray.png")))
