"""Expression with the open models: in pictures, of every other frame, of the plain mesh, of several faces."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image, ImageOps

import mien
from mien.action_units.mesh_formulas import MEASURED_UNITS, UNITS_WITHOUT_NEUTRAL
from mien.analysis.demonstration import Demonstration
from mien.data import PORTRAIT

FEW = 40
"""Frames: too few for a neutral."""


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    show = Demonstration(tmp_path_factory.mktemp("demo"))
    show.make()
    return show.video


def unit(result, name):
    return result.au_intensity[:, result.au_intensity_names.index(name)]


def coefficient(result, name):
    return result.blendshapes[:, result.blendshape_names.index(name)]


def known_units(result):
    return [name for name in result.au_intensity_names if np.isfinite(unit(result, name)).any()]


def test_a_picture_has_the_action_units_that_need_no_neutral(tmp_path):
    result = mien.analyze(PORTRAIT, models="open")
    assert len(result) == 1
    assert known_units(result) == list(UNITS_WITHOUT_NEUTRAL)
    assert unit(result, "AU12")[0] > 1.5
    assert unit(result, "AU25")[0] > 0.7
    assert unit(result, "AU45")[0] < 0.3
    assert result.blendshapes.shape == result.blendshape_logits.shape == (1, 52)
    assert min(coefficient(result, "mouthSmileLeft"), coefficient(result, "mouthSmileRight")) > 0.8


def test_a_folder_of_pictures_never_makes_a_neutral_of_strangers(tmp_path):
    with Image.open(PORTRAIT) as portrait:
        small = portrait.convert("RGB").resize((256, 256))
    for number in range(62):
        (ImageOps.mirror(small) if number % 2 else small).save(tmp_path / f"{number}.png")
    result = mien.analyze(tmp_path, models="open")
    assert len(result) == 62
    assert known_units(result) == list(UNITS_WITHOUT_NEUTRAL)


def test_a_mirrored_picture_exchanges_the_sides(tmp_path):
    with Image.open(PORTRAIT) as portrait:
        ImageOps.mirror(portrait.convert("RGB")).save(tmp_path / "mirrored.png")
    plain, mirrored = (mien.analyze(p, models="open") for p in (PORTRAIT, tmp_path / "mirrored.png"))
    for name in ("mouthUpperUp", "mouthSmile", "browDown", "eyeSquint"):
        for side, other in (("Left", "Right"), ("Right", "Left")):
            assert coefficient(mirrored, name + other) == pytest.approx(
                coefficient(plain, name + side), abs=0.2
            )


def test_a_short_video_has_what_a_picture_has(video):
    result = mien.analyze(video, models="open", end_s=FEW / 30)
    assert len(result) == FEW
    assert known_units(result) == list(UNITS_WITHOUT_NEUTRAL)


def test_every_other_frame_is_close_to_every_frame(video):
    every = mien.analyze(video, models="open")
    other = mien.analyze(video, models="open", every=2)
    assert known_units(every) == known_units(other) == list(MEASURED_UNITS)
    assert np.abs(other.blendshapes[::2] - every.blendshapes[::2]).mean() < 0.02
    between = (other.blendshapes[:-2:2] + other.blendshapes[2::2]) / 2
    np.testing.assert_allclose(other.blendshapes[1:-1:2], between, atol=1e-6)
    assert np.corrcoef(unit(every, "AU12"), unit(other, "AU12"))[0, 1] > 0.98
    assert np.nanmax(np.abs(every.measures["AU12_left"] - other.measures["AU12_left"])) < 1


def test_the_plain_mesh_leaves_action_units_to_geometry(video):
    result = mien.analyze(video, models="open", landmarks="mesh-plain")
    assert result.blendshapes is None
    assert known_units(result) == [name for name in MEASURED_UNITS if name not in ("AU05", "AU10")]
    assert np.corrcoef(unit(result, "AU12"), unit(mien.analyze(video, models="open"), "AU12"))[0, 1] > 0.9


def test_several_faces_have_blendshapes_of_their_own(video):
    result = mien.analyze(video, models="open", faces="many")
    assert set(result.face_id.tolist()) == {0}
    one = mien.analyze(video, models="open")
    np.testing.assert_allclose(unit(result, "AU12")[30:], unit(one, "AU12")[30:], atol=0.4)
    assert np.isfinite(result.blendshapes).all()


def test_what_can_bear_a_mark_says_that_the_scale_is_only_about_openfaces(video, tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    result = mien.analyze(video, models="open", end_s=FEW / 30)
    assert result.about_openfaces_scale
    assert "only about OpenFace&#x27;s" in result._repr_html_()
    axes = result.plot("AU12")
    assert axes.get_ylabel() == "intensity, about OpenFace's scale"
    plt.close(axes.figure)
    result.save(tmp_path / "t.csv")
    made = json.loads((tmp_path / "t.provenance.json").read_text())
    assert made["models"]["intensity_scale"] == "about OpenFace's"
