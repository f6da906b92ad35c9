"""What has been done is known from the results themselves; this reads it off them.

A result counts if its files are there as they were written, and were made by this version, with these models
and options, of the source as it is now. Beside the provenance of every table, which says most of that, a
short entry per recording in the hidden folder `HOME` keeps the rest: sizes of the files, and when the source
was changed last. An entry is written last; where it is missing, the provenance decides.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from mien.analysis.outputs import OutputOptions
from mien.options import AnalysisOptions
from mien.packs import Pack
from mien.results.files import whole_file
from mien.results.provenance import provenance_path, sha256_of
from mien.runtime.versions import __version__
from mien.study.find import Recording
from mien.study.home import ENTRIES, HOME, SUMMARIES, within_limits

_OF_NO_ACCOUNT = ("threads", "device", "models", "landmarks", "keep_scores")
"""Options that don't change a table, or are named by what was really used."""


class State(StrEnum):
    """How far a recording is."""

    DONE = "done"
    """All is there."""
    UNSUMMED = "unsummed"
    """Its table is there, but not yet summed up with these rules."""
    MISSING = "missing"
    """It has to be analysed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far a recording is, and why it has to be analysed."""

    state: State
    why: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A recording and where its results are.

    Attributes
    ----------
    recording
        The recording.
    outputs
        Its files.
    home
        The folder of the study's results.
    group
        Names of the recordings that have its neutral face, with its own; empty where it has its own.
    """

    recording: Recording
    outputs: OutputOptions
    home: Path
    group: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the recording."""
        return self.recording.name

    @property
    def entry(self) -> Path:
        """Where its entry is."""
        return self._kept(ENTRIES)

    @property
    def summary(self) -> Path:
        """Where its summary and events are kept."""
        return self._kept(SUMMARIES)

    @property
    def table(self) -> str:
        """Path of its table below the folder of results, with slashes."""
        return self.outputs.table.relative_to(self.home).as_posix()

    def _kept(self, folder: str) -> Path:
        path = self.home / HOME / folder / self.name
        return path.with_name(f"{within_limits(path.name)}.json")


@dataclass(frozen=True, slots=True)
class Making:
    """How results are made now.

    Attributes
    ----------
    options
        Of the analysis, as JSON holds them, without those of no account.
    asked
        The landmark model asked for; None means the pack's first.
    pack, landmarks
        The pack, and its first landmark model.
    hashes
        SHA-256 of the pack's files.
    outputs
        Which files are wanted, wherever they go, as JSON holds it.
    rules
        How tables are summed up.
    """

    options: Mapping[str, Any]
    asked: str | None
    pack: str
    landmarks: str
    hashes: Mapping[str, str]
    outputs: Mapping[str, Any]
    rules: str


def making(options: AnalysisOptions, pack: Pack, wanted: OutputOptions, rules: object) -> Making:
    """How results are made with these options, files and rules of summaries."""
    chosen = plain(options)
    return Making(
        options={name: value for name, value in chosen.items() if name not in _OF_NO_ACCOUNT},
        asked=options.landmarks,
        pack=pack.name,
        landmarks=next(iter(pack.landmark_models), ""),
        hashes=pack.hashes(),
        outputs=kinds(wanted),
        rules=repr(rules),
    )


def kinds(wanted: OutputOptions) -> dict[str, Any]:
    """Which files are wanted, without their places and what differs between videos and pictures."""
    of_one = ("folder", "base", "source", "form", "good_by", "drawn_last")
    return {name: value for name, value in plain(wanted).items() if name not in of_one}


def plain(value: Any) -> dict[str, Any]:
    """A dataclass as JSON holds it."""
    made: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(value), default=str, sort_keys=True))
    return made


def judge(item: Item, now: Making) -> Verdict:
    """How far a recording is."""
    entry = read_json(item.entry)
    made = entry or _provenance(item)
    if made is None:
        return Verdict(
            State.MISSING, "new" if not item.outputs.table.exists() else "its table says not how it was made"
        )
    why = _difference(item, made, now) or (_damage(item, made) if entry else _gap(item))
    if why:
        return Verdict(State.MISSING, why)
    if entry is None:
        return Verdict(State.UNSUMMED)
    size = size_of(item.summary)
    kept = size is not None and size == entry.get("summary") and entry.get("rules") == now.rules
    return Verdict(State.DONE if kept else State.UNSUMMED)


def read_json(path: Path) -> dict[str, Any] | None:
    """What a file of JSON holds; None where it is missing or damaged."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _provenance(item: Item) -> dict[str, Any] | None:
    """The provenance of a table as an entry has it."""
    made = read_json(provenance_path(item.outputs.table))
    if made is None or not item.outputs.table.is_file():
        return None
    shared = (made.get("normalisation") or {}).get("recordings")
    if (shared is not None) != bool(item.group):
        return None
    return made


def _difference(item: Item, made: Mapping[str, Any], now: Making) -> str:
    """What is different between how a result was made and how it would be; empty if nothing is."""
    if made.get("mien") != __version__:
        return f"made by version {made.get('mien')}"
    models = made.get("models") or {}
    wrong = models.get("pack") != now.pack or (not now.asked and models.get("landmarks") != now.landmarks)
    known = models.get("sha256") or {}
    if wrong or any(now.hashes.get(name, digest) != digest for name, digest in known.items()):
        return "made with other models"
    if "asked" in made and made["asked"] != now.asked:
        return "made with another landmark model"
    before = made.get("options") or {}
    for name, value in now.options.items():
        if before.get(name) != value:
            return f"made with another {name}"
    if "outputs" in made and made["outputs"] != dict(now.outputs):
        return "other files are wanted"
    if not _same_person(item, made):
        return "the person has other recordings"
    return _source_change(item.recording, made.get("source") or {})


def _same_person(item: Item, made: Mapping[str, Any]) -> bool:
    """Whether a neutral face was made of the same recordings; the provenance has their file names only."""
    if "group" in made:
        return tuple(made["group"]) == item.group
    shared = (made.get("normalisation") or {}).get("recordings")
    return shared is None or sorted(shared) == sorted(PurePosixPath(name).name for name in item.group)


def _source_change(recording: Recording, source: Mapping[str, Any]) -> str:
    if source.get("bytes") != recording.size:
        return "its source has changed"
    if source.get("modified_ns") == recording.modified_ns:
        return ""
    # A copy has another time and the same content.
    if source.get("sha256") is not None and sha256_of(recording.source) == source["sha256"]:
        return ""
    return "its source has changed"


def _damage(item: Item, entry: Mapping[str, Any]) -> str:
    """Which file is not as it was written."""
    for name, size in (entry.get("files") or {}).items():
        found = size_of(item.outputs.folder / name)
        if found is None:
            return f"{name} is missing"
        if size not in (None, found):
            return f"{name} has another size"
    return ""


def _gap(item: Item) -> str:
    """Which file is missing, where there is no entry."""
    return next((f"{path.name} is missing" for path in item.outputs.paths() if not path.exists()), "")


def write_entry(
    item: Item, now: Making, outcome: Mapping[str, Any], run: str, without: Sequence[str] = ()
) -> None:
    """Note that a recording is done: the last that is written of it.

    Parameters
    ----------
    item, now
        The recording, and how it was made.
    outcome
        What became of it.
    run
        In which call of the study.
    without
        Recordings of the person that failed, and have no part in the neutral face.

    Raises
    ------
    OutputError
        It can't be written.
    """
    made = read_json(provenance_path(item.outputs.table)) or {}
    source = made.get("source") or {}
    digest = source.get("sha256") or sha256_of(item.recording.source)
    files = [path for path in item.outputs.paths() if path.exists()]
    models = made.get("models") or {"pack": now.pack, "landmarks": now.landmarks}
    write_json(
        item.entry,
        {
            "mien": __version__,
            "models": models,
            "asked": now.asked,
            "options": dict(now.options),
            "outputs": dict(now.outputs),
            "rules": now.rules,
            "group": list(item.group),
            "without": list(without),
            "source": {
                "bytes": item.recording.size,
                "modified_ns": item.recording.modified_ns,
                "sha256": digest,
            },
            "files": {path.name: path.stat().st_size if path.is_file() else None for path in files},
            "outcome": dict(outcome),
            "summary": size_of(item.summary),
            "run": run,
        },
    )


def size_of(path: Path) -> int | None:
    """Bytes of a file; None where it is missing."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON, whole or not at all."""
    with whole_file(path) as file:
        file.write(json.dumps(value).encode("utf-8"))
