"""All faces of a picture, and the followers that several people are tracked with."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import synthetic_models
from helpers_open import GOLDEN, PACK, canonical_face, frame_of, indices, mesh_network, read_rgb, short_range
from mien.datatypes import FaceBoxes, FaceLandmarks, Frame
from mien.detection.mtcnn import MtcnnDetector
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.follower import LandmarkFollower
from mien.landmarks.images import ImageLandmarker, PictureTracker
from mien.landmarks.mesh_follower import MeshFollower
from mien.landmarks.multi_face import MultiFaceTracker
from mien.landmarks.options import FitOptions
from mien.landmarks.validator import LandmarkValidator
from mien.models.readers import mtcnn_from_npz, read_landmark_model, read_mtcnn
from mien.people.people_tracker import PeopleTracker
from synthetic_faces import COLUMN, HEIGHT, landmarks_of, picture_of, poses

NOTHING = np.full((HEIGHT, 2 * COLUMN, 3), 25, np.uint8)


def frame(bgr: np.ndarray, index: int = 0) -> Frame:
    return Frame(index, index / 30, bgr, np.ascontiguousarray(bgr[..., 1]))


@pytest.fixture(scope="module")
def models(synthetic_openface):
    folder = synthetic_openface / synthetic_models.MODEL
    record = read_landmark_model(folder / "main_clnf_general.txt")
    detector = MtcnnDetector(read_mtcnn(folder / "mtcnn_detector/MTCNN_detector.txt"))
    return record, detector.detect, LandmarkValidator(record.validator).certainty


def landmarker_of(models, options=None):
    record, detect, validate = models
    return ImageLandmarker(LandmarkDetector(record, options or FitOptions(), validate), detect)


def error(face, pose, column):
    return np.linalg.norm(face.points - landmarks_of(pose, column), axis=1).mean()


def test_all_faces_of_a_picture_are_fitted_in_the_detectors_order(models):
    places = poses((0, 0), (4, -2))
    picture = picture_of(places)
    faces = landmarker_of(models).find(frame(picture))
    boxes = models[1](picture).boxes
    assert len(faces) == len(boxes) == 2
    for face, box in zip(faces, boxes, strict=True):
        column = int(box[0] // COLUMN)
        assert error(face, places[column], column) < 2.0
        assert face.success
        assert face.valid
        assert len(face.eyes) == 2


def test_pictures_are_independent(models):
    landmarker = landmarker_of(models)
    picture = frame(picture_of(poses((0, 0))))
    first = landmarker.find(picture)[0].points
    landmarker.find(frame(picture_of(poses((20, 10)))))
    np.testing.assert_array_equal(landmarker.find(picture)[0].points, first)


def test_given_boxes_replace_detection_and_every_one_gets_its_row(models):
    record, _, validate = models

    def never(bgr):
        raise AssertionError("must not be asked")

    places = poses((0, 0), (0, 0))
    truth = landmarks_of(places[0], 0)
    good = np.concatenate([truth.min(axis=0), np.ptp(truth, axis=0)])
    nowhere = good + np.array([COLUMN, 0, 0, 0])
    picture = picture_of([places[0], None])
    boxes = np.array([nowhere, good], np.float32)
    given = dataclasses.replace(frame(picture), boxes=boxes)
    faces = landmarker_of((record, never, validate)).find(given)
    assert [face.valid for face in faces] == [False, True]
    assert error(faces[1], places[0], 0) < 2.0


@pytest.mark.parametrize("widest_only", [False, True])
def test_faces_of_a_picture_are_numbered_or_the_widest_is_kept(widest_only):
    found = [landmarks_of(pose, 0).astype(np.float32) for pose in poses((0, 0), (0, 0), (0, 0))]
    blank = np.full((68, 2), np.nan, np.float32)
    widths = [found[0], 1.5 * found[1], blank, found[2]]
    zeros = [np.zeros(shape, np.float32) for shape in ((68, 3), 6, 34)]
    faces = [FaceLandmarks(points, *zeros, (), 0.9, True, True) for points in widths]
    tracker = PictureTracker(lambda _: faces, widest_only=widest_only)
    seen = tracker.track(frame(NOTHING))
    assert [face.face_id for face in seen] == ([0] if widest_only else [0, 1, 2, 3])
    kept = faces[1:2] if widest_only else faces
    assert all(face.landmarks is wanted for face, wanted in zip(seen, kept, strict=True))
    assert PictureTracker(lambda _: [], widest_only=widest_only).track(frame(NOTHING)) == ()


def test_a_picture_without_faces_has_none(models):
    assert landmarker_of(models).find(frame(NOTHING)) == []


def test_multi_view_tries_eleven_orientations(models):
    fits = []
    for options in (FitOptions(), FitOptions(multi_view=True)):
        landmarker = landmarker_of(models, options)
        model = landmarker._detector.model
        fit, calls = model.fit, []
        model.fit = lambda *args, fit=fit, calls=calls: (calls.append(args), fit(*args))[1]
        landmarker.find(frame(picture_of(poses((0, 0)))))
        fits.append(len(calls))
    assert fits == [1, 11]


def moving(index):
    return poses((10 * np.sin(index / 5), 0), (0, 8 * np.cos(index / 4)))


@pytest.mark.parametrize("kind", ["places", "people"])
def test_two_drawn_faces_are_followed(models, kind):
    record, detect, validate = models
    if kind == "places":
        tracker = MultiFaceTracker(LandmarkDetector(record, FitOptions(), validate), detect)
    else:
        tracker = PeopleTracker(LandmarkFollower(LandmarkDetector(record, FitOptions(), validate)), detect)
    columns = {}
    for index in range(12):
        found = tracker.track(frame(picture_of(moving(index), seed=index), index))
        assert len(found) == 2
        for face in found:
            column = int(face.landmarks.points[:, 0].mean() // COLUMN)
            assert columns.setdefault(face.face_id, column) == column
            assert face.landmarks.success
            assert error(face.landmarks, moving(index)[column], column) < 2.0
    assert sorted(columns) == [0, 1]


def test_somebody_who_was_hidden_keeps_the_number(models):
    record, detect, validate = models
    tracker = PeopleTracker(LandmarkFollower(LandmarkDetector(record, FitOptions(), validate)), detect)
    numbers = []
    for index in range(26):
        shown = moving(index)
        if 5 <= index < 16:
            shown[0] = None
        found = tracker.track(frame(picture_of(shown, seed=index), index))
        numbers.append([face.face_id for face in found if face.landmarks.valid])
    assert numbers[0] == [0, 1]
    assert numbers[12] == [1]
    assert numbers[-1] == [0, 1]


@pytest.fixture
def mesh_follower():
    return MeshFollower(mesh_network(), canonical_face(), indices().ibug68)


def test_a_mesh_is_started_from_any_detector_and_followed(mesh_follower):
    picture = frame_of(read_rgb(GOLDEN / "astronaut.png"))
    faces = short_range().detect(picture.bgr)
    with_points = mesh_follower.start(picture, faces, 0)
    unknown = FaceBoxes(faces.boxes, faces.scores, keypoints=np.full_like(faces.keypoints, np.nan))
    without = mesh_follower.start(picture, unknown, 0)
    assert with_points.landmarks.success
    assert without.landmarks.success
    again = mesh_follower.follow(picture, with_points)
    distances = np.linalg.norm(again.landmarks.points - without.landmarks.points, axis=1)
    assert distances.mean() < 2.0


def test_where_a_mesh_is_lost_it_is_looked_for_again(mesh_follower):
    picture = frame_of(read_rgb(GOLDEN / "astronaut.png"))
    face = mesh_follower.start(picture, short_range().detect(picture.bgr), 0)
    lost = mesh_follower.follow(frame_of(np.zeros((512, 512, 3), np.uint8)), face)
    assert not lost.landmarks.valid
    assert np.isnan(lost.landmarks.points).all()
    assert mesh_follower.follow(picture, lost).landmarks.valid


def test_two_portraits_change_places_with_the_open_models(mesh_follower):
    portrait = read_rgb(GOLDEN / "astronaut.png")[0:340, 60:400]
    portrait = np.ascontiguousarray(portrait[::2, ::2])
    other = np.clip(portrait[:, ::-1] * np.array([0.5, 0.8, 1.2]), 0, 255).astype(np.uint8)
    portrait_detector = MtcnnDetector(mtcnn_from_npz(PACK / "mtcnn.npz"))
    tracker = PeopleTracker(mesh_follower, portrait_detector.detect)
    centres = {}
    for index in range(40):
        canvas = np.full((200, 600, 3), 90, np.uint8)
        for image, x in ((portrait, 5 + 10 * index), (other, 395 - 10 * index)):
            canvas[15:185, x : x + 170] = image
        for face in tracker.track(frame_of(canvas, index)):
            if face.landmarks.valid:
                centres.setdefault(face.face_id, {})[index] = face.landmarks.points[:, 0].mean()
    assert set(centres) == {0, 1}
    assert centres[0][0] < 200 < 400 < centres[0][39]
    assert centres[1][0] > 400 > 200 > centres[1][39]
