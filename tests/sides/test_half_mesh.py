import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.appearance.alignment import DEFAULT_SCALE, LIFT_PX, FaceAligner
from mien.shape.mirror import OF_SIDE
from mien.sides import kernels
from mien.sides.composite import _halves, one_sided
from mien.sides.half_mesh import LANDMARKS, ON_MIDLINE, HalfMesh
from oracle import composites
from sides_faces import symmetric_face


@pytest.fixture(scope="module")
def mesh(synthetic_record) -> HalfMesh:
    return HalfMesh(np.asarray(synthetic_record.triangles, np.int32))


cover, draw, unfold = kernels.cover, kernels.draw, kernels.unfold


def unfolded(half: np.ndarray, size: int) -> np.ndarray:
    out = np.zeros((size, size, 3), np.uint8)
    unfold(np.repeat(half[..., None], 3, axis=2), out)
    return out[..., 0]


def corners_of(mesh: HalfMesh, face: np.ndarray) -> np.ndarray:
    """Vertices of the left half, px of the aligned face."""
    vertices = mesh.vertices(_halves(face), LIFT_PX / DEFAULT_SCALE)[0, :, :2]
    return vertices * DEFAULT_SCALE + (0.0, 56.0)


def test_landmarks_of_both_halves_are_all_landmarks():
    assert set(LANDMARKS.ravel()) == set(range(68))
    assert OF_SIDE[0, LANDMARKS[0]][: ON_MIDLINE.start].all()
    assert OF_SIDE[1, LANDMARKS[1]][: ON_MIDLINE.start].all()
    assert (LANDMARKS[0, ON_MIDLINE] == LANDMARKS[1, ON_MIDLINE]).all()


def test_half_the_mask_and_its_mirror_image_are_the_mask_of_a_symmetric_face(mesh, synthetic_record):
    face = symmetric_face()
    aligner = FaceAligner(synthetic_record.pdm, synthetic_record.triangles)
    points = (face[:, :2] * DEFAULT_SCALE + 56.0).astype(np.float32)
    _, spans = aligner.place(points, 56.0, 56.0)
    half = np.zeros((112, 57), np.uint8)
    # The aligned face is of the mean shape's size: the half is drawn in the same one.
    matrix = aligner.place(points, 56.0, 56.0)[0]
    cover((corners_of(mesh, face) - (0, 56)) * matrix[0, 0] + (0, 56), mesh.mask, half)
    whole = spans[:, :-1].cumsum(axis=1) > 0
    differs = (unfolded(half, 112) > 0) != whole
    # The mean shape that it is aligned to is not quite symmetric; only the rim may differ.
    assert differs.mean() < 0.02
    assert not differs[20:90, 25:88].any()


def test_the_fine_triangles_leave_no_hole_in_the_mask(mesh):
    corners, wanted = corners_of(mesh, symmetric_face()), np.zeros((112, 57), np.uint8)
    cover(corners, mesh.mask, wanted)
    assert wanted.sum() > 3000
    left = wanted.copy()
    frame, out = np.full((8, 8, 3), 9, np.uint8), np.zeros((112, 57, 3), np.uint8)
    draw(corners, np.full_like(corners, 3.0), mesh.fine, frame.reshape(-1), 8, 8, left, out)
    assert not left.any()
    np.testing.assert_array_equal(out[..., 0] == 9, wanted == 1)


def test_edges_cross_the_middle_where_a_line_to_the_mirror_image_does(mesh):
    face = symmetric_face()
    face[22:27, 1] -= (3, 1, 4, 1, 5)  # a brow of its own on the left
    vertices = mesh.vertices(_halves(face), 40.0)[0]
    known = len(vertices) - mesh._ends.shape[1]
    assert mesh._ends.shape[1] > 0
    for k, (p, q) in enumerate(mesh._ends.T):
        one, other = vertices[p], vertices[q] * (-1, 1, 1)
        share = one[0] / (one[0] - other[0])
        np.testing.assert_allclose(vertices[known + k], one + share * (other - one), atol=1e-9)
        assert vertices[known + k, 0] == 0


def test_the_right_half_is_meshed_as_the_mirror_image_of_the_left(mesh):
    face = one_sided(symmetric_face() + np.random.default_rng(2).normal(0, 1, (68, 3)), 1)
    left, right = mesh.vertices(_halves(face), 40.0)
    np.testing.assert_allclose(left, right, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_drawn_triangles_equal_the_slow_twin(seed, count):
    rng = np.random.default_rng(seed)
    frame = rng.integers(0, 256, (12, 14, 3)).astype(np.uint8)
    vertices, origins = rng.uniform(-4, 20, (9, 2)), rng.uniform(-3, 16, (9, 2))
    if seed % 3 == 0:
        vertices = np.rint(vertices)  # corners on pixels, flat edges, triangles without an area
    triangles = rng.integers(0, 9, (count, 3)).astype(np.int32)
    wanted = (rng.random((16, 15)) < 0.8).astype(np.uint8)
    expected = composites.draw(vertices, origins, triangles, frame, wanted)
    out, left = np.zeros((16, 15, 3), np.uint8), wanted.copy()
    draw(vertices, origins, triangles, frame.reshape(-1), 12, 14, left, out)
    drawn = (wanted == 1) & (left == 0)
    covered = np.zeros_like(wanted)
    cover(vertices, triangles, covered)
    expected_at = np.isfinite(expected[..., 0])
    # On an edge, rounding decides whether a pixel belongs to a triangle.
    edge = near_an_edge(vertices, triangles, wanted.shape)
    np.testing.assert_array_equal(drawn[~edge], expected_at[~edge])
    area = np.array([abs(np.linalg.det(np.c_[vertices[t], np.ones(3)])) for t in triangles])
    if (area > 1e-9).all():
        np.testing.assert_array_equal(((covered == 1) & (wanted == 1))[~edge], expected_at[~edge])
    both = drawn & expected_at & ~edge
    # A position is rounded to 1/64 px once here and once there: a level or two of random colours.
    apart = np.abs(out[both].astype(float) - expected[both])
    assert (apart <= 0.51).mean() > 0.97 if apart.size else True
    assert (apart <= 255 / 64 * 2 + 1).all()


def near_an_edge(vertices, triangles, shape):
    """Pixels within 1e-7 px of an edge."""
    y, x = np.indices(shape)
    near = np.zeros(shape, np.bool_)
    for triangle in triangles:
        for k in range(3):
            (ax, ay), (bx, by) = vertices[triangle[k - 1]], vertices[triangle[k]]
            length = np.hypot(bx - ax, by - ay)
            if length > 0:
                near |= np.abs((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / length < 1e-7
    return near
