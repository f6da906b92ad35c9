"""The open models' crop equals its definition and MediaPipe's own."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers_open import GOLDEN, read_golden, read_rgb
from mien.imaging.crop_kernels import crop_affine
from oracle import crops

LEVELS = np.arange(256, dtype=np.float32)


def crop(bgr: np.ndarray, matrix: np.ndarray, clamp_edges: bool, size: int) -> np.ndarray:
    out = np.full((size, size, 3), np.nan, np.float32)
    crop_affine(np.ascontiguousarray(bgr), matrix, clamp_edges, LEVELS, out)
    return out


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    width=st.integers(1, 20),
    height=st.integers(1, 20),
    angle=st.floats(-math.pi, math.pi),
    scale=st.floats(0.01, 5),
    x=st.floats(-30, 30),
    y=st.floats(-30, 30),
    clamp_edges=st.booleans(),
)
def test_crop_equals_its_definition(seed, width, height, angle, scale, x, y, clamp_edges):
    bgr = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    c, s = math.cos(angle) * scale, math.sin(angle) * scale
    matrix = np.array([[c, -s, x], [s, c, y]])
    np.testing.assert_array_equal(
        crop(bgr, matrix, clamp_edges, 9), crops.crop_affine(bgr, matrix, clamp_edges, 9)
    )


def test_identity_copies_the_pixels_with_red_first():
    bgr = np.random.default_rng(0).integers(0, 256, (7, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(crop(bgr, np.eye(2, 3), True, 7), bgr[:, :, ::-1])


def test_outside_is_black_or_the_nearest_pixel():
    bgr = np.full((4, 4, 3), 200, np.uint8)
    away = np.array([[1.0, 0, 100], [0, 1, -100]])
    assert np.all(crop(bgr, away, False, 3) == 0)
    assert np.all(crop(bgr, away, True, 3) == 200)


def test_levels_are_looked_up():
    out = np.empty((2, 2, 3), np.float32)
    crop_affine(np.full((2, 2, 3), 255, np.uint8), np.eye(2, 3), True, LEVELS / np.float32(255), out)
    assert np.all(out == 1)


def test_network_inputs_equal_those_of_mediapipe():
    golden = read_golden(GOLDEN / "astronaut.npz")
    bgr = read_rgb(GOLDEN / "astronaut.png")[:, :, ::-1]
    letterbox = np.array([[4.0, 0, 0], [0, 4, 0]])
    np.testing.assert_array_equal(crop(bgr, letterbox, False, 128), golden["input_det_short_u8"])
    cx, cy, side, angle = golden["own_roi"]
    q = side / 192
    c, s = math.cos(angle) * q, math.sin(angle) * q
    matrix = np.array([[c, -s, cx - 96 * c + 96 * s], [s, c, cy - 96 * s - 96 * c]])
    np.testing.assert_array_equal(crop(bgr, matrix, True, 192), golden["input_mesh_u8"])
