"""What is drawn of both sides."""

import numpy as np
import pytest

from mien.sides.view import _around


@pytest.mark.parametrize(
    ("centre", "size", "shape"),
    [
        ((80, 60), 40, (60, 60)),
        ((158, 60), 40, (60, 32)),
        ((400, 60), 40, (120, 160)),
        ((80, -90), 40, (120, 160)),
    ],
)
def test_a_face_that_is_not_in_the_picture_is_shown_by_all_of_it(centre, size, shape):
    points = np.array(centre, np.float32) + np.array(
        [[-size / 2, -size / 2], [size / 2, size / 2]], np.float32
    )
    part = _around(np.zeros((120, 160, 3), np.uint8), points)
    assert part.shape[:2] == pytest.approx(shape, abs=2)
