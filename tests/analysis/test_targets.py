"""Where tables go, and that this is checked before any work."""

import os
import sys

import pytest

from mien.analysis.outputs import OutputOptions
from mien.analysis.targets import table_path, table_paths
from mien.errors import OptionError, OutputError


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "some.clip.mp4"
    path.write_bytes(b"video")
    return path


def test_the_default_is_the_videos_name_in_the_current_folder(video, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(table_path(video, None)) == "some.clip.csv"


def test_a_folder_gets_a_table_with_the_videos_name(video, tmp_path):
    (tmp_path / "tables").mkdir()
    assert table_path(video, tmp_path / "tables") == tmp_path / "tables" / "some.clip.csv"


def test_missing_folders_are_made(video, tmp_path):
    assert table_path(video, tmp_path / "a" / "b" / "c.csv").parent.is_dir()


def test_checking_leaves_nothing_behind(video, tmp_path):
    table_path(video, tmp_path / "tables" / "x.csv")
    assert list((tmp_path / "tables").iterdir()) == []


def test_a_file_in_place_of_the_folder_is_refused(video, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can't be written"):
        table_path(video, tmp_path / "file" / "x.csv")


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_folder_that_refuses_files_is_refused(video):
    with pytest.raises(OutputError, match="choose another with -o"):
        table_path(video, "/proc" / video.relative_to("/").with_name("x.csv"))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs permissions that bind")
def test_a_read_only_folder_is_refused(video, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        table_path(video, tmp_path / "locked" / "x.csv")


def test_names_that_are_no_tables_are_refused(video, tmp_path):
    with pytest.raises(OutputError, match=r"ends in \.csv"):
        table_path(video, tmp_path / "x.xlsx")


def test_a_file_in_place_of_the_folder_for_several_tables_is_refused(video, tmp_path):
    other = tmp_path / "other.mp4"
    for path in (other, tmp_path / "file"):
        path.write_bytes(b"")
    with pytest.raises(OutputError, match=r"folder .* can.t be made"):
        table_paths([video, other], tmp_path / "file")


def test_the_video_is_never_replaced(tmp_path):
    video = tmp_path / "clip.csv"
    video.write_bytes(b"video in disguise")
    with pytest.raises(OutputError, match="is the video itself"):
        table_path(video, tmp_path / "." / "clip.csv")


def test_partial_tables_have_a_name_that_says_so(tmp_path):
    outputs = OutputOptions().at(tmp_path / "some.clip.csv").partial
    assert outputs.table == tmp_path / "some.clip.partial.csv"


def test_videos_whose_tables_would_be_one_are_named(tmp_path):
    videos = [tmp_path / name for name in ("a.mp4", "b.mp4", "a.avi")]
    for video in videos:
        video.write_bytes(b"")
    with pytest.raises(OptionError, match=r"several are named a;"):
        table_paths(videos, tmp_path / "tables")
