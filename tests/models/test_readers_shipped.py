"""The readers on OpenFace's own files: every byte consumed (docs/algorithms/model-files.md)."""

from __future__ import annotations

import numpy as np
import pytest

from mien.models.readers import (
    mtcnn_from_npz,
    read_action_units,
    read_ccnf,
    read_cen,
    read_early_termination,
    read_landmark_model,
    read_mtcnn,
    read_pdm,
    read_triangulation,
    read_validator,
)

pytestmark = pytest.mark.models

HIDDEN = {
    3: [*range(9, 17), *range(21, 27), 32, 34, 35, 39, *range(42, 48), *range(52, 57), 60, 63, 64, 65],
    4: [*range(8), *range(17, 23), 31, 32, 34, *range(36, 43), 48, 49, 50, 58, 59, 60, 61, 64, 67],
}


@pytest.fixture(scope="module")
def model_dir(openface_dir):
    return openface_dir / "LandmarkDetector" / "model"


@pytest.fixture(scope="module")
def clnf(model_dir):
    return read_landmark_model(model_dir / "main_clnf_general.txt")


@pytest.mark.parametrize(
    ("name", "points", "modes", "largest", "smallest"),
    [
        ("pdms/In-the-wild_aligned_PDM_68.txt", 68, 34, 826.21, 0.5827),
        ("pdms/Multi-PIE_aligned_PDM_68.txt", 68, 23, 795.36, 0.9092),
        ("pdms/pdm_68_aligned_menpo.txt", 68, 30, 1260.97, 8.42),
        ("model_inner/pdms/pdm_51_inner.txt", 51, 32, 440.57, 0.3074),
        ("model_eye/pdms/pdm_28_eye_3D_closed.txt", 28, 10, 111.57, 0.4228),
        ("model_eye/pdms/pdm_28_l_eye_3D_closed.txt", 28, 10, 111.57, 0.4228),
    ],
)
def test_shape_models_have_the_stated_sizes_and_eigenvalues(
    model_dir, name, points, modes, largest, smallest
):
    pdm = read_pdm(model_dir / name)
    assert pdm.mean.shape == (points, 3)
    assert pdm.basis.shape == (points, 3, modes)
    assert pdm.eigenvalues[[0, -1]] == pytest.approx([largest, smallest], rel=1e-4, abs=5e-3)
    columns = pdm.basis.transpose(1, 0, 2).reshape(3 * points, modes).astype(float)
    assert np.abs(columns.T @ columns - np.eye(modes)).max() < 5e-6


def test_the_mean_face_has_the_stated_size_and_depth(clnf):
    size = np.ptp(clnf.pdm.mean, axis=0)
    assert size[:2] == pytest.approx([144.769, 139.839], abs=1e-3)
    assert clnf.pdm.mean[30, 2] == pytest.approx(-37, abs=1)


@pytest.mark.parametrize("scale", ["0.25", "0.35", "0.5"])
def test_general_experts_have_seven_views_and_the_stated_visibility(model_dir, scale):
    record = read_ccnf(model_dir / f"patch_experts/ccnf_patches_{scale}_general.txt")
    assert record.scale == float(scale)
    assert np.rad2deg(record.view_centers) == pytest.approx(
        np.column_stack([np.zeros(7), [0, -20, -45, -70, 70, 45, 20], np.zeros(7)])
    )
    for view in range(7):
        assert np.flatnonzero(~record.visibility[view]).tolist() == HIDDEN.get(view, [])
    assert record.weights.shape == (7, 68, 7, 11, 11)
    assert {window: len(c) for window, c in record.sigma_components.items()} == {7: 3, 9: 3, 11: 3, 15: 3}
    assert not record.weights[~record.visibility].any()


def test_neuron_weights_have_unit_norm_and_next_to_no_mean(clnf):
    for record in clnf.patch_experts:
        weights = record.weights[record.visibility].astype(float)
        norms = np.linalg.norm(weights, axis=(2, 3))
        assert np.abs(norms - 1).max() < 1e-6
        assert np.abs(weights.mean((2, 3))).max() < 2e-3


def test_the_first_component_is_the_laplacian_of_the_straight_neighbours(clnf):
    laplacian = clnf.patch_experts[0].sigma_components[7][0]
    assert np.abs(laplacian.sum(1)).max() < 1e-6
    assert laplacian[24, [17, 23, 25, 31]] == pytest.approx(-laplacian[24, 24] / 4)


def test_the_clnf_model_has_its_parts_in_order(clnf):
    assert clnf.name == "main_clnf_general"
    assert [part.name for part in clnf.parts] == ["inner", "left_eye_28", "right_eye_28"]
    assert clnf.parts[0].mapping.tolist() == [[17 + i, i] for i in range(51)]
    assert clnf.parts[1].mapping.tolist() == [[36 + i, 8 + 2 * i] for i in range(6)]
    assert clnf.parts[2].mapping.tolist() == [[42 + i, 8 + 2 * i] for i in range(6)]
    assert [record.scale for record in clnf.patch_experts] == [0.25, 0.35, 0.5]
    assert [record.scale for record in clnf.parts[1].model.patch_experts] == [1.0, 1.5]
    assert clnf.early_termination is None
    assert len(clnf.files) == len(set(clnf.files)) == 21


def test_the_inner_part_hides_the_stated_landmarks(clnf):
    (record,) = clnf.parts[0].model.patch_experts
    assert record.visibility.sum(1).tolist() == [51, 51, 51, 26, 26, 51, 51]


def test_eye_experts_have_no_components_and_no_betas(clnf):
    for part in clnf.parts[1:]:
        for record in part.model.patch_experts:
            assert record.visibility.shape == (1, 28)
            assert record.visibility.all()
            assert record.sigma_components == {}
            assert record.betas.shape == (1, 28, 0)


def test_the_wild_model_has_three_views_and_four_scales(model_dir):
    wild = read_landmark_model(model_dir / "main_clnf_wild.txt")
    assert [record.scale for record in wild.patch_experts] == [0.25, 0.35, 0.5, 1.0]
    assert all(len(record.view_centers) == 3 for record in wild.patch_experts)
    assert [part.name for part in wild.parts] == ["left_eye_28", "right_eye_28"]


@pytest.mark.parametrize(
    ("name", "outputs", "convolutions"),
    [
        ("validator_cnn", 30, [(10, 1, 9, 9), (10, 10, 7, 7)]),
        ("validator_cnn_68", 20, [(20, 1, 5, 5), (50, 20, 5, 5), (20, 50, 3, 3)]),
    ],
)
def test_validators_have_the_stated_views_and_layers(model_dir, name, outputs, convolutions):
    record = read_validator(model_dir / f"detection_validation/{name}.txt")
    yaws = [np.rad2deg(view.orientation[1]).round() for view in record.views]
    assert yaws == [0, -20, -45, -70, 20, 45, 70]
    assert [view.mean_image.size for view in record.views] == [2642, 2469, 1665, 1491, 2494, 1690, 1536]
    assert [len(view.triangles) for view in record.views] == [97, 97, 36, 31, 97, 36, 31]
    for view in record.views:
        assert [x.weight.shape for x in view.layers if x.kind == "conv"] == convolutions
        assert view.layers[-1].bias.shape == (outputs,)
        assert view.mask.shape == view.triangle_ids.shape == (60, 60)
        assert ((view.triangle_ids >= 0) >= (view.mask > 0)).all()
        assert view.destination.shape == (136,)


def test_the_detector_has_the_stated_layers(model_dir):
    record = read_mtcnn(model_dir / "mtcnn_detector/MTCNN_detector.txt")
    shapes = {
        name: [layer.weight.shape for layer in network if layer.kind in ("conv", "dense")]
        for name, network in (("p", record.pnet), ("r", record.rnet), ("o", record.onet))
    }
    assert shapes == {
        "p": [(10, 3, 3, 3), (16, 10, 3, 3), (32, 16, 3, 3), (32, 6)],
        "r": [(28, 3, 3, 3), (48, 28, 3, 3), (64, 48, 2, 2), (576, 128), (128, 6)],
        "o": [(32, 3, 3, 3), (64, 32, 3, 3), (64, 64, 3, 3), (128, 64, 2, 2), (1152, 256), (256, 16)],
    }
    pools = [
        layer.pool for network in (record.pnet, record.rnet, record.onet) for layer in network if layer.pool
    ]
    assert pools == [(2, 2, 2, 2), *[(3, 3, 2, 2)] * 4, (2, 2, 2, 2)]


def test_the_archive_of_free_weights_holds_the_same_detector(model_dir, open_models_dir):
    ours = read_mtcnn(model_dir / "mtcnn_detector/MTCNN_detector.txt")
    free = mtcnn_from_npz(open_models_dir / "models" / "mtcnn.npz")
    for left, right in zip(
        (*ours.pnet, *ours.rnet, *ours.onet), (*free.pnet, *free.rnet, *free.onet), strict=True
    ):
        assert (left.kind, left.pool) == (right.kind, right.pool)
        for name in ("weight", "bias"):
            a, b = getattr(left, name), getattr(right, name)
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_array_equal(a, b)


def test_dynamic_predictors_are_the_stated_mixture(openface_dir):
    record = read_action_units(openface_dir / "FaceAnalyser/AU_predictors/main_dynamic_svms.txt")
    kinds = {(p.kind, p.dynamic): [] for p in record.predictors}
    for p in record.predictors:
        kinds[p.kind, p.dynamic].append(p.name[2:])
    assert kinds["svm", False] == ["04", "05", "06", "07", "10", "12", "14", "23"]
    assert kinds["svm", True] == ["01", "02", "09", "15", "17", "20", "25", "26", "28", "45"]
    assert kinds["svr", False] == ["04", "06", "07", "10", "12", "14"]
    assert kinds["svr", True] == ["01", "02", "05", "09", "15", "17", "20", "23", "25", "26", "45"]
    cutoffs = [round(p.cutoff, 6) for p in record.predictors if p.kind == "svr" and p.dynamic]
    assert cutoffs == [0.55, 0.75, 0.8, 0.7, 0.55, 0.2, 0.65, 0.65, 0.3, 0.3, 0.6]
    assert record.triangles.shape == (111, 3)
    assert len(record.pdm.eigenvalues) == 34


def test_class_values_are_flipped_for_all_but_three_units(openface_dir):
    record = read_action_units(openface_dir / "FaceAnalyser/AU_predictors/main_static_svms.txt")
    assert not any(p.dynamic for p in record.predictors)
    for p in record.predictors:
        straight = p.name in ("AU10", "AU12", "AU25")
        wanted = (float(straight), float(not straight)) if p.kind == "svm" else (np.nan, np.nan)
        np.testing.assert_array_equal((p.positive_class, p.negative_class), wanted)


def test_all_predictors_share_one_mean_without_geometry(openface_dir):
    record = read_action_units(openface_dir / "FaceAnalyser/AU_predictors/main_dynamic_svms.txt")
    first = record.predictors[0].means
    assert first.shape == (4702,)
    assert not first[-238:].any()
    assert all((p.means == first).all() for p in record.predictors)


def test_the_early_termination_table_is_as_stated(model_dir):
    table = read_early_termination(model_dir / "early_term_cen_of.txt", 7)
    assert table.weights.tolist() == [1.0, 1.005, 1.054, 0.976, 0.976, 1.054, 1.005]
    assert table.biases.tolist() == [0.0, 0.049, 0.121, -0.37, -0.37, 0.121, 0.049]
    assert table.cutoffs.tolist() == [-0.23, -0.2, -0.14, 0.26, 0.26, -0.14, -0.2]


def test_the_triangulation_is_read(model_dir):
    assert read_triangulation(model_dir / "tris_68_full.txt").shape == (111, 3)


@pytest.mark.parametrize(
    ("scale", "widths", "codes", "stored_views"),
    [
        ("0.25", [122, 16, 18, 9, 1], [2, 2, 0, 0], {0, 1, 2, 3}),
        ("0.35", [122, 16, 9, 1], [2, 0, 0], {0, 1, 2, 3}),
        ("0.50", [122, 16, 9, 1], [2, 0, 1], {0, 1, 2, 3}),
        ("1.00", [122, 16, 18, 9, 1], [2, 2, 0, 0], {0, 4, 5, 6}),
    ],
)
def test_stand_ins_of_cen_experts_are_read_whatever_their_widths(
    reference_dir, scale, widths, codes, stored_views
):
    record = read_cen(reference_dir / f"ce_clm/models/cen_patches_{scale}_of.dat")
    stored = [(v, i) for v in range(7) for i in range(68) if record.experts[v][i]]
    assert record.scale == float(scale)
    assert len(stored) == 210
    assert {v for v, _ in stored} == stored_views
    assert record.mirror_view.tolist() == [0, 6, 5, 4, 3, 2, 1]
    assert (record.mirror_landmark[record.mirror_landmark] == np.arange(68)).all()
    for v, i in stored:
        layers = record.experts[v][i]
        assert [layer.activation for layer in layers] == codes
        assert [layers[0].weight.shape[1], *(layer.bias.size for layer in layers)] == widths
        assert all(layer.weight.dtype == layer.bias.dtype == np.float32 for layer in layers)
    mirrored = record.visibility[:, record.mirror_landmark][record.mirror_view]
    assert (mirrored == record.visibility).all()


def test_ce_clm_is_read_without_its_main_file(model_dir, reference_dir, tmp_path):
    for path in model_dir.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(model_dir)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)
    for path in (reference_dir / "ce_clm/models").glob("*.dat"):
        (tmp_path / "patch_experts" / path.name).symlink_to(path)
    record = read_landmark_model(tmp_path / "main_ceclm_general.txt")
    assert record.name == "main_ceclm_general"
    assert [part.name for part in record.parts] == ["left_eye_28", "right_eye_28"]
    assert [experts.scale for experts in record.patch_experts] == [0.25, 0.35, 0.5, 1.0]
    assert record.early_termination is not None
    assert record.validator.views[0].layers[-1].bias.shape == (20,)
