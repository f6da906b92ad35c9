"""What is kept of a live analysis: recordings that grow, and the table so far."""

import json
import shutil
from collections import namedtuple

import numpy as np
import pytest

from mien.errors import OutputError
from mien.live.keeping import Names, Recorder, TableSoFar
from mien.results import RecordedSource, read_openface_csv
from mien.results.provenance import provenance_path
from synthetic_result import make_face

SOURCE = RecordedSource("clip.mp4", None, 640, 480, 30.0)


def table(folder, rows=0):
    made = TableSoFar(Names(folder, "clip.mp4"))
    made.begin(SOURCE, {"mien": "test"}, "live")
    for index in range(rows):
        made.append(make_face(index), dropped=index // 2)
    return made


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("clip.mp4", "clip-live-"),
        ("../../etc/passwd", "passwd-live-"),
        ("<script>alert(1)</script>.mp4", "script-live-"),
        ("naïve ☺ clip.avi", "na_ve_clip-live-"),
        ("a\nb\x00.mp4", "a_b-live-"),
        ("...", "live-live-"),
        ("x" * 300 + ".mp4", "x" * 60 + "-live-"),
    ],
)
def test_names_of_files_are_plain_whatever_the_source_is_called(tmp_path, source, expected):
    path = Names(tmp_path, source).next(".csv")
    assert path.parent == tmp_path
    assert path.name.startswith(expected)


def test_a_name_that_is_taken_is_not_given_again(tmp_path, monkeypatch):
    names = Names(tmp_path, "clip.mp4")
    seen = set()
    for _ in range(5):
        path = names.next(".csv")
        assert path not in seen
        seen.add(path)
        path.touch()


def test_a_recording_has_the_lines_between_start_and_stop(tmp_path):
    recorder = Recorder(Names(tmp_path, "clip"), "header\n")
    recorder.write("before\n")
    recorder.start()
    path = recorder.path
    recorder.start()
    recorder.write("one\n")
    assert path.read_text() == "header\none\n"
    assert recorder.rows == 1
    assert recorder.stop() == path
    recorder.write("after\n")
    assert path.read_text() == "header\none\n"
    assert recorder.stop() is None
    recorder.start()
    assert recorder.path != path
    recorder.stop()


def test_a_recording_that_cannot_go_on_ends(tmp_path, monkeypatch):
    recorder = Recorder(Names(tmp_path, "clip"), "header\n")
    recorder.start()

    def full(line):
        raise OutputError("disk full")

    monkeypatch.setattr(recorder._sink, "write", full)
    with pytest.raises(OutputError, match="disk full"):
        recorder.write("one\n")
    assert not recorder.recording
    recorder.write("two\n")


def test_the_table_so_far_is_whole_and_more_rows_may_come(tmp_path):
    made = table(tmp_path, 3)
    path, rows = made.save()
    assert rows == len(read_openface_csv(path)) == 3
    made.append(make_face(3), dropped=4)
    second, rows = made.save()
    assert second != path
    assert rows == 4
    read = read_openface_csv(second)
    np.testing.assert_array_equal(read["frame"], [1, 2, 3, 4])
    np.testing.assert_allclose(
        read["x_5"], [make_face(i).landmarks.points[5, 0] for i in range(4)], atol=0.051
    )
    about = json.loads(provenance_path(second).read_text())
    assert about["table"] == second.name
    assert about["mien"] == "test"
    assert about["live"]["action_units"] == "live"
    assert about["live"]["dropped"] == 4
    assert "dropped" in json.loads(provenance_path(path).read_text())["live"]


def test_a_long_table_is_kept_outside_of_memory_and_is_still_whole(tmp_path):
    made = TableSoFar(Names(tmp_path, "clip"), groups=["pose"])
    made.begin(SOURCE, {"mien": "test"}, "live")
    face = make_face(0)
    for _ in range(2500):
        made.append(face, 0)
    assert len(read_openface_csv(made.save()[0])) == 2500
    made.append(face, 0)
    assert len(read_openface_csv(made.save()[0])) == 2501


def test_a_new_beginning_forgets_the_rows(tmp_path):
    made = table(tmp_path, 3)
    made.begin(SOURCE, {}, "live")
    with pytest.raises(OutputError, match="no rows yet"):
        made.save()


def test_a_disk_that_is_nearly_full_ends_the_table_once_and_what_is_there_can_be_saved(tmp_path, monkeypatch):
    made = table(tmp_path, 512)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(1, 1, 1))
    with pytest.raises(OutputError, match="nearly full"):
        made.append(make_face(512), 0)
    made.append(make_face(513), 0)
    assert made.save()[1] == 512


def test_a_folder_that_cannot_be_written_to_is_an_error_that_names_it(tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(OutputError, match="can't be written"):
        table(blocked / "in", 1).save()
