"""Patterns in place of file names."""

from pathlib import Path

import pytest

from mien.cli.patterns import files_meant
from mien.errors import SourceError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("b.mp4", "a.mp4", "c.avi", "[1].mp4", "deep/er/d.mp4", "f10.jpg", "f2.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (["?.mp4"], ["a.mp4", "b.mp4"]),
        (["c.avi", "[ab].mp4"], ["c.avi", "a.mp4", "b.mp4"]),
        (["[1].mp4"], ["[1].mp4"]),
        (["f*.jpg"], ["f2.jpg", "f10.jpg"]),
        (["**/d.mp4"], ["deep/er/d.mp4"]),
        (["missing.mp4"], ["missing.mp4"]),
    ],
)
def test_patterns_are_replaced_by_what_they_fit_and_names_are_kept(folder, names, meant):
    assert files_meant([Path(name) for name in names]) == [Path(name) for name in meant]


def test_a_pattern_that_fits_nothing_is_named(folder):
    with pytest.raises(SourceError, match=r"\*\.webm: no file fits"):
        files_meant([Path("*.webm")])
