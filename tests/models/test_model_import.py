"""Importing from OpenFace folders and archives."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile

import pytest
from helpers_server import make_store

from mien.errors import SourceError

TEXT = b"PDM pdms/some.txt\nPatchesCCNF a\n"
FILES = {
    "LandmarkDetector/model/clnf.txt": (TEXT, "clnf"),
    "LandmarkDetector/model/patches.txt": (bytes(range(256)) * 9, "clnf"),
    "FaceAnalyser/shape.txt": (b"shape", "clnf"),
    "LandmarkDetector/model/shape.txt": (b"shape", "clnf"),
    "LandmarkDetector/model/cen.dat": (b"cen" * 50, "ce-clm"),
}
PLACES = {  # as an installed OpenFace has them: other folders, one copy of what is equal
    "build/bin/model/clnf.txt": TEXT,
    "build/bin/model/patches.txt": bytes(range(256)) * 9,
    "build/bin/AU_predictors/shape.txt": b"shape",
    "build/bin/model/cen.dat": b"cen" * 50,
    "build/bin/FeatureExtraction": b"program",
}


@pytest.fixture
def store(tmp_path):
    return make_store(tmp_path / "store", FILES, [])


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "OpenFace"
    for path, data in PLACES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def make_archive(kind: str, path, places=PLACES):
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in places.items():
                archive.writestr(f"OpenFace_2.2.0/{name}", data)
    else:
        with tarfile.open(path, f"w:{kind}") as archive:
            for name, data in places.items():
                info = tarfile.TarInfo(f"../OpenFace/{name}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return path


def test_files_are_found_anywhere_below_a_folder(store, source):
    report = store.import_from(source)
    assert sorted(report.copied) == sorted(FILES)
    assert report.missing == ()
    assert report.kept == ()
    status = store.status()
    assert status.complete
    assert status.landmark_models == ("ce-clm", "clnf")
    assert (store.folder / "FaceAnalyser/shape.txt").read_bytes() == b"shape"
    assert (store.folder / "OpenFace-license.txt").is_file()
    assert not (store.folder / "FeatureExtraction").exists()


@pytest.mark.parametrize("kind", ["zip", "gz", "bz2", "xz", ""])
def test_files_are_found_in_archives(store, tmp_path, kind):
    report = store.import_from(make_archive(kind, tmp_path / "OpenFace.archive"))
    assert sorted(report.copied) == sorted(FILES)
    assert store.status().complete


def test_what_is_there_is_kept(store, source):
    store.import_from(source)
    report = store.import_from(source)
    assert report.copied == ()
    assert sorted(report.kept) == sorted(FILES)


def test_files_of_another_version_are_not_taken_but_named(store, source):
    (source / "build/bin/model/patches.txt").write_bytes(b"other")
    report = store.import_from(source)
    assert [file.path for file in report.missing] == ["LandmarkDetector/model/patches.txt"]
    assert list(report.different) == ["LandmarkDetector/model/patches.txt"]
    assert report.different["LandmarkDetector/model/patches.txt"].endswith("patches.txt")
    assert not store.status().complete


def test_the_right_one_of_several_files_of_a_name_is_taken(store, source):
    for folder in ("a", "z"):
        (source / folder).mkdir()
        (source / folder / "patches.txt").write_bytes(b"other")
    report = store.import_from(source)
    assert report.missing == ()
    assert report.different == {}


def test_text_files_with_windows_line_ends_are_recognised(store, source):
    (source / "build/bin/model/clnf.txt").write_bytes(TEXT.replace(b"\n", b"\r\n"))
    assert store.import_from(source).missing == ()
    assert (store.folder / "LandmarkDetector/model/clnf.txt").read_bytes() == TEXT


def test_a_source_without_any_model_says_what_is_missing(store, tmp_path):
    (tmp_path / "empty").mkdir()
    report = store.import_from(tmp_path / "empty")
    assert len(report.missing) == len(FILES)
    assert report.copied == ()


def test_the_store_can_be_completed_from_several_sources(store, source, tmp_path):
    cen = source / "build/bin/model/cen.dat"
    cen.unlink()
    assert [file.group for file in store.import_from(source).missing] == ["ce-clm"]
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "cen.dat").write_bytes(b"cen" * 50)
    report = store.import_from(tmp_path / "more")
    assert report.copied == ("LandmarkDetector/model/cen.dat",)
    assert len(report.kept) == 4


def test_a_damaged_file_is_replaced(store, source):
    store.import_from(source)
    (store.folder / "FaceAnalyser/shape.txt").write_bytes(b"shapf")
    assert store.import_from(source).copied == ("FaceAnalyser/shape.txt",)
    assert store.status().complete


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such folder or archive"),
        (lambda path: path.write_bytes(b"text"), "expected an OpenFace folder"),
        (lambda path: path.write_bytes(b""), "expected an OpenFace folder"),
    ],
)
def test_other_sources_are_refused(store, tmp_path, make, message):
    make(tmp_path / "source")
    with pytest.raises(SourceError, match=message):
        store.import_from(tmp_path / "source")


@pytest.mark.parametrize("kind", ["zip", "gz", ""])
def test_a_damaged_archive_is_a_plain_error(store, tmp_path, kind):
    path = make_archive(kind, tmp_path / "archive", {"a/patches.txt": bytes(range(256)) * 9})
    data = bytearray(path.read_bytes())
    if kind == "zip":
        data[60:90] = b"?" * 30
    else:
        del data[min(1000, len(data) // 3) :]
    path.write_bytes(bytes(data))
    with pytest.raises(SourceError, match="cannot be read"):
        store.import_from(path)
    assert not store.status().complete


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_is_refused_and_not_waited_for(store, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="is a pipe or a device"):
        store.import_from(tmp_path / "pipe")


@pytest.mark.models
def test_the_original_s_folder_gives_everything_but_the_four_large_files(tmp_path, openface_dir):
    from mien.models.hashes import HashMemory
    from mien.models.store import ModelStore

    store = ModelStore(tmp_path, HashMemory(tmp_path / "sums.json"))
    report = store.import_from(openface_dir)
    assert {file.group for file in report.missing} == {"ce-clm"}
    assert len(report.missing) == 4
    assert store.locate().landmarks == "clnf"
