"""With the open models: motion and expression follow the truth, and a mirror swaps left and right."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import map_coordinates

from helpers_open import default_camera, frame_of, indices, mesh_network, short_range
from mien.action_units.catalogue import INTENSITY_NAMES
from mien.action_units.mesh_formulas import SIDED_UNITS
from mien.analysis.demonstration import FRAMES, SHOWN_FRAME, SIZE, Demonstration, describe, describe_actions
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

    @property
    def actions(self):
        return self.show.follow_actions(SimpleNamespace(measures=self.series.measures))

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
    assert np.abs(followed.roll_error_deg).max() < 2.2
    assert np.abs(followed.scale_error_percent).mean() < 0.8
    assert np.abs(followed.scale_error_percent).max() < 3
    # the face is 98 px between the outer corners of the eyes
    assert followed.shift_error_px.mean() < 0.6
    assert followed.shift_error_px.max() < 2
    assert len(describe(followed)) == 3


def test_head_roll_and_distance_follow_the_truth(run):
    truth = json.loads(run.show.truth.read_text())
    roll = run.angles()[:, 2] - np.array(truth["roll_deg"])
    assert np.abs(roll - roll.mean()).mean() < 1
    distance = np.array([face.pose.translation_mm[2] for face in run.faces]) * truth["scale"]
    assert np.abs(distance / distance.mean() - 1).mean() < 0.04


def test_smiles_and_winks_of_either_side_are_followed(run):
    for action in ("smile", "wink"):
        for side in ("right", "left"):
            followed = run.actions[f"{action}, {side}"]
            assert followed.correlation >= 0.95, (action, side)
            assert np.abs(followed.onsets).max() <= 2, (action, side)


def test_raised_brows_are_followed(run):
    for side in ("right", "left"):
        followed = run.actions[f"brow, {side}"]
        assert followed.correlation > 0.85
        assert np.abs(followed.onsets).max() <= 2
    assert len(describe_actions(run.actions)) == 6


def test_a_relaxed_face_shows_less_than_an_acting_one(run):
    truth = json.loads(run.show.truth.read_text())
    for name, action in (("AU12", "smile"), ("AU45", "wink"), ("AU25", "smile"), ("AU02", "brow")):
        amounts = np.max([truth[f"{action}_{side}"] for side in ("right", "left")], axis=0)
        intensity = run.series.intensity[:, INTENSITY_NAMES.index(name)]
        at_rest = np.median(intensity[amounts == 0])
        assert at_rest < 0.5, name
        assert np.median(intensity[amounts > 0.95]) > 2 * at_rest + 0.3, name


def test_the_picture_is_drawn(run):
    run.show.draw(run.faces[SHOWN_FRAME], run.camera, "a note")
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
        if words[0] in SIDED_UNITS:
            continue
        if set(words) & set(swap) and not name.endswith("change"):
            other = mirrored["_".join(swap.get(word, word) for word in words)]
            # the network itself is not mirror-symmetric: up to 6.5 % on this distorted face
            assert other.mean() == pytest.approx(plain[name].mean(), rel=0.09), name
