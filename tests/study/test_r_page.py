"""The page of R in the documentation reads what a study writes."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from mien.analysis.outputs import OutputOptions
from mien.study.find import Recording
from mien.study.gather import Forms, Gathering
from mien.study.ledger import Item, write_json
from mien.study.rules import SummaryOptions
from mien.study.tables import summarise_table

PAGE = Path(__file__).parents[2] / "docs" / "studies.md"


@pytest.fixture
def results(tmp_path):
    """Tables of a study of eight persons, before and after."""
    home, chance, items = tmp_path / "results", np.random.default_rng(3), []
    home.mkdir()
    for person in range(8):
        for session in (1, 2):
            name = f"p{person}/{session}.mp4"
            values = {
                "person": f"P{person}",
                "session": str(session),
                "condition": "ab"[person % 2],
            }
            item = Item(
                Recording(tmp_path / name, name, values=values),
                OutputOptions(folder=home, base=f"p{person}-{session}"),
                home,
            )
            smiles = np.repeat(3 * (chance.random(40) > 0.5), 15)
            item.outputs.table.write_text(
                "frame,timestamp,confidence,success,AU12_r\n"
                + "".join(f"{row + 1},{row / 30},0.9,1,{value}\n" for row, value in enumerate(smiles))
            )
            rows, events, *units = summarise_table(item.outputs.table, SummaryOptions(), name)
            kept = {"rows": rows, "events": [asdict(event) for event in events]}
            item.summary.parent.mkdir(parents=True, exist_ok=True)
            write_json(item.summary, kept | {"intensities": list(units[0]), "presences": list(units[1])})
            items.append(item)
    Gathering(home, items, ("person", "session", "condition"), Forms(long=True)).write()
    return home


def test_the_dictionary_says_what_every_column_of_every_table_means(results):
    def rows(name):
        with (results / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    for table in ("study.csv", "study_long.csv", "events.csv"):
        described = [row["column"] for row in rows("dictionary.csv") if row["table"] == table]
        assert described == list(rows(table)[0])
    assert all(row["meaning"] for row in rows("dictionary.csv"))


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_the_page_of_r_runs(results, tmp_path):
    (code,) = re.findall(r"```r\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    script = tmp_path / "page.R"
    script.write_text(
        code
        + "stopifnot(nrow(study) == 16, nrow(smiles) > 50, nrow(means) == 16)\n"
        + "stopifnot(all(c('file', 'AU12_r_mean') %in% words$column))\n"
    )
    made = subprocess.run(
        ["Rscript", script], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    if "there is no package called" in made.stderr:
        pytest.skip("lme4 is not installed")
    assert made.returncode == 0, made.stderr
    assert "Random effects" in made.stdout
