"""The mesh equals MediaPipe's on still images."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers_open import (
    GOLDEN,
    PACK,
    canonical_face,
    indices,
    landmarks_of,
    mesh_network,
    read_golden,
    read_rgb,
)
from mien.errors import ModelFileError
from mien.landmarks.face_region import FaceRegion
from mien.landmarks.mesh import MeshNetwork
from mien.landmarks.mesh_indices import read_mesh_indices
from mien.shape.canonical_face import RIGID, align, read_canonical_face


def assert_golden(folder, name):
    golden = read_golden(folder / f"{name}.npz")
    bgr = np.ascontiguousarray(read_rgb(folder / f"{name}.png")[:, :, ::-1])
    region = FaceRegion(*(float(value) for value in golden["own_roi"]))
    mesh = mesh_network().read(bgr, region)
    np.testing.assert_allclose(mesh.points[:, :2], golden["mp_landmarks"][:, :2], atol=0.01, rtol=0)
    np.testing.assert_allclose(mesh.points[:, 2], golden["mp_landmarks"][:, 2], atol=0.02, rtol=0)
    np.testing.assert_allclose(mesh.points, golden["own_landmarks"], atol=0.005, rtol=0)
    assert mesh.presence == pytest.approx(golden["own_score"], abs=1e-5)
    plain = mesh_network("face_landmark").read(bgr, region)
    np.testing.assert_allclose(plain.points[:468], golden["mp_landmarks_plain"], atol=0.01, rtol=0)
    np.testing.assert_allclose(plain.points[:468], golden["own_landmarks_plain"], atol=0.005, rtol=0)
    assert np.all(np.isnan(plain.points[468:]))
    assert plain.presence == pytest.approx(golden["own_score_plain"], abs=1e-5)


def test_portrait_gives_the_mesh_of_mediapipe():
    assert_golden(GOLDEN, "astronaut")


@pytest.mark.models
@pytest.mark.parametrize("name", ["sample1", "default_100"])
def test_photographs_give_the_mesh_of_mediapipe(open_models_dir, name):
    assert_golden(open_models_dir / "golden" / "restricted", name)


class FakeOutput:
    def __init__(self, name):
        self.name = name


class FakeSession:
    """A network that numbers its outputs: the mesh is 0, the heads 1 to 5 (x) and 11 to 15 (y)."""

    sizes = (80, 71, 71, 5, 5)

    def get_outputs(self):
        return [FakeOutput("output_mesh_identity")]

    def run(self, names, inputs):
        mesh = np.zeros((468, 3), np.float32)
        mesh[:, 2] = np.arange(468)
        heads = [np.tile([i + 1, i + 11], (n, 1)).astype(np.float32) for i, n in enumerate(self.sizes)]
        return [mesh.reshape(1, -1), np.zeros((1, 1), np.float32), *(head.reshape(1, -1) for head in heads)]


def test_heads_replace_their_vertices_and_irises_take_the_depth_of_their_eye():
    region = FaceRegion(96, 96, 192, 0)
    mesh = MeshNetwork(FakeSession(), indices()).read(np.zeros((4, 4, 3), np.uint8), region)
    lists = json.loads((PACK / "indices.json").read_text())
    for number, name in ((1, "lips"), (2, "left_eye"), (3, "right_eye"), (4, "iris_left"), (5, "iris_right")):
        np.testing.assert_allclose(
            mesh.points[lists[name], :2], np.tile([number, number + 10], (len(lists[name]), 1))
        )
    untouched = sorted(set(range(468)) - set(indices().refined.tolist()))
    assert np.all(mesh.points[untouched, :2] == 0)
    np.testing.assert_array_equal(mesh.points[:468, 2], np.arange(468))
    assert mesh.points[468, 2] == pytest.approx(np.mean(lists["left_eye"][:16]))
    assert mesh.points[477, 2] == pytest.approx(np.mean(lists["right_eye"][:16]))
    assert mesh.presence == 0.5


def test_the_68_landmarks_are_those_of_the_golden_map():
    golden = read_golden(GOLDEN / "astronaut.npz")
    landmarks = landmarks_of(golden["own_landmarks"])
    np.testing.assert_allclose(landmarks.points, golden["landmarks68"], atol=1e-4, rtol=0)


def test_both_maps_are_symmetric_and_differ_in_the_jaw_only():
    table = indices()
    np.testing.assert_array_equal(table.ibug68[17:], table.ibug68_conventional[17:])
    assert len(set(table.ibug68.tolist())) == len(set(table.ibug68_conventional.tolist())) == 68
    vertices = canonical_face().vertices
    for jaw in (table.ibug68[:17], table.ibug68_conventional[:17]):
        np.testing.assert_allclose(vertices[jaw[::-1]] * (-1, 1, 1), vertices[jaw], atol=0.02)


def test_a_damaged_index_file_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match=r"indices\.json.*install mien again"):
        read_mesh_indices(tmp_path / "indices.json")
    lists = json.loads((PACK / "indices.json").read_text())
    lists["map68"][3] = 9999
    (tmp_path / "bad.json").write_text(json.dumps(lists))
    with pytest.raises(ModelFileError, match="68 indices below 468"):
        read_mesh_indices(tmp_path / "bad.json")


def test_a_damaged_canonical_face_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="install mien again"):
        read_canonical_face(tmp_path / "none.npz")
    np.savez(tmp_path / "bad.npz", vertices=np.zeros((3, 3)), basis_index=[1], basis_weight=[1.0])
    with pytest.raises(ModelFileError, match=r"got \(\(3, 3\)"):
        read_canonical_face(tmp_path / "bad.npz")


def test_rigid_points_are_those_of_the_pack():
    assert list(RIGID) == json.loads((PACK / "indices.json").read_text())["rigid38"]


def test_alignment_normalises_as_the_golden_reference():
    golden = read_golden(GOLDEN / "astronaut.npz")
    placed = align(canonical_face(), golden["own_landmarks"])
    np.testing.assert_allclose(placed.normalise(golden["own_landmarks"]), golden["feat_nm"], atol=1e-9)


def test_alignment_recovers_a_known_placement():
    rng = np.random.default_rng(3)
    face = canonical_face()
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    placed = align(face, 7.5 * face.vertices @ rotation.T + (300, 200, -10))
    np.testing.assert_allclose(placed.rotation, rotation, atol=1e-12)
    assert placed.scale == pytest.approx(7.5)
    np.testing.assert_allclose(placed.offset, (300, 200, -10))
