"""Aligned faces and descriptors equal the original program's, for its own landmarks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien.action_units.catalogue import PRESENCE_NAMES
from mien.action_units.geometry import ShapeDescriptor
from mien.action_units.predictors import PredictorSet
from mien.appearance.alignment import FaceAligner
from mien.appearance.fhog import FhogExtractor
from mien.models.readers.action_units import read_action_units
from mien.shape.model import PointDistributionModel
from oracle.shape import rotation_matrix

pytestmark = pytest.mark.models

ENTRY = "FaceAnalyser/AU_predictors/main_static_svms.txt"


@pytest.fixture(scope="module")
def record(openface_dir):
    return read_action_units(openface_dir / ENTRY)


@pytest.fixture(scope="module")
def stages(reference_dir):
    """Frame, landmarks (68, 2), everything dumped: of each dumped frame of the tracked videos."""
    loaded = []
    for folder in sorted((reference_dir / "stages").glob("*/frame_*")):
        with np.load(folder / "track.npz") as archive:
            dump = {name: archive[name] for name in archive.files if name.startswith(("au_", "landmarks"))}
        points = np.ascontiguousarray(dump["landmarks"].reshape(2, 68).T)
        loaded.append((cv2.imread(str(folder / "frame.png")), points, dump))
    assert len(loaded) >= 12
    return loaded


@pytest.mark.parametrize(("mask", "key"), [(True, "au_aligned_masked"), (False, "au_aligned_nomask")])
def test_aligned_faces_equal_the_original_bit_for_bit(record, stages, mask, key):
    aligner = FaceAligner(record.pdm, record.triangles, mask=mask)
    for frame, points, dump in stages:
        face = aligner.align(frame, points, *dump["au_params_global"][0, 4:6])
        np.testing.assert_array_equal(face.bgr, dump[key])


def test_descriptors_equal_the_original(record, stages):
    fhog, shape = FhogExtractor(), ShapeDescriptor(record.pdm)
    for _, _, dump in stages:
        np.testing.assert_allclose(fhog.describe(dump["au_aligned_masked"]), dump["au_hog"][0], atol=1e-6)
        geometry = shape.describe(dump["au_params_local"][0])
        np.testing.assert_allclose(geometry, dump["au_geom"][0], rtol=0, atol=1e-12)


def test_the_outline_stands_for_the_mask_of_the_real_triangulation(record):
    assert len(FaceAligner(record.pdm, record.triangles)._mesh[2]) == 23


STATIC_INTENSITY = """1.2122 0.5601 -0.5372 0.7839 0.2405 1.1296 -0.0887 1.8535 0.3907 -0.2296 1.1668 1.4689
    0.7888 0.5468 -0.2005 -1.4815 0.0932"""
PRESENT = "AU01 AU02 AU10 AU15 AU17 AU20 AU23 AU25 AU26 AU28 AU45"


@pytest.fixture(scope="module")
def synthetic(record):
    """The drawn frame of docs/algorithms/worked-example.md: frame and landmarks."""
    local = np.zeros(34)
    local[[0, 1, 4]] = 10, -5, 4
    shape = record.pdm.mean.astype(float) + record.pdm.basis.astype(float) @ local
    points = 2 * shape @ rotation_matrix((0.1, -0.2, 0.05))[:2].T + [300, 250]
    r, c, k = np.mgrid[:500, :600, :3]
    frame = ((c * (k + 1) + 2 * r) // 3 + np.where(k == 1, r * c // 50, 0)) % 256
    return frame.astype(np.uint8), np.round(points, 3).astype(np.float32)


def test_worked_example_gives_the_golden_values(record, synthetic):
    frame, points = synthetic
    np.testing.assert_allclose(points[[0, 30]], [[139.595, 178.784], [317.567, 241.142]], atol=1.5e-3)
    glob, local = PointDistributionModel(record.pdm).fit_to_points(points)
    np.testing.assert_allclose(glob, [1.99929, 0.09983, -0.20029, 0.05001, 300, 250], atol=5e-5)
    np.testing.assert_allclose(local[:6], [9.610, -4.972, -0.108, -0.149, 3.982, -0.001], atol=7e-4)
    aligner = FaceAligner(record.pdm, record.triangles)
    face = aligner.align(frame, points, glob[4], glob[5])
    expected = [[0.3552544, 0.0228361, -56.285339], [-0.0228361, 0.3552544, -25.962799]]
    np.testing.assert_allclose(face.matrix, expected, rtol=0, atol=1e-6)
    white = aligner.align(np.full_like(frame, 255), points, glob[4], glob[5])
    assert np.count_nonzero(white.bgr[:, :, 0]) == 9553
    unmasked = FaceAligner(record.pdm, record.triangles, mask=False).align(frame, points, *glob[4:])
    assert face.bgr.sum() == 3670447
    assert unmasked.bgr.sum() == 4699108
    assert FhogExtractor().describe(face.bgr).sum(dtype=float) == pytest.approx(344.998, abs=5e-4)
    geometry = ShapeDescriptor(record.pdm).describe(local)
    np.testing.assert_allclose(geometry[:3], [-0.0603, 0.0451, 0.1237], atol=1e-4)
    # The fit's float32 parameters may differ by 2e-4 mm each.
    assert geometry.sum() == pytest.approx(8.360, abs=5e-3)
    predictors = PredictorSet(record.predictors)
    descriptor = np.append(FhogExtractor().describe(face.bgr), geometry)
    outputs = predictors.scores(predictors.project(descriptor[None])[0])
    np.testing.assert_allclose(outputs[:17], np.array(STATIC_INTENSITY.split(), float), rtol=0, atol=1e-4)
    present = predictors.classes(outputs[17:] > 0) == 1
    assert [name for name, there in zip(PRESENCE_NAMES, present, strict=True) if there] == PRESENT.split()
