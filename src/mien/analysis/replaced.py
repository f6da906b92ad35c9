"""What a new table replaces: no table made in another way vanishes without a word."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.options import AnalysisOptions
from mien.results.provenance import provenance_path

if TYPE_CHECKING:
    from mien.analysis.outcome import Job

_OF_NO_ACCOUNT = ("threads", "device", "models", "landmarks", "keep_scores")
"""Options that do not change a table, or are named by what was really used."""


def replaced_table(job: Job, options: AnalysisOptions, pack: str, landmark_model: str) -> str:
    """Say what is replaced by a job's table, if it was made in another way.

    Parameters
    ----------
    job, options
        What is going to be done.
    pack, landmark_model
        Models that are used.

    Returns
    -------
    str
        One sentence; empty where there is no table, or one that was made of the same source in the same way,
        or where no provenance is kept (as under the original's programs, which replace tables silently).
    """
    table = job.outputs.table
    if not job.outputs.provenance or not table.is_file():
        return ""
    try:
        made = json.loads(provenance_path(table).read_text("utf-8"))
        different = [*_differences(made, job, options), *_other_models(made, pack, landmark_model)]
    except (OSError, ValueError, TypeError, AttributeError):
        return f"{table} is going to be replaced, of which nothing says how it was made"
    if not different:
        return ""
    return f"{table} is going to be replaced, which was made in another way: {'; '.join(different)}"


def _differences(made: Mapping[str, Any], job: Job, options: AnalysisOptions) -> Iterator[str]:
    source = (made.get("source") or {}).get("path")
    if source is not None and Path(source) != job.source.absolute():
        yield f"of {source}"
    before = made.get("options") or {}
    now = json.loads(json.dumps(dataclasses.asdict(options), default=str))
    for name, value in now.items():
        if name not in _OF_NO_ACCOUNT and name in before and before[name] != value:
            yield f"{name} {_text(before[name])}"
    groups = job.outputs.sorted_groups
    if "columns" in made and made["columns"] != groups:
        yield f"columns {_text(made['columns'])}"


def _other_models(made: Mapping[str, Any], pack: str, landmark_model: str) -> Iterator[str]:
    models = made.get("models") or {}
    before = models.get("pack"), models.get("landmarks")
    if before != (pack, landmark_model):
        yield f"models {before[0]}, {before[1]}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "by default" if value is None else str(value)
