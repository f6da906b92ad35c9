import numpy as np
import pytest

from mien.appearance.alignment import FaceAligner
from mien.datatypes import Frame
from mien.shape.mirror import MIRRORED, OF_SIDE
from mien.shape.model import PointDistributionModel
from mien.sides.composite import CompositeMaker, one_sided
from mien.sides.midplane import Midplane
from mien.sides.symmetric_shape import reflect
from sides_faces import seen, symmetric_face


def picture(seed: int = 0) -> Frame:
    """Smooth colours without any symmetry."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:480, :480]
    bgr = np.zeros((480, 480, 3))
    for channel in range(3):
        for _ in range(6):
            u, v, phase = *rng.uniform(-0.08, 0.08, 2), rng.uniform(0, 6)
            bgr[..., channel] += np.cos(u * x + v * y + phase)
    levels = np.rint(127 + 20 * bgr).clip(0, 255).astype(np.uint8)
    return Frame(0, 0.0, levels, levels[..., 1].copy())


def lopsided() -> np.ndarray:
    face = symmetric_face()
    face[48:55, 1] -= np.linspace(0, 6, 7)
    face[36:42, 1] += 1.0
    return face


def flipped(frame: Frame) -> Frame:
    return Frame(0, 0.0, np.ascontiguousarray(frame.bgr[:, ::-1]), np.ascontiguousarray(frame.gray[:, ::-1]))


def flipped_plane(plane: Midplane, last: int) -> Midplane:
    sign = np.diag([-1.0, 1.0, 1.0])
    where = np.array([last - plane.translation[0], plane.translation[1]])
    return Midplane(plane.scale, sign @ plane.rotation @ sign, where, reflect(plane.face))


@pytest.mark.parametrize("side", [0, 1])
def test_one_side_of_the_landmarks_stays_and_the_other_mirrors_it(side):
    face = lopsided()
    made = one_sided(face, side)
    assert np.abs(reflect(made) - made).max() < 1e-12
    assert (made[OF_SIDE[side]] == face[OF_SIDE[side]]).all()


@pytest.mark.parametrize("yaw", [0.0, 12.0])
def test_composites_of_a_flipped_picture_are_those_of_the_other_side(synthetic_record, yaw):
    maker, frame = CompositeMaker(synthetic_record), picture()
    plane = seen(lopsided(), yaw_deg=yaw, nod_deg=5.0)
    turned = flipped_plane(plane, 479)
    for side in (0, 1):
        one = maker.make(frame, plane)[side].appearance.aligned.bgr.astype(int)
        other = maker.make(flipped(frame), turned)[1 - side].appearance.aligned.bgr.astype(int)
        assert np.abs(one - other).max() <= 1


def test_a_composite_is_its_own_mirror_image(synthetic_record):
    maker, plane = CompositeMaker(synthetic_record), seen(lopsided(), yaw_deg=10.0)
    made = maker.make(picture(), plane)[1]
    points = made.points.astype(np.float64)
    middle = points[[27, 30, 8], 0].mean()
    assert np.abs(points[MIRRORED] * (-1, 1) + (2 * middle, 0) - points).max() < 1e-3


def test_both_composites_of_a_symmetric_picture_are_the_same(synthetic_record):
    frame = picture()
    half = frame.bgr[:, :240]
    bgr = np.ascontiguousarray(np.concatenate((half, half[:, ::-1]), axis=1))
    plane = Midplane(2.0, np.eye(3), np.array([239.5, 230.0]), symmetric_face())
    maker = CompositeMaker(synthetic_record)
    made = maker.pictures(Frame(0, 0.0, bgr, frame.gray), plane)
    assert np.abs(made[0].astype(int) - made[1]).max() <= 1


def test_the_picture_is_drawn_larger_where_that_is_asked_for(synthetic_record):
    plane, frame = seen(symmetric_face()), picture()
    small = CompositeMaker(synthetic_record).pictures(frame, plane)[0]
    large = CompositeMaker(synthetic_record, enlarged=2).pictures(frame, plane)[0]
    assert (small.shape, large.shape) == ((112, 112, 3), (224, 224, 3))
    inside = large[::2, ::2].any(axis=2) & small.any(axis=2)
    assert np.abs(large[::2, ::2].astype(int) - small)[inside].mean() < 12


def test_pixels_come_from_their_own_side_only(synthetic_record):
    frame = picture()
    bgr = np.zeros_like(frame.bgr)
    bgr[:, 240:] = 200
    plane = Midplane(2.0, np.eye(3), np.array([239.5, 230.0]), symmetric_face())
    maker = CompositeMaker(synthetic_record)
    left, right = maker.pictures(Frame(0, 0.0, bgr, frame.gray), plane)
    assert np.count_nonzero(left == 200) > 0.4 * left.size
    # The interpolation at the very middle may mix both.
    assert np.count_nonzero(right > 100) < 0.02 * right.size


def test_both_composites_have_one_place(synthetic_record):
    left, right = CompositeMaker(synthetic_record).make(picture(), seen(lopsided(), yaw_deg=8.0, nod_deg=4.0))
    np.testing.assert_array_equal(left.appearance.aligned.matrix, right.appearance.aligned.matrix)
    turned = left.appearance.aligned.matrix[[0, 1], [1, 0]]
    assert not turned.any()  # upright
    for made in (left, right):
        middle = made.points[[27, 30, 8]] @ made.appearance.aligned.matrix[:, :2].T
        assert np.abs(middle[:, 0] + made.appearance.aligned.matrix[0, 2] - 56).max() < 1e-3


def test_the_picture_of_a_composite_is_its_own_mirror_image(synthetic_record):
    for made in CompositeMaker(synthetic_record).pictures(picture(), seen(lopsided(), yaw_deg=8.0)):
        assert made.any(axis=2).mean() > 0.4
        np.testing.assert_array_equal(made[:, 1:], made[:, :0:-1])


def test_landmarks_that_coincide_make_black_composites(synthetic_record):
    plane = Midplane(2.0, np.eye(3), np.array([240.0, 230.0]), np.zeros((68, 3)))
    for made in CompositeMaker(synthetic_record).make(picture(), plane):
        assert not made.appearance.aligned.bgr.any()
        assert not made.appearance.aligned.matrix.any()


def test_halves_of_composites_lie_where_they_lie_in_the_aligned_whole_face(synthetic_record):
    """So that the mean of both sides is the whole face read both ways, but for the seam."""
    frame, maker = picture(), CompositeMaker(synthetic_record)
    plane = Midplane(2.0, np.eye(3), np.array([240.0, 230.0]), symmetric_face())
    points = plane.project(plane.face).astype(np.float32)
    left, right = maker.pictures(frame, plane)
    params, _ = PointDistributionModel(synthetic_record.pdm).fit_to_points(points)
    aligner = FaceAligner(synthetic_record.pdm, synthetic_record.triangles)
    whole = aligner.align(frame.bgr, points, params[4], params[5]).bgr.astype(int)
    halves = np.concatenate((right[:, :56], left[:, 56:]), axis=1)
    inside = whole.any(axis=2) & halves.any(axis=2)
    assert inside.mean() > 0.5
    assert np.abs(whole - halves)[inside].mean() < 1.0


def test_a_symmetric_face_is_placed_as_faces_are_aligned(synthetic_record):
    plane = Midplane(2.0, np.eye(3), np.array([240.0, 230.0]), symmetric_face())
    made = CompositeMaker(synthetic_record).make(picture(), plane)[0]
    params, _ = PointDistributionModel(synthetic_record.pdm).fit_to_points(made.points)
    aligner = FaceAligner(synthetic_record.pdm, synthetic_record.triangles)
    expected, _ = aligner.place(made.points, params[4], params[5])
    # Of the mean shape's own asymmetry, which turns faces by a fraction of a degree, there is nothing left.
    scale = np.hypot(*expected[0, :2])
    assert made.appearance.aligned.matrix[0, 0] == pytest.approx(scale, rel=1e-5)
    at = made.points @ made.appearance.aligned.matrix[:, :2].T + made.appearance.aligned.matrix[:, 2]
    assert np.abs(at - (made.points @ expected[:, :2].T + expected[:, 2])).max() < 1.0
