"""Action units from what geometry and the blendshape network say of a mesh: ``docs/open-models.md``.

Where both can see an action, both are asked and their mean counts. What they say is on one scale, that of
OpenFace's intensities: the gains make a value of 1 go with 1 of OpenFace's in the median video. From video
to video that differs by a factor of two and more, so that only the order of magnitude compares.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.action_units.mesh_measures import RAW_NAMES
from mien.datatypes import BLENDSHAPE_NAMES

SIDES = ("right", "left")
"""The subject's."""


def _of_both_sides(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}{side.title()}" for name in names for side in SIDES)


DERIVED = tuple(f"{name}_{side}" for name in ("smile_cm", "brow_arch_cm") for side in SIDES)
"""Half the mouth's width less the distance from its corner to the eye; outer brow less 0.3 of the inner."""
READ = (
    "browInnerUp",
    "jawOpen",
    *_of_both_sides("cheekSquint", "eyeBlink", "eyeWide", "mouthSmile", "mouthUpperUp"),
)
"""Blendshapes that action units are made of."""
SIGNALS = (*RAW_NAMES, *DERIVED, *READ)
"""Columns of a table of signals: raw measures, derived ones, logits of blendshapes."""
MAX_INTENSITY = 5.0
USUAL_BLINK = 0.2
"""Coefficient ``eyeBlink`` of open eyes where a person's own is not known."""
SIDED_UNITS = ("AU02", "AU05", "AU06", "AU10", "AU12", "AU45")
MIDDLE_UNITS = ("AU01", "AU25", "AU26")
MEASURED_UNITS = tuple(sorted(SIDED_UNITS + MIDDLE_UNITS))
"""Action units that are measured; all others are missing."""
UNITS_WITHOUT_NEUTRAL = ("AU05", "AU10", "AU12", "AU25", "AU26", "AU45")
"""Those that a single picture has."""

_COLUMN = {name: number for number, name in enumerate(SIGNALS)}
_READ = [BLENDSHAPE_NAMES.index(name) for name in READ]
_Values = NDArray[np.float64]


def signals_of(raw: _Values, logits: NDArray[np.float32]) -> _Values:
    """Put the signals of one face in a row.

    Parameters
    ----------
    raw
        (21,) float64 in the order of ``mien.action_units.mesh_measures.RAW_NAMES``.
    logits
        (52,) float32, blendshapes; NaN where there are none.

    Returns
    -------
    ndarray
        (37,) float64 in the order of `SIGNALS`.
    """
    named = dict(zip(RAW_NAMES, raw.tolist(), strict=True))
    smile = [named["mouth_width_cm"] / 2 - named[f"mouth_corner_{side}_cm"] for side in SIDES]
    arch = [named[f"brow_outer_{side}_cm"] - 0.3 * named[f"brow_inner_{side}_cm"] for side in SIDES]
    return np.concatenate([raw, smile, arch, logits[_READ]])


class Signals:
    """Signals of some frames, and how far they are above a neutral face's.

    Parameters
    ----------
    table
        (N, 37) float64 in the order of `SIGNALS`; NaN where not measured.
    neutral
        (37,) float64 of a neutral face; None where it is not known.
    """

    def __init__(self, table: _Values, neutral: _Values | None) -> None:
        self._table = table
        self._neutral = np.full(table.shape[1], np.nan) if neutral is None else neutral

    def value(self, name: str) -> _Values:
        """A measure, or a blendshape's coefficient."""
        return self._plain(self._table, name)

    def rise(self, name: str) -> _Values:
        """How much the measure or coefficient is above neutral: 0 and more, NaN without a neutral."""
        return np.asarray(np.maximum(self.value(name) - self._plain(self._neutral, name), 0))

    def fall(self, name: str) -> _Values:
        """How much the measure or coefficient is below neutral."""
        return np.asarray(np.maximum(self._plain(self._neutral, name) - self.value(name), 0))

    def logit_rise(self, name: str) -> _Values:
        """How much the blendshape's logit is above neutral."""
        column = _COLUMN[name]
        return np.asarray(np.maximum(self._table[:, column] - self._neutral[column], 0))

    @staticmethod
    def _plain(table: _Values, name: str) -> _Values:
        values = table[..., _COLUMN[name]]
        return np.asarray(1 / (1 + np.exp(-values)) if name in READ else values)


def middle_units(signals: Signals) -> dict[str, _Values]:
    """Action units that have no sides, (N,) float64 each, 0 to 5, not smoothed.

    Parameters
    ----------
    signals
        Of N frames.

    Returns
    -------
    dict
        By the names of `MIDDLE_UNITS`; NaN where a neutral is needed and not known.
    """
    units = {
        "AU01": _first_known(signals.logit_rise("browInnerUp") / 3, 1.5 * signals.rise("AU01")),
        "AU25": 1.0 * signals.value("AU25"),
        "AU26": _first_known(4 * signals.value("jawOpen"), signals.rise("AU26")),
    }
    return _limited(units)


def side_units(signals: Signals, side: str) -> dict[str, _Values]:
    """Action units of one side of the face, (N,) float64 each, 0 to 5, not smoothed.

    Parameters
    ----------
    signals
        Of N frames.
    side
        "right" or "left", the subject's.

    Returns
    -------
    dict
        By the names of `SIDED_UNITS`; NaN where a neutral is needed and not known.
    """

    def coefficient(name: str) -> str:
        return f"{name}{side.title()}"

    blink = coefficient("eyeBlink")
    closed = _first_known(signals.rise(blink), np.maximum(signals.value(blink) - USUAL_BLINK, 0))
    units = {
        "AU02": 3.5 * signals.rise(f"brow_arch_cm_{side}"),
        "AU05": 30 * signals.value(coefficient("eyeWide")),
        "AU06": 0.8 * signals.logit_rise(coefficient("cheekSquint")),
        "AU10": 1.0 * signals.value(coefficient("mouthUpperUp")),
        "AU12": _mean_of_known(
            2 * signals.value(coefficient("mouthSmile")), 1.4 * signals.rise(f"smile_cm_{side}")
        ),
        "AU45": _mean_of_known(5 * closed, 14 * signals.fall(f"eye_opening_{side}")),
    }
    return _limited(units)


def whole_units(signals: Signals, sides: Sequence[dict[str, _Values]]) -> dict[str, _Values]:
    """Action units of the face, (N,) float64 each, 0 to 5, not smoothed.

    Parameters
    ----------
    signals
        Of N frames.
    sides
        Both sides' action units, as `side_units` gives them.

    Returns
    -------
    dict
        By the names of `MEASURED_UNITS`: the mean of both sides, where an action unit has sides.
    """
    right, left = sides
    units = {name: (right[name] + left[name]) / 2 for name in SIDED_UNITS}
    units["AU06"] = _first_known(units["AU06"], 2.1 * signals.rise("AU06"))
    return _limited(units) | middle_units(signals)


def _limited(units: dict[str, _Values]) -> dict[str, _Values]:
    return {name: np.clip(values, 0, MAX_INTENSITY) for name, values in units.items()}


def _first_known(first: _Values, second: _Values) -> _Values:
    """The first, where it is not measured the second."""
    return np.asarray(np.where(np.isnan(first), second, first))


def _mean_of_known(first: _Values, second: _Values) -> _Values:
    """The mean, where only one is measured that one."""
    return (_first_known(first, second) + _first_known(second, first)) / 2
