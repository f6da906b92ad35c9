"""What one worker does at a time: analyse a recording, or those that belong together, and sum them up."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.errors import MienError
from mien.options import AnalysisOptions
from mien.results.provenance import provenance_path
from mien.study.ledger import Item, Making, read_json, write_entry, write_json
from mien.study.rules import SummaryOptions

if TYPE_CHECKING:
    from mien.analysis.outcome import JobOutcome
    from mien.packs import KeptStages

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Recordings that are analysed together; can be passed between processes.

    Attributes
    ----------
    items
        A video; the clips of a person; or some pictures of a folder.
    options
        How they are analysed.
    now
        The same, for their entries.
    rules
        How they are summed up.
    run
        Of which call of the study this is a part.
    person
        Who gets one neutral face; None keeps clips apart.
    only_sum_up
        Whether their tables are there already.
    failed_before
        Names of recordings without which the others have a neutral face, and are done: those stay as they are
        if these fail again.
    """

    items: tuple[Item, ...]
    options: AnalysisOptions
    now: Making
    rules: SummaryOptions
    run: str
    person: str | None = None
    only_sum_up: bool = False
    failed_before: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the recordings."""
        return sum(item.recording.size for item in self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of a recording; can be passed between processes.

    Attributes
    ----------
    name
        The recording.
    frames, seconds
        Frames analysed, and how long that took, s.
    success_share
        Share of frames with a face.
    lost, notes
        What could not be read of it, and what else there is to know.
    stopped
        Whether it was stopped; it has no result then.
    reason
        Why it failed; empty if it did not.
    analysed
        Whether it was analysed, not only summed up.
    """

    name: str
    frames: int = 0
    seconds: float = 0.0
    success_share: float = 0.0
    lost: str = ""
    notes: str = ""
    stopped: bool = False
    reason: str = ""
    analysed: bool = True

    @property
    def failed(self) -> bool:
        """Whether there is no result of it for another reason than a wish."""
        return bool(self.reason)

    @property
    def faceless(self) -> bool:
        """Whether it was analysed, and no face was found in it."""
        whole = self.analysed and not self.failed and not self.stopped
        return whole and self.frames > 0 and self.success_share == 0


def run_task(task: Task, stopped: threading.Event | None = None) -> list[Ended]:
    """Do a task.

    Parameters
    ----------
    task
        What to do. What this call of the study has done already is not done again: a worker may have died
        after its work and before its answer.
    stopped
        Ends it early.

    Returns
    -------
    list of Ended
        One for each recording.

    Raises
    ------
    OptionError, ModelsMissingError, ModelFileError, ProviderError
        Something that holds for every recording.
    """
    before = [read_json(item.entry) for item in task.items]
    if all(entry is not None and entry.get("run") == task.run for entry in before):
        return [_as_before(item, entry or {}) for item, entry in zip(task.items, before, strict=True)]
    if task.only_sum_up:
        return [_summed_up(item, task) for item in task.items]
    full = _full_disk(task.items[0])
    if full:
        return failed_all(task, full)
    every = _analysed(task, stopped or threading.Event())
    without = [ended.name for _, ended in every if ended.failed]
    return [_finished(item, ended, task, without) for item, ended in every]


def _full_disk(item: Item) -> str:
    """Why nothing can be written, before hours are spent on it; empty where something can."""
    with suppress(OSError):
        free = shutil.disk_usage(item.home).free
        if free < _LEAST_BYTES:
            return (
                f"{item.home}: expected {_LEAST_BYTES >> 20} MB to be free, got {free >> 20}; free the disk"
            )
    return ""


_LEAST_BYTES = 4 << 20


def _as_before(item: Item, entry: dict[str, Any]) -> Ended:
    return Ended(**{**entry.get("outcome", {}), "name": item.name})


def _analysed(task: Task, stopped: threading.Event) -> list[tuple[Item, Ended]]:
    from mien.analysis.jobs import run_job
    from mien.analysis.outcome import Job

    if task.items[0].recording.is_picture:
        return _pictures(task, stopped)
    jobs = [Job(item.recording.source, item.outputs) for item in task.items]
    if task.person is not None:
        return _together(task, stopped)
    outcomes = [run_job(job, task.options, stopped=stopped, kept=kept_stages()) for job in jobs]
    return [(item, _ended(item, outcome)) for item, outcome in zip(task.items, outcomes, strict=True)]


def _together(task: Task, stopped: threading.Event) -> list[tuple[Item, Ended]]:
    """Clips of a person; where some fail, the others have the neutral face of those that are left."""
    from mien.analysis.normalised import Normalisation, run_normalised
    from mien.analysis.outcome import Job

    jobs = [Job(item.recording.source, item.outputs) for item in task.items]
    doubtful = [item.recording.source for item in task.items if item.name in task.failed_before]
    how = Normalisation(person=task.person, regardless=True, failed_before=frozenset(doubtful))
    outcomes = list(run_normalised(jobs, task.options, how, stopped=stopped, kept=kept_stages()))
    found = {outcome.source: outcome for outcome in outcomes}
    stay = doubtful and not stopped.is_set() and len(outcomes) == len(doubtful)
    ended = []
    for item in task.items:
        outcome = found.get(item.recording.source)
        if outcome is not None:
            ended.append((item, _ended(item, outcome)))
        else:
            ended.append((item, _from_before(item) if stay else Ended(name=item.name, stopped=True)))
    return ended


def kept_stages() -> KeptStages:
    """Models are read once in a worker, not for every recording: that would take 70 ms each time."""
    from mien.packs import KeptStages

    if not hasattr(_THREAD, "kept"):
        _THREAD.kept = KeptStages()
    kept: KeptStages = _THREAD.kept
    return kept


_THREAD = threading.local()


def _ended(item: Item, outcome: JobOutcome) -> Ended:
    reason = "" if outcome.error is None else str(outcome.error)
    if outcome.stopped:
        _remove(outcome.written)
    return Ended(
        name=item.name,
        frames=outcome.frames,
        seconds=outcome.seconds,
        success_share=outcome.successes / max(1, outcome.frames),
        lost=outcome.lost,
        notes="; ".join(outcome.notes),
        stopped=outcome.stopped,
        reason=reason,
    )


def _remove(written: Sequence[Path]) -> None:
    """Remove what a stopped analysis has kept: it will be done anew."""
    for path in written:
        for each in (path, provenance_path(path)):
            if each.is_file() and ".partial" in each.name:
                each.unlink(missing_ok=True)


def _pictures(task: Task, stopped: threading.Event) -> list[tuple[Item, Ended]]:
    """Pictures of a folder, with the models loaded once."""
    from mien.analysis.picture_jobs import PictureJob, run_pictures

    begin = time.perf_counter()
    sources = tuple(item.recording.source for item in task.items)
    job = PictureJob(sources, tuple(item.outputs for item in task.items))
    for item in task.items:  # a picture without a face leaves no table, and must not leave an old one
        item.outputs.table.unlink(missing_ok=True)
    outcome = run_pictures(job, task.options, stopped=stopped)
    share = (time.perf_counter() - begin) / len(task.items)
    written = {path.resolve() for path in outcome.written}
    ended = []
    for item in task.items:
        found, empty = item.outputs.table.resolve() in written, item.recording.source.name in outcome.empty
        there = found or empty
        cut = not there and outcome.stopped
        fault = str(outcome.error or outcome.lost or "it can't be read as a picture")
        ended.append(
            Ended(
                name=item.name,
                frames=int(there),
                seconds=share,
                success_share=float(found),
                stopped=cut,
                reason="" if there or cut else fault,
            )
        )
    return list(zip(task.items, ended, strict=True))


def _finished(item: Item, ended: Ended, task: Task, without: Sequence[str] = ()) -> Ended:
    """Sum up what is complete, and note it as done, though others of its task may have failed."""
    if ended.failed or ended.stopped:
        return ended
    if ended.analysed and not item.recording.is_unchanged():
        provenance_path(item.outputs.table).unlink(missing_ok=True)  # the next call finds it missing
        return replace(ended, reason="it has changed since the study began; the same command takes it anew")
    try:
        _keep_summary(item, task, "; ".join(part for part in (ended.lost, ended.notes) if part))
        write_entry(item, task.now, asdict(ended), task.run, without if item.group else ())
        _remove_partial(item)
    except (MienError, OSError) as error:
        return replace(ended, reason=str(error))
    return ended


def _remove_partial(item: Item) -> None:
    """Remove what an analysis that ended early has kept, now that there is a whole one."""
    partial = replace(item.outputs.partial, scores=True)
    for path in (*partial.paths(), provenance_path(partial.table)):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _summed_up(item: Item, task: Task) -> Ended:
    """A recording whose table is there already."""
    return _finished(item, _from_before(item), task, (read_json(item.entry) or {}).get("without", ()))


def _from_before(item: Item) -> Ended:
    """What became of a recording when it was analysed."""
    outcome = (read_json(item.entry) or {}).get("outcome")
    ended = Ended(**{**outcome, "name": item.name}) if outcome else _from_provenance(item)
    return replace(ended, analysed=False)


def _from_provenance(item: Item) -> Ended:
    analysed = (read_json(provenance_path(item.outputs.table)) or {}).get("analysed") or {}
    return Ended(name=item.name, frames=analysed.get("frames", 0), lost=analysed.get("lost", ""))


def _keep_summary(item: Item, task: Task, notes: str) -> None:
    """Write a recording's rows and events where the study's tables are gathered from."""
    from mien.study.tables import Faces, empty_row, summarise_table

    found: Faces = [empty_row(item.name, task.rules)], [], set(), set()
    if item.outputs.table.is_file():  # a picture without a face has none
        found = summarise_table(item.outputs.table, task.rules, item.name)
    rows, events, intensities, presences = found
    more = {"table": item.table, "notes": notes}
    write_json(
        item.summary,
        {
            "rows": [{**row, **more} for row in rows],
            "events": [asdict(event) for event in events],
            "intensities": sorted(intensities),
            "presences": sorted(presences),
        },
    )


def failed_all(task: Task, reason: str) -> list[Ended]:
    """The same failure for every recording of a task."""
    return [Ended(name=item.name, reason=reason) for item in task.items]
