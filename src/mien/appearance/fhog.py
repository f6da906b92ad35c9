"""The appearance descriptor: histograms of oriented gradients with 31 channels per cell (FHOG)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.appearance import kernels

CELL_PX = 8
CHANNELS = 31


class FhogExtractor:
    """Felzenszwalb's descriptor of images of one size (docs/algorithms/alignment-and-fhog.md#fhog).

    Parameters
    ----------
    height, width
        Size of the images, px: at least 20, so that a cell remains between the border cells.

    Attributes
    ----------
    rows, columns
        Number of described cells; 12 by 12 for an image of 112 by 112 px.

    Raises
    ------
    ValueError
        The images would be too small.
    """

    def __init__(self, height: int = 112, width: int = 112) -> None:
        if min(height, width) < 20:
            raise ValueError(f"expected images of at least 20 x 20 px, got {height} x {width}")
        self._size = height, width
        cells = (height + CELL_PX // 2) // CELL_PX, (width + CELL_PX // 2) // CELL_PX
        self.rows, self.columns = cells[0] - 2, cells[1] - 2
        self._last_row = min(cells[0] * CELL_PX, height) - 2
        self._last_column = min(cells[1] * CELL_PX, width) - 2
        # The original takes columns in groups of 8 as long as a whole group fits.
        self._last_grouped = len(range(1, self._last_column - 6, 8)) * 8
        window, magnitude = np.zeros(9 * kernels.WINDOW, np.float32), np.zeros(kernels.WINDOW, np.float32)
        self._work = window, magnitude, np.zeros(kernels.WINDOW, np.int32)
        self._votes = np.empty((cells[0] + 1, cells[1] + 1, 18, 4), np.float32)
        self._histogram = np.empty((*cells, 18), np.float32)
        self._energy = np.empty(cells, np.float32)
        self._norms = np.empty((cells[0] - 1, cells[1] - 1), np.float32)
        self._shares = np.empty((4, 18), np.float32)

    @property
    def length(self) -> int:
        """Length of a descriptor."""
        return self.rows * self.columns * CHANNELS

    def describe(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Descriptor of one image.

        Parameters
        ----------
        image
            (height, width, 3) uint8, channels blue, green, red, or (height, width) uint8.

        Returns
        -------
        ndarray
            (rows * columns * 31,) float32; channel o of cell (y, x) is entry (y * columns + x) * 31 + o.
        """
        if image.ndim == 2:
            image = np.repeat(image[:, :, None], 3, axis=2)
        if image.shape != (*self._size, 3) or image.dtype != np.uint8:
            raise ValueError(f"expected a {self._size} image of uint8, got {image.shape} {image.dtype}")
        out = np.empty(self.length, np.float32)
        self._votes.fill(0)
        last = self._last_row, self._last_column, self._last_grouped
        kernels.collect_votes(np.ascontiguousarray(image), *last, *self._work, self._votes)
        kernels.describe(self._votes, self._histogram, self._energy, self._norms, self._shares, out)
        return out
