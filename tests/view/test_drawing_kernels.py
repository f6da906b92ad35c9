"""Drawing equals its slow twins, up to rounding."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.view import kernels
from mien.view.canvas import Canvas, enlarge, text_width
from oracle import drawing as oracle

SEEDS = st.integers(0, 2**32 - 1)
LEVELS = 2
"""Coverage, opacity and colour are rounded one after the other."""


def picture(rng):
    return rng.integers(0, 256, (*rng.integers(1, 40, 2), 3), np.uint8)


def colour_of(rng):
    return rng.integers(0, 256, 3, np.uint8)


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.sampled_from([0.3, 2.0, 9.0]))
def test_strokes_equal_the_slow_twin(seed, widest):
    rng = np.random.default_rng(seed)
    image, colour, opacity = picture(rng), colour_of(rng), rng.uniform()
    segments = rng.uniform(-20, 60, (rng.integers(1, 5), 6)).astype(np.float32)
    segments[:, 4:] = rng.uniform(0, widest, (len(segments), 2))
    if rng.uniform() < 0.3:
        segments[:, 2:4] = segments[:, :2]
    if rng.uniform() < 0.3:
        segments[:, 3] = segments[:, 1]
    expected = oracle.strokes(image, segments, colour, opacity)
    cover, spans = np.zeros(image.shape[:2], np.uint8), np.empty((len(image), 2), np.int64)
    kernels.strokes(image, cover, spans, segments, colour, opacity)
    assert np.abs(image - expected).max() <= LEVELS
    assert not cover.any()


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_boxes_equal_the_slow_twin(seed):
    rng = np.random.default_rng(seed)
    image, colour, opacity = picture(rng), colour_of(rng), rng.uniform()
    corners = rng.uniform(-20, 60, 4).astype(np.float32)
    radius = rng.choice([0.0, rng.uniform(0, 20)])
    expected = oracle.box(image, corners, radius, colour, opacity)
    kernels.box(image, corners, float(radius), colour, opacity)
    assert np.abs(image - expected).max() <= LEVELS


@settings(max_examples=50, deadline=None)
@given(SEEDS)
def test_stamps_equal_the_slow_twin(seed):
    rng = np.random.default_rng(seed)
    image, colour, opacity = picture(rng), colour_of(rng), rng.uniform()
    mask = rng.choice(np.array([0, 17, 200, 255], np.uint8), rng.integers(1, 15, 2))
    left, top = (int(v) for v in rng.integers(-20, 45, 2))
    expected = oracle.stamp(image, mask, left, top, colour, opacity)
    kernels.stamp(image, mask, left, top, colour, opacity)
    assert np.abs(image - expected).max() <= LEVELS


@settings(max_examples=50, deadline=None)
@given(SEEDS, st.integers(2, 4))
def test_enlarged_pictures_equal_the_slow_twin(seed, zoom):
    rng = np.random.default_rng(seed)
    image = picture(rng)
    assert np.abs(enlarge(image, zoom) - oracle.enlarge(image, zoom)).max() <= 1.01


def test_lines_that_overlap_do_not_add_up():
    image = np.zeros((20, 20, 3), np.uint8)
    canvas = Canvas(image)
    canvas.segments(np.array([[[2, 10], [18, 10]], [[10, 2], [10, 18]]]), 4, (200, 200, 200), 0.5)
    assert image[10, 10, 0] == image[10, 4, 0] == 100


def test_text_is_placed_by_its_alignment():
    for align in (0.0, 0.5, 1.0):
        image = np.zeros((40, 200, 3), np.uint8)
        Canvas(image).text(100, 20, "HHH", 14, (255, 255, 255), align=align)
        rows, columns = image[:, :, 0].nonzero()
        width = text_width("HHH", 14)
        assert abs(columns.mean() - (100 + (0.5 - align) * width)) < 1.5
        assert abs((rows.min() + rows.max()) / 2 - 20) <= 0.5


def test_text_without_letters_draws_nothing():
    image = np.zeros((20, 20, 3), np.uint8)
    Canvas(image).text(5, 5, "", 12, (255, 255, 255))
    assert not image.any()
