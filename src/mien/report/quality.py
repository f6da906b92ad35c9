"""How far a face's rows can be trusted: the first thing a report says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.report.face_rows import Face, Span

GOOD_SHARE, FAIR_SHARE = 0.9, 0.7
"""Shares of usable rows from which a recording is called good, and fair."""
TURNED_SHARE = 1 / 3
"""Share of usable rows with the head turned too far from which a recording is no longer called good."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Quality of one face's rows; NaN where there are none.

    Attributes
    ----------
    rows, usable
        Number of rows, and of those that count.
    success_share
        Share of rows with success, 0 to 1.
    mean_confidence
        Over all rows.
    lost
        Stretches without a usable row, in order, in the unit of the face's ``x``.
    turned_share
        Share of usable rows with the head turned too far, 0 to 1; NaN where no pose is known.
    length
        From the first row to the end of the last, in that unit.
    """

    rows: int
    usable: int
    success_share: float
    mean_confidence: float
    lost: tuple[Span, ...]
    turned_share: float
    length: float

    @property
    def usable_share(self) -> float:
        """Share of rows that count, 0 to 1; NaN without rows."""
        return self.usable / self.rows if self.rows else float("nan")

    @property
    def mostly_turned(self) -> bool:
        """Whether the head is turned too far in much of it."""
        return self.turned_share >= TURNED_SHARE

    @property
    def verdict(self) -> str:
        """The share of usable rows in a word: "good", "fair", "poor", or "no face" without any."""
        if not self.usable:
            return "no face"
        if self.usable_share >= GOOD_SHARE and not self.mostly_turned:
            return "good"
        return "fair" if self.usable_share >= FAIR_SHARE else "poor"


def quality_of(face: Face, turned_deg: float) -> Quality:
    """Quality of one face.

    Parameters
    ----------
    face
        The face.
    turned_deg
        From which pitch or yaw a head counts as turned too far, degrees.
    """
    rows, confidence = len(face), face.result.confidence
    known = confidence[np.isfinite(confidence)]
    return Quality(
        rows=rows,
        usable=int(face.usable.sum()),
        success_share=float(face.result.success.mean()) if rows else float("nan"),
        mean_confidence=float(known.mean()) if len(known) else float("nan"),
        lost=tuple(face.lost()),
        turned_share=_share(turned(face, turned_deg), face.usable),
        length=float(face.x[-1] - face.x[0] + face.step) if rows else 0.0,
    )


def turned(face: Face, turned_deg: float) -> NDArray[np.float64]:
    """1 where pitch or yaw reaches the angle, 0 where not, NaN where they are not known; (N,) float64."""
    angles = np.degrees(np.abs(face.result.pose_rotation_rad[:, :2]))
    reached = (angles >= turned_deg).any(axis=1).astype(np.float64)
    reached[~np.isfinite(angles).all(axis=1)] = np.nan
    return np.asarray(reached)


def _share(values: NDArray[np.float64], rows: NDArray[np.bool_]) -> float:
    known = values[rows & np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
