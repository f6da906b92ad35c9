"""The linear predictors of all action units, evaluated together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mien.action_units import kernels
from mien.action_units.catalogue import INTENSITY_NAMES, PRESENCE_NAMES
from mien.models.records import ActionUnitPredictor

N_INTENSITY = len(INTENSITY_NAMES)
N_OUTPUTS = N_INTENSITY + len(PRESENCE_NAMES)
"""Outputs of all predictors: 17 intensities, then 18 decision values of presence, in catalogue order."""

_SLOTS = {("svr", name): i for i, name in enumerate(INTENSITY_NAMES)} | {
    ("svm", name): N_INTENSITY + i for i, name in enumerate(PRESENCE_NAMES)
}


class PredictorSet:
    """All predictors as one matrix (docs/algorithms/model-files.md#action-unit-predictors).

    Parameters
    ----------
    predictors
        At most one of each kind per action unit. Outputs without a predictor are NaN.

    Attributes
    ----------
    dynamic
        (35,) bool: whether the output is relative to the person's neutral face.
    cutoffs
        (17,) float64: quantile of a dynamic intensity that counts as its zero; NaN for static ones, and where
        the file switches it off.
    blank
        (35,) float64: what stands for a failed frame, zeros, and NaN where there is no predictor.

    Raises
    ------
    ValueError
        Two predictors of one output, an unknown action unit, or descriptors of different lengths.
    """

    def __init__(self, predictors: Iterable[ActionUnitPredictor]) -> None:
        predictors = tuple(predictors)
        lengths = {len(vector) for p in predictors for vector in (p.weights, p.means)}
        if len(lengths) != 1:
            raise ValueError(f"expected predictors for descriptors of one length, got {sorted(lengths)}")
        self.length = lengths.pop()
        self._weights = np.zeros((N_OUTPUTS, self.length))
        self._offsets = np.full(N_OUTPUTS, np.nan)
        self.dynamic = np.zeros(N_OUTPUTS, np.bool_)
        self.cutoffs = np.full(N_INTENSITY, np.nan)
        self._classes = np.full((2, len(PRESENCE_NAMES)), np.nan)
        for predictor in predictors:
            self._add(predictor)
        self.blank = np.where(np.isnan(self._offsets), np.nan, 0.0)

    def _add(self, predictor: ActionUnitPredictor) -> None:
        slot = _SLOTS.get((predictor.kind, predictor.name))
        if slot is None or not np.isnan(self._offsets[slot]):
            raise ValueError(f"unexpected or second {predictor.kind} predictor of {predictor.name}")
        self._weights[slot] = predictor.weights
        self._offsets[slot] = predictor.bias - predictor.means @ predictor.weights
        self.dynamic[slot] = predictor.dynamic
        if predictor.kind == "svm":
            self._classes[:, slot - N_INTENSITY] = predictor.negative_class, predictor.positive_class
        elif predictor.dynamic and predictor.cutoff != -1:
            self.cutoffs[slot] = predictor.cutoff

    def project(self, descriptors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Products of descriptors (K, length) with all weights, without any offset: (K, 35) float64."""
        out = np.empty((len(descriptors), N_OUTPUTS))
        kernels.weigh(descriptors, self._weights, out)
        return out

    def scores(
        self, projection: NDArray[np.float64], neutral: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Raw outputs from the projections of a descriptor and of the neutral face.

        A dynamic output is relative to the neutral face, a static one is not. As all is linear, the outputs
        for another neutral face need no more than the projections.

        Parameters
        ----------
        projection
            (..., 35) float64.
        neutral
            (35,) float64; by default the neutral face is zero.
        """
        outputs: NDArray[np.float64] = projection + self._offsets
        return outputs if neutral is None else outputs - self.dynamic * neutral

    def classes(self, positive: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Stored class on each side of the decision, (..., 18) float64; NaN where there is no predictor."""
        negative_class, positive_class = self._classes
        return np.where(positive, positive_class, negative_class)

    def fingerprint(self) -> str:
        """SHA-256 of weights and offsets; independent of the names of the files."""
        digest = hashlib.sha256(self._weights.tobytes())
        digest.update(self._offsets.tobytes())
        return digest.hexdigest()
