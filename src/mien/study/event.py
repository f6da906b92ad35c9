"""One event, and the words for what it is of and what it was found in."""

from __future__ import annotations

from dataclasses import dataclass, fields

INTENSITY, PRESENCE, EYES = "intensity", "presence", "eye_aspect"
"""What an event was found in."""
ACTION_UNIT, COMPOSITE, BLINK = "action_unit", "composite", "blink"
"""What an event is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that lasted for some frames; NaN where a value is not known.

    Attributes
    ----------
    file
        The recording.
    face_id
        Whose face.
    kind
        "action_unit", "composite" or "blink".
    name
        "AU12", "blink", or the composite's name.
    signal
        What it was found in: "intensity", "presence" or "eye_aspect".
    onset_s, apex_s, offset_s
        When it begins, is strongest (for the first time) and ends, s.
    duration_s
        From onset to offset, s.
    peak
        The signal at the apex. Of presences it is the same unit's intensity.
    amplitude
        Peak less the value in the frame before the onset; NaN where the onset is not seen.
    mean
        Mean of the signal from onset to offset.
    onset_seen, offset_seen
        1; or 0 where the recording, or a stretch of usable frames, begins or ends in the midst of it.
    onset_frame, apex_frame, offset_frame
        First, strongest and last frame, counted from 1 as in tables; apex 0 where it is not known.
    """

    file: str
    face_id: int
    kind: str
    name: str
    signal: str
    onset_s: float
    apex_s: float
    offset_s: float
    duration_s: float
    peak: float
    amplitude: float
    mean: float
    onset_seen: int
    offset_seen: int
    onset_frame: int
    apex_frame: int
    offset_frame: int


EVENT_FIELDS = tuple(field.name for field in fields(Event))
