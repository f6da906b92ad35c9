"""The geometry descriptor: how the face deviates from the mean shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.models.records import PdmRecord


class ShapeDescriptor:
    """Geometric part of the descriptor: V p and p (docs/algorithms/action-unit-predictors.md#descriptor).

    Parameters
    ----------
    pdm
        Shape model of n landmarks with m modes.

    Attributes
    ----------
    length : int
        3 n + m, 238 for OpenFace's model.
    """

    def __init__(self, pdm: PdmRecord) -> None:
        n, _, m = pdm.basis.shape
        self._basis = np.ascontiguousarray(pdm.basis.transpose(1, 0, 2).reshape(3 * n, m), np.float64)
        self.length = 3 * n + m

    def describe(self, local_params: NDArray[np.float32]) -> NDArray[np.float64]:
        """Descriptor of fitted parameters.

        Parameters
        ----------
        local_params
            (m,) float32 coefficients of the modes.

        Returns
        -------
        ndarray
            (3 n + m,) float64: x, then y, then z of the deviation in mm, then the parameters.
        """
        params = local_params.astype(np.float64)
        return np.concatenate((self._basis @ params, params))
