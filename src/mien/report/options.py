"""What a user can choose about a report."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from mien.errors import OptionError

PICTURES = ("faces", "landmarks", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """How a report is made.

    Attributes
    ----------
    pictures
        What is shown of the moments at which action units are strongest: "faces", the picture with its
        landmarks; "landmarks" on black; or "none", so that nothing in the report shows how a person looks.
    video
        Where the analysed video or the pictures are; None takes what the result or its provenance says.
    min_confidence
        Rows below it do not count, 0 to 1; see docs/report.md.
    turned_deg
        From which angle between face and camera, pitch or yaw, a head counts as turned too far, degrees.
    title
        Headline; None takes the name of what was analysed.

    Raises
    ------
    OptionError
        A value is out of its range.
    """

    pictures: str = "faces"
    video: Path | None = None
    min_confidence: float = 0.8
    turned_deg: float = 30.0
    title: str | None = None

    def __post_init__(self) -> None:
        if self.pictures not in PICTURES:
            raise OptionError(f"pictures: expected one of {', '.join(PICTURES)}, got {self.pictures!r}")
        if not 0 <= self.min_confidence <= 1:
            raise OptionError(f"min_confidence: expected 0 to 1, got {self.min_confidence}")
        if not (math.isfinite(self.turned_deg) and self.turned_deg > 0):
            raise OptionError(f"turned_deg: expected more than 0 degrees, got {self.turned_deg}")
