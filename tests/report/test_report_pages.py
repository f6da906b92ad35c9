"""What stands in a report before any script runs."""

from __future__ import annotations

import base64
import hashlib
import os
import re

import pytest

import mien
from mien.errors import OptionError, OutputError
from mien.report import ReportOptions, report_text, write_report
from mien.results import RecordedSource
from mien.results.summary import summarise
from recording_results import recording

NONE = ReportOptions(pictures="none")


def visible(text):
    body = re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_quality_comes_before_all_else():
    heads = re.findall(r"<h2[^>]*>([^<]+)", report_text(recording(), ReportOptions(pictures="landmarks")))
    assert heads == [
        "Quality",
        "Time courses",
        "Moments at which action units are strongest",
        "Summary",
        "How it was made",
    ]


def test_figures_of_quality_and_units_are_words():
    result = recording(300, lost=((100, 130),))
    words = visible(report_text(result, NONE))
    assert "90.0 % (270 of 300)" in words
    assert "1, the longest 1 s" in words
    summary = summarise(result, min_confidence=0.8)
    unit = next(each for each in summary.units if each.name == "AU12")
    assert f"AU12 lip corner puller {unit.mean:.2f} {unit.sd:.2f} {unit.p95:.2f}" in words


def test_provenance_is_told_in_words():
    made = {
        "mien": "1.2",
        "made": "2026-01-02T03:04:05+00:00",
        "machine": {"system": "Linux"},
        "models": {"pack": "openface", "landmarks": "ce-clm"},
        "options": {"compat": "openface", "every": 2, "threads": 7, "skip": []},
        "approximations": ["every 2"],
        "source": {"path": "/a/b.mp4", "bytes": 1234567, "sha256": "ab"},
        "analysed": {"frames": 9, "stopped": True, "lost": "3 frames"},
    }
    words = visible(report_text(recording(9, lost=(), provenance=made), NONE))
    for part in (
        "Analysed with mien 1.2 on 2026-01-02, on Linux.",
        "Source: b.mp4, 1 234 567 bytes, SHA-256 ab.",
        "Measured with OpenFace&#x27;s models; landmarks by ce-clm.",
        "Options other than the usual ones: compat openface, every 2.",
        "Approximated: every 2.",
        "9 frames were analysed; the analysis was stopped before the end.",
        "Not all could be read: 3 frames",
    ):
        assert part in words


def test_only_its_own_script_and_style_are_allowed():
    text = report_text(recording(30), NONE)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text).group(1)
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert text.index("Content-Security-Policy") < text.index("<title>")
    assert not re.findall(r'(?:src|href)="(?!#|data:)', text)


def test_a_report_of_thirty_minutes_has_at_most_five_megabytes(tmp_path):
    write_report(recording(54_000, points=False), tmp_path / "a.html", NONE)
    assert (tmp_path / "a.html").stat().st_size < 5e6


def test_the_same_result_gives_the_same_page():
    assert report_text(recording(50), NONE) == report_text(recording(50), NONE)


def test_it_is_a_name_of_the_package(tmp_path):
    mien.write_report(
        recording(5), tmp_path / "a.html", mien.ReportOptions(pictures="none", title="My <title>")
    )
    assert "My &lt;title&gt;" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_what_was_analysed_is_not_replaced(tmp_path):
    source = tmp_path / "clip.mp4"
    source.write_bytes(b"video")
    result = recording(5, source=RecordedSource("clip.mp4", source, 640, 480, 30.0))
    with pytest.raises(OutputError, match="choose another name"):
        write_report(result, source, NONE)
    assert source.read_bytes() == b"video"


@pytest.mark.skipif(
    os.name == "nt" or (hasattr(os, "geteuid") and os.geteuid() == 0), reason="root may write"
)
def test_a_place_that_can_not_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match=re.escape("a.html")):
        write_report(recording(5), tmp_path / "a.html", NONE)


@pytest.mark.parametrize(
    "values", [{"pictures": "all"}, {"min_confidence": 2}, {"turned_deg": 0}, {"turned_deg": float("nan")}]
)
def test_options_out_of_range_are_refused(values):
    with pytest.raises(OptionError, match=next(iter(values))):
        ReportOptions(**values)
