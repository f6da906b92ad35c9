"""The pinhole camera: default intrinsics and back-projection."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers_reference import VIDEOS, camera_of, read_video
from mien.datatypes import Camera
from mien.errors import OptionError
from mien.geometry.kernels import points_to_camera
from mien.geometry.pinhole import default_camera
from oracle import camera_geometry as oracle


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 480), Camera(500.0, 500.0, 320.0, 240.0)),
        ((1080, 720), Camera(796.875, 796.875, 540.0, 360.0)),
        ((320, 240), Camera(250.0, 250.0, 160.0, 120.0)),
    ],
)
def test_unknown_cameras_get_the_specified_intrinsics(size, expected):
    assert default_camera(*size) == expected


def test_given_parts_replace_the_defaults():
    assert default_camera(640, 480, fx=700, fy=710) == Camera(700.0, 710.0, 320.0, 240.0)
    assert default_camera(640, 480, cx=300, cy=250) == Camera(500.0, 500.0, 300.0, 250.0)


@pytest.mark.parametrize(
    "parts", [{"fx": 500.0}, {"fy": 500.0}, {"cx": 1.0}, {"cy": 1.0}, {"fx": 0.0, "fy": 500.0}]
)
def test_half_a_pair_or_no_focal_length_is_refused(parts):
    with pytest.raises(OptionError, match="expected"):
        default_camera(640, 480, **parts)


def test_empty_frames_have_no_camera():
    with pytest.raises(OptionError, match="0x480"):
        default_camera(0, 480)


def points_in_camera(points, offsets, scale, camera):
    out = np.empty((len(points), 3), np.float32)
    points_to_camera(points, offsets, float(scale), camera.fx, camera.fy, camera.cx, camera.cy, out)
    return out


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 5.0))
def test_points_in_camera_agree_with_the_oracle_and_project_back(seed, scale):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-100, 1000, (10, 2)).astype(np.float32)
    offsets = rng.uniform(-60, 60, 10).astype(np.float32)
    camera = Camera(*rng.uniform(300, 900, 4))
    found = points_in_camera(points, offsets, scale, camera)
    np.testing.assert_allclose(
        found, oracle.points_in_camera(points, offsets, scale, camera), rtol=1e-5, atol=1e-3
    )
    np.testing.assert_allclose(oracle.project(found, camera), points, rtol=1e-5, atol=1e-3)


def test_a_fit_of_scale_zero_has_no_depth():
    found = points_in_camera(
        np.ones((3, 2), np.float32), np.ones(3, np.float32), 0.0, default_camera(640, 480)
    )
    np.testing.assert_array_equal(found, 0)


@pytest.mark.models
@pytest.mark.parametrize("name", VIDEOS)
def test_intrinsics_are_the_originals(name, reference_dir):
    dump = read_video(reference_dir / "videos" / name)
    camera = camera_of(dump)
    expected = dump["camera_fx_fy_cx_cy_W_H_fps"].ravel()[:4]
    np.testing.assert_allclose((camera.fx, camera.fy, camera.cx, camera.cy), expected, atol=3e-4)
