"""Fitting parameters have the original's values (docs/algorithms/fitting-nu-rlms.md#parameters)."""

from __future__ import annotations

import pytest

from helpers_landmarks import random_model, random_part
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.options import PART_OPTIONS, FitOptions, scale_parameters

SCALES = (0.25, 0.35, 0.5, 1.0)
CE_CLM = FitOptions().for_model("main_ceclm_general")
CLNF = FitOptions().for_model("main_clnf_general")
CE_CLM_WILD = FitOptions().wild().for_model("main_ceclm_general")
CLNF_WILD = FitOptions().wild().for_model("main_clnf_wild")


def test_defaults_are_the_originals():
    options = FitOptions()
    assert options.windows_initial == (11, 9, 7, 5)
    assert options.windows_tracking == (0, 9, 7, 0)
    assert (options.sigma, options.regularisation, options.weight_factor) == (1.5, 25.0, 0.0)
    assert options.iterations == 5
    assert options.adapt_to_scale
    assert options.validate
    assert options.validation_boundary == 0.725
    assert not options.multi_view
    assert options.redetect_every == 2


def test_wild_preset_has_its_values_and_leaves_the_rest_alone():
    wild = FitOptions().wild()
    assert wild.windows_initial == (15, 13, 11, 11)
    assert wild.windows_tracking == (0, 9, 7, 0)
    assert (wild.sigma, wild.regularisation, wild.weight_factor) == (1.25, 35.0, 2.5)
    assert wild.iterations == 10
    assert wild.multi_view
    assert wild.validation_boundary == 0.725


@pytest.mark.parametrize(
    ("options", "sigma", "regularisation"),
    [(CE_CLM, 2.25, 22.5), (CLNF, 1.5, 25.0), (CE_CLM_WILD, 1.875, 31.5), (CLNF_WILD, 1.25, 35.0)],
)
def test_only_the_ce_clm_model_scales_its_parameters(options, sigma, regularisation):
    assert (options.sigma, options.regularisation) == pytest.approx((sigma, regularisation))


@pytest.mark.parametrize("name", ["main_clnf_general", "main_clm_general", "main_clnf_multi_pie", "mine"])
def test_other_models_keep_the_options(name):
    assert FitOptions().for_model(name) == FitOptions()


@pytest.mark.parametrize(
    ("options", "regularisation", "sigma", "weight"),
    [
        (CE_CLM, (22.5, 15.2186, 7.5, 7.5), (2.25, 2.37136, 2.5, 2.5), (0, 0, 0, 0)),
        (CLNF, (25, 17.7186, 10, 10), (1.5, 1.62136, 1.75, 1.75), (0, 0, 0, 0)),
        (CE_CLM_WILD, (31.5, 24.2186, 16.5, 16.5), (1.875, 1.99636, 2.125, 2.125), (2.5, 4.92713, 7.5, 7.5)),
        (CLNF_WILD, (35, 27.7186, 20, 20), (1.25, 1.37136, 1.5, 1.5), (2.5, 4.92713, 7.5, 7.5)),
    ],
    ids=["CE-CLM", "CLNF", "CE-CLM wild", "CLNF wild"],
)
def test_parameters_follow_the_scale(options, regularisation, sigma, weight):
    for k in range(4):
        actual = scale_parameters(options, SCALES, k)
        assert actual.regularisation == pytest.approx(regularisation[k], abs=5e-5)
        assert actual.sigma == pytest.approx(sigma[k], abs=5e-6)
        assert actual.weight_factor == pytest.approx(weight[k], abs=5e-6)


def test_regularisation_stays_above_zero():
    options = FitOptions(regularisation=15.0)
    assert scale_parameters(options, SCALES, 2).regularisation == 0.001


@pytest.mark.parametrize(
    ("name", "windows", "regularisation", "sigma", "weight"),
    [
        ("left_eye_28", (3, 5, 9), 0.5, 1.0, 0),
        ("right_eye_28", (3, 5, 9), 0.5, 1.0, 0),
        ("inner", (9,), 2.5, 1.75, 2.5),
        ("left_eye", (5, 3), 0.1, 2, 0),
        ("right_eye", (5, 3), 0.1, 2, 0),
        ("mouth", (7, 7), 1.0, 2.0, 0),
        ("brow", (11, 9), 10, 3.5, 0),
    ],
)
def test_parts_have_their_own_parameters_at_every_scale(name, windows, regularisation, sigma, weight):
    options = PART_OPTIONS[name]
    assert options.windows_initial == windows
    assert options.iterations == 5
    assert not options.validate
    for k in range(2):
        actual = scale_parameters(options, (1.0, 1.5), k)
        assert (actual.regularisation, actual.sigma, actual.weight_factor) == (regularisation, sigma, weight)


def test_options_of_the_user_reach_the_main_model_only():
    main = random_model()
    part = random_part(main, "left_eye_28", [(0, 1), (3, 4), (5, 7)], 8)
    record = main.__class__(
        name="main_ceclm_general",
        pdm=main.pdm,
        patch_experts=main.patch_experts,
        parts=(part,),
        validator=None,
        early_termination=None,
    )
    detector = LandmarkDetector(record, FitOptions(sigma=2.0, iterations=7), None)
    assert detector.options.sigma == 3.0
    assert detector.model.options.iterations == 7
    assert detector.parts[0].model.options == PART_OPTIONS["left_eye_28"]
