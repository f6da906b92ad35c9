"""The commands `mien models ...`."""

from __future__ import annotations

import pytest
from helpers_server import Behaviour, serve, write_manifest
from typer.testing import CliRunner

from mien.cli.main import app

FILES = {
    "LandmarkDetector/model/a.txt": (b"a" * 100, "clnf"),
    "LandmarkDetector/model/cen.dat": (b"cen", "ce-clm"),
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("MIEN_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("mien.models.hashes.default_memory_path", lambda: tmp_path / "sums.json")
    runner = CliRunner()
    return lambda *words, **options: runner.invoke(app, ["models", *words], **options)


@pytest.fixture
def server(tmp_path):
    with serve() as state:
        write_manifest(tmp_path / "models/openface-2.2.0", FILES, [state.address])
        for path, (data, _) in FILES.items():
            state.paths[path] = Behaviour(data)
        yield state


def test_path_prints_the_folder(run, tmp_path):
    result = run("path")
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path}/models/openface-2.2.0\n")


def test_fetch_shows_the_licence_and_asks(run, server):
    result = run("fetch", input="y\n")
    assert result.exit_code == 0, result.output
    assert "ACADEMIC OR NON-PROFIT ORGANIZATION NONCOMMERCIAL RESEARCH USE ONLY" in result.stdout
    assert "Do you agree to this licence?" in result.stdout
    assert "2 files downloaded and checked" in result.stdout
    assert len(server.requests) == 2


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_fetch_without_agreement_downloads_nothing(run, server, answer):
    result = run("fetch", input=answer)
    assert result.exit_code == 1
    assert "Nothing was downloaded" in result.stderr
    assert server.requests == []


def test_fetch_in_scripts_takes_the_agreement_as_an_option(run, server):
    result = run("fetch", "--accept-openface-licence")
    assert result.exit_code == 0, result.output
    assert "agree" not in result.stdout
    again = run("fetch")
    assert (again.exit_code, len(server.requests)) == (0, 2)
    assert "already" in again.stdout


def test_fetch_can_leave_out_the_large_files(run, server):
    result = run("fetch", "--accept-openface-licence", "--without-ce-clm")
    assert result.exit_code == 0
    assert [path for path, _ in server.requests] == ["LandmarkDetector/model/a.txt"]


def test_a_failed_fetch_says_why_and_exits_with_1(run, server):
    server.paths.clear()
    result = run("fetch", "--accept-openface-licence")
    assert result.exit_code == 1
    assert "mien: 2 of 2 files could not be downloaded" in result.stderr
    assert "404" in result.stderr
    assert "Traceback" not in result.output


def test_import_copies_and_says_what_is_missing(run, server, tmp_path):
    (tmp_path / "OpenFace").mkdir()
    (tmp_path / "OpenFace/a.txt").write_bytes(b"a" * 100)
    (tmp_path / "OpenFace/cen.dat").write_bytes(b"nec")
    result = run("import", str(tmp_path / "OpenFace"))
    assert result.exit_code == 0
    assert "1 files copied" in result.stdout
    assert "CE-CLM: 1 (cen.dat)" in result.stderr
    assert "1 files have the right name but are not those of 2.2.0" in result.stderr


def test_an_import_that_leaves_openface_incomplete_exits_with_1(run, server, tmp_path):
    (tmp_path / "OpenFace").mkdir()
    result = run("import", str(tmp_path / "OpenFace"))
    assert result.exit_code == 1
    assert "needed for OpenFace's models: 1 (a.txt)" in result.stderr


def test_an_import_from_nowhere_is_a_plain_error(run, server, tmp_path):
    result = run("import", str(tmp_path / "nowhere"))
    assert result.exit_code == 1
    assert "no such folder or archive" in result.stderr


def test_status_shows_both_packs(run, server):
    result = run("status", env={"COLUMNS": "160"})
    assert result.exit_code == 0
    for word in (
        "openface",
        "open",
        "not complete, 1 files missing",
        "complete, used",
        "Apache-2.0",
        "2.2.0",
    ):
        assert word in result.stdout
    run("fetch", "--accept-openface-licence")
    assert "ce-clm, clnf" in run("status", env={"COLUMNS": "160"}).stdout


def test_status_does_not_call_a_pack_used_while_files_of_the_other_are_damaged(run, server, tmp_path):
    run("fetch", "--accept-openface-licence")
    (tmp_path / "models/openface-2.2.0/LandmarkDetector/model/a.txt").write_bytes(b"b" * 100)
    result = run("status", env={"COLUMNS": "160"})
    assert result.exit_code == 0
    assert "used" not in result.stdout
    assert "1 damaged or of another version" in result.stderr
    assert "mien models fetch" in result.stderr


def test_status_lists_the_hashes_of_all_files(run, server):
    run("fetch", "--accept-openface-licence")
    result = run("status", "--hashes")
    lines = [line for line in result.stdout.splitlines() if line[64:66] == "  "]
    assert any(line.endswith("  openface/LandmarkDetector/model/cen.dat") for line in lines)
    assert any(line.endswith("  open/mtcnn.npz") for line in lines)


def test_a_wrong_manifest_is_a_plain_error(run, server, tmp_path):
    (tmp_path / "models/openface-2.2.0/manifest.tsv").write_text("x")
    for command in (["status"], ["fetch"], ["import", "."]):
        result = run(*command)
        assert result.exit_code == 1
        assert "manifest.tsv" in result.stderr
