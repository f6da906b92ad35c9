"""Reads CEN patch experts (docs/algorithms/model-files.md#cen-patch-experts)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.models.readers.binary import ByteCursor
from mien.models.readers.fault import refusing
from mien.models.readers.views import LARGEST_SUPPORT, read_views
from mien.models.records import CenRecord, DenseLayer

_MOST_LAYERS = 64
_FLOATS = ("<f4", "<f8")


@refusing
def read_cen(path: Path | str) -> CenRecord:
    """Read the CEN patch experts of one scale, with layers of any width.

    The file is mapped into memory: weights stored as float32 stay in it until they are used.

    Parameters
    ----------
    path
        The binary file.

    Returns
    -------
    CenRecord
        View centres in radians; no layers where an expert is not stored.

    Raises
    ------
    ModelFileError
        The file is truncated, has something after its end, or is no CEN file.
    """
    cursor = ByteCursor.open(path, mapped=True)
    views = read_views(cursor)
    count, landmarks = views.visibility.shape
    mirror_landmark = _read_mirror(cursor, "mirrored landmarks", landmarks)
    mirror_view = _read_mirror(cursor, "mirrored views", count)
    experts: list[list[tuple[DenseLayer, ...]]] = []
    confidences = np.zeros((count, landmarks))
    for view in range(count):
        experts.append([])
        for landmark in range(landmarks):
            experts[view].append(_read_expert(cursor))
            confidences[view, landmark] = cursor.f64("confidence of a patch expert")
    cursor.finish()
    return CenRecord(
        scale=views.scale,
        view_centers=views.centers,
        visibility=views.visibility,
        mirror_landmark=mirror_landmark,
        mirror_view=mirror_view,
        experts=tuple(map(tuple, experts)),
        confidences=confidences,
        source=Path(path),
    )


def _read_mirror(cursor: ByteCursor, what: str, count: int) -> NDArray[np.int32]:
    start = cursor.offset
    mirror = cursor.vector(what, ("<i4",), count)
    if ((mirror < 0) | (mirror >= count)).any():
        raise cursor.fault(f"{what} of 0 to {count - 1}", f"{mirror.min()} to {mirror.max()}", start)
    return mirror.astype(np.int32)


def _read_expert(cursor: ByteCursor) -> tuple[DenseLayer, ...]:
    """Read the layers of one landmark; each must take what the one before gives."""
    start = cursor.offset
    tag, width, height, depth = cursor.array("<i4", 4, "header of a patch expert").tolist()
    if tag != 6 or not 0 <= depth <= _MOST_LAYERS:
        found = f"tag {tag}, support {width}×{height}, {depth} layers"
        raise cursor.fault(f"a CEN patch expert (tag 6, at most {_MOST_LAYERS} layers)", found, start)
    if depth and not (0 < width <= LARGEST_SUPPORT and 0 < height <= LARGEST_SUPPORT):
        raise cursor.fault(f"a support of 1 to {LARGEST_SUPPORT} pixels", f"{width}×{height}", start + 4)
    layers = []
    inputs = 1 + width * height
    for number in range(depth):
        activation = cursor.i32("activation")
        bias = cursor.vector(f"bias of layer {number}", _FLOATS).astype(np.float32)
        outputs = 1 if number == depth - 1 else bias.size
        weight = cursor.matrix(f"weights of layer {number}", _FLOATS, (outputs, inputs), finite=False)
        layers.append(DenseLayer(weight.astype(np.float32, copy=False), bias, activation))
        if bias.size != outputs:
            raise cursor.fault("one output of the last layer", bias.size)
        inputs = outputs
    return tuple(layers)
