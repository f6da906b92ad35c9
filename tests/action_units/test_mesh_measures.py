"""Geometric measures equal the golden values and mean what their names say."""

from __future__ import annotations

import numpy as np
import pytest

from helpers_open import GOLDEN, canonical_face, read_golden
from mien.action_units.mesh_measures import ASYMMETRIES, PHYSICAL, RAW_NAMES, RULES, raw_measures
from mien.shape.canonical_face import align

GOLDEN_ORDER = PHYSICAL + RULES


def measure(mesh: np.ndarray) -> dict[str, float]:
    shape = align(canonical_face(), mesh).normalise(mesh)
    return dict(zip(RAW_NAMES, raw_measures(shape), strict=True))


def assert_golden(mesh, golden_values):
    values = measure(mesh)
    np.testing.assert_allclose([values[name] for name in GOLDEN_ORDER], golden_values, atol=1e-4, rtol=0)


def test_portrait_has_the_golden_measures():
    golden = read_golden(GOLDEN / "astronaut.npz")
    assert [str(name) for name in golden["measure_names"][-7:]] == list(RULES)
    assert_golden(golden["own_landmarks"], golden["measure_values"])


def test_moving_portrait_has_the_golden_measures():
    golden = read_golden(GOLDEN / "synth.npz")
    for mesh, values in zip(golden["own_landmarks"], golden["measure_values"], strict=True):
        if np.isfinite(values[0]):
            assert_golden(mesh, values)


@pytest.mark.models
def test_recorded_faces_have_the_golden_measures(open_models_dir):
    folder = open_models_dir / "golden" / "restricted"
    golden = read_golden(folder / "seq.npz")
    for mesh, values in zip(golden["own_landmarks"], golden["measure_values"], strict=True):
        assert_golden(mesh, values)
    for name in ("sample1", "default_100"):
        golden = read_golden(folder / f"{name}.npz")
        assert_golden(golden["own_landmarks"], golden["measure_values"])


def neutral_shape():
    return np.vstack([canonical_face().vertices, np.zeros((10, 3))])


MOVES = {
    "eye_opening_right": ([160, 158], -0.2),
    "eye_opening_left": ([385, 387], -0.2),
    "lip_gap_cm": ([14], 0.5),
    "brow_inner_right_cm": ([107, 66, 55], -0.3),
    "brow_inner_left_cm": ([336, 296, 285], -0.3),
    "brow_outer_right_cm": ([70, 63, 46, 53], -0.3),
    "brow_outer_left_cm": ([300, 293, 276, 283], -0.3),
    "AU01": ([107, 66, 55, 336, 296, 285], -0.3),
    "AU02": ([70, 63, 46, 53, 300, 293, 276, 283], -0.3),
    "AU06": ([117, 118, 119, 50, 346, 347, 348, 280], -0.3),
    "AU12": ([61, 291], -0.3),
    "AU25": ([14, 87, 317], 0.5),
    "AU26": ([152, 199, 175], 0.5),
    "AU45": ([159, 158, 386, 385], 0.2),
}
"""Vertices and the step along y (down) that must raise a measure."""


@pytest.mark.parametrize("name", MOVES)
def test_an_action_raises_its_measure(name):
    shape = neutral_shape()
    moved = shape.copy()
    vertices, step = MOVES[name]
    moved[vertices, 1] += step
    column = RAW_NAMES.index(name)
    assert raw_measures(moved)[column] > raw_measures(shape)[column] + 0.01


def test_a_wider_mouth_is_wider():
    moved = neutral_shape()
    moved[61, 0] -= 0.4
    moved[291, 0] += 0.4
    column = RAW_NAMES.index("mouth_width_cm")
    assert raw_measures(moved)[column] == pytest.approx(raw_measures(neutral_shape())[column] + 0.8)


@pytest.mark.parametrize("name", ASYMMETRIES)
def test_a_symmetric_face_has_no_asymmetry(name):
    assert raw_measures(neutral_shape())[RAW_NAMES.index(name)] == pytest.approx(0, abs=2e-3)


def test_asymmetry_is_positive_where_the_left_is_larger():
    shape = neutral_shape()
    shape[[336, 296, 285], 1] -= 0.4
    values = dict(zip(RAW_NAMES, raw_measures(shape), strict=True))
    right, left = values["brow_inner_right_cm"], values["brow_inner_left_cm"]
    assert values["brow_inner_asymmetry"] == pytest.approx((left - right) / ((left + right) / 2))
    assert values["brow_inner_asymmetry"] > 0


def mirrored(mesh: np.ndarray, partners: np.ndarray) -> np.ndarray:
    """What the network would see in a mirror: x changes its sign, every vertex takes its partner's place."""
    return (mesh * (-1, 1, 1))[partners]


def mirror_partners() -> np.ndarray:
    vertices = canonical_face().vertices
    distances = np.linalg.norm(vertices[:, None] * (-1, 1, 1) - vertices[None], axis=2)
    return np.concatenate([distances.argmin(axis=1), np.arange(473, 478), np.arange(468, 473)])


def test_left_and_right_swap_in_a_mirror():
    mesh = read_golden(GOLDEN / "astronaut.npz")["own_landmarks"]
    plain, mirror = measure(mesh), measure(mirrored(mesh, mirror_partners()))
    for name in PHYSICAL + RULES:
        other = {"right": "left", "left": "right"}
        swapped = "_".join(other.get(word, word) for word in name.split("_"))
        assert mirror[swapped] == pytest.approx(plain[name], abs=2e-3), name
    for name in ASYMMETRIES:
        assert mirror[name] == pytest.approx(-plain[name], abs=2e-3), name


def test_measures_do_not_depend_on_place_size_or_turn():
    mesh = read_golden(GOLDEN / "astronaut.npz")["own_landmarks"]
    rotation, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    moved = 1.7 * mesh @ rotation.T + (40, -30, 12)
    np.testing.assert_allclose(list(measure(moved).values()), list(measure(mesh).values()), atol=1e-9)
