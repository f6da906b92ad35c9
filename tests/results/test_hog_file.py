""".hog files: OpenFace's layout (docs/algorithms/output-table.md#hog-file), whole or not at all."""

from __future__ import annotations

import numpy as np
import pytest

from helpers_outputs import read_hog_records
from mien.errors import OutputError, TableError
from mien.results import HogWriter, read_hog


def descriptors(count=3):
    return np.random.default_rng(0).uniform(0, 0.4, (count, 4464)).astype(np.float32)


def test_records_have_openfaces_layout(tmp_path):
    values = descriptors()
    with HogWriter(tmp_path / "t.hog") as writer:
        writer.append(values[0], True)
        writer.append(None, False)
        writer.append(values[2], True)
    assert (tmp_path / "t.hog").stat().st_size == 3 * 17872
    records = read_hog_records(tmp_path / "t.hog")
    assert [flag for flag, _ in records] == [1.0, -1.0, 1.0]
    np.testing.assert_array_equal(records[0][1], values[0].reshape(12, 12, 31))
    assert not records[1][1].any()
    # cell (2, 3), channel 4
    assert records[2][1][2, 3, 4] == values[2][(2 * 12 + 3) * 31 + 4]


def test_rows_and_columns_stand_where_openface_has_them(tmp_path):
    with HogWriter(tmp_path / "t.hog", cells=(2, 3, 31)) as writer:
        writer.append(np.arange(186, dtype=np.float32), True)
    assert np.fromfile(tmp_path / "t.hog", "<i4", 3).tolist() == [3, 2, 31]
    assert read_hog(tmp_path / "t.hog").descriptors.shape == (1, 2, 3, 31)


def test_what_was_written_is_read_back(tmp_path):
    values = descriptors()
    with HogWriter(tmp_path / "t.hog") as writer:
        for index, row in enumerate(values):
            writer.append(row, index != 1)
    records = read_hog(tmp_path / "t.hog")
    assert len(records) == 3
    assert records.good.tolist() == [True, False, True]
    np.testing.assert_array_equal(records.descriptors.reshape(3, -1), values)


def test_an_empty_file_has_no_records(tmp_path):
    HogWriter(tmp_path / "t.hog").close()
    assert (tmp_path / "t.hog").read_bytes() == b""
    assert len(read_hog(tmp_path / "t.hog")) == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:10],
        lambda data: b"\xff" * len(data),
        lambda data: data[:17872] + data[:17872].replace(b"\x0c\0\0\0", b"\x0d\0\0\0", 1),
    ],
)
def test_damaged_files_are_refused(tmp_path, damage):
    with HogWriter(tmp_path / "t.hog") as writer:
        for row in descriptors(2):
            writer.append(row, True)
    path = tmp_path / "t.hog"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(TableError, match=r"t\.hog"):
        read_hog(path)


def test_missing_files_are_refused(tmp_path):
    with pytest.raises(TableError, match=r"no\.hog"):
        read_hog(tmp_path / "no.hog")


def test_descriptors_of_another_length_are_refused(tmp_path):
    writer = HogWriter(tmp_path / "t.hog")
    with pytest.raises(ValueError, match="4464"):
        writer.append(np.zeros(10, np.float32), True)
    writer.abort()


def test_an_aborted_file_leaves_what_was_there(tmp_path):
    path = tmp_path / "t.hog"
    path.write_bytes(b"old")
    writer = HogWriter(path)
    writer.append(None, False)
    writer.abort()
    writer.close()
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "t.hog").mkdir()
    with pytest.raises(OutputError, match=r"t\.hog"):
        HogWriter(tmp_path / "t.hog")
