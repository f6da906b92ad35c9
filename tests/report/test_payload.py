"""Columns in a page's payload come back as they went in, and no text can leave its place."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mien.report.payload import Payload, json_for_script, unpack

VALUES = st.floats(-1e6, 1e6) | st.just(float("nan")) | st.just(float("inf")) | st.just(1e300)


@given(
    arrays(np.float64, st.integers(0, 300), elements=VALUES),
    st.sampled_from([8, 16, 32]),
    st.sampled_from([0.01, 1.0]),
)
def test_columns_come_back_within_half_a_step(values, bits, step):
    payload = Payload()
    payload.add(np.arange(7), 1.0)
    column = payload.columns[payload.add(values, step, bits=bits)]
    back = unpack(payload.text(), column)
    known = np.abs(values) <= 1e12
    assert column.step >= step
    assert np.isnan(back[~known]).all()
    assert np.allclose(back[known], values[known], rtol=1e-9, atol=column.step * 0.501)


def test_the_resolution_is_the_one_wanted_where_there_is_room():
    payload = Payload()
    payload.add(np.array([0.0, 5.0, 0.01]), 0.01)
    assert payload.columns[0].step == 0.01


def test_columns_of_a_long_recording_are_small():
    rng = np.random.default_rng(0)
    payload = Payload()
    for _ in range(17):
        payload.add(np.clip(rng.normal(0, 0.4, 54_000).cumsum() % 5, 0, 5), 0.01)
    assert len(payload.text()) < 17 * 54_000 * 2


@given(st.text() | st.sampled_from(["</script>", "<!--", "]]>", "\u2028", "\udcff", "&lt;"]))
def test_no_text_in_json_can_end_a_script(text):
    written = json_for_script({"name": text})
    assert not set(written) & {"<", ">", "&", "\u2028", "\u2029"}
    written.encode("utf-8")
    assert json.loads(written)["name"] == text


def test_numbers_that_json_lacks_are_refused():
    with pytest.raises(ValueError, match="JSON"):
        json_for_script({"a": float("nan")})
