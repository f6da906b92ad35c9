"""Files and folders that exist whole or not at all."""

from __future__ import annotations

import os

import pytest

from mien.errors import OutputError
from mien.results.files import WholeFile, WholeFolder, WholePath, whole_file


def write_into(unfinished):
    if isinstance(unfinished, WholeFile):
        unfinished.write(b"new")
    elif isinstance(unfinished, WholePath):
        unfinished.temporary.write_bytes(b"new")
    else:
        (unfinished.temporary / "part").write_bytes(b"new")


KINDS = pytest.mark.parametrize("kind", [WholeFile, WholePath, WholeFolder])


@KINDS
def test_it_appears_at_close(tmp_path, kind):
    unfinished = kind(tmp_path / "below" / "t")
    write_into(unfinished)
    assert not unfinished.path.exists()
    unfinished.close()
    assert os.listdir(tmp_path / "below") == ["t"]


@KINDS
def test_it_is_removed_at_abort(tmp_path, kind):
    unfinished = kind(tmp_path / "t")
    write_into(unfinished)
    unfinished.abort()
    unfinished.abort()
    unfinished.close()
    assert os.listdir(tmp_path) == []


@KINDS
def test_an_error_in_the_block_aborts(tmp_path, kind):
    def fail():
        with kind(tmp_path / "t") as unfinished:
            write_into(unfinished)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert os.listdir(tmp_path) == []


@KINDS
def test_it_may_get_another_name_at_the_end(tmp_path, kind):
    unfinished = kind(tmp_path / "t")
    write_into(unfinished)
    unfinished.close(tmp_path / "t.partial")
    assert os.listdir(tmp_path) == ["t.partial"]


@KINDS
def test_a_place_below_a_file_is_refused(tmp_path, kind):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="choose another place"):
        kind(tmp_path / "file" / "t")


@KINDS
def test_a_place_that_vanishes_is_reported(tmp_path, kind):
    place = tmp_path / "below"
    unfinished = kind(place / "t")
    write_into(unfinished)
    if isinstance(unfinished, WholeFile):
        unfinished.file.flush()
    os.rename(place, tmp_path / "moved")
    with pytest.raises(OutputError, match="below"):
        unfinished.close()


def test_errors_while_writing_name_the_file(tmp_path):
    def fail():
        with whole_file(tmp_path / "t") as file:
            file.write(b"x")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"t can't be written: No space left"):
        fail()
    assert os.listdir(tmp_path) == []
