"""Text becomes HTML in one place, and is escaped there."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from mien.report.html import Html, element, join, text
from mien.results.table import readable


class Reader(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.texts, self.attributes = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.texts.append(data)


@given(st.text(min_size=1))
def test_any_text_is_read_back_as_text(value):
    read = Reader(element("p", value, title=value))
    assert read.tags == ["p"]
    assert "".join(read.texts) == readable(value)
    assert read.attributes == [("title", readable(value))]


def test_elements_within_elements_are_not_escaped_again():
    assert element("p", element("b", "a<b"), " & ", 3) == "<p><b>a&lt;b</b> &amp; 3</p>"


def test_nothing_is_left_out_and_flags_have_no_value():
    assert element("input", type="checkbox", checked=True, disabled=False, aria_label=None) == (
        '<input type="checkbox" checked>'
    )
    assert join(None, ["a", [Html("<br>")]]) == "a<br>"


def test_control_codes_and_bytes_that_are_no_text_are_shown():
    assert text("a\x1b\udcff") == "a\\x1b\\xff"
