"""What the writers of the tests write, the readers read: on the synthetic folder and on drawn-up records."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import synthetic_face
import synthetic_formats as formats
import synthetic_models
from mien.errors import ModelFileError, ModelsMissingError
from mien.models import readers


def assert_equal(left, right):
    """Compare records field by field."""
    if dataclasses.is_dataclass(left):
        for field in dataclasses.fields(left):
            if field.name == "source":  # where it was read from
                continue
            assert_equal(getattr(left, field.name), getattr(right, field.name))
    elif isinstance(left, tuple):
        assert len(left) == len(right)
        for a, b in zip(left, right, strict=True):
            assert_equal(a, b)
    elif isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            assert_equal(left[key], right[key])
    elif isinstance(left, np.ndarray) and left.dtype.kind == "f":
        assert left.dtype == right.dtype
        np.testing.assert_allclose(left, right, rtol=1e-15)
    else:
        np.testing.assert_array_equal(left, right)


def written(tmp_path, data: bytes):
    path = tmp_path / "file"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("make", [synthetic_face.face_pdm, synthetic_face.eye_pdm])
def test_shape_models_come_back(tmp_path, make):
    assert_equal(readers.read_pdm(written(tmp_path, formats.pdm(make()))), make())


@pytest.mark.parametrize("windows", [(), (7, 9)])
def test_ccnf_experts_come_back(tmp_path, windows):
    record = synthetic_models.ccnf_record(synthetic_face.landmarks, 0.35, synthetic_models.HIDDEN_68, windows)
    data = formats.ccnf(record, windows=() if windows else (3, 5))
    assert_equal(readers.read_ccnf(written(tmp_path, data)), record)


def test_a_window_may_have_no_components(tmp_path):
    record = synthetic_models.ccnf_record(synthetic_face.landmarks, 0.5, ((),), (7,))
    parts = formats.ccnf(record).split(formats.i32(1, 7, 2), 1)
    data = parts[0] + formats.i32(2, 7, 2)
    components = b"".join(map(formats.matrix, record.sigma_components[7]))
    data += components + formats.i32(15, 0) + parts[1][len(components) :]
    assert readers.read_ccnf(written(tmp_path, data)).sigma_components.keys() == {7}


@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("as_row", [True, False])
def test_cen_experts_come_back(tmp_path, depth, dtype, as_row):
    record = synthetic_models.cen_record(0.5, depth)
    assert_equal(readers.read_cen(written(tmp_path, formats.cen(record, dtype, as_row))), record)


@pytest.mark.parametrize("bins", [20, 30])
def test_validators_come_back(tmp_path, bins):
    record = synthetic_models.validator_record(bins)
    assert_equal(readers.read_validator(written(tmp_path, formats.validator(record))), record)


def test_the_detector_comes_back(synthetic_openface):
    path = synthetic_openface / synthetic_models.MODEL / "mtcnn_detector/MTCNN_detector.txt"
    assert_equal(readers.read_mtcnn(path), synthetic_models.mtcnn_record())


def test_predictors_come_back(synthetic_openface):
    record = readers.read_action_units(
        synthetic_openface / synthetic_models.PREDICTORS / "main_dynamic_svms.txt"
    )
    assert len(record.predictors) == 35
    for predictor in record.predictors:
        wanted = synthetic_models.predictor_record(predictor.name[2:], predictor.kind, predictor.dynamic)
        assert_equal(predictor, wanted)


def test_arrays_of_records_are_read_only_or_own_their_data(synthetic_openface):
    model = readers.read_landmark_model(synthetic_openface / synthetic_models.MODEL / "main_clnf_general.txt")
    assert model.patch_experts[0].weights.flags.c_contiguous
    assert model.pdm.basis.flags.c_contiguous


@pytest.mark.parametrize(
    ("main", "scales", "parts"),
    [
        ("main_clnf_general", [0.25, 0.35, 0.5], ["inner", "left_eye_28", "right_eye_28"]),
        ("main_clnf_wild", [0.25, 0.35, 0.5, 1.0], ["left_eye_28", "right_eye_28"]),
        ("main_ceclm_general", [0.25, 0.35, 0.5, 1.0], ["left_eye_28", "right_eye_28"]),
    ],
)
def test_whole_models_are_read(synthetic_openface, main, scales, parts):
    model = readers.read_landmark_model(synthetic_openface / synthetic_models.MODEL / f"{main}.txt")
    assert model.name == main
    assert [experts.scale for experts in model.patch_experts] == scales
    assert [part.name for part in model.parts] == parts
    assert (model.early_termination is not None) == (main == "main_ceclm_general")
    assert all(path.is_file() for path in model.files)


@pytest.fixture
def model_copy(tmp_path, synthetic_openface):
    """A copy of the synthetic landmark model whose lists may be changed."""
    source = synthetic_openface / synthetic_models.MODEL
    for path in source.rglob("*"):
        if path.is_file():
            (tmp_path / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path.relative_to(source)).write_bytes(path.read_bytes())
    return tmp_path


def test_better_kinds_of_experts_override_the_others(model_copy):
    text = (model_copy / "cen_general.txt").read_text()
    (model_copy / "clnf_general.txt").write_text(
        text + "\nPatchesCCNF patch_experts/none.txt\nPatchesIntensity none.txt"
    )
    model = readers.read_landmark_model(model_copy / "main_clnf_general.txt")
    assert hasattr(model.patch_experts[0], "experts")


def test_models_that_can_not_be_fitted_are_refused_by_name(model_copy):
    (model_copy / "clnf_general.txt").write_text(
        "PDM pdms/In-the-wild_aligned_PDM_68.txt\nPatchesIntensity svr.txt"
    )
    with pytest.raises(ModelFileError, match=r"got SVR patch experts .* use main_clnf_general"):
        readers.read_landmark_model(model_copy / "main_clnf_general.txt")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("main_clnf_general.txt", "LandmarkDetector clnf", "Other clnf", "a line LandmarkDetector"),
        ("main_clnf_general.txt", "left_eye_28 36 8", "left_eye_28 36", "pairs of landmarks"),
        ("main_clnf_general.txt", "left_eye_28 36 8", "left_eye_28 36 28", "pairs of landmarks below"),
        ("main_clnf_general.txt", "left_eye_28 36 8", "left_eye_28 36 -1", "pairs of landmarks"),
        ("main_clnf_general.txt", "model_inner/main_clnf_inner", "main_clnf_general", "deep"),
        ("clnf_general.txt", "PDM", "XXX", "a line PDM"),
        ("clnf_general.txt", "PatchesCCNF", "XXX", "a line|lines PatchesCEN"),
        (
            "model_inner/clnf_inner.txt",
            "pdm_51_inner",
            "../../pdms/In-the-wild_aligned_PDM_68",
            "68 landmarks",
        ),
    ],
)
def test_models_that_do_not_fit_together_are_refused(model_copy, file, old, new, message):
    path = model_copy / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ModelFileError, match=message):
        readers.read_landmark_model(model_copy / "main_clnf_general.txt")


@pytest.mark.parametrize(
    "missing", ["main_clnf_general.txt", "clnf_general.txt", "pdms/In-the-wild_aligned_PDM_68.txt"]
)
def test_a_missing_file_is_named_with_the_command_that_gets_it(model_copy, missing):
    (model_copy / missing).unlink()
    with pytest.raises(ModelsMissingError, match=rf"{missing}.*mien models fetch"):
        readers.read_landmark_model(model_copy / "main_clnf_general.txt")


def test_lists_may_have_comments_blank_lines_and_carriage_returns(model_copy):
    path = model_copy / "main_clnf_general.txt"
    path.write_bytes(b"# comment\r\n\r\n" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(readers.read_landmark_model(path).parts) == 3
