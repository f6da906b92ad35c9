"""What a notebook shows of a result: useful, short, and safe whatever the files are named."""

from __future__ import annotations

from dataclasses import fields, replace
from html.parser import HTMLParser

import numpy as np
import pytest

from mien.datatypes import FaceBoxes, Frame
from mien.results import RecordedSource, ResultBuilder
from synthetic_result import make_face, make_result

HOSTILE = "<img src=x onerror=alert(1)> & 'quoted' \"twice\" caf\udce9.mp4"


class Tags(HTMLParser):
    """Tags and text of a piece of HTML; every opened tag must be closed."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.text = set(), [], ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + " "


def source(name="clip.mp4", **values):
    return RecordedSource(name, None, 640, 480, 25.0, **values)


def result_of(**changes):
    made = {"models": {"pack": "openface", "landmarks": "ce-clm"}, "analysed": {"lost": ""}}
    return replace(make_result(5), **{"source": source(), "provenance": made, **changes})


def test_it_says_what_was_analysed_how_well_and_what_the_units_did():
    result = result_of()
    result.success[1] = result.valid[1] = False
    result.confidence[:] = 1
    shown = Tags(result._repr_html_())
    for text in ("clip.mp4", "640 × 480 px", "25 frames/s", "5 rows", "openface, ce-clm", "80.0 % of rows"):
        assert text in shown.text
    mean = result.au_intensity[[0, 2, 3, 4], 8].mean()
    assert f"AU12 {mean:.2f} " in shown.text
    assert shown.tags <= {"div", "p", "br", "table", "thead", "tbody", "tr", "th", "td", "caption"}


def test_every_text_is_escaped():
    result = result_of(
        source=source(HOSTILE, notes=(HOSTILE,)),
        provenance={
            "models": {"pack": HOSTILE, "landmarks": HOSTILE},
            "analysed": {"lost": HOSTILE},
            "notes": [HOSTILE],
        },
        au_intensity_names=(HOSTILE, *make_result(0).au_intensity_names[1:]),
    )
    html = result._repr_html_()
    html.encode()
    assert "<img" not in html
    assert Tags(html).tags <= {"div", "p", "br", "table", "thead", "tbody", "tr", "th", "td", "caption"}


def test_what_was_lost_is_shown_once():
    lost = "24 of 120 frames could not be read"
    result = result_of(source=source(notes=(lost,)), provenance={"notes": [lost], "analysed": {"lost": lost}})
    text = Tags(result._repr_html_()).text
    assert text.count(lost) == 2
    assert f"Not all could be read: {lost}" in text


def test_people_have_a_table_each_and_faces_of_pictures_share_one():
    builder = ResultBuilder()
    for frame in range(3):
        for face_id in (0, 1):
            builder.append(make_face(frame, face_id=face_id))
    people = builder.finish()
    people.confidence[:] = 1
    html = people._repr_html_()
    assert html.count("<table>") == 2
    assert "face 0, 3 rows" in html
    pictures = replace(people, pictures=("a.jpg", "b.jpg", "c.jpg"))
    assert pictures._repr_html_().count("<table>") == 1
    crowd = replace(people, face_id=np.arange(6, dtype=np.int32) + 10)[[0, 1, 2, 3, 4, 5, 0]]
    assert crowd._repr_html_().count("<table>") == 6


@pytest.mark.parametrize(
    "result",
    [make_result(0), make_result(2, units=False), make_result(2, success=False), make_result(1, gaze=False)],
)
def test_results_without_much_in_them_can_be_shown(result):
    Tags(result._repr_html_())


def test_units_that_were_never_measured_are_left_out():
    result = make_result(3)
    result.au_intensity[:, 3] = result.au_presence[:, 3] = np.nan
    assert "AU05" not in result._repr_html_()


def test_texts_of_what_the_library_hands_out_are_short_and_show_shapes():
    face = make_face(mesh=True, measures=("a",))
    picture = np.zeros((480, 640, 3), np.uint8)
    boxes = FaceBoxes(np.zeros((2, 4), np.float32), np.zeros(2, np.float32))
    shown = [face, face.landmarks, face.pose, face.gaze, face.action_units, boxes]
    shown.append(Frame(3, 0.1, picture, picture[:, :, 0]))
    for each in shown:
        text = repr(each)
        assert len(text) < 400
        assert "array(" not in text
        assert text.startswith(f"{type(each).__name__}(")
        assert all(f"{item.name}=" in text for item in fields(each))
    assert "points=float32[68, 2]" in repr(face.landmarks)
    assert "landmarks=FaceLandmarks(…)" in repr(face)
    assert "measures=dict of 1" in repr(face.action_units)
