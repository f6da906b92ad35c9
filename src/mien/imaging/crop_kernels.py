"""The one place where the open models' pixels are touched: inverse affine crop on a 1/32 px grid.

Source: docs/algorithms/open-detection.md#crops.
"""

import numpy as np

from mien.runtime.jit import kernel

GRID_BITS = 5
GRID = 1 << GRID_BITS


@kernel
def crop_affine(bgr, matrix, clamp_edges, levels, out):
    """Sample a square of an image into a network's input.

    Parameters
    ----------
    bgr
        (H, W, 3) uint8, C-contiguous.
    matrix
        (2, 3) float64: column and row of an output pixel to x and y in the image, px.
    clamp_edges
        Whether a tap outside the image takes the nearest pixel; otherwise it counts as black.
    levels
        (256,) float32: the network's value of each grey level.
    out
        (n, n, 3) float32, channels red, green, blue; overwritten.
    """
    height, width = bgr.shape[0], bgr.shape[1]
    taps = bgr.reshape(-1)
    rows, columns = out.shape[0], out.shape[1]
    for i in range(rows):
        for j in range(columns):
            x = matrix[0, 0] * j + matrix[0, 1] * i + matrix[0, 2]
            y = matrix[1, 0] * j + matrix[1, 1] * i + matrix[1, 2]
            x_grid = np.int64(np.rint(GRID * x))
            y_grid = np.int64(np.rint(GRID * y))
            left, top = x_grid >> GRID_BITS, y_grid >> GRID_BITS
            fx, fy = np.int32(x_grid & (GRID - 1)), np.int32(y_grid & (GRID - 1))
            w00 = (GRID - fx) * (GRID - fy)
            w01 = fx * (GRID - fy)
            w10 = (GRID - fx) * fy
            w11 = fx * fy
            right, bottom = left + 1, top + 1
            if left < 0 or top < 0 or right >= width or bottom >= height:
                if not clamp_edges:
                    w00 = w00 if 0 <= left < width and 0 <= top < height else 0
                    w01 = w01 if 0 <= right < width and 0 <= top < height else 0
                    w10 = w10 if 0 <= left < width and 0 <= bottom < height else 0
                    w11 = w11 if 0 <= right < width and 0 <= bottom < height else 0
                left = min(max(left, 0), width - 1)
                right = min(max(right, 0), width - 1)
                top = min(max(top, 0), height - 1)
                bottom = min(max(bottom, 0), height - 1)
            tap00 = np.uint64((top * width + left) * 3)
            tap01 = np.uint64((top * width + right) * 3)
            tap10 = np.uint64((bottom * width + left) * 3)
            tap11 = np.uint64((bottom * width + right) * 3)
            for channel in range(3):
                byte = np.uint64(2 - channel)
                value = (
                    w00 * taps[tap00 + byte]
                    + w01 * taps[tap01 + byte]
                    + w10 * taps[tap10 + byte]
                    + w11 * taps[tap11 + byte]
                    + 512
                ) >> 10
                out[i, j, channel] = levels[np.uint64(value)]
