import numpy as np

from mien.shape.mirror import MIDLINE, MIRRORED, OF_SIDE, PAIRS, mirror_landmarks
from mien.sides.symmetric_shape import plane_of_symmetry, reflect, symmetric_model
from sides_faces import symmetric_face


def test_every_landmark_has_a_counterpart_and_the_middle_its_own():
    assert (MIRRORED[MIRRORED] == np.arange(68)).all()
    assert (MIRRORED[list(MIDLINE)] == list(MIDLINE)).all()
    assert len(PAIRS) * 2 + len(MIDLINE) == 68
    assert (OF_SIDE.sum(axis=0) + np.isin(np.arange(68), MIDLINE) == 1).all()


def test_mirroring_landmarks_twice_gives_them_back():
    points = np.random.default_rng(1).uniform(0, 600, (68, 2)).astype(np.float32)
    assert np.abs(mirror_landmarks(mirror_landmarks(points, 639), 639) - points).max() < 1e-4


def test_mean_and_modes_of_the_symmetric_model_are_their_own_mirror_images(crooked):
    model = symmetric_model(crooked)
    assert np.abs(reflect(model.mean) - model.mean).max() < 1e-4
    modes = model.basis.transpose(2, 0, 1)
    assert np.abs(reflect(modes) - modes).max() < 1e-5
    flat = modes.reshape(len(modes), -1)
    assert np.abs(flat @ flat.T - np.eye(len(modes))).max() < 1e-4
    assert (np.diff(model.eigenvalues) <= 0).all()


def test_a_plane_that_is_turned_and_shifted_is_found():
    face = symmetric_face()
    angle = 0.2
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    frame, shift = plane_of_symmetry(face @ turn.T + (7.0, -3.0, 2.0))
    upright = (face @ turn.T + (7.0, -3.0, 2.0) - shift) @ frame
    assert np.abs(reflect(upright) - upright).max() < 1e-9
    assert np.linalg.det(frame) > 0.999
