import numpy as np
import pytest

from mien.models.records import PdmRecord
from mien.shape.mirror import mirror_landmarks
from mien.sides.midplane import MidplaneFinder
from sides_faces import seen, symmetric_face
from synthetic_face import face_pdm


@pytest.fixture(scope="module")
def finder() -> MidplaneFinder:
    model = face_pdm()
    return MidplaneFinder(PdmRecord(model.mean, model.basis, model.eigenvalues))


@pytest.mark.parametrize("yaw", [-15.0, -5.0, 0.0, 5.0, 15.0])
def test_the_plane_of_a_turned_symmetric_face_is_where_it_is(finder, yaw):
    truth = seen(symmetric_face(), yaw_deg=yaw, nod_deg=4.0)
    found = finder.find(truth.project(truth.face).astype(np.float32))
    assert np.degrees(found.yaw_rad) == pytest.approx(yaw, abs=1.5)
    middle = found.face[[27, 28, 29, 30, 33, 51, 57, 8], 0]
    assert np.abs(middle).max() < 0.8


def test_landmarks_are_seen_where_they_were(finder):
    truth = seen(symmetric_face(), yaw_deg=9.0)
    points = truth.project(truth.face).astype(np.float32)
    found = finder.find(points)
    assert np.abs(found.project(found.face) - points).max() < 1e-3


def test_a_flipped_face_has_the_flipped_plane(finder):
    truth = seen(symmetric_face(), yaw_deg=7.0, nod_deg=-3.0)
    rng = np.random.default_rng(3)
    points = (truth.project(truth.face) + rng.normal(0, 1.0, (68, 2))).astype(np.float32)
    one, other = finder.find(points), finder.find(mirror_landmarks(points, 479))
    assert other.yaw_rad == pytest.approx(-one.yaw_rad, abs=2e-3)
    assert other.tilt_rad == pytest.approx(-one.tilt_rad, abs=2e-3)
    assert other.nod_rad == pytest.approx(one.nod_rad, abs=2e-3)


def test_a_mouth_and_a_chin_that_are_drawn_aside_do_not_move_the_plane(finder):
    truth = seen(symmetric_face())
    points = truth.project(truth.face).astype(np.float32)
    pulled = points.copy()
    pulled[48:68, 0] += 12.0
    pulled[6:11, 0] -= 9.0
    one, other = finder.find(points), finder.find(pulled)
    assert (one.rotation == other.rotation).all()
    assert (one.translation == other.translation).all()


def test_a_brow_that_hangs_hardly_moves_the_plane(finder):
    truth = seen(symmetric_face())
    points = truth.project(truth.face).astype(np.float32)
    hanging = points.copy()
    hanging[17:22, 1] += 10.0
    one, other = finder.find(points), finder.find(hanging)
    assert np.abs(other.face[27:31, 0] - one.face[27:31, 0]).max() < 0.5
