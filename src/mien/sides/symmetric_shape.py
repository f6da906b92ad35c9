"""A shape model whose every face is symmetric, made from one whose faces are not (docs/sides-methods.md)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.models.records import PdmRecord
from mien.shape.mirror import MIRRORED

_KEPT_VARIANCE = 0.999
_FLIP = np.array([-1.0, 1.0, 1.0])


def reflect(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mirror landmarks (..., 68, 3) across the plane x = 0, each under the number of its counterpart."""
    return np.asarray(points[..., MIRRORED, :] * _FLIP, np.float64)


def symmetric_model(record: PdmRecord) -> PdmRecord:
    """Symmetric part of a shape model.

    Mean shape and modes are turned so that the plane of symmetry is x = 0; the mean becomes the average of
    itself and its mirror image. The variance is that of the model and of its mirror image together, of which
    the part that keeps the face symmetric remains.

    Parameters
    ----------
    record
        Model of 68 landmarks.

    Returns
    -------
    PdmRecord
        In it, ``reflect`` leaves the mean and every mode as it is.
    """
    mean = record.mean.astype(np.float64)
    frame, shift = plane_of_symmetry(mean)
    mean = (mean - shift) @ frame
    mean = (mean + reflect(mean)) / 2
    modes = np.einsum("nam,ab->mnb", record.basis.astype(np.float64), frame)
    modes = (modes + reflect(modes)) / 2
    spread = modes.reshape(len(modes), -1) * np.sqrt(record.eigenvalues.reshape(-1, 1).astype(np.float64))
    _, sizes, axes = np.linalg.svd(spread, full_matrices=False)
    share = np.cumsum(sizes**2) / (sizes**2).sum()
    count = int(np.searchsorted(share, _KEPT_VARIANCE)) + 1
    basis = axes[:count].reshape(count, len(mean), 3).transpose(1, 2, 0)
    return PdmRecord(
        np.ascontiguousarray(mean, np.float32),
        np.ascontiguousarray(basis, np.float32),
        np.ascontiguousarray(sizes[:count] ** 2, np.float32),
    )


def plane_of_symmetry(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the plane across which landmarks are most nearly mirrored onto their counterparts.

    The distances between the reflected and the real landmarks are least, in the sense of squares, for a
    normal that is an eigenvector of a 3 x 3 matrix.

    Parameters
    ----------
    points
        (68, 3) in a frame with x to the image's right.

    Returns
    -------
    frame, shift
        (3, 3) float64, whose columns are the normal and two axes in the plane, near x, y, z; (3,) float64,
        the plane's distance along the normal: ``(points - shift) @ frame`` has the plane at x = 0.
    """
    partner = points[MIRRORED]
    middle, half = (points + partner) / 2, (points - partner) / 2
    centre = middle.mean(axis=0)
    spread = half.T @ half - (middle - centre).T @ (middle - centre)
    normal = np.linalg.eigh(spread)[1][:, -1]
    normal = normal * np.sign(normal[0])
    depth = np.array([0.0, 0.0, 1.0]) - normal[2] * normal
    depth /= np.linalg.norm(depth)
    return np.column_stack((normal, np.cross(depth, normal), depth)), (centre @ normal) * normal
