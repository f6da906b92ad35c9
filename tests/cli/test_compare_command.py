"""``mien compare`` prints its figures and fails on limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from mien.cli.compare import compare
from mien.errors import OptionError
from mien.results import write_openface_csv
from synthetic_result import make_result


@pytest.fixture
def tables(tmp_path):
    result = make_result(30)
    result.au_intensity[:, 8] = 0
    moved = replace(result, landmarks=(result.landmarks + np.float32(0.6)))
    paths = tmp_path / "a.csv", tmp_path / "b.csv"
    for one, path in zip((result, moved), paths, strict=True):
        write_openface_csv(one, path)
    return [str(path) for path in paths]


def run(*arguments):
    app = typer.Typer()
    app.command()(compare)
    return CliRunner().invoke(app, list(arguments))


def test_equal_tables_meet_the_strictest_limits(tables):
    outcome = run(tables[0], tables[0], "--limits", "openface")
    assert outcome.exit_code == 0
    assert "rows: 30 and 30; the same frames and faces" in outcome.output
    assert "≤ 0.08" in outcome.output
    assert "exceeded" not in outcome.output


def test_without_limits_nothing_fails(tables):
    outcome = run(*tables)
    assert outcome.exit_code == 0
    assert "0.8" in outcome.output


def test_an_exceeded_limit_is_marked_and_fails(tables):
    outcome = run(*tables, "--limits", "openface")
    assert outcome.exit_code == 1
    lines = [line for line in outcome.output.splitlines() if "<- exceeded" in line]
    assert [line.split(",")[0] for line in lines] == ["landmarks", "landmarks"]


def test_single_limits_replace_those_of_a_set(tables):
    looser = ["--max-landmark-mean", "2", "--max-landmark-p99", "2"]
    assert run(*tables, "--limits", "openface", *looser).exit_code == 0
    assert run(*tables, *looser, "--max-eye", "-1").exit_code == 1


def test_constant_units_are_named(tables):
    assert "without r, constant in both tables: AU12" in run(*tables).output


def test_details_show_every_unit(tables):
    output = run(*tables, "--details").output
    assert all(f"AU{unit} " in output for unit in ("01", "28", "45"))


def test_unknown_sets_of_limits_are_refused(tables):
    outcome = run(*tables, "--limits", "strict")
    assert isinstance(outcome.exception, OptionError)
    assert "openface, openface-lost" in str(outcome.exception)
