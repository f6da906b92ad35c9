"""The pinhole camera: default intrinsics."""

from __future__ import annotations

import numpy as np

from mien.datatypes import Camera
from mien.errors import OptionError


def default_camera(
    width: int,
    height: int,
    *,
    fx: float | None = None,
    fy: float | None = None,
    cx: float | None = None,
    cy: float | None = None,
) -> Camera:
    """Camera of a picture whose real camera is unknown (docs/algorithms/head-pose.md#camera).

    Parameters
    ----------
    width, height
        Size of the frames in px.
    fx, fy
        Focal lengths in px where they are known; give both. By default both are the mean of
        500 width / 640 and 500 height / 480, a field of view usual for webcams.
    cx, cy
        Principal point in px where it is known; give both. By default the middle of the frame.

    Returns
    -------
    Camera

    Raises
    ------
    OptionError
        A size or focal length is not positive, or one of a pair is missing.
    """
    if width <= 0 or height <= 0:
        raise OptionError(f"expected a frame of at least 1x1 px, got {width}x{height}")
    for names, pair in ((("fx", "fy"), (fx, fy)), (("cx", "cy"), (cx, cy))):
        if (pair[0] is None) != (pair[1] is None):
            missing = names[0] if pair[0] is None else names[1]
            raise OptionError(f"expected {names[0]} and {names[1]} together, got one; give {missing} as well")
    if fx is None or fy is None:
        fx = fy = (500.0 * width / 640.0 + 500.0 * height / 480.0) / 2.0
    if not (fx > 0 and fy > 0 and np.isfinite((fx, fy)).all()):
        raise OptionError(f"expected positive focal lengths in px, got fx={fx}, fy={fy}")
    if cx is None or cy is None:
        cx, cy = width / 2.0, height / 2.0
    return Camera(fx=float(fx), fy=float(fy), cx=float(cx), cy=float(cy))
