"""Calls of several analyses are joined, give what they give alone, and fail by themselves."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers_cen import random_cen
from helpers_landmarks import textured
from mien.errors import ProviderError
from mien.landmarks.accelerator import MOST_JOINED, Accelerator
from mien.landmarks.cen_onnx import CenOnnxPatchExperts
from mien.runtime.onnx_graph import INPUT_NAME, stacked_dense_to_onnx

LONG_S = 10.0


class Session:
    """Doubles its input; remembers how many rows each run had; fails for rows that hold 13."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def run(self, _, feed):
        inputs = feed[INPUT_NAME]
        self.rows.append(inputs.shape[1])
        if (inputs == 13).any():
            raise RuntimeError("thirteen")
        return [2 * inputs[:, :, :1]]


def at_once(accelerator, calls):
    """Results of calls (session, inputs) from a thread each, all of them members; errors as results."""
    ready = threading.Barrier(len(calls))

    def one(session, inputs):
        with accelerator.member():
            ready.wait()
            try:
                return accelerator.run(session, inputs)
            except RuntimeError as error:
                return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(one, *call) for call in calls]]


def windows(rows, value=1.0):
    return np.full((3, rows, 4), value, np.float32)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 9)), min_size=2, max_size=6))
def test_each_call_gets_its_own_outputs(wanted):
    sessions, accelerator = (Session(), Session()), Accelerator("cpu", wait_s=LONG_S)
    calls = [(sessions[which], windows(rows, k + 20)) for k, (which, rows) in enumerate(wanted)]
    for result, (_, inputs) in zip(at_once(accelerator, calls), calls, strict=True):
        np.testing.assert_array_equal(result, 2 * inputs[:, :, :1])


def test_calls_of_one_network_are_one_run():
    session, accelerator = Session(), Accelerator("cpu", wait_s=LONG_S)
    at_once(accelerator, [(session, windows(rows)) for rows in (2, 3, 4)])
    assert session.rows == [9]
    assert (accelerator.calls, accelerator.runs) == (3, 1)


def test_calls_of_different_networks_are_not_joined():
    a, b, accelerator = Session(), Session(), Accelerator("cpu", wait_s=LONG_S)
    at_once(accelerator, [(a, windows(2)), (b, windows(3)), (a, windows(4))])
    assert (a.rows, b.rows) == ([6], [3])


def test_no_more_calls_are_joined_than_memory_is_meant_for():
    session, accelerator = Session(), Accelerator("cpu", wait_s=LONG_S)
    at_once(accelerator, [(session, windows(1))] * (MOST_JOINED + 3))
    assert sorted(session.rows) == [3, MOST_JOINED]


def test_a_device_that_prepares_for_every_size_gets_single_calls():
    session, accelerator = Session(), Accelerator("tensorrt", wait_s=3600)
    at_once(accelerator, [(session, windows(2)), (session, windows(3)), (session, windows(3))])
    assert sorted(session.rows) == [2, 3, 3]


def test_a_call_that_fails_leaves_the_others_alone():
    session, accelerator = Session(), Accelerator("cpu", wait_s=LONG_S)
    good, bad, other = at_once(
        accelerator, [(session, windows(2)), (session, windows(1, 13)), (session, windows(3))]
    )
    assert isinstance(bad, RuntimeError)
    np.testing.assert_array_equal(good, 2 * windows(2)[:, :, :1])
    np.testing.assert_array_equal(other, 2 * windows(3)[:, :, :1])
    assert accelerator.run(session, windows(1)).shape == (3, 1, 1)  # the queue goes on


def test_who_is_alone_does_not_wait():
    session, accelerator = Session(), Accelerator("cpu", wait_s=3600)
    accelerator.run(session, windows(1))
    with accelerator.member():
        accelerator.run(session, windows(2))
    assert session.rows == [1, 2]


def test_nobody_waits_long_for_a_member_that_is_busy_elsewhere():
    session, accelerator = Session(), Accelerator("cpu", wait_s=0.001)
    with accelerator.member(), accelerator.member():
        accelerator.run(session, windows(1))
    assert session.rows == [1]


def test_who_leaves_is_not_waited_for():
    session, accelerator = Session(), Accelerator("cpu", wait_s=3600)
    with ThreadPoolExecutor(1) as pool:
        with accelerator.member(), accelerator.member():
            waiting = pool.submit(accelerator.run, session, windows(1))
            while not accelerator._led:
                pass
        assert waiting.result(LONG_S).shape == (3, 1, 1)


def test_a_network_is_opened_once():
    made = []

    def model():
        made.append(1)
        return stacked_dense_to_onnx(
            [(np.ones((1, 4, 1), np.float32), np.zeros((1, 1), np.float32), "linear")]
        )

    accelerator = Accelerator("cpu")
    assert accelerator.open("a", model) is accelerator.open("a", model)
    assert made == [1]
    assert accelerator.used == "cpu"


def test_unknown_device_is_refused():
    with pytest.raises(ProviderError, match="unknown device"):
        Accelerator("gpu")


@pytest.mark.usefixtures("private_cache")
@pytest.mark.parametrize("widths", [(9, 5, 1), (300, 100, 50, 1), (500, 200, 100, 1)])
def test_joined_responses_are_bit_for_bit_those_of_one_analysis(widths):
    """Of different frames, windows and views, on an accelerator's graphs, which the processor runs here."""
    rng = np.random.default_rng(len(widths))
    record = random_cen(rng, 6, widths=widths, activations=(2, 2, 0, 0)[-len(widths) :])
    alone = CenOnnxPatchExperts(record, device="cpu")
    accelerator = Accelerator("cpu", wait_s=LONG_S)
    similarity = np.array([0.6, 0.1, 1.6, -0.3], np.float32)
    requests = []
    for view, window in ((0, 9), (1, 9), (2, 9), (0, 7), (0, 11)):
        points = np.ascontiguousarray(rng.uniform(20, 220, (2, 6)), np.float32)
        requests.append((textured(rng), view, points, similarity, window))
    expected = [responses(alone, request) for request in requests]
    ready = threading.Barrier(len(requests))

    def one(request):
        with accelerator.member():
            experts = CenOnnxPatchExperts(record, device=accelerator)
            ready.wait()
            return responses(experts, request)

    with ThreadPoolExecutor(len(requests)) as pool:
        for actual, wanted in zip(pool.map(one, requests), expected, strict=True):
            np.testing.assert_array_equal(actual, wanted)
    # A view and its mirror are the same networks.
    assert (accelerator.calls, accelerator.runs) == (5, 2)


def responses(experts, request) -> np.ndarray:
    gray, view, points, similarity, window = request
    out = np.zeros((window**2, 6), np.float32)
    experts.responses(gray, view, points, similarity, window, out)
    return out
