"""Results of long recordings made in a moment: smooth courses, lost stretches, several faces."""

from __future__ import annotations

import numpy as np

from mien.results import RecordedSource, VideoResult
from mien.results import columns as names


def recording(
    rows=300, *, fps=30.0, seed=0, lost=((100, 130),), faces=1, points=True, name="clip.mp4", **changes
):
    """A `VideoResult`; rows ``lost`` (from, to) have no success. Further arguments replace its fields."""
    rng = np.random.default_rng(seed)
    total = rows * faces
    frame = np.repeat(np.arange(rows), faces)
    face_id = np.tile(np.arange(faces), rows).astype(np.int32)
    time_s = frame / fps
    success = np.ones(total, bool)
    for begin, end in lost:
        success[(frame >= begin) & (frame < end)] = False
    phase = rng.uniform(0, 6, 17)
    waves = 1.2 + 1.2 * np.sin(time_s[:, None] / rng.uniform(0.3, 3, 17) + phase + face_id[:, None])
    intensity = np.clip(waves + rng.normal(0, 0.15, (total, 17)), 0, 5)
    presence = np.zeros((total, 18))
    presence[:, :17] = intensity > 1.2
    angles = np.stack([np.sin(time_s / 3), np.sin(time_s / 5), np.sin(time_s / 7)], axis=1) * 0.4
    values = {
        "frame": frame.astype(np.int64),
        "face_id": face_id,
        "time_s": time_s,
        "confidence": np.where(success, 0.95, 0.1) + rng.uniform(0, 0.03, total),
        "success": success,
        "valid": success,
        "landmarks": _points(frame, face_id) if points else _nothing(total, (68, 2)),
        "landmarks_3d": _nothing(total, (68, 3)),
        "pose_translation_mm": np.stack(
            [10 * angles[:, 0], 10 * angles[:, 1], 500 + 20 * angles[:, 2]], axis=1
        ),
        "pose_rotation_rad": angles,
        "global_params": _nothing(total, (6,)),
        "local_params": _nothing(total, (34,)),
        "gaze_angle_rad": angles[:, :2] * 0.5 + rng.normal(0, 0.02, (total, 2)),
        "au_intensity": intensity,
        "au_presence": presence,
        "au_intensity_names": names.INTENSITY_UNITS,
        "au_presence_names": names.PRESENCE_UNITS,
        "au_post_processed": True,
        "source": RecordedSource(name, None, 640, 480, fps),
    }
    return VideoResult(**(values | changes))


def _nothing(rows, shape):
    return np.broadcast_to(np.float32(np.nan), (rows, *shape))


def _points(frame, face_id):
    """Landmarks of a face that moves to the right by a pixel each frame."""
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    face = np.stack([60 * np.cos(turn), 80 * np.sin(turn)], axis=1) + np.array([200, 240])
    move = np.stack([frame % 100 + 200.0 * face_id, np.zeros(len(frame))], axis=1)
    return (face + move[:, None]).astype(np.float32)
