"""Which files a study takes, and what their results are called."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import OptionError, SourceError
from mien.study.find import Choice, find_recordings, fits, table_bases
from mien.study.listing import one_form, read_listing


@pytest.fixture
def folder(tmp_path):
    for name in (
        "a.mp4",
        "B.MOV",
        "notes.txt",
        ".hidden.mp4",
        "s1/c.avi",
        "s1/deep/d.jpg",
        ".trash/e.mp4",
        "results/a.tracked.mp4",
    ):
        path = tmp_path / "study" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path / "study"


def names(place, output="elsewhere", **choice):
    found, _ = find_recordings(place, Path(output), Choice(**choice))
    return [recording.name for recording in found]


def test_videos_and_pictures_are_found_below_a_folder_but_not_results_or_hidden_files(folder):
    assert names(folder, folder / "results") == ["B.MOV", "a.mp4", "s1/c.avi", "s1/deep/d.jpg"]


def test_patterns_choose_files_by_name_or_path(folder):
    out = folder / "results"
    assert names(folder, out, include=("*.mp4", "*.mov")) == ["B.MOV", "a.mp4"]
    assert names(folder, out, include=("s1/*",)) == ["s1/c.avi", "s1/deep/d.jpg"]
    assert names(folder, out, include=("*.txt",)) == ["notes.txt"]
    assert names(folder, out, exclude=("s1/*", "a.*")) == ["B.MOV"]


def test_a_study_without_recordings_says_so(folder):
    with pytest.raises(SourceError, match=r"a file that fits \*\.mkv"):
        names(folder, include=("*.mkv",))
    with pytest.raises(SourceError, match="does not exist"):
        names(folder / "nothing")
    with pytest.raises(SourceError, match="no folder and no list"):
        names(folder / "a.mp4")
    with pytest.raises(OptionError, match="another folder"):
        names(folder, folder)


def test_a_list_names_files_beside_it_with_what_is_known_of_them(folder):
    (folder / "list.csv").write_text("file,person\ns1/c.avi,P1\na.mp4,P2\nmissing.mp4,P3\ns1,P4\n")
    found, columns = find_recordings(folder / "list.csv", folder / "results")
    assert columns == ("person",)
    assert [(each.name, each.values["person"]) for each in found] == [
        ("s1/c.avi", "P1"),
        ("a.mp4", "P2"),
        ("missing.mp4", "P3"),
        ("s1", "P4"),
    ]
    assert not found[0].fault
    assert "No such file" in found[2].fault
    assert "s1 is no file" in found[3].fault


def test_files_elsewhere_keep_their_folders_from_the_one_they_have_in_common(folder, tmp_path):
    other = tmp_path / "other" / "x.mp4"
    other.parent.mkdir()
    other.write_bytes(b"x")
    (folder / "list.csv").write_text(f"file\n{other}\n../study/s1/c.avi\n")
    assert names(folder / "list.csv") == ["other/x.mp4", "study/s1/c.avi"]


def test_a_list_may_have_paths_as_windows_writes_them(folder):
    (folder / "list.csv").write_text("file\ns1\\deep\\d.jpg\n")
    assert names(folder / "list.csv") == ["s1/deep/d.jpg"]


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_links_to_folders_elsewhere_are_followed_and_none_is_entered_twice(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.mp4").write_bytes(b"x")
    for place, target in (
        (folder / "s2", other),
        (folder / "s3", other),
        (folder / "s4", folder / "s1"),
        (folder / "s1" / "up", folder),
        (other / "round", other),
    ):
        place.symlink_to(target)
    assert names(folder, folder / "results") == ["B.MOV", "a.mp4", "s1/c.avi", "s1/deep/d.jpg", "s2/x.mp4"]


def test_results_of_other_studies_are_no_recordings(folder):
    (folder / "results" / ".mien-study").mkdir()
    assert "results/a.tracked.mp4" not in names(folder)


def test_folders_that_cannot_be_read_are_failures_and_not_passed_over(folder, monkeypatch):
    scandir = os.scandir

    def closed(path):
        if Path(path).name == "s1":
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    found, _ = find_recordings(folder, folder / "results")
    assert [(each.name, bool(each.fault)) for each in found] == [
        ("B.MOV", False),
        ("a.mp4", False),
        ("s1", True),
    ]
    assert names(folder, folder / "results", exclude=("s1/*",)) == ["B.MOV", "a.mp4"]
    with pytest.raises(SourceError, match="s1 can't be read: Permission denied"):
        names(folder / "s1")


@pytest.mark.parametrize(("listed", "there"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_letters_with_marks_are_found_however_they_are_written(tmp_path, listed, there):
    """Files that were copied from a Mac have other bytes than a list that a spreadsheet wrote."""
    name = unicodedata.normalize(there, "Müller 각.mp4")
    (tmp_path / name).touch()
    (tmp_path / "list.csv").write_text(
        unicodedata.normalize(listed, "file,person\nMüller 각.mp4,P\n"), "utf-8"
    )
    ((found,), _) = find_recordings(tmp_path / "list.csv", tmp_path / "out")
    assert not found.fault
    assert found.values == {"person": "P"}
    (taken,) = names(tmp_path, tmp_path / "out", include=(unicodedata.normalize(listed, "*ü*"),))
    assert one_form(taken) == one_form(found.name)
    known = read_listing(tmp_path / "list.csv").of(f"out/{Path(name).stem}.csv")
    assert known == {"person": "P"}


def test_one_file_under_two_names_is_refused(folder):
    (folder / "list.csv").write_text("file\na.mp4\n./s1/../a.mp4\n")
    with pytest.raises(OptionError, match="several times"):
        names(folder / "list.csv")


def test_results_are_called_as_recordings_and_keep_endings_where_nothing_else_differs():
    made = table_bases(["a.mp4", "s/a.mp4", "s/A.avi", "s/b.c.mov"])
    assert [str(path) for path in made] == ["a", "s/a.mp4", "s/A.avi", "s/b.c"]


def test_results_are_not_called_as_files_of_the_study_or_of_unfinished_analyses():
    own = ["study.mp4", "Events.mov", "failures-3of20.mp4", "dictionary.avi"]
    elsewhere = ["s/study.mp4", "studies.mp4", "failures-x.mp4"]
    made = table_bases([*own, *elsewhere, "a.partial.mp4", "a.mp4"])
    assert [str(path) for path in made] == [
        *own,
        "s/study",
        "studies",
        "failures-x",
        "a.partial.mp4",
        "a",
    ]


@pytest.mark.parametrize("letter", ["l", "ü", "語", "👩"])
def test_results_of_very_long_names_have_shorter_ones_of_their_own(letter):
    names = [f"s/{letter * (250 // len(letter.encode()) - 1)}{end}.mp4" for end in "ab"]
    made = table_bases(names)
    assert len(set(made)) == 2
    for base in made:
        assert base.name.startswith(letter * 30)
        assert len(f"{base.name}.partial.provenance.json".encode()) <= 255


@given(st.lists(st.from_regex(r"[ab]/[xy]\.(mp4|avi|MOV)", fullmatch=True), unique=True))
def test_no_two_recordings_have_the_same_results(recordings):
    made = [str(base) for base in table_bases(recordings)]
    assert len(set(made)) == len(recordings)


def test_patterns_know_slashes_of_both_kinds_and_no_case():
    assert fits("s1/A.MP4", "*.mp4")
    assert fits("s1/a.mp4", "S1\\*")
    assert fits("s1/a.mp4", "./s1/a.mp4")
    assert not fits("s1/a.mp4", "s2/*")
    assert not fits("s1/a.mp4", "1/*")
