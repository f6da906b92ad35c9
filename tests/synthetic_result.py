"""Results full of seeded noise, without any model."""

from __future__ import annotations

import numpy as np

from mien.datatypes import (
    BLENDSHAPE_NAMES,
    ActionUnits,
    Blendshapes,
    FaceLandmarks,
    FaceResult,
    Gaze,
    HeadPose,
)
from mien.results import ResultBuilder, VideoResult


def make_face(
    frame=0, *, face_id=0, seed=0, success=True, gaze=True, units=True, mesh=False, shapes=False, measures=()
):
    """One row whose numbers depend on the frame and the seed only."""
    rng = np.random.default_rng((seed, frame, face_id))
    single = np.float32
    landmarks = FaceLandmarks(
        points=rng.uniform(0, 640, (68, 2)).astype(single),
        object_shape=np.zeros((68, 3), single),
        global_params=rng.normal(0, 1, 6).astype(single),
        local_params=rng.normal(0, 10, 34).astype(single),
        eyes=(),
        confidence=float(rng.uniform(0, 1)),
        success=success,
        valid=success,
        mesh=rng.uniform(0, 640, (478, 3)).astype(single) if mesh else None,
    )
    eyes = Gaze(
        directions=rng.normal(0, 1, (2, 3)),
        angle_rad=rng.normal(0, 0.3, 2),
        eye_points=rng.uniform(0, 640, (56, 2)).astype(single),
        eye_points_3d=rng.normal(0, 300, (56, 3)).astype(single),
    )
    action_units = ActionUnits(
        intensity=rng.uniform(0, 5, 17),
        presence=rng.integers(0, 2, 18).astype(float),
        measures={name: float(rng.normal()) for name in measures},
        blendshapes=make_shapes(rng) if shapes else None,
    )
    return FaceResult(
        frame=frame,
        time_s=frame / 30,
        face_id=face_id,
        landmarks=landmarks,
        landmarks_3d=rng.normal(0, 300, (68, 3)).astype(single),
        pose=HeadPose(rng.normal(0, 300, 3), rng.normal(0, 0.3, 3)),
        gaze=eyes if gaze else None,
        action_units=action_units if units else None,
    )


def make_shapes(rng):
    logits = rng.normal(-4, 4, len(BLENDSHAPE_NAMES)).astype(np.float32)
    return Blendshapes(1 / (1 + np.exp(-logits)), logits)


def make_result(rows=5, **options) -> VideoResult:
    builder = ResultBuilder(provenance={"mien": "test"})
    for frame in range(rows):
        builder.append(make_face(frame, **options))
    return builder.finish()
