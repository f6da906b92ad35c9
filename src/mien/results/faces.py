"""Back from arrays to single faces, for what works frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import ActionUnits, FaceLandmarks, FaceResult, Gaze, HeadPose
from mien.results import columns
from mien.results.video_result import VideoResult


def faces_of(result: VideoResult) -> Iterator[FaceResult]:
    """The rows of a result one by one, as the pipeline delivered them, with the result's action units.

    Parameters
    ----------
    result
        For example a whole video, with post-processed action units.

    Yields
    ------
    FaceResult
        In the order of rows. What a result does not keep is missing: ``landmarks.eyes`` is empty and
        ``landmarks.object_shape`` zeros.
    """
    intensity = _order(result.au_intensity_names, columns.INTENSITY_UNITS)
    presence = _order(result.au_presence_names, columns.PRESENCE_UNITS)
    no_shape = np.zeros((columns.LANDMARKS, 3), np.float32)
    for row in range(len(result)):
        yield FaceResult(
            frame=int(result.frame[row]),
            time_s=float(result.time_s[row]),
            face_id=int(result.face_id[row]),
            landmarks=FaceLandmarks(
                points=result.landmarks[row],
                object_shape=no_shape,
                global_params=result.global_params[row],
                local_params=result.local_params[row],
                eyes=(),
                confidence=float(result.confidence[row]),
                success=bool(result.success[row]),
                valid=bool(result.valid[row]),
                mesh=None if result.mesh is None else result.mesh[row],
            ),
            landmarks_3d=result.landmarks_3d[row],
            pose=HeadPose(result.pose_translation_mm[row], result.pose_rotation_rad[row]),
            gaze=_gaze(result, row),
            action_units=_action_units(result, row, intensity, presence),
        )


def _gaze(result: VideoResult, row: int) -> Gaze | None:
    arrays = (result.gaze_directions, result.gaze_angle_rad, result.eye_landmarks, result.eye_landmarks_3d)
    values: list[Any] = [None if array is None else array[row] for array in arrays]
    return None if any(value is None for value in values) else Gaze(*values)


def _action_units(
    result: VideoResult, row: int, intensity: NDArray[np.int64], presence: NDArray[np.int64]
) -> ActionUnits | None:
    if result.au_intensity is None or result.au_presence is None:
        return None
    # the last place, for units that the result lacks, is NaN
    return ActionUnits(
        np.append(result.au_intensity[row], np.nan)[intensity],
        np.append(result.au_presence[row], np.nan)[presence],
        {name: float(values[row]) for name, values in result.measures.items()},
    )


def _order(found: tuple[str, ...], wanted: tuple[str, ...]) -> NDArray[np.int64]:
    """Where each of the wanted names is among the found ones; -1 if it is not."""
    return np.array([found.index(name) if name in found else -1 for name in wanted], np.int64)
