"""How a result was made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from mien.errors import OutputError
from mien.results import collect_provenance, write_provenance
from mien.runtime.versions import __version__


@dataclass(frozen=True)
class Options:
    threads: int | None = None
    folder: Path = Path("here")


def test_versions_models_options_and_source_are_noted(tmp_path):
    source, model = tmp_path / "clip.mp4", tmp_path / "main.txt"
    source.write_bytes(b"film")
    model.write_bytes(b"model")
    found = collect_provenance(
        source=source,
        pack="openface",
        landmark_model="clnf",
        model_files=[model],
        model_sha256={"other.dat": "00"},
        options=Options(),
    )
    assert found["mien"] == __version__
    assert found["packages"]["numpy"]
    assert found["models"] == {
        "pack": "openface",
        "landmarks": "clnf",
        "sha256": {"other.dat": "00", "main.txt": hashlib.sha256(b"model").hexdigest()},
    }
    assert found["options"] == {"threads": None, "folder": "here"}
    assert found["source"] == {"path": str(source), "bytes": 4, "sha256": hashlib.sha256(b"film").hexdigest()}
    assert found["machine"]["python"]


def test_what_a_reader_should_know_of_the_source_is_noted():
    assert collect_provenance()["notes"] == []
    lost = "24 of 120 frames could not be read."
    assert collect_provenance(notes=(lost,))["notes"] == [lost]


def test_known_hashes_are_not_computed_again(tmp_path):
    found = collect_provenance(model_files=[tmp_path / "missing.dat"], model_sha256={"missing.dat": "ab"})
    assert found["models"]["sha256"] == {"missing.dat": "ab"}


def test_what_cannot_be_read_is_none(tmp_path):
    found = collect_provenance(source=tmp_path / "gone.mp4", model_files=[tmp_path / "gone.dat"])
    assert found["source"]["sha256"] is None
    assert found["models"]["sha256"] == {"gone.dat": None}
    assert collect_provenance()["source"] is None


def test_hashing_the_source_can_be_left_out(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"film")
    found = collect_provenance(source=tmp_path / "clip.mp4", hash_source=False)
    assert (found["source"]["bytes"], found["source"]["sha256"]) == (4, None)


def test_it_lies_beside_the_table_as_json(tmp_path):
    path = write_provenance(collect_provenance(options={"é": Path("x")}), tmp_path / "a.b.csv")
    assert path == tmp_path / "a.b.provenance.json"
    read = json.loads(path.read_text(encoding="utf-8"))
    assert read["table"] == "a.b.csv"
    assert read["options"] == {"é": "x"}


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"provenance\.json can't be written"):
        write_provenance({}, tmp_path / "file" / "t.csv")
