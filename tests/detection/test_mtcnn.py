"""The detector's stages equal the original's, and work on free weights and pictures."""

import csv
from importlib import resources

import numpy as np
import pytest
from PIL import Image

from helpers_open import GOLDEN, read_rgb
from mien.detection.boxes import Candidates
from mien.detection.kernels import network_inputs
from mien.detection.mtcnn import MtcnnDetector, calibrate, cell_candidates, pyramid_scales
from mien.errors import OptionError
from mien.models.readers import mtcnn_from_npz, read_mtcnn
from oracle import networks


def bgr_of(path):
    return np.ascontiguousarray(np.asarray(Image.open(path).convert("RGB"))[..., ::-1])


@pytest.fixture(scope="module")
def free_record():
    """The same weights as OpenFace's, under the MIT licence."""
    with resources.as_file(resources.files("mien.models.open") / "mtcnn.npz") as path:
        return mtcnn_from_npz(path)


@pytest.fixture(scope="module")
def detector(free_record):
    return MtcnnDetector(free_record)


@pytest.fixture(scope="module")
def golden_image():
    """The picture of docs/algorithms/worked-example.md."""
    y, x = np.mgrid[:48, :48]
    return np.stack([5 * x + 3 * y, 2 * x + 11 * y, x * y], axis=-1).astype(np.uint8)


def test_first_network_has_its_golden_values(detector, golden_image):
    maps = detector.proposal_maps(golden_image, 1.0)
    assert maps.shape == (6, 19, 19)
    expected = [1.823793, -3.299293, 0.011955, -0.079222, -0.229446, -0.093394]
    np.testing.assert_allclose(maps[:, 3, 7], expected, rtol=1e-4, atol=2e-6)


def test_second_and_third_network_have_their_golden_values(detector, free_record, golden_image):
    whole = Candidates(
        np.array([[1, 1, 47, 47]], np.float32), np.zeros(1, np.float32), np.zeros((1, 4), np.float32)
    )
    for score, expected in (
        (detector.score_refinement, [1.246832, -1.246327, 0.086177, 0.018553, 0.080333, 0.244983]),
        (detector.score_output, [2.619227, -2.616519, 0.034148, -0.174004, 0.033644, -0.039681]),
    ):
        scored = score(golden_image, whole)
        np.testing.assert_allclose(scored.corrections[0], expected[2:], rtol=1e-4, atol=2e-6)
        assert scored.scores[0] == pytest.approx(1 / (1 + np.exp(expected[0] - expected[1])), rel=1e-4)


def test_networks_equal_their_definition(detector, free_record, golden_image):
    for layers, side, score in (
        (free_record.rnet, 24, detector.score_refinement),
        (free_record.onet, 48, detector.score_output),
    ):
        box = np.array([[-3, 5, 40, 40], [10, 9, 60, 60]], np.float32)
        found = score(golden_image, Candidates(box, np.zeros(2, np.float32), np.zeros((2, 4), np.float32)))
        crops = np.empty((2, 3, side, side), np.float32)
        network_inputs(golden_image, box.astype(np.int64) + np.array([-1, -1, 1, 1]), crops)
        for n in range(2):
            expected = networks.run(layers, crops[n])
            np.testing.assert_allclose(found.corrections[n], expected[2:6], atol=1e-5)


def test_one_face_is_found_in_a_portrait(detector):
    faces = detector.detect(np.ascontiguousarray(read_rgb(GOLDEN / "astronaut.png")[..., ::-1]))
    assert len(faces) == 1
    assert faces.boxes.dtype == faces.scores.dtype == np.float32
    assert faces.scores[0] > 0.99
    x, y, width, height = faces.boxes[0]
    assert (170 < x < 190, 80 < y < 120, 80 < width < 115, 80 < height < 115) == (True,) * 4


def test_faces_are_found_in_the_order_of_their_scores(detector):
    face = np.ascontiguousarray(read_rgb(GOLDEN / "astronaut.png")[40:240, 130:330, ::-1])
    dim = (face * 0.5 + 60).astype(np.uint8)
    picture = np.concatenate([dim, face, dim[:, ::-1]], axis=1)
    faces = detector.detect(picture)
    assert len(faces) == 3
    assert np.all(np.diff(faces.scores) <= 0)


@pytest.mark.parametrize("shape", [(59, 200, 3), (200, 59, 3), (1, 1, 3)])
def test_images_smaller_than_a_face_have_none(detector, shape):
    faces = detector.detect(np.zeros(shape, np.uint8))
    assert len(faces) == 0
    assert faces.boxes.shape == (0, 4)


@pytest.mark.parametrize("shape", [(60, 60, 3), (61, 300, 3), (480, 640, 3)])
def test_an_empty_image_has_no_faces(detector, shape):
    assert len(detector.detect(np.full(shape, 90, np.uint8))) == 0


@pytest.mark.parametrize(
    "image",
    [np.zeros((99, 99), np.uint8), np.zeros((99, 99, 4), np.uint8), np.zeros((99, 99, 3), np.float32)],
)
def test_other_images_are_refused(detector, image):
    with pytest.raises(OptionError, match="blue, green, red"):
        detector.detect(image)


def test_images_that_are_views_give_the_same_faces(detector):
    rgb = read_rgb(GOLDEN / "astronaut.png")
    view, copy = detector.detect(rgb[..., ::-1]), detector.detect(np.ascontiguousarray(rgb[..., ::-1]))
    assert np.array_equal(view.boxes, copy.boxes)


def test_candidates_that_see_nothing_of_the_image_are_left_out(detector):
    boxes = np.array([[120, 0, 20, 20], [-30, 0, 30, 30], [102, 5, 20, 20], [5, -40, 20, 40], [1, 1, 20, 20]])
    blank = Candidates(boxes.astype(np.float32), np.zeros(5, np.float32), np.zeros((5, 4), np.float32))
    scored = detector.score_refinement(np.zeros((100, 101, 3), np.uint8), blank)
    assert scored.boxes[:, 0].tolist() == [1]


def test_scales_start_at_the_smallest_face_and_end_at_the_image():
    assert pyramid_scales(59, 400) == []
    assert pyramid_scales(60, 400) == [0.2]
    assert len(pyramid_scales(480, 640)) == 7
    np.testing.assert_allclose(np.divide(pyramid_scales(480, 640)[1:], pyramid_scales(480, 640)[:-1]), 0.709)


def test_cells_become_boxes_column_by_column():
    maps = np.zeros((6, 2, 3), np.float32)
    maps[0], maps[1] = 5, -5
    maps[0, [1, 0], [0, 2]], maps[1, [1, 0], [0, 2]] = -1, 1
    maps[2:, 0, 2] = 0.1, 0.2, 0.3, 0.4
    found = cell_candidates(maps, 0.142)
    assert found.boxes.tolist() == [[7, 21, 77, 77], [35, 7, 77, 77]]
    np.testing.assert_allclose(found.corrections[1], [0.1, 0.2, 0.3, 0.4], rtol=1e-6)
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp(-2)), rtol=1e-6)


def _dumps(reference_dir):
    folders = sorted(reference_dir.glob("stages/*/frame_*"))
    assert folders
    for folder in folders:
        with np.load(folder / "image.npz") as dump:
            yield bgr_of(folder / "frame.png"), {key: dump[key] for key in dump.files if "mtcnn" in key}


def _assert_equal_tables(found, table, *, corrections=True):
    assert len(found) == len(table)
    assert np.abs(found.boxes - table[:, :4]).max() <= 1e-3
    assert np.abs(found.scores - table[:, 4]).max() <= 1e-4
    if corrections:
        assert np.abs(found.corrections - table[:, 5:]).max() <= 1e-4


@pytest.fixture(scope="module")
def openface_detector(openface_dir):
    listing = openface_dir / "LandmarkDetector/model/mtcnn_detector/MTCNN_detector.txt"
    return MtcnnDetector(read_mtcnn(listing))


@pytest.mark.models
def test_pyramids_and_maps_equal_the_original(openface_detector, reference_dir):
    for bgr, dump in _dumps(reference_dir):
        scales = pyramid_scales(*bgr.shape[:2])
        assert f"mtcnn_pnet{len(scales)}_scale" not in dump
        for level, scale in enumerate(scales):
            assert scale == dump[f"mtcnn_pnet{level}_scale"][0]
            expected = dump[f"mtcnn_pnet{level}_input"]
            planes = np.empty((1, 3, *expected.shape[:2]), np.float32)
            network_inputs(bgr, np.array([[0, 0, bgr.shape[1], bgr.shape[0]]]), planes)
            assert np.abs(planes[0, ::-1].transpose(1, 2, 0) - expected).max() <= 1e-5
            maps = openface_detector.proposal_maps(bgr, scale)
            probability = 1 / (1 + np.exp(maps[0] - maps[1]))
            assert np.abs(probability - dump[f"mtcnn_pnet{level}_prob"]).max() <= 1e-4
            for n in range(4):
                assert np.abs(maps[2 + n] - dump[f"mtcnn_pnet{level}_corr{n}"]).max() <= 1e-4


@pytest.mark.models
def test_candidates_of_every_stage_equal_the_original(openface_detector, reference_dir):
    def injected(table):
        return Candidates(*(np.ascontiguousarray(part) for part in (table[:, :4], table[:, 4], table[:, 5:])))

    for bgr, dump in _dumps(reference_dir):
        tables = {key.removeprefix("mtcnn_"): dump[key] for key in dump if "pnet" not in key or "all" in key}
        _assert_equal_tables(openface_detector.scan(bgr), tables["1_pnet_all"])
        _assert_equal_tables(openface_detector.propose(bgr), tables["2_rnet_in"])
        proposals = injected(tables["2_rnet_in"])
        _assert_equal_tables(openface_detector.score_refinement(bgr, proposals), tables["3_rnet_out"])
        _assert_equal_tables(openface_detector.refine(bgr, proposals), tables["4_onet_in"])
        refined = injected(tables["4_onet_in"])
        _assert_equal_tables(openface_detector.score_output(bgr, refined), tables["5_onet_out"])
        faces = openface_detector.accept(bgr, refined)
        _assert_equal_tables(faces, tables["6_final_square"])
        assert np.abs(calibrate(faces.boxes) - tables["7_final_tight"][:, :4]).max() <= 1e-3


@pytest.mark.models
def test_faces_of_whole_frames_equal_the_original(openface_detector, reference_dir):
    for bgr, dump in _dumps(reference_dir):
        faces, table = openface_detector.detect(bgr), dump["mtcnn_7_final_tight"]
        assert len(faces) == len(table)
        assert np.abs(faces.boxes - table[:, :4]).max() <= 1e-3
        assert np.abs(faces.scores - table[:, 4]).max() <= 1e-4


@pytest.mark.models
def test_sample_picture_has_its_golden_face(openface_detector, media_dir):
    bgr = bgr_of(media_dir / "image_sequence" / "001.jpg")
    proposals = openface_detector.propose(bgr)
    assert len(openface_detector.scan(bgr)) == 29
    assert len(proposals) == 29
    refined = openface_detector.refine(bgr, proposals)
    assert len(refined) == 11
    square = openface_detector.accept(bgr, refined)
    np.testing.assert_allclose(square.boxes, [[151.07498, 116.06299, 184.26108, 252.56885]], atol=1e-3)
    faces = openface_detector.detect(bgr)
    np.testing.assert_allclose(faces.boxes, [[149.69302, 178.16966, 190.21271, 195.76611]], atol=1e-3)
    np.testing.assert_allclose(faces.scores, [0.99999976], atol=1e-6)


@pytest.mark.models
@pytest.mark.parametrize("name", ["sample1", "sample2", "sample3", "24795717_1"])
def test_still_pictures_have_the_faces_the_original_lists(openface_detector, media_dir, reference_dir, name):
    with (reference_dir / f"images/{name}/{name}.csv").open() as lines:
        rows = list(csv.DictReader(lines, skipinitialspace=True))
    faces = openface_detector.detect(bgr_of(media_dir / f"{name}.jpg"))
    assert len(faces) == len(rows)
    for (x, y, width, height), row in zip(faces.boxes, rows, strict=True):
        center = np.mean([[float(row[f"x_{i}"]), float(row[f"y_{i}"])] for i in range(68)], axis=0)
        assert x < center[0] < x + width
        assert y < center[1] < y + height
