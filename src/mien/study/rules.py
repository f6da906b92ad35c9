"""What counts as usable, and what counts as an event; docs/studies.md says where the numbers come from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from mien.errors import OptionError
from mien.results.summary import MIN_CONFIDENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRule:
    """When a signal's rise counts as an event.

    An event is a run of usable frames in which the signal stays at or above ``lower`` and reaches ``upper``
    at least once (a Schmitt trigger: noise around one threshold would cut an event into many). Runs less
    than ``min_gap_s`` apart are one event; then events outside the limits of duration are dropped.

    Attributes
    ----------
    upper, lower
        What the signal must reach, and what it must not fall below, in its own unit.
    min_duration_s, max_duration_s
        Limits of the duration, s.
    min_gap_s
        Shorter pauses don't end an event, s.

    Raises
    ------
    OptionError
        A value is out of its range.
    """

    upper: float
    lower: float
    min_duration_s: float = 0.0
    max_duration_s: float = math.inf
    min_gap_s: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.upper) and math.isfinite(self.lower) and self.lower <= self.upper):
            raise OptionError(
                f"events: expected an offset threshold of at most the onset's, got onset {self.upper}, "
                f"offset {self.lower}"
            )
        if not (self.min_duration_s >= 0 and self.min_gap_s >= 0 and math.isfinite(self.min_gap_s)):
            raise OptionError(
                f"events: expected durations of 0 s or more, got {self.min_duration_s} and {self.min_gap_s}"
            )
        if not self.max_duration_s > self.min_duration_s:
            raise OptionError(
                f"events: expected a longest duration above the shortest, {self.min_duration_s} s, got "
                f"{self.max_duration_s}"
            )


INTENSITY_RULE = EventRule(upper=1.0, lower=0.5, min_duration_s=0.16, min_gap_s=0.2)
"""Of action units' intensities, 0 to 5."""
PRESENCE_RULE = EventRule(upper=1.0, lower=1.0, min_duration_s=0.16, min_gap_s=0.2)
"""Of presences, 0 or 1."""
BLINK_UNIT_RULE = EventRule(upper=1.0, lower=0.5, max_duration_s=0.5, min_gap_s=0.1)
"""Of the intensity of AU45."""
BLINK_EYES_RULE = EventRule(upper=0.25, lower=0.15, max_duration_s=0.5, min_gap_s=0.1)
"""Of the share by which the eyes are more closed than around that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryOptions:
    """How recordings are summed up.

    Attributes
    ----------
    min_confidence
        Frames count with ``success`` and at least this confidence, 0 to 1.
    bridge_s
        Frames that don't count are passed over where they last no longer than this, s; a longer stretch
        without usable frames ends every event.
    intensity, presence, blink_unit, blink_eyes
        What counts as an event of each signal.
    fps
        Frames per second of tables without time; None takes their time stamps.

    Raises
    ------
    OptionError
        A value is out of its range.
    """

    min_confidence: float = MIN_CONFIDENCE
    bridge_s: float = 0.2
    intensity: EventRule = field(default=INTENSITY_RULE)
    presence: EventRule = field(default=PRESENCE_RULE)
    blink_unit: EventRule = field(default=BLINK_UNIT_RULE)
    blink_eyes: EventRule = field(default=BLINK_EYES_RULE)
    fps: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise OptionError(f"min_confidence: expected 0 to 1, got {self.min_confidence}")
        if not (self.bridge_s >= 0 and math.isfinite(self.bridge_s)):
            raise OptionError(f"bridge_s: expected 0 s or more, got {self.bridge_s}")
        if self.fps is not None and not (self.fps > 0 and math.isfinite(self.fps)):
            raise OptionError(f"fps: expected more than 0, got {self.fps}")

    @property
    def rule(self) -> str:
        """The rule for usable frames in words, as summaries state it."""
        return f"success = 1 and confidence >= {self.min_confidence:g}"
