"""The fit without the original's grids: exact kernel positions, exact warps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import helpers_kernels as kernels
import mien
from helpers_kernels import kernel_table
from mien.datatypes import FaceBoxes, Frame
from mien.detection.mtcnn import MtcnnDetector
from mien.errors import OptionError
from mien.landmarks import area_kernels
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.options import FitOptions, part_options
from mien.landmarks.tracker import FaceTracker, TrackerState
from mien.models.readers import read_landmark_model, read_mtcnn
from mien.shape.model import ShapeParameters
from mien.video.file import VideoFile
from mien.video.source import frame_of
from synthetic_face import Pose, picture
from synthetic_models import MODEL
from synthetic_video import write_video

START_PX = 0.01
AGREED_PX = 1e-3
ANGLES = (0.0, 1.5, 3.0, 4.5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), window=st.sampled_from([3, 5, 9]))
def test_the_mean_shift_kernel_stands_exactly_at_the_landmark(seed, window):
    rng = np.random.default_rng(seed)
    responses = rng.random((4, window, window)).astype(np.float32) + 0.01
    positions = rng.uniform(-1, window + 1, (2, 4)).astype(np.float32)
    sigma = 1.7
    shifts = kernels.mean_shifts(
        responses, positions, np.ones(4), kernel_table(window, sigma), exact_sigma=sigma
    )
    grid = np.arange(window)
    for i in range(4):
        x, y = np.clip(positions[:, i], 0, np.float32(window) - np.float32(0.1))
        weights = responses[i] * np.exp(-((grid[:, None] - y) ** 2 + (grid - x) ** 2) / (2 * sigma**2))
        expected = ((weights * grid).sum() / weights.sum() - x, (weights.T * grid).sum() / weights.sum() - y)
        np.testing.assert_allclose(shifts[:, i], expected, atol=2e-5)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    x=st.floats(-20, 60),
    y=st.floats(-20, 60),
    a=st.floats(-3, 3),
    b=st.floats(-3, 3),
)
def test_the_exact_warp_is_bilinear_interpolation_with_zeros_outside(seed, x, y, a, b):
    gray = np.random.default_rng(seed).integers(0, 256, (40, 44), dtype=np.uint8)
    side = 13
    out = np.full(side * side, np.nan, np.float32)
    area_kernels.exact_area_of_interest(gray, x, y, a, b, side, out)
    padded = np.zeros((400, 400))
    padded[180:220, 180:224] = gray
    v, u = np.mgrid[:side, :side] - (side - 1) / 2
    px, py = x + a * u - b * v, y + b * u + a * v
    ix, iy = np.floor(px).astype(int), np.floor(py).astype(int)
    fx, fy = px - ix, py - iy
    at = lambda dy, dx: padded[iy + dy + 180, ix + dx + 180]  # noqa: E731
    expected = (1 - fy) * ((1 - fx) * at(0, 0) + fx * at(0, 1)) + fy * ((1 - fx) * at(1, 0) + fx * at(1, 1))
    np.testing.assert_allclose(out.reshape(side, side), expected, atol=1e-3)


def test_exactness_reaches_the_parts_and_nothing_else_does():
    assert part_options("inner", exact=True).exact
    assert part_options("inner", exact=False) == part_options("inner", exact=False)
    assert not part_options("an unknown part", exact=False).adapt_to_scale


def test_redetection_every_zero_frames_is_refused():
    with pytest.raises(OptionError, match="redetect_every"):
        FitOptions(redetect_every=0)


def _drawn(index: int) -> np.ndarray:
    """A face that moves and turns a little, with noise of its own in every frame."""
    rotation = (0.02 * np.sin(index), 0.1 * np.sin(0.3 * index), 0.05 * np.sin(0.2 * index))
    pose = Pose(1.1, rotation, 320 + 3 * np.sin(0.4 * index), 240 + 2 * np.cos(0.3 * index))
    return picture(pose, noise=3.0, seed=index)


@pytest.fixture(scope="module")
def drawn_frames() -> list[Frame]:
    return [frame_of(_drawn(index), index, index / 30) for index in range(14)]


def _nothing(bgr: np.ndarray) -> FaceBoxes:
    return FaceBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


def _beside(state: TrackerState, angle: float) -> TrackerState:
    params = state.detection.params
    glob = params.global_params.copy()
    glob[4:6] += START_PX * np.cos(angle), START_PX * np.sin(angle)
    detection = dataclasses.replace(state.detection, params=ShapeParameters(glob, params.local_params))
    return dataclasses.replace(state, detection=detection)


def _largest_distances(record, exact: bool, frames: list[Frame], box) -> np.ndarray:
    """(starts, frames): how far any landmark is from where it is without the shift, px."""
    tracker = FaceTracker(LandmarkDetector(record, FitOptions(exact=exact), None), _nothing)
    params = tracker.detector.pdm.from_box(np.array(box, np.float32))
    start = dataclasses.replace(tracker.state.detection, params=params)
    tracker.state = TrackerState(start, tracking=True)
    tracker.follow(frames[0])
    for frame in frames[1:4]:
        tracker.follow(frame)
    start = tracker.state
    undisturbed = [tracker.follow(frame).points.copy() for frame in frames[4:]]
    rows = []
    for angle in ANGLES:
        tracker.state = _beside(start, angle)
        others = [tracker.follow(frame).points for frame in frames[4:]]
        rows.append([np.abs(a - b).max() for a, b in zip(others, undisturbed, strict=True)])
    return np.array(rows)


@pytest.mark.parametrize("name", ["main_clnf_general.txt", "main_ceclm_general.txt"])
def test_runs_that_start_a_hundredth_of_a_pixel_apart_meet_without_grids_only(
    synthetic_openface, drawn_frames, name
):
    record = read_landmark_model(synthetic_openface / MODEL / name)
    box = (235, 160, 170, 165)
    exact = _largest_distances(record, True, drawn_frames, box)
    assert exact[:, -1].max() < AGREED_PX
    assert _largest_distances(record, False, drawn_frames, box)[:, -1].max() > AGREED_PX


@pytest.mark.models
def test_runs_over_a_real_face_meet_without_grids(openface_dir, media_dir):
    record = read_landmark_model(openface_dir / "LandmarkDetector/model/main_clnf_general.txt")
    with VideoFile(media_dir / "default.wmv") as video:
        frames = [frame for frame, _ in zip(video, range(24), strict=False)]
    detector = read_mtcnn(openface_dir / "LandmarkDetector/model/mtcnn_detector/MTCNN_detector.txt")
    box = MtcnnDetector(detector).detect(frames[0].bgr).boxes[0]
    assert _largest_distances(record, True, frames, box)[:, -1].max() < AGREED_PX


@pytest.mark.parametrize("how", ["one face", "many faces", "pictures"])
def test_the_option_reaches_every_way_of_fitting(monkeypatch, synthetic_openface, tmp_path, how):
    monkeypatch.setenv("MIEN_MODELS", str(synthetic_openface))
    source = tmp_path / ("face.png" if how == "pictures" else "face.mkv")
    if how == "pictures":
        Image.fromarray(_drawn(0)[..., ::-1]).save(source)
    else:
        write_video(source, [_drawn(0)] * 3)
    options = {"models": "openface", "landmarks": "clnf"}
    if how == "many faces":
        options["faces"] = "many"
    results = [mien.analyze(source, fit=fit, **options) for fit in ("openface", "exact")]
    apart = np.abs(results[0].landmarks - results[1].landmarks)
    assert 0 < apart.max() < 1
