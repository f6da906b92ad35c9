"""``mien summarise`` through the real command line."""

from __future__ import annotations

import csv
import subprocess
import sys

import pytest

from synthetic_result import make_result


def run(*arguments, cwd):
    command = [sys.executable, "-m", "mien.cli.main", "summarise", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=120)


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def folder(tmp_path):
    for name, seed in (("a", 1), ("b", 2)):
        result = make_result(60, seed=seed)
        result.confidence[:] = 1
        result.save(tmp_path / f"{name}.csv")
    return tmp_path


def test_tables_become_a_summary_and_events_with_what_a_list_knows(folder):
    (folder / "list.csv").write_text("file;person;condition\na.mp4;P1;before\nb.mp4;P1;after\n")
    done = run(
        "a.csv", "b.csv", "--list", "list.csv", "-o", "study.csv", "--events", "events.csv", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    assert "2 rows" in done.stdout
    found = rows(folder / "study.csv")
    assert list(found[0])[:4] == ["file", "person", "condition", "face_id"]
    assert [(row["file"], row["condition"]) for row in found] == [("a.csv", "before"), ("b.csv", "after")]
    assert {row["file"] for row in rows(folder / "events.csv")} == {"a.csv", "b.csv"}
    assert (folder / "study.json").is_file()
    assert (folder / "events.json").is_file()


def test_the_long_form_has_a_row_for_every_number(folder):
    done = run("a.csv", "--long", "-q", "-o", "long.csv", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "")
    found = rows(folder / "long.csv")
    assert {"variable", "signal", "statistic", "value"} <= set(found[0])
    assert len(found) > 100


def test_what_counts_can_be_chosen(folder):
    run("a.csv", "-o", "usual.csv", cwd=folder)
    run(
        "a.csv",
        "-o",
        "strict.csv",
        "--onset",
        "4.9",
        "--offset",
        "4.8",
        "--min-confidence",
        "0.9",
        cwd=folder,
    )
    (usual,), (strict,) = rows(folder / "usual.csv"), rows(folder / "strict.csv")
    assert strict["rule"] == "success = 1 and confidence >= 0.9"
    assert int(strict["AU12_r_events"]) < int(usual["AU12_r_events"])


def test_annotations_are_written_for_each_table(folder):
    pytest.importorskip("pympi")
    done = run("a.csv", "b.csv", "--elan", "--praat", cwd=folder)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in folder.iterdir()}
    assert {"summary.csv", "summary.json", "a.eaf", "b.eaf", "a.TextGrid", "b.TextGrid"} <= names


def test_annotations_of_tables_of_one_name_keep_their_folders(folder):
    pytest.importorskip("pympi")
    tables = ["p1/before.csv", "p2/before.csv", "p2/after.csv"]
    for name in tables:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((folder / "a.csv").read_bytes())
    done = run(*tables, "--elan", "-o", "out/summary.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    made = sorted(path.relative_to(folder / "out").as_posix() for path in (folder / "out").rglob("*.eaf"))
    assert made == ["p1/before.eaf", "p2/after.eaf", "p2/before.eaf"]


def test_a_table_that_cannot_be_read_is_one_line_and_the_rest_is_summed_up(folder):
    (folder / "odd.csv").write_text("a,b\n1,2\n")
    done = run("odd.csv", "a.csv", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.startswith("mien: odd.csv: expected a table in OpenFace's columns")
    assert len(done.stderr.splitlines()) == 1
    assert [row["file"] for row in rows(folder / "summary.csv")] == ["a.csv"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("missing.csv",), 1, "missing.csv"),
        (("a.csv", "-o", "a.csv"), 2, "would be replaced"),
        (("a.csv", "--onset", "0.2"), 2, "offset threshold of at most the onset's"),
        (("a.csv", "-o", "study.xlsx"), 1, ".csv or .parquet"),
    ],
)
def test_mistakes_are_one_line(folder, arguments, code, said):
    done = run(*arguments, cwd=folder)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
