"""Events: against a plain twin that goes frame by frame, and in cases worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import OptionError
from mien.study import EventRule, FaceSeries, SummaryOptions, find_events
from mien.study.event import EVENT_FIELDS
from mien.study.events import FaceEvents
from mien.study.hysteresis import event_spans, samples
from oracle.events import events as events_by_hand

FPS = 30
RULE = EventRule(upper=1.0, lower=0.5, min_duration_s=0.1, min_gap_s=0.2)


def series(intensity=(), presence=(), *, success=None, confidence=None, step=1 / FPS, **more):
    """A face whose AU12 is as given."""
    rows = max(len(intensity), len(presence))
    signal = {"AU12": np.array(intensity, float)} if len(intensity) else {}
    present = {"AU12": np.array(presence, float)} if len(presence) else {}
    return FaceSeries(
        name="clip.mp4",
        face_id=0,
        frame=np.arange(1, rows + 1),
        time_s=np.arange(rows) * step,
        success=np.ones(rows, bool) if success is None else np.array(success, bool),
        confidence=np.ones(rows) if confidence is None else np.array(confidence, float),
        intensity=signal,
        presence=present,
        **more,
    )


def found(face, rule=RULE, **options):
    chosen = SummaryOptions(intensity=rule, presence=replace(rule, upper=1, lower=1), **options)
    return list(find_events(face, chosen))


def frames(events):
    return [(event.onset_frame, event.offset_frame) for event in events]


@st.composite
def recordings(draw):
    """Times of constant or varying rate, with pauses; which frames count; a signal with missing values."""
    rows = draw(st.integers(0, 60))
    steps = draw(
        st.lists(st.sampled_from([0.0, 1 / 30, 0.033, 0.04, 0.1, 1.0]), min_size=rows, max_size=rows)
    )
    if draw(st.booleans()):
        steps = [1 / 30] * rows
    known = draw(st.lists(st.sampled_from([True] * 6 + [False]), min_size=rows, max_size=rows))
    values = st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0, 2.0, math.nan])
    signal = draw(st.lists(values, min_size=rows, max_size=rows))
    return np.cumsum(steps), np.array(known, bool), np.array(signal, float)


RULES = st.builds(
    EventRule,
    upper=st.sampled_from([0.7, 1.0, 2.0]),
    lower=st.sampled_from([0.3, 0.5, 0.7]),
    min_duration_s=st.sampled_from([0, 1 / 30, 0.1, 0.17]),
    max_duration_s=st.sampled_from([0.5, math.inf]),
    min_gap_s=st.sampled_from([0, 1 / 30, 0.1, 0.2, 0.5]),
)


@given(recordings(), RULES, st.sampled_from([0, 1 / 30, 0.2, 1.0]))
def test_events_are_those_that_a_plain_twin_finds_frame_by_frame(recording, rule, bridge_s):
    time_s, known, signal = recording
    period_s = FaceSeries(
        name="", face_id=0, frame=np.arange(len(time_s)), time_s=time_s, success=known, confidence=time_s
    ).period_s
    known = known & ~np.isnan(signal)
    at = samples(time_s, known, period_s, bridge_s)
    mine = [
        (at.row[a], at.row[b], at.begin_s[a], at.end_s[b]) for a, b in event_spans(signal[at.row], at, rule)
    ]
    assert mine == events_by_hand(time_s, signal, known, period_s, bridge_s, rule)


@given(recordings(), RULES)
def test_every_event_keeps_the_rule_and_none_overlaps_the_next(recording, rule):
    time_s, known, signal = recording
    face = FaceSeries(
        name="clip",
        face_id=0,
        frame=np.arange(1, len(time_s) + 1),
        time_s=time_s,
        success=known,
        confidence=np.ones(len(time_s)),
        intensity={"AU12": signal},
    )
    events = found(face, rule)
    for event in events:
        assert rule.min_duration_s - 1e-5 <= event.duration_s <= rule.max_duration_s + 1e-5
        assert event.peak >= rule.upper
        assert event.onset_s <= event.apex_s <= event.offset_s
        assert known[event.onset_frame - 1]
        assert signal[event.onset_frame - 1] >= rule.lower
        assert signal[event.apex_frame - 1] == event.peak
        assert signal[event.offset_frame - 1] >= rule.lower
    for one, other in pairwise(events):
        assert one.offset_s <= other.onset_s + 1e-9


def test_an_event_begins_and_ends_at_the_lower_threshold_and_needs_the_upper():
    (event,) = found(series([0, 0, 0.6, 1.2, 2.0, 0.9, 0.5, 0.4, 0, 0.9, 0.9, 0.9, 0.9, 0]))
    assert (event.onset_frame, event.apex_frame, event.offset_frame) == (3, 5, 7)
    assert event.onset_s == pytest.approx(2 / FPS)
    assert event.apex_s == pytest.approx(4 / FPS)
    assert event.offset_s == pytest.approx(7 / FPS)
    assert event.duration_s == pytest.approx(5 / FPS)
    assert event.peak == 2.0
    assert event.amplitude == 2.0
    assert event.mean == pytest.approx((0.6 + 1.2 + 2.0 + 0.9 + 0.5) / 5)
    assert (event.onset_seen, event.offset_seen) == (1, 1)


def test_short_pauses_do_not_end_an_event_and_long_ones_do():
    assert frames(found(series([2] * 4 + [0] * 5 + [2] * 4))) == [(1, 13)]
    assert frames(found(series([2] * 4 + [0] * 6 + [2] * 4))) == [(1, 4), (11, 14)]


def test_events_shorter_than_the_minimum_do_not_count():
    assert not found(series([0, 2, 2, 0, 0, 0, 0, 0, 0, 0]))
    assert frames(found(series([0, 2, 2, 2, 0, 0, 0, 0, 0]))) == [(2, 4)]


def test_frames_that_do_not_count_end_an_event_if_they_are_many():
    values = [2.0] * 20
    few = [True] * 6 + [False] * 5 + [True] * 9
    many = [True] * 6 + [False] * 7 + [True] * 7
    assert frames(found(series(values, success=few))) == [(1, 20)]
    first, second = found(series(values, success=many))
    assert (first.offset_frame, first.offset_seen) == (6, 0)
    assert (second.onset_frame, second.onset_seen) == (14, 0)
    assert first.offset_s == pytest.approx(6 / FPS)
    assert math.isnan(second.amplitude)


def test_a_low_confidence_does_not_count():
    confidence = [1.0] * 6 + [0.7] * 12
    assert frames(found(series([2.0] * 18, confidence=confidence))) == [(1, 6)]
    assert frames(found(series([2.0] * 18, confidence=confidence), min_confidence=0.5)) == [(1, 18)]


def test_values_outside_usable_frames_are_never_read():
    values = [0.0] * 5 + [5.0] * 5 + [0.0] * 5
    assert not found(series(values, success=[True] * 5 + [False] * 5 + [True] * 5))


def test_an_event_of_presence_has_the_intensity_of_its_unit():
    event = found(series([0, 0.1, 0.4, 0.2, 0.1, 0], [0, 1, 1, 1, 1, 0]))[-1]
    assert (event.signal, event.onset_frame, event.apex_frame, event.offset_frame) == ("presence", 2, 3, 5)
    assert event.peak == 0.4
    assert event.amplitude == pytest.approx(0.4)
    assert event.mean == pytest.approx(0.2)


def test_a_presence_without_intensity_has_no_apex():
    (event,) = found(series((), [0, 1, 1, 1, 1, 0]))
    assert (event.onset_frame, event.apex_frame) == (2, 0)
    assert math.isnan(event.peak)
    assert math.isnan(event.apex_s)


def test_patterns_are_as_strong_as_their_weakest_part_and_need_all_of_them():
    rising, flat = np.linspace(0, 3, 20), np.full(20, 1.5)
    face = replace(series([0] * 20), intensity={"AU06": rising, "AU12": flat})
    duchenne = [event for event in found(face) if event.kind == "composite"]
    assert [event.name for event in duchenne] == ["duchenne_06_12"]
    assert duchenne[0].peak == 1.5
    assert duchenne[0].onset_frame == 1 + int(np.argmax(rising >= 0.5))
    alone = replace(face, intensity={"AU12": flat})
    assert not [event for event in found(alone) if event.kind == "composite"]


def test_units_that_were_not_measured_make_no_pattern():
    face = replace(series([0] * 20), intensity={"AU06": np.full(20, np.nan), "AU12": np.full(20, 2.0)})
    assert [event.name for event in found(face)] == ["AU12"]


def test_without_time_there_are_no_events():
    still = replace(series([2.0] * 10), time_s=np.zeros(10))
    unknown = replace(series([2.0] * 10), time_s=np.full(10, np.nan))
    assert not found(still)
    assert not found(unknown)
    assert not FaceEvents(unknown, SummaryOptions()).timed
    assert not found(series([]))
    assert not found(series([2.0]))


def test_slow_recordings_are_not_cut_into_single_frames():
    assert frames(found(series([0, 2, 2, 2, 0], step=1.0))) == [(2, 4)]


def test_every_event_says_which_face_and_file_it_is_of():
    face = series([0, 2, 2, 2, 2, 2, 2, 0])
    events = find_events([face, replace(face, face_id=3), replace(face, name="a.mp4")])
    assert [(event.file, event.face_id) for event in events] == [
        ("a.mp4", 0),
        ("clip.mp4", 0),
        ("clip.mp4", 3),
    ]
    assert list(events.rows()[0]) == list(EVENT_FIELDS)
    assert len(events[:2]) == 2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"upper": 0.5, "lower": 1.0}, "onset 0.5, offset 1.0"),
        ({"upper": math.nan, "lower": 1.0}, "onset nan"),
        ({"upper": 1, "lower": 1, "min_gap_s": -1}, "0 s or more"),
        ({"upper": 1, "lower": 1, "min_duration_s": 1, "max_duration_s": 0.5}, "above the shortest"),
    ],
)
def test_rules_that_contradict_themselves_are_refused(values, said):
    with pytest.raises(OptionError, match=said):
        EventRule(**values)


@pytest.mark.parametrize("values", [{"min_confidence": 2}, {"bridge_s": -1}, {"fps": 0}])
def test_options_out_of_range_are_refused(values):
    with pytest.raises(OptionError, match="expected"):
        SummaryOptions(**values)
