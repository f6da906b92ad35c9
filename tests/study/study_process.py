"""How tests start ``mien study``, and look at what it leaves."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path


def environment(models):
    """Environment in which mien finds these models."""
    return os.environ | {"MIEN_MODELS": str(models)}


def start(models, folder, *arguments, command="study"):
    """Begin a command in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "mien", command, *map(str, arguments)],
        env=environment(models),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=os.name == "posix",
    )


def rows(path):
    """Rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tables(folder):
    """Every recording's table, by its path below the folder."""
    own = {"study.csv", "study_long.csv", "events.csv", "dictionary.csv", "failures.csv"}
    found = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.csv")))
    return {name: (folder / name).read_bytes() for name in found if name not in own}


def log(folder):
    """Lines of the log, without their times."""
    lines = (folder / "study.log").read_text("utf-8").splitlines()
    return [line.partition(" ")[2] for line in lines]


def done(folder):
    """Names of recordings that the log says were analysed, as often as it says so."""
    return sorted(line[len("done ") :].partition(":")[0] for line in log(folder) if line.startswith("done "))


def leftovers(folder):
    """Files that are not whole."""
    return [
        path for path in Path(folder).rglob("*") if path.name.endswith(".part") or ".partial" in path.name
    ]
