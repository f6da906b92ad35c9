"""The blendshape network against TensorFlow Lite and MediaPipe itself."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers_open import (
    GOLDEN,
    PACK,
    blendshape_network,
    frame_of,
    mesh_network,
    read_golden,
    read_rgb,
    short_range,
)
from mien.action_units.blendshapes import no_blendshapes, read_blendshape_landmarks
from mien.datatypes import BLENDSHAPE_NAMES
from mien.errors import ModelFileError
from mien.landmarks.face_region import region_from_box


@pytest.fixture(scope="module")
def golden():
    return read_golden(GOLDEN / "blendshapes.npz")


def mesh_with(points):
    """A mesh that has nothing but the points that the network reads."""
    mesh = np.zeros((478, 3), np.float32)
    mesh[read_blendshape_landmarks(PACK / "blendshapes.json"), :2] = points
    return mesh


def test_names_and_points_are_those_of_the_golden_values(golden):
    assert tuple(golden["names"]) == BLENDSHAPE_NAMES
    np.testing.assert_array_equal(golden["subset"], read_blendshape_landmarks(PACK / "blendshapes.json"))


@pytest.mark.parametrize("row", range(9))
def test_coefficients_equal_those_of_tensorflow_lite(golden, row):
    found = blendshape_network().read(mesh_with(golden["input"][row]))
    np.testing.assert_allclose(found.coefficients, golden["output_tflite"][row], atol=1e-5)


def test_coefficients_equal_those_of_mediapipe(golden):
    found = blendshape_network().read(mesh_with(golden["input"][2]))
    np.testing.assert_allclose(found.coefficients, golden["mediapipe_output"], atol=1e-5)


def test_coefficients_are_the_logistic_function_of_the_logits(golden):
    for points in golden["input"]:
        found = blendshape_network().read(mesh_with(points))
        logistic = 1 / (1 + np.exp(-found.logits.astype(np.float64)))
        np.testing.assert_allclose(found.coefficients, logistic, atol=2e-7)


def test_from_picture_to_blendshapes_the_portrait_smiles_with_open_eyes(golden):
    frame = frame_of(read_rgb(GOLDEN / "astronaut.png"))
    faces = short_range().detect(frame.bgr)
    mesh = mesh_network().read(frame.bgr, region_from_box(faces.boxes[0], faces.keypoints[0, :2])).points
    found = dict(zip(BLENDSHAPE_NAMES, blendshape_network().read(mesh).coefficients, strict=True))
    assert min(found["mouthSmileLeft"], found["mouthSmileRight"]) > 0.8
    assert max(found["eyeBlinkLeft"], found["eyeBlinkRight"]) < 0.3
    np.testing.assert_allclose(list(found.values()), golden["output_tflite"][0], atol=2e-3)


def test_position_and_size_of_the_face_do_not_matter(golden):
    mesh = mesh_with(golden["input"][0])
    still, moved = (blendshape_network().read(points).logits for points in (mesh, 1.7 * mesh + 40))
    np.testing.assert_allclose(moved, still, atol=2e-3)


def test_a_mesh_without_irises_has_no_blendshapes(golden):
    mesh = mesh_with(golden["input"][0])
    mesh[468:] = np.nan
    found = blendshape_network().read(mesh)
    assert np.isnan(found.coefficients).all()
    assert np.isnan(found.logits).all()
    assert no_blendshapes().coefficients.shape == (len(BLENDSHAPE_NAMES),)


@pytest.mark.parametrize(
    "change",
    [
        lambda lists: lists["names"].reverse(),
        lambda lists: lists["landmarks"].pop(),
        lambda lists: lists["landmarks"].__setitem__(3, 478),
        lambda lists: lists.pop("landmarks"),
    ],
    ids=["other names", "a point less", "a point outside", "no points"],
)
def test_damaged_lists_are_named(tmp_path, change):
    lists = json.loads((PACK / "blendshapes.json").read_text())
    change(lists)
    damaged = tmp_path / "blendshapes.json"
    damaged.write_text(json.dumps(lists))
    with pytest.raises(ModelFileError, match=r"blendshapes\.json: expected"):
        read_blendshape_landmarks(damaged)
    damaged.write_text("[")
    with pytest.raises(ModelFileError, match=r"blendshapes\.json: expected"):
        read_blendshape_landmarks(damaged)
