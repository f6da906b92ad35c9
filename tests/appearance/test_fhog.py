"""FHOG: golden values of dlib, and the slow twin."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.appearance import kernels
from mien.appearance.fhog import FhogExtractor
from oracle import appearance as oracle


def image_a():
    r, c, k = np.mgrid[:112, :112, :3]
    return ((r * r * (k + 1) + 3 * c * (r + k) + 17 * k * c) % 256).astype(np.uint8)


def image_b():
    r, c, k = np.mgrid[:112, :112, :3]
    t = (r // 3 + 2 * (c // 5)) % 3
    return (40 * t + np.where(k == 1, 0, (r * c) % 2)).astype(np.uint8)


@pytest.mark.parametrize(
    ("image", "total", "squares", "weighted"),
    [(image_a, 731.0948, 202.9182, 373.7867), (image_b, 593.5383, 167.0295, 296.9656)],
)
def test_descriptors_of_two_patterns_have_dlibs_sums(image, total, squares, weighted):
    values = FhogExtractor().describe(image()).astype(float)
    assert values.sum() == pytest.approx(total, abs=6e-5)
    assert (values**2).sum() == pytest.approx(squares, abs=6e-5)
    assert (np.arange(4464) * values).sum() / 4464 == pytest.approx(weighted, abs=6e-5)


CELL_0_0 = """
    0.03279 0.00583 0.06836 0.4 0 0 0 0.00428 0.00028 0 0.09091 0.4 0.00013 0 0.01288 0.04325 0.09214 0.04091
    0.03279 0.09674 0.4 0.4 0 0.01288 0.04325 0.09642 0.04119 0.14420 0.14177 0.13774 0.13809"""
CELL_5_7 = """
    0.06062 0.03376 0.02614 0.25355 0.00892 0 0.00358 0.18951 0.35506 0.08662 0.10767 0.16545 0.29299 0
    0.21143 0.39999 0.08226 0.05655 0.14723 0.14143 0.19158 0.4 0.00892 0.21143 0.4 0.27177 0.38919 0.24891
    0.29008 0.26443 0.29687"""


@pytest.mark.parametrize(("row", "column", "golden"), [(0, 0, CELL_0_0), (5, 7, CELL_5_7)])
def test_cells_have_dlibs_values_in_dlibs_order(row, column, golden):
    cells = FhogExtractor().describe(image_a()).reshape(12, 12, 31)
    np.testing.assert_allclose(cells[row, column], [float(v) for v in golden.split()], atol=6e-6)


LEVELS = st.sampled_from([1, 3, 255])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(20, 60), st.integers(20, 60), LEVELS)
def test_descriptor_equals_the_slow_twin_for_any_size(seed, height, width, levels):
    rng = np.random.default_rng(seed)
    image = (rng.integers(0, levels + 1, (height, width, 3)) * (255 // levels)).astype(np.uint8)
    values = FhogExtractor(height, width).describe(image)
    np.testing.assert_allclose(values, oracle.fhog(image), atol=1e-6)


@pytest.mark.parametrize("size", [(24, 140), (24, 260), (77, 93)])
def test_wide_images_are_taken_in_several_windows(size):
    image = np.random.default_rng(2).integers(0, 4, (*size, 3)).astype(np.uint8) * 80
    extractor = FhogExtractor(*size)
    np.testing.assert_allclose(extractor.describe(image), oracle.fhog(image), atol=1e-6)
    assert extractor.length == extractor.rows * extractor.columns * 31


def test_orientation_is_exact_for_every_possible_gradient():
    # One row of windows in which only blue has a gradient, for all 511 x 511 of them.
    levels = np.arange(-255, 256)
    window = np.zeros(9 * kernels.WINDOW, np.float32)
    magnitude, bins = np.zeros(kernels.WINDOW, np.float32), np.zeros(kernels.WINDOW, np.int32)
    seen = np.empty((511, 511), int)
    lengths = np.empty((511, 511))
    for i, gy in enumerate(levels):
        for start in range(0, 511, 42):
            gx = levels[start : start + 42]
            columns = 3 * np.arange(len(gx)) + 1
            window[:] = 0
            window[3 * kernels.WINDOW + columns + 1] = gx
            window[6 * kernels.WINDOW + columns] = gy
            kernels.gradients(window, 3 * len(gx), 3 * len(gx), magnitude, bins)
            seen[i, start : start + 42] = bins[columns]
            lengths[i, start : start + 42] = magnitude[columns]
    x, y = np.meshgrid(levels, levels)
    dots = np.array([[c * x + s * y, -c * x - s * y] for c, s in oracle.UNIT_VECTORS]).reshape(18, 511, 511)
    order = np.array([o // 2 + 9 * (o % 2) for o in range(18)])
    expected = order[dots.argmax(axis=0)]
    expected[(x == 0) & (y == 0)] = 0
    np.testing.assert_array_equal(seen, expected)
    np.testing.assert_array_equal(lengths, np.sqrt((x**2 + y**2).astype(np.float32)))
    for gx, gy in ((0, 5), (0, -5), (7, 0), (-7, 0), (3, 3), (-200, 71)):
        assert oracle.orientation(gx, gy) == seen[gy + 255, gx + 255]


def test_ties_between_channels_change_sides_after_the_last_group_of_columns():
    # Blue and red have gradients of one size in different directions.
    image = np.zeros((112, 112, 3), np.uint8)
    image[:, :, 0] = np.arange(112)[None, :]
    image[:, :, 2] = np.arange(112)[:, None]
    cells = FhogExtractor().describe(image).reshape(12, 12, 31)
    assert cells[5, 5].argmax() == 0
    assert cells[5, 11, 4] > 0
    np.testing.assert_allclose(cells.ravel(), oracle.fhog(image), atol=1e-6)


def test_a_black_image_gives_zeros():
    assert not FhogExtractor().describe(np.zeros((112, 112, 3), np.uint8)).any()


def test_a_grey_image_is_described_as_its_three_equal_channels():
    gray = image_a()[:, :, 1]
    extractor = FhogExtractor()
    np.testing.assert_array_equal(
        extractor.describe(gray), extractor.describe(np.repeat(gray[:, :, None], 3, axis=2))
    )


def test_descriptors_do_not_depend_on_what_was_described_before():
    extractor = FhogExtractor()
    first = extractor.describe(image_a())
    extractor.describe(image_b())
    np.testing.assert_array_equal(extractor.describe(image_a()), first)


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"\(112, 112\)"):
        FhogExtractor().describe(np.zeros((112, 111, 3), np.uint8))
    with pytest.raises(ValueError, match="20 x 20"):
        FhogExtractor(19, 112)


def test_the_descriptor_does_not_depend_on_where_arrays_lie():
    """Heaps differ from run to run and with the number of threads."""
    rng = np.random.default_rng(4)
    votes = rng.random((15, 15, 18, 4), dtype=np.float32)
    arrays = [votes, *(np.zeros(shape, np.float32) for shape in ((14, 14, 18), (14, 14), (13, 13), (4, 18)))]
    arrays.append(np.zeros(4464, np.float32))
    expected = None
    for order in permutations(range(len(arrays))):
        memory, at, placed = np.zeros(120_000, np.uint8), int(rng.integers(0, 32)) * 16, {}
        for index in order:
            one = arrays[index]
            placed[index] = np.ndarray(one.shape, np.float32, memory, at)
            placed[index][...] = one
            at += -(-(one.nbytes + 8) // 16) * 16
        kernels.describe(*(placed[index] for index in range(len(arrays))))
        out = placed[len(arrays) - 1].copy()
        assert expected is None or np.array_equal(out, expected)
        expected = out
