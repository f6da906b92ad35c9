"""The panel: bars as long as the numbers they show, and identities that keep their places."""

from __future__ import annotations

import numpy as np
import pytest

from mien.action_units.catalogue import INTENSITY_NAMES
from mien.view.canvas import Canvas
from mien.view.panel import Panel
from mien.view.style import GAZE, IDENTITIES
from synthetic_drawing import drawn_face

SIZE = (640, 480)


def drawn(faces, slots=1):
    panel = Panel(SIZE, slots)
    canvas = Canvas(np.zeros((SIZE[1], SIZE[0] + panel.width, 3), np.uint8))
    panel.draw(canvas, SIZE[0], faces)
    return canvas.bgr[:, SIZE[0] :]


def coloured(image, colour):
    return (np.abs(image.astype(int) - np.array(colour[::-1])) < 12).all(axis=2)


def bar_length(intensity):
    """Longest run of the identity's colour in the row of AU12."""
    panel = Panel(SIZE)
    y = round(panel._rows["AU12"])
    image = drawn([drawn_face(intensity=intensity, presence=np.nan)])
    left = int(panel._first)
    return coloured(image[y : y + 1, left : left + int(panel._bar) + 2], IDENTITIES[0]).sum()


def test_bars_are_as_long_as_intensities():
    lengths = [bar_length(value) for value in (0.0, 1.0, 2.5, 5.0, 9.0)]
    full = Panel(SIZE)._bar
    np.testing.assert_allclose(lengths, [0, full / 5, full / 2, full, full], atol=2)


def test_what_was_not_measured_has_no_bar():
    assert bar_length(np.nan) == 0
    assert bar_length(-1.0) == 0


def test_absent_units_are_fainter_than_present_ones():
    faint, strong = (drawn([drawn_face(presence=p)]) for p in (0.0, 1.0))
    assert coloured(strong, IDENTITIES[0]).sum() > 2 * coloured(faint, IDENTITIES[0]).sum()


def test_a_face_without_success_shows_no_more_than_its_confidence():
    image = drawn([drawn_face(success=False)])
    assert not coloured(image, GAZE).any()
    assert not coloured(image[150:], IDENTITIES[0]).any()
    assert (image != drawn([])).any()


def test_a_row_for_every_unit_fits_into_the_picture():
    for size in ((640, 480), (1920, 1080), (720, 1280), (480, 480)):
        rows = Panel(size)._rows
        assert set(INTENSITY_NAMES) < set(rows)
        assert max(rows.values()) + 8 * min(size) / 480 <= size[1]


@pytest.mark.parametrize("slots", [1, 2, 4])
@pytest.mark.parametrize("width", [640, 641])
def test_picture_and_panel_have_an_even_width(slots, width):
    assert (Panel((width, 480), slots).width + width) % 2 == 0


def owners(panel, *identities):
    canvas = Canvas(np.zeros((SIZE[1], SIZE[0] + panel.width, 3), np.uint8))
    panel.draw(canvas, SIZE[0], [drawn_face(face_id=i) for i in identities])
    return panel._owners


def test_identities_keep_their_places_and_new_ones_take_those_of_the_lost():
    panel = Panel(SIZE, 3)
    assert owners(panel, 0, 1) == [0, 1, None]
    assert owners(panel, 1) == [0, 1, None]
    assert owners(panel, 1, 5) == [0, 1, 5]
    assert owners(panel, 0, 1, 5) == [0, 1, 5]
    assert owners(panel, 1, 5, 7) == [7, 1, 5]
    assert owners(panel, 1, 5, 7, 8) == [7, 1, 5]
