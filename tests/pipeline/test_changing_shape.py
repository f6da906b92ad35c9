"""A video whose pictures change their shape: faces and camera start anew, the people stay the same."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from PIL import Image

import mien
from helpers_open import GOLDEN, read_rgb
from mien.datatypes import Camera, Frame, HeadPose
from mien.geometry.pinhole import default_camera
from mien.pipeline import Pipeline
from simple_stages import CAMERA, CountingTracker, SummingAnalyzer, stages

SIZES = [(64, 48)] * 3 + [(48, 64)] * 2 + [(64, 48)]


def frames():
    for index, (width, height) in enumerate(SIZES):
        gray = np.full((height, width), index, np.uint8)
        yield Frame(index, index / 25, np.repeat(gray[..., None], 3, axis=2), gray)


class CameraAsPose:
    """A pose that says with which camera it was made."""

    def estimate(self, landmarks, camera):
        place = HeadPose(np.array([camera.fx, camera.cx, camera.cy]), np.zeros(3))
        return place, np.zeros((68, 3), np.float32)


def cameras(camera_for):
    ready = stages(pose=CameraAsPose(), camera_for=camera_for)
    return [
        Camera(p[0], p[0], *p[1:]) for p in (r.pose.translation_mm for r in Pipeline(ready).run(frames()))
    ]


@pytest.mark.parametrize("threads", [1, 3])
def test_the_tracker_loses_its_faces_where_the_shape_changes_and_nowhere_else(threads):
    tracker, analyzer = CountingTracker(), SummingAnalyzer()
    pipeline = Pipeline(stages(tracker, analyzer), threads=threads)
    results = list(pipeline.run(frames()))
    assert tracker.losses == 2
    assert [result.frame for result in results] == list(range(len(SIZES)))
    assert len(pipeline.finish().intensity) == len(SIZES)


def test_another_run_may_begin_with_another_shape():
    tracker = CountingTracker()
    pipeline = Pipeline(stages(tracker))
    for frame in frames():
        list(pipeline.run([frame]))
    assert tracker.losses == 0


def test_every_frame_gets_the_usual_camera_of_its_size():
    assert cameras(default_camera) == [default_camera(*size) for size in SIZES]


def test_given_intrinsics_stay_as_they_are():
    given = {"fx": CAMERA.fx, "fy": CAMERA.fy, "cx": CAMERA.cx, "cy": CAMERA.cy}
    assert cameras(partial(default_camera, **given)) == [CAMERA] * len(SIZES)
    focal = {"fx": 400.0, "fy": 400.0}
    assert cameras(partial(default_camera, **focal)) == [Camera(400, 400, w / 2, h / 2) for w, h in SIZES]


@pytest.mark.parametrize("faces", ["one", "many"])
def test_pictures_of_two_shapes_are_measured_as_each_shape_alone(tmp_path, faces):
    portrait = read_rgb(GOLDEN / "astronaut.png")
    wide = np.pad(portrait, ((0, 0), (150, 50), (0, 0)), mode="edge")
    for folder, pictures in (
        ("both", [portrait] * 2 + [wide] * 2),
        ("one", [portrait] * 2),
        ("two", [wide] * 2),
    ):
        (tmp_path / folder).mkdir()
        for index, rgb in enumerate(pictures):
            Image.fromarray(rgb).save(tmp_path / folder / f"{index}.png")
    options = {"models": "open", "sequence": True, "faces": faces}
    both, *parts = (mien.analyze(tmp_path / name, **options) for name in ("both", "one", "two"))
    assert both.frame.tolist() == [0, 1, 2, 3]
    assert set(both.face_id) == {0}
    assert both.success.all()
    for name in ("landmarks", "landmarks_3d", "pose_translation_mm", "gaze_angle_rad"):
        expected = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(getattr(both, name), expected, err_msg=name)
