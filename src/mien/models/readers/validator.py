"""Reads the landmark validator (docs/algorithms/model-files.md#validator)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.models.readers.binary import ByteCursor
from mien.models.readers.fault import refusing
from mien.models.readers.network import read_network
from mien.models.readers.views import MOST_LANDMARKS, MOST_VIEWS
from mien.models.records import ValidatorRecord, ValidatorView

_KINDS = {0: "conv", 1: "max_pool", 2: "dense", 3: "relu", 4: "sigmoid"}
_POOL = (2, 2, 2, 2)
_CONVOLUTIONAL = 3


@refusing
def read_validator(path: Path | str) -> ValidatorRecord:
    """Read a landmark validator.

    Parameters
    ----------
    path
        The binary file (its extension is ``.txt``).

    Returns
    -------
    ValidatorRecord
        Orientations in radians.

    Raises
    ------
    ModelFileError
        The file is truncated, has something after its end, or is no convolutional validator.
    """
    cursor = ByteCursor.open(path)
    cursor.i32("type of the validator: only convolutional ones are supported", _CONVOLUTIONAL, _CONVOLUTIONAL)
    count = cursor.i32("number of views", 1, MOST_VIEWS)
    orientations = cursor.matrices("orientation in degrees", count, (3, 1), "<f8").reshape(count, 3)
    views = tuple(_read_view(cursor, np.deg2rad(orientation)) for orientation in orientations)
    cursor.finish()
    return ValidatorRecord(views)


def _read_view(cursor: ByteCursor, orientation: NDArray[np.float64]) -> ValidatorView:
    mean = cursor.vector("mean image", ("<f8",))
    deviation = cursor.vector("standard-deviation image", ("<f8",), mean.size)
    layers = read_network(cursor, _KINDS, _POOL)
    pixels = cursor.i32("number of pixels in the mask, that of the mean image", mean.size, mean.size)
    min_x, min_y = cursor.f64("left border of the mask"), cursor.f64("upper border of the mask")
    start = cursor.offset
    destination = cursor.vector("destination landmarks", ("<f8",))
    if destination.size % 2 or destination.size > 2 * MOST_LANDMARKS:
        raise cursor.fault("x and y of the destination landmarks", f"{destination.size} numbers", start)
    start = cursor.offset
    triangles = cursor.matrix("triangles", ("<i4",), (None, 3))
    if ((triangles < 0) | (triangles >= destination.size // 2)).any():
        raise cursor.fault(f"triangles over {destination.size // 2} landmarks", "other indices", start)
    start = cursor.offset
    triangle_ids = cursor.matrix("triangle of each pixel", ("<i4",))
    if ((triangle_ids < -1) | (triangle_ids >= len(triangles))).any():
        raise cursor.fault(f"triangles -1 to {len(triangles) - 1} of pixels", "other numbers", start)
    start = cursor.offset
    rows, columns = triangle_ids.shape
    mask = cursor.matrix("mask", ("<i4",), (rows, columns))
    if ((mask != 0) & (mask != 1)).any() or int(mask.sum()) != pixels:
        raise cursor.fault(f"a mask of {pixels} ones among zeros", f"sum {mask.sum()}", start)
    alpha = cursor.matrix("alpha", ("<f8",), (len(triangles), 3))
    beta = cursor.matrix("beta", ("<f8",), (len(triangles), 3))
    return ValidatorView(
        orientation=orientation,
        mean_image=mean,
        std_image=deviation,
        layers=layers,
        min_x=min_x,
        min_y=min_y,
        destination=destination,
        triangles=triangles,
        triangle_ids=triangle_ids,
        mask=mask,
        alpha=alpha,
        beta=beta,
    )
