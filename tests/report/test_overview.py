"""An overview lists recordings, the least usable first, and links to their reports."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from mien.errors import TableError
from mien.report import OverviewRow, ReportOptions, write_overview
from mien.report.many import items_of, make_reports, places_of
from mien.report.overview import link, overview_row
from recording_results import recording

NONE = ReportOptions(pictures="none")


def names_in(path):
    return re.findall(r'<th scope="row">(?:<a [^>]*>)?([^<]+)', path.read_text(encoding="utf-8"))


def refuse(source):
    raise AssertionError(source)


def test_the_least_usable_come_first_and_failures_before_them(tmp_path):
    lost = {"good": 0, "bad": 80, "middle": 40}
    rows = [
        overview_row(name, recording(100, lost=((0, each),)), tmp_path / name, NONE)
        for name, each in lost.items()
    ]
    rows += [OverviewRow(name="empty"), OverviewRow(name="broken", failure="cut off")]
    write_overview(rows, tmp_path / "index.html")
    assert names_in(tmp_path / "index.html") == ["broken", "empty", "bad", "middle", "good"]


@pytest.mark.parametrize("name", ["a b#c?.report.html", "ä&'.report.html", "%41.report.html"])
def test_links_lead_to_the_reports_whatever_their_names(tmp_path, name):
    address = link(tmp_path / "below" / name, tmp_path)
    assert (tmp_path / unquote(address.removeprefix("./"))) == tmp_path / "below" / name
    assert not set(address) & set("#?&' ")


def study(folder):
    for name, lost in (("a/one", 0), ("b/one", 50), ("b/two", 10)):
        recording(100, lost=((0, lost),)).save(folder / f"{name}.csv")
    (folder / "study.csv").write_text(
        "file,person,face_id,frames\na/one.mp4,P1,0,100\nb/one.mp4,P2,0,100\n", encoding="utf-8"
    )
    (folder / "failures.csv").write_text("file,reason\nc/three.mp4,it is empty\n", encoding="utf-8")
    (folder / "events.csv").write_text("file,face_id\n", encoding="utf-8")
    (folder / "a" / "one.sides.csv").write_text("frame,confidence,success\n1,1,1\n", encoding="utf-8")


def test_a_study_is_its_tables_and_its_failures(tmp_path):
    study(tmp_path)
    items, overview = items_of([tmp_path])
    assert overview
    assert [item.name for item in items] == ["a/one.csv", "b/one.csv", "b/two.csv", "c/three.mp4"]
    assert items[0].known == {"person": "P1"}
    assert items[3].failure == "it is empty"


def test_reports_of_a_study_lie_beside_its_tables(tmp_path):
    study(tmp_path)
    items, _ = items_of([tmp_path])
    made = list(make_reports(items, None, NONE, refuse))
    assert [each.report for each in made[:3]] == [
        tmp_path / f"{n}.report.html" for n in ("a/one", "b/one", "b/two")
    ]
    assert all(each.report.is_file() for each in made[:3])
    assert made[3].row.failure == "it is empty"


def test_one_table_that_can_not_be_read_is_not_the_end(tmp_path):
    recording(10).save(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("frame,confidence\n1\n", encoding="utf-8")
    items, _ = items_of([tmp_path / "a.csv", tmp_path / "b.csv"])
    first, second = make_reports(items, None, NONE, refuse)
    assert first.report is not None
    assert isinstance(second.error, TableError)
    assert "cut off" in second.row.failure


def test_reports_of_the_same_name_do_not_replace_one_another(tmp_path):
    study(tmp_path)
    items, _ = items_of([tmp_path])
    places = places_of(items, tmp_path / "out")
    assert len(set(places)) == len(items)


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(TableError, match="found none"):
        items_of([tmp_path])
