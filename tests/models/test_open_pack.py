"""The open pack is complete, unaltered, and builds stages that work."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers_open import GOLDEN, default_camera, frame_of, read_golden, read_rgb
from mien.errors import ModelsMissingError, OptionError
from mien.models import open as pack
from mien.options import AnalysisOptions
from mien.packs.open import DETECTORS, LANDMARK_MODELS, build

ROOT = Path(__file__).resolve().parents[2]


SUMS = dict(line.split()[::-1] for line in (pack.FOLDER / "SHA256SUMS").read_text().splitlines())
LICENCES = {"LICENSE-mediapipe", "LICENSE-facenet-pytorch", "NOTICE"}


@pytest.mark.parametrize("name", SUMS)
def test_every_file_is_the_one_that_was_measured(name):
    assert hashlib.sha256((pack.FOLDER / name).read_bytes()).hexdigest() == SUMS[name]


def test_nothing_lies_in_the_folder_without_a_sum():
    found = {path.name for path in pack.FOLDER.iterdir() if path.suffix not in (".py", ".pyc")}
    assert found - {"__pycache__", "SHA256SUMS"} == {*SUMS, *LICENCES}
    named = {value.name for value in vars(pack).values() if isinstance(value, Path)} - {pack.FOLDER.name}
    assert named == set(SUMS)


def test_licences_travel_with_the_files_and_the_pack_stays_small():
    for name in LICENCES:
        assert (pack.FOLDER / name).stat().st_size > 1000
    assert sum((pack.FOLDER / name).stat().st_size for name in SUMS) < 9e6


@pytest.fixture(scope="module")
def portrait():
    return frame_of(read_rgb(GOLDEN / "astronaut.png"))


@pytest.mark.parametrize("detector", DETECTORS)
def test_stages_measure_a_portrait_with_either_detector(portrait, detector):
    golden = read_golden(GOLDEN / "astronaut.npz")
    stages = build(AnalysisOptions(), default_camera, detector=detector)
    (face,) = stages.tracker.track(portrait)
    landmarks, camera = face.landmarks, stages.camera_for(512, 512)
    assert landmarks.success
    errors = np.linalg.norm(landmarks.points - golden["landmarks68"], axis=1)
    assert errors.mean() < (0.01 if detector == "blazeface" else 1.5)
    pose, landmarks_3d = stages.pose.estimate(landmarks, camera)
    np.testing.assert_allclose(np.degrees(pose.rotation_rad), np.degrees(golden["feat_pose_R"]), atol=3)
    assert np.isfinite(landmarks_3d).all()
    assert np.isfinite(stages.gaze.estimate(landmarks, landmarks_3d, pose, camera).angle_rad).all()
    assert np.isnan(stages.action_units.analyze(face, None).presence).all()
    assert stages.pack == "open"
    assert all(path.is_file() for path in stages.model_files)


def test_the_plain_mesh_has_landmarks_but_no_gaze(portrait):
    stages = build(AnalysisOptions(landmarks="mesh-plain"), default_camera)
    (face,) = stages.tracker.track(portrait)
    landmarks, camera = face.landmarks, stages.camera_for(512, 512)
    pose, landmarks_3d = stages.pose.estimate(landmarks, camera)
    assert landmarks.success
    assert np.isfinite(landmarks_3d).all()
    assert np.isnan(stages.gaze.estimate(landmarks, landmarks_3d, pose, camera).angle_rad).all()
    assert np.isfinite(stages.action_units.analyze(face, None).measures["mouth_width_cm"])


def test_unknown_choices_name_the_known_ones():
    with pytest.raises(OptionError, match=r"landmarks.*mesh and mesh-plain.*'clnf'"):
        build(AnalysisOptions(landmarks="clnf"), default_camera)
    with pytest.raises(OptionError, match=r"detector.*blazeface and mtcnn"):
        build(AnalysisOptions(), default_camera, detector="haar")


def test_a_damaged_installation_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(pack, "INDICES", tmp_path / "indices.json")
    with pytest.raises(ModelsMissingError, match=r"indices\.json.*install mien again"):
        build(AnalysisOptions(), default_camera)


def test_default_landmark_model_is_the_one_with_irises():
    assert next(iter(LANDMARK_MODELS.values())) is pack.ATTENTION_MESH


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("MIEN_TEST_NETWORK"), reason="downloads 48 MB; set MIEN_TEST_NETWORK=1"
)
def test_rebuilt_files_equal_the_shipped_ones(tmp_path):
    pytest.importorskip("tflite", reason="pip install tflite==2.18.0")
    tool = ROOT / "tools" / "rebuild_open_models.py"
    done = subprocess.run([sys.executable, tool, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
