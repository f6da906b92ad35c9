"""With the open models: measured motion follows the true one, and a mirror swaps left and right."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import map_coordinates

from helpers_open import default_camera, frame_of, indices, mesh_network, short_range
from mien.analysis.demonstration import FRAMES, SHOWN_FRAME, SIZE, Demonstration, describe
from mien.data import PORTRAIT
from mien.landmarks.face_region import region_from_box
from mien.options import AnalysisOptions
from mien.packs.open import build
from mien.pipeline import Pipeline
from mien.video.file import VideoFile
from mien.video.known_motion import portrait_motion, render


@dataclasses.dataclass
class Run:
    show: Demonstration
    faces: list
    series: object
    camera: object

    @property
    def points(self):
        return np.stack([face.landmarks.points for face in self.faces])

    def angles(self):
        return np.degrees([face.pose.rotation_rad for face in self.faces])


def analyse(frames):
    stages = build(AnalysisOptions(), default_camera)
    pipeline = Pipeline(stages)
    return list(pipeline.run(frames)), pipeline.finish(), stages.camera_for(*SIZE)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "mirrored"])
def run(request, tmp_path_factory):
    show = Demonstration(tmp_path_factory.mktemp("demo"), mirror=request.param)
    show.make()
    with VideoFile(show.video) as video:
        faces, series, camera = analyse(video)
    return Run(show, faces, series, camera)


def test_every_frame_has_a_face(run):
    assert len(run.faces) == FRAMES
    assert all(face.landmarks.success for face in run.faces)
    assert min(face.landmarks.confidence for face in run.faces) > 0.99


def test_landmarks_follow_roll_zoom_and_shift(run):
    followed = run.show.follow(run.points)
    assert np.abs(followed.roll_error_deg).mean() < 0.4
    assert np.abs(followed.roll_error_deg).max() < 1.2
    assert np.abs(followed.scale_error_percent).mean() < 0.8
    assert np.abs(followed.scale_error_percent).max() < 3
    assert followed.shift_error_px.mean() < 0.4
    assert followed.shift_error_px.max() < 1
    assert len(describe(followed)) == 3


def test_head_roll_and_distance_follow_the_truth(run):
    truth = json.loads(run.show.truth.read_text())
    roll = run.angles()[:, 2] - np.array(truth["roll_deg"])
    assert np.abs(roll - roll.mean()).mean() < 1
    distance = np.array([face.pose.translation_mm[2] for face in run.faces]) * truth["scale"]
    assert np.abs(distance / distance.mean() - 1).mean() < 0.04


def test_a_still_face_shows_no_action(run):
    for name in ("AU12_cm", "AU25_cm", "AU45_cm"):
        assert np.abs(run.series.measures[name]).mean() < 0.12, name


def test_the_picture_is_drawn(run):
    run.show.draw(run.faces[SHOWN_FRAME], run.camera)
    with Image.open(run.show.picture) as picture:
        assert picture.height == 2 * SIZE[1]
        assert picture.width > 2 * SIZE[0]  # the numbers stand beside the enlarged frame


def crooked_portrait():
    """The portrait with the subject's left mouth corner pulled up by 7 px."""
    rgb = np.asarray(Image.open(PORTRAIT).convert("RGB"))
    frame = frame_of(rgb)
    faces = short_range().detect(frame.bgr)
    mesh = mesh_network().read(frame.bgr, region_from_box(faces.boxes[0], faces.keypoints[0, :2]))
    x0, y0 = mesh.points[indices().ibug68[54], :2]
    y, x = np.mgrid[: rgb.shape[0], : rgb.shape[1]].astype(float)
    pull = 7 * np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * 9**2))
    channels = [map_coordinates(rgb[:, :, c], [y + pull, x], order=1, mode="nearest") for c in range(3)]
    return Image.fromarray(np.stack(channels, axis=2))


def test_left_and_right_measures_swap_in_the_mirrored_video():
    frames = list(render(crooked_portrait(), portrait_motion(64), SIZE))
    plain = analyse(frame_of(rgb, i) for i, rgb in enumerate(frames))[1].measures
    mirrored = analyse(frame_of(rgb[:, ::-1], i) for i, rgb in enumerate(frames))[1].measures
    assert plain["mouth_corner_asymmetry"].mean() < -0.05
    assert mirrored["mouth_corner_asymmetry"].mean() > 0.05
    swap = {"right": "left", "left": "right"}
    for name in plain:
        words = name.split("_")
        if set(words) & set(swap) and not name.endswith("change"):
            other = mirrored["_".join(swap.get(word, word) for word in words)]
            # the network itself is not mirror-symmetric: up to 6.5 % on this distorted face
            assert other.mean() == pytest.approx(plain[name].mean(), rel=0.09), name
