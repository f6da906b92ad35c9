"""Suppression, correction and squaring of candidate boxes; crops for the networks; choice of one face."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.datatypes import FaceBoxes
from mien.detection.boxes import Candidates, join, widest
from mien.detection.kernels import network_inputs
from oracle import face_boxes as oracle

seeds = st.integers(0, 2**32 - 1)


def candidates(boxes, scores=None, corrections=None):
    count = len(boxes)
    return Candidates(
        np.array(boxes, np.float32).reshape(count, 4),
        np.linspace(0.9, 0.7, count, dtype=np.float32) if scores is None else np.array(scores, np.float32),
        np.zeros((count, 4), np.float32) if corrections is None else np.array(corrections, np.float32),
    )


@settings(deadline=None, max_examples=100)
@given(seeds, st.sampled_from([0.5, 0.7]), st.booleans())
def test_suppression_equals_its_definition(seed, threshold, by_smaller):
    rng = np.random.default_rng(seed)
    boxes = rng.integers(0, 30, (25, 4)) / 2
    scores = rng.integers(0, 8, 25) / 8
    found = candidates(boxes, scores, rng.normal(size=(25, 4)))
    kept = oracle.suppress(boxes, scores, threshold, by_smaller)
    expected = found.take(np.array(kept))
    result = found.suppressed(threshold, by_smaller=by_smaller)
    for name in ("boxes", "scores", "corrections"):
        assert np.array_equal(getattr(result, name), getattr(expected, name))


def test_suppression_prefers_the_last_of_equal_scores():
    result = candidates([[0, 0, 10, 10], [0, 0, 10, 11], [0, 1, 10, 10]], [0.8, 0.8, 0.8]).suppressed(0.5)
    assert result.boxes.tolist() == [[0, 1, 10, 10]]


def test_suppression_keeps_an_overlap_that_equals_the_threshold():
    # 5 of 10 columns and 7 of 10.
    half = candidates([[0, 0, 10, 10], [0, 0, 5, 10]])
    assert len(half.suppressed(0.5)) == 2
    assert len(half.suppressed(0.7, by_smaller=True)) == 1
    assert len(candidates([[0, 0, 10, 10], [0, 0, 7, 10]]).suppressed(0.7)) == 2


def test_suppression_of_empty_boxes_keeps_them():
    assert len(candidates([[3, 3, 0, 0], [3, 3, 0, 0]]).suppressed(0.5)) == 2
    assert len(candidates(np.empty((0, 4))).suppressed(0.5)) == 0


def test_boxes_are_rounded_half_to_even_before_correction():
    result = candidates([[0.5, 1.5, 20.5, 19.5]], corrections=[[0.1, -0.1, 0.2, 0.05]]).corrected()
    np.testing.assert_allclose(result.boxes, [[2.0, 0.0, 22.0, 23.0]], atol=1e-5)


def test_last_correction_counts_the_last_column_and_row():
    result = candidates([[10, 20, 30, 40]], corrections=[[0.1, 0, 0, -0.1]]).corrected(inclusive=True)
    np.testing.assert_allclose(result.boxes, [[13.1, 20.0, 27.9, 36.9]], atol=1e-5)


def test_squares_are_centred_and_truncated():
    result = candidates([[10.6, 20.2, 31.9, 20.4], [-3.2, 5, 4, 9.9]]).squared()
    assert result.boxes.tolist() == [[10, 14, 31, 31], [-6, 5, 9, 9]]


def test_joined_candidates_keep_their_order():
    both = join([candidates([[1, 2, 3, 4]], [0.1]), candidates([[5, 6, 7, 8], [9, 9, 9, 9]], [0.9, 0.5])])
    assert both.boxes[:, 0].tolist() == [1, 5, 9]
    np.testing.assert_allclose(both.scores, [0.1, 0.9, 0.5])


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_network_inputs_equal_their_definition(seed):
    rng = np.random.default_rng(seed)
    bgr = rng.integers(0, 256, (*rng.integers(3, 20, 2), 3), dtype=np.uint8)
    windows = np.concatenate([rng.integers(-8, 12, (3, 2)), rng.integers(1, 30, (3, 2))], axis=1)
    size = tuple(rng.integers(1, 9, 2))
    out = np.empty((3, 3, *size), np.float32)
    network_inputs(bgr, windows, out)
    for window, planes in zip(windows.tolist(), out, strict=True):
        assert np.array_equal(planes, oracle.network_input(bgr, window, size))


def test_the_widest_face_is_chosen_and_the_first_of_equals():
    boxes = np.array([[0, 0, 5, 50], [1, 0, 9, 9], [2, 0, 9, 10]], np.float32)
    assert widest(FaceBoxes(boxes, np.ones(3, np.float32))).tolist() == [1, 0, 9, 9]
    assert widest(FaceBoxes(boxes[:0], np.ones(0, np.float32))) is None
