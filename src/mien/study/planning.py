"""What has to be done in a study, in which order, and by whom."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path

from mien.analysis.outputs import OutputOptions
from mien.errors import OptionError
from mien.options import AnalysisOptions
from mien.packs import choose_pack
from mien.results.columns import Form
from mien.study.find import Recording, table_bases
from mien.study.ledger import Item, Making, State, Verdict, judge, making, read_json
from mien.study.listing import PERSON
from mien.study.rules import SummaryOptions
from mien.study.work import Task

PICTURES_AT_ONCE = 32
"""Pictures of a folder that are one task: the models are loaded once for them."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of a study: the ``number``-th of ``count``, counted from 1."""

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read "3/20".

        Raises
        ------
        OptionError
            It is nothing of the kind.
        """
        number, _, count = text.partition("/")
        if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
            raise OptionError(f"shard: expected a part such as 3/20, from 1/20 to 20/20, got {text!r}")
        return cls(int(number), int(count))

    @property
    def whole(self) -> bool:
        """Whether it is all of the study."""
        return self.count == 1

    def of(self, units: Sequence[Sequence[Item]]) -> list[Sequence[Item]]:
        """Its share of what can be divided, the same in every call; large and small are spread evenly."""

        def weight(unit: Sequence[Item]) -> tuple[int, str]:
            return -sum(item.recording.size for item in unit), unit[0].name

        mine = {id(unit) for unit in sorted(units, key=weight)[self.number - 1 :: self.count]}
        return [unit for unit in units if id(unit) in mine]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes
    ----------
    items
        All recordings of this part that can be analysed, in order.
    verdicts
        How far each is, by its name.
    tasks
        What has to be done.
    faults
        Recordings that can't be analysed, and why.
    """

    items: tuple[Item, ...]
    verdicts: dict[str, Verdict]
    tasks: tuple[Task, ...]
    faults: tuple[Recording, ...]

    @property
    def done(self) -> int:
        """Recordings for which nothing has to be done."""
        return sum(verdict.state is State.DONE for verdict in self.verdicts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """How a study is planned.

    Attributes
    ----------
    home
        The folder of results.
    options
        How recordings are analysed.
    wanted
        Which files each leaves, wherever they go.
    rules
        How they are summed up.
    redo
        Whether everything is analysed anew.
    own_neutral
        Whether clips of a person keep neutral faces of their own.
    shard
        Which part of the study this is.
    """

    home: Path
    options: AnalysisOptions
    wanted: OutputOptions
    rules: SummaryOptions = field(default_factory=SummaryOptions)
    redo: bool = False
    own_neutral: bool = False
    shard: Shard = Shard()

    def plan(self, recordings: Sequence[Recording]) -> Plan:
        """Plan the study of these recordings.

        Raises
        ------
        MienError
            The models are missing, or results would replace one another.
        """
        pack = choose_pack(self.options.models)
        options = replace(self.options, threads=1)
        now = making(options, pack, self.wanted, self.rules)
        good = [recording for recording in recordings if not recording.fault]
        units = self.shard.of(list(self._units(self._items(good), shares_neutral=pack.name == "openface")))
        items = [item for unit in units for item in unit]
        verdicts = {item.name: self._verdict(item, now) for item in items}
        task = partial(Task, options=options, now=now, rules=self.rules, run=secrets.token_hex(8))
        tasks = [made for unit in units for made in _tasks(unit, verdicts, task)]
        return Plan(
            tuple(items),
            verdicts,
            # The longest first: no worker is left with it at the end.
            tuple(sorted(tasks, key=lambda task: -task.size)),
            tuple(recording for recording in recordings if recording.fault) if self.shard.number == 1 else (),
        )

    def _verdict(self, item: Item, now: Making) -> Verdict:
        return Verdict(State.MISSING, "to be done anew") if self.redo else judge(item, now)

    def _items(self, recordings: Sequence[Recording]) -> list[Item]:
        bases = table_bases([recording.name for recording in recordings])
        made = []
        for recording, base in zip(recordings, bases, strict=True):
            folder = self.home / base.parent
            tables = tuple(dict.fromkeys((".csv", *self.wanted.tables)))
            outputs = replace(
                self.wanted, folder=folder, base=base.name, tables=tables, source=str(recording.source)
            )
            if recording.is_picture:
                outputs = replace(outputs, form=Form.IMAGE, good_by="valid", drawn_last=False, scores=False)
            made.append(Item(recording, outputs, self.home))
        counts = Counter(str(item.outputs.table).casefold() for item in made)
        for item in made:
            if counts[str(item.outputs.table).casefold()] > 1:
                raise OptionError(
                    f"{item.name}: another recording would have the table {item.table}; rename one"
                )
        return made

    def _units(self, items: Sequence[Item], *, shares_neutral: bool) -> Iterator[tuple[Item, ...]]:
        """What can't be divided: clips of one person, pictures of one folder, else single videos."""
        persons: dict[str, list[Item]] = {}
        singles: list[Item] = []
        alone = self.own_neutral or not shares_neutral or self.options.faces == "many"
        for item in items:
            person = item.recording.values.get(PERSON, "")
            if person and not alone and not item.recording.is_picture:
                persons.setdefault(person, []).append(item)
            else:
                singles.append(item)
        for clips in persons.values():
            names = tuple(clip.name for clip in clips)
            yield tuple(replace(clip, group=names) for clip in clips) if len(clips) > 1 else tuple(clips)
        for folder, group in groupby(singles, key=_folder_of_picture):
            together, size = tuple(group), 1 if folder is None else PICTURES_AT_ONCE
            for start in range(0, len(together), size):
                yield together[start : start + size]


def _folder_of_picture(item: Item) -> Path | None:
    return item.recording.source.parent if item.recording.is_picture else None


def _tasks(unit: Sequence[Item], verdicts: dict[str, Verdict], task: Callable[..., Task]) -> Iterator[Task]:
    """Tasks of what can't be divided; who shares a neutral face is done again with the others."""
    missing = tuple(item for item in unit if verdicts[item.name].state is State.MISSING)
    if missing and unit[0].group:
        again = _failed_before(unit, missing)
        for item in unit:
            if item not in missing and not again:
                verdicts[item.name] = Verdict(State.MISSING, "another recording of this person is missing")
        yield task(items=tuple(unit), person=unit[0].recording.values[PERSON], failed_before=again)
        return
    if missing:
        yield task(items=missing)
    rest = tuple(item for item in unit if verdicts[item.name].state is State.UNSUMMED)
    if rest:
        yield task(items=rest, only_sum_up=True)


def _failed_before(unit: Sequence[Item], missing: Sequence[Item]) -> tuple[str, ...]:
    """Names of what is missing of a person, if the rest was done without it, since it failed."""
    names = {item.name for item in missing}
    rest = [read_json(item.entry) or {} for item in unit if item not in missing]
    known = bool(rest) and all(set(entry.get("without", ())) == names for entry in rest)
    return tuple(sorted(names)) if known else ()
