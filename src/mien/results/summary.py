"""A result in a few numbers: how much of it can be used, and what each action unit did.

One rule for all that summarises, notebooks and studies: a row counts where the face was tracked (``success``)
and the confidence reaches a minimum, by default `MIN_CONFIDENCE`. Rows that failed hold wherever the search
ended, and action units that are not measured there at best repeat a neighbour. Both columns are in every
table, so that results and tables are summed up alike, whoever wrote them; landmarks that OpenFace's validator
refuses have a lower confidence. Of a row that counts, an action unit counts where it is not NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mien.results.video_result import VideoResult

_NAN = float("nan")

MIN_CONFIDENCE = 0.8
"""What most studies with OpenFace ask for; its validator's own boundary is 0.725."""


@dataclass(frozen=True, slots=True)
class UnitSummary:
    """One action unit over the rows that count; NaN where there are none.

    Attributes
    ----------
    name
        "AU12" and so on.
    frames
        Rows in which its intensity was measured.
    mean, sd, p95
        Of the intensity: mean, standard deviation (n - 1), 95th percentile (linear between neighbours).
    present
        Share of rows with the unit present, 0 to 1, of those in which presence was measured.
    mean_present
        Mean intensity over rows with the unit present.
    """

    name: str
    frames: int
    mean: float
    sd: float
    p95: float
    present: float
    mean_present: float


@dataclass(frozen=True, slots=True)
class ResultSummary:
    """A result, or some rows of one.

    Attributes
    ----------
    rows, successes, usable
        Number of rows, of those with success, and of those that count.
    mean_confidence
        Over all rows; NaN without rows.
    begin_s, end_s
        Time of the first and of the last row, s; NaN without rows.
    units
        Every action unit of the result, in order; none where they were not analysed.
    """

    rows: int
    successes: int
    usable: int
    mean_confidence: float
    begin_s: float
    end_s: float
    units: tuple[UnitSummary, ...]

    @property
    def success_rate(self) -> float:
        """Share of rows with success, 0 to 1; NaN without rows."""
        return self.successes / self.rows if self.rows else _NAN

    @property
    def usable_share(self) -> float:
        """Share of rows that count, 0 to 1; NaN without rows."""
        return self.usable / self.rows if self.rows else _NAN


def usable_rows(result: VideoResult, *, min_confidence: float = MIN_CONFIDENCE) -> NDArray[np.bool_]:
    """Which rows count, (N,) bool."""
    return usable(result.success, result.confidence, min_confidence)


def usable(
    success: NDArray[np.bool_], confidence: NDArray[np.float64], min_confidence: float
) -> NDArray[np.bool_]:
    """Which rows count, (N,) bool: success, and at least this confidence."""
    return np.asarray(success & (confidence >= min_confidence))


def summarise(result: VideoResult, *, min_confidence: float = MIN_CONFIDENCE) -> ResultSummary:
    """Summarise all rows of a result together; see the module for which count.

    Parameters
    ----------
    result
        For one person of several, their rows: ``result[result.face_id == 0]``.
    min_confidence
        Rows below it do not count, 0 to 1.
    """
    counts = usable_rows(result, min_confidence=min_confidence)
    rows = len(result)
    return ResultSummary(
        rows=rows,
        successes=int(result.success.sum()),
        usable=int(counts.sum()),
        mean_confidence=result.mean_confidence,
        begin_s=float(result.time_s.min()) if rows else _NAN,
        end_s=float(result.time_s.max()) if rows else _NAN,
        units=_units(result, counts),
    )


def summarise_faces(
    result: VideoResult, *, min_confidence: float = MIN_CONFIDENCE
) -> dict[int, ResultSummary]:
    """Summarise every identity by itself, in the order of ``face_id``; parameters as in `summarise`."""
    return {
        int(face_id): summarise(result[result.face_id == face_id], min_confidence=min_confidence)
        for face_id in np.unique(result.face_id)
    }


def _units(result: VideoResult, counts: NDArray[np.bool_]) -> tuple[UnitSummary, ...]:
    if result.au_intensity is None or result.au_presence is None:
        return ()
    intensity = dict(zip(result.au_intensity_names, result.au_intensity[counts].T, strict=True))
    presence = dict(zip(result.au_presence_names, result.au_presence[counts].T, strict=True))
    nothing = np.empty(0)
    return tuple(
        summarise_unit(name, intensity.get(name, nothing), presence.get(name, nothing))
        for name in sorted(intensity.keys() | presence.keys())
    )


def summarise_unit(name: str, intensity: NDArray[np.float64], presence: NDArray[np.float64]) -> UnitSummary:
    """Summarise one action unit.

    Parameters
    ----------
    name
        Its name.
    intensity, presence
        (N,) values in the rows that count; empty where it has none of the kind.
    """
    measured, known = intensity[np.isfinite(intensity)], presence[np.isfinite(presence)]
    both = len(intensity) == len(presence)
    while_present = intensity[(presence >= 1) & np.isfinite(intensity)] if both else intensity[:0]
    return UnitSummary(
        name=name,
        frames=len(measured),
        mean=float(measured.mean()) if len(measured) else _NAN,
        sd=float(measured.std(ddof=1)) if len(measured) > 1 else _NAN,
        p95=float(np.percentile(measured, 95)) if len(measured) else _NAN,
        present=float(known.mean()) if len(known) else _NAN,
        mean_present=float(while_present.mean()) if len(while_present) else _NAN,
    )
