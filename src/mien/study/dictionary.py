"""The columns of summaries and events: names, meanings, units; all that describes tables follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mien.action_units.catalogue import DESCRIPTIONS
from mien.study.composites import COMPOSITES, WARNING, Composite
from mien.study.event import ACTION_UNIT, BLINK, COMPOSITE, EYES, INTENSITY, PRESENCE


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes
    ----------
    name
        Its name.
    meaning
        What a value means, in a sentence.
    unit
        Its unit; empty where it has none.
    variable, signal, statistic
        Its place in the long table; empty where it identifies or describes the whole row.
    levels
        The values that it may have, with their meanings, where they are few.
    """

    name: str
    meaning: str
    unit: str = ""
    variable: str = ""
    signal: str = ""
    statistic: str = ""
    levels: tuple[tuple[str, str], ...] = ()


FILE = Column("file", "The recording, below the study's folder or as given.")
FACE = Column(
    "face_id", "Which face of the recording, counted from 0; of a picture, the face's number in it."
)
FIRST: tuple[Column, ...] = (
    FILE,
    FACE,
    Column("frames", "Rows of the table: frames in which this face was looked for.", "frames"),
    Column("duration_s", "From the first row to the end of the last.", "s"),
    Column("rule", "Which frames count as usable; all that follows is about them alone."),
    Column("usable_frames", "Frames that count.", "frames"),
    Column("usable_share", "Share of the rows that count, 0 to 1."),
    Column("usable_s", "Time for which usable frames stand; rates per minute are per minute of it.", "s"),
    Column("success_share", "Share of all rows with success, 0 to 1."),
    Column("mean_confidence", "Mean confidence over all rows, 0 to 1."),
)
TABLE = Column("table", "Its table, below the folder of results.")
NOTES = Column("notes", "What could not be read of the recording, and what else there is to know of it.")
_ANGLES = (
    ("head_pitch", "head's pitch (pose_Rx)"),
    ("head_yaw", "head's yaw (pose_Ry)"),
    ("head_roll", "head's roll (pose_Rz)"),
    ("gaze_x", "horizontal gaze angle (gaze_angle_x)"),
    ("gaze_y", "vertical gaze angle (gaze_angle_y)"),
)
_SPREAD = (
    ("mean", "Mean"),
    ("sd", "Standard deviation (n - 1)"),
    ("range", "Range (5th to 95th percentile)"),
)
_BLINKS = (
    ("blink_au45", INTENSITY, "the intensity of AU45"),
    ("blink_eyes", EYES, "the opening between the eyelids' landmarks"),
)


def summary_columns(intensities: Sequence[str], presences: Sequence[str]) -> list[Column]:
    """All columns of a summary of recordings with these action units, in order."""
    names = sorted({*intensities, *presences})
    made = [*FIRST, *_movement(), *_blinks()]
    for name in names:
        made += _unit(name, name in intensities, name in presences)
    for composite in COMPOSITES:
        made += _composite(composite)
    return made


def _movement() -> Iterator[Column]:
    noise = "noise of the measurement adds to it, the more the higher the frame rate"
    for name, words, unit, part in (
        ("head_speed_mm_s", "speed of the head's position (pose_T)", "mm/s", "position"),
        ("head_turning_deg_s", "angular speed of the head (pose_R)", "deg/s", "rotation"),
    ):
        yield Column(name, f"Mean {words}; {noise}.", unit, "head", part, "speed")
    for name, words in _ANGLES:
        variable, _, part = name.partition("_")
        for statistic, what in _SPREAD:
            yield Column(
                f"{name}_{statistic}_deg", f"{what} of the {words}.", "deg", variable, part, statistic
            )


def _blinks() -> Iterator[Column]:
    for name, signal, words in _BLINKS:
        yield from _events(
            name, "Blinks (eyes shut for at most half a second)", f"found in {words}", "blink", signal
        )


def _events(name: str, what: str, how: str, variable: str, signal: str) -> Iterator[Column]:
    place = (variable, signal)
    yield Column(f"{name}_events", f"{what}, {how}: how many.", "", *place, "events")
    yield Column(
        f"{name}_events_per_min", f"{what}, {how}: how many a minute.", "1/min", *place, "events_per_min"
    )
    yield Column(f"{name}_event_mean_s", f"{what}, {how}: mean duration.", "s", *place, "event_mean_s")


def _unit(name: str, has_intensity: bool, has_presence: bool) -> Iterator[Column]:
    known = f"{name}, {DESCRIPTIONS[name]}" if name in DESCRIPTIONS else name
    if has_intensity:
        yield from _intensity(f"{name}_r", known, name, has_presence)
        yield from _events(f"{name}_r", f"Events of {known}", "found in the intensity", name, INTENSITY)
    if has_presence:
        share = f"Share of usable frames with {known}, present, 0 to 1."
        yield Column(f"{name}_c_share", share, "", name, PRESENCE, "share")
        yield from _events(f"{name}_c", f"Events of {known}", "found in the presence", name, PRESENCE)


def _intensity(prefix: str, known: str, variable: str, has_presence: bool) -> Iterator[Column]:
    whole = f"of the intensity of {known}, 0 to 5"
    statistics = (
        ("mean", f"Mean {whole}."),
        ("sd", f"Standard deviation (n - 1) {whole}."),
        ("p95", f"95th percentile {whole}."),
        ("mean_present", f"Mean {whole}, over usable frames in which it is present."),
    )
    for statistic, meaning in statistics[: 4 if has_presence else 3]:
        yield Column(f"{prefix}_{statistic}", meaning, "", variable, INTENSITY, statistic)


def _composite(composite: Composite) -> Iterator[Column]:
    name, label = composite.name, composite.label
    share = f"{label}: share of usable frames with all parts present, 0 to 1. {WARNING}"
    yield Column(f"{name}_c_share", share, "", name, PRESENCE, "share")
    for ending, signal in (("r", INTENSITY), ("c", PRESENCE)):
        how = f"found in the {signal} of all parts at once"
        for column in _events(f"{name}_{ending}", f"Events of the pattern {label}", how, name, signal):
            yield replace(column, meaning=f"{column.meaning} {WARNING}")


_KINDS = (
    (ACTION_UNIT, "one action unit"),
    (COMPOSITE, f"a pattern of action units at the same time. {WARNING}"),
    (BLINK, "the eyes are shut for at most half a second"),
)
_SIGNALS = (
    (
        INTENSITY,
        "intensity of the action unit, of a composite that of its weakest part, of blinks that of AU45",
    ),
    (PRESENCE, "presence of the action unit, of a composite that of all its parts"),
    (EYES, "opening between the landmarks of the eyelids"),
)

EVENT_COLUMNS: tuple[Column, ...] = (
    FILE,
    FACE,
    Column("kind", "What the event is of.", levels=_KINDS),
    Column("name", "The action unit, blink, or the composite with the action units that it is made of."),
    Column("signal", "What it was found in.", levels=_SIGNALS),
    Column("onset_s", "Time of the first frame.", "s"),
    Column("apex_s", "Time of the strongest frame, the first of equals.", "s"),
    Column("offset_s", "End of the last frame.", "s"),
    Column("duration_s", "From onset to offset.", "s"),
    Column(
        "peak",
        "Value at the apex: intensity, 0 to 5, of events in presence too; of eye_aspect, the share by which "
        "the eyes are more closed than around that time.",
    ),
    Column("amplitude", "Peak less the value just before the onset; empty where the onset is not seen."),
    Column("mean", "Mean of that value from onset to offset."),
    Column("onset_seen", "1, or 0 where the recording or a usable stretch begins in the midst of the event."),
    Column("offset_seen", "1, or 0 where the recording or a usable stretch ends in the midst of the event."),
    Column("onset_frame", "First frame, counted from 1.", "frames"),
    Column("apex_frame", "Strongest frame, counted from 1; 0 where it is not known.", "frames"),
    Column("offset_frame", "Last frame, counted from 1.", "frames"),
)

LONG_COLUMNS: tuple[Column, ...] = (
    Column("variable", "What is measured: an action unit, a composite, blink, head or gaze."),
    Column("signal", "In which signal: intensity, presence, eye_aspect, position, rotation or an angle."),
    Column("statistic", "What of it, as the ending of the wide table's column."),
    Column("value", "The number; its unit is the wide table's."),
)


def taken_names() -> frozenset[str]:
    """Names that columns of a list can't have, without capitals: tables of studies have them themselves."""
    columns = [TABLE, NOTES, *summary_columns(list(DESCRIPTIONS), list(DESCRIPTIONS)), *EVENT_COLUMNS]
    names = {column.name for column in (*columns, *LONG_COLUMNS)} | {"reason"}
    return frozenset(name.casefold() for name in names - {FILE.name})
