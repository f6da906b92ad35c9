"""How stored pictures must be turned to stand upright: the display matrix of phone videos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CLOCKWISE = {
    # (transposed, mirrored left to right, mirrored top to bottom) of the pure rotations
    (False, False, False): 0,
    (True, True, False): 90,
    (False, True, True): 180,
    (True, False, True): 270,
}


@dataclass(frozen=True, slots=True)
class Orientation:
    """One of the eight ways to lay a picture: transpose first, then mirror.

    Attributes
    ----------
    transpose
        Exchange rows and columns.
    flip_x, flip_y
        Mirror left to right, top to bottom, after the transposition.
    """

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def from_display_matrix(cls, matrix: NDArray[np.int32]) -> Orientation:
        """Read the orientation from a display matrix (libavutil's layout).

        Parameters
        ----------
        matrix
            (9,) int32: a stored pixel (p, q) is shown at (a p + c q + x, b p + d q + y) with
            the matrix (a, b, u, c, d, v, x, y, w). Turns by other than multiples of 90° are
            rounded to the nearest multiple.
        """
        a, b, c, d = (int(matrix[i]) for i in (0, 1, 3, 4))
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    @classmethod
    def from_clockwise(cls, degrees: int) -> Orientation:
        """Pure rotation by the nearest multiple of 90°."""
        nearest = round(degrees / 90) * 90 % 360
        return next(cls(*key) for key, turn in _CLOCKWISE.items() if turn == nearest)

    @property
    def rotation_deg(self) -> int:
        """Clockwise turn, 0, 90, 180 or 270; of a mirrored picture, the turn that precedes the mirror."""
        key = (self.transpose, self.flip_x, self.flip_y)
        return _CLOCKWISE[key] if key in _CLOCKWISE else _CLOCKWISE[(key[0], not key[1], key[2])]

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height after turning."""
        return (height, width) if self.transpose else (width, height)

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn a picture.

        Parameters
        ----------
        image
            (H, W, 3) uint8, C-contiguous.

        Returns
        -------
        NDArray[np.uint8]
            (H, W, 3) or (W, H, 3) uint8, C-contiguous; the picture itself where nothing is to be done.
        """
        if self == Orientation():
            return image
        # Moving whole pixels is twice as fast as moving single channels.
        pixels = image.view("V3")[..., 0]
        if self.transpose:
            pixels = pixels.T
        if self.flip_x:
            pixels = pixels[:, ::-1]
        if self.flip_y:
            pixels = pixels[::-1]
        turned = np.ascontiguousarray(pixels)
        return turned.view(np.uint8).reshape(*turned.shape, 3)


UPRIGHT = Orientation()
"""As stored."""
