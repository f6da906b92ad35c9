"""Columns of a table of both sides joined to a recording's result, frame by frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mien.report.courses import LEFT, RIGHT
from mien.results.video_result import VideoResult


def with_sides(result: VideoResult, sides: VideoResult) -> VideoResult:
    """A result with the left and right columns of another, in the rows of the same face and frame.

    Parameters
    ----------
    result
        The recording.
    sides
        What `mien sides` measured in it; where faces are not numbered it is of face 0.
    """
    place = {
        key: row for row, key in enumerate(zip(sides.frame.tolist(), sides.face_id.tolist(), strict=True))
    }
    keys = zip(result.frame.tolist(), result.face_id.tolist(), strict=True)
    rows = np.array([place.get(key, -1) for key in keys], np.int64)
    joined = {
        name: np.where(rows < 0, np.nan, values[rows])
        for name, values in sides.measures.items()
        if name.endswith((LEFT, RIGHT)) and len(values)
    }
    return replace(result, measures={**result.measures, **joined})
