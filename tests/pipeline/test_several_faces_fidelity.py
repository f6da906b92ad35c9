"""Pictures, sequences and several faces against the original's tables, free running."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import mien
from mien.analysis.videos import Analysis
from mien.results import compare_tables, read_hog, read_openface_csv
from mien.results.compare import PRESETS
from mien.results.table import Table

pytestmark = pytest.mark.models

PICTURES = ("24795717_1", "sample1", "sample2", "sample3")
LIMITS = PRESETS["openface"]
NO_CORRELATION = replace(LIMITS, intensity_r_mean=None, intensity_r_lowest=None)
"""For recordings in which faces hardly move, so that correlations are those of rounding noise."""


@pytest.fixture(scope="module")
def options(openface_dir):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIEN_MODELS", str(openface_dir))
        yield mien.AnalysisOptions(models="openface", compat="openface", landmarks="clnf")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A result rounded as its file is."""

    def saved(result, form="sequence"):
        path = tmp_path_factory.mktemp("table") / "table.csv"
        result.save(path, form=form, provenance=False)
        return read_openface_csv(path)

    return saved


@pytest.fixture(scope="module")
def picture(options, saved, media_dir, reference_dir):
    """Ours and the original's table of a picture."""

    @cache
    def picture(name):
        theirs = read_openface_csv(reference_dir / "images" / name / f"{name}.csv")
        return saved(mien.analyze(media_dir / f"{name}.jpg", options), "image"), theirs

    return picture


def first_frames(table, count):
    kept = table["frame"] <= count
    return Table(table.names, table.values[kept], table.decimals)


def row_distances(ours, theirs):
    """Mean distance of the landmarks in every row, px."""
    names = [f"{axis}_{k}" for axis in "xy" for k in range(68)]
    difference = (ours.select(names) - theirs.select(names)).reshape(-1, 2, 68)
    return np.hypot(difference[:, 0], difference[:, 1]).mean(axis=1)


# --- pictures ---


@pytest.mark.parametrize("name", PICTURES)
def test_the_same_faces_in_the_same_order_at_the_same_place(picture, name):
    ours, theirs = picture(name)
    assert ours.names == theirs.names
    np.testing.assert_array_equal(ours["face"], theirs["face"])
    np.testing.assert_allclose(ours["confidence"], theirs["confidence"], atol=0.002)
    assert row_distances(ours, theirs).max() <= 0.1


def test_intensities_of_all_pictures(picture):
    """Boxes moved by 3e-5 px, less than what processors differ by, move sample3's landmarks by 0.05 px."""
    apart = [compare_tables(*picture(name)).intensity_difference for name in PICTURES]
    assert np.mean(apart) <= 0.02
    assert max(apart) <= 0.06


def test_presences_of_all_pictures(picture):
    """One of sample3's is on the edge: its decision value is 0.02, with the original's descriptor too."""
    equal = []
    for name in PICTURES:
        ours, theirs = picture(name)
        names = [name for name in theirs.names if name.startswith("AU") and name.endswith("_c")]
        equal.append(ours.select(names) == theirs.select(names))
    assert np.concatenate(equal).mean() >= 0.98


@pytest.mark.parametrize("name", PICTURES)
def test_action_units_of_the_originals_descriptor(
    options, saved, media_dir, reference_dir, picture, monkeypatch, name
):
    from mien.analysis.pictures import PictureAnalysis, PictureTable

    analysis = PictureAnalysis(media_dir / f"{name}.jpg", options)
    descriptors = iter(read_hog(reference_dir / "images" / name / f"{name}.hog").descriptors)
    inject(monkeypatch, analysis.stages.appearance, lambda frame: next(descriptors))
    table = PictureTable(analysis)
    for found in analysis:
        table.add(found)
    compared = compare_tables(saved(table.result(), "image"), picture(name)[1])
    assert compared.presence_percent == 100
    assert compared.intensity_difference <= 0.005


def inject(monkeypatch, extractor, descriptor):
    """Give the original's descriptor to the predictors, whatever the aligned face looks like."""
    extract = extractor.extract

    def injected(frame, landmarks):
        found = extract(frame, landmarks)
        return replace(found, fhog=np.ascontiguousarray(descriptor(frame), np.float32).ravel())

    monkeypatch.setattr(extractor, "extract", injected)


# --- sequences and videos ---


def test_a_sequence_of_pictures(options, saved, media_dir, reference_dir):
    theirs = read_openface_csv(reference_dir / "variants/image_sequence/image_sequence.csv")
    ours = saved(mien.analyze(media_dir / "image_sequence", options, sequence=True))
    assert ours.names == theirs.names
    assert NO_CORRELATION.exceeded(compare_tables(ours, theirs)) == ()
    np.testing.assert_array_equal(ours["timestamp"], 0)


def test_a_sequence_with_the_originals_descriptors(options, saved, media_dir, reference_dir, monkeypatch):
    folder = reference_dir / "variants/image_sequence"
    descriptors = read_hog(folder / "image_sequence.hog").descriptors
    with Analysis(media_dir / "image_sequence", replace(options, sequence=True)) as analysis:
        extractor = analysis.stages.appearance
        inject(monkeypatch, extractor, lambda frame: descriptors[frame.index])
        for _ in analysis:
            pass
        ours = saved(analysis.result())
    compared = compare_tables(ours, read_openface_csv(folder / "image_sequence.csv"))
    assert LIMITS.exceeded(compared) == ()
    assert compared.intensity_difference <= 0.005


def test_static_action_units_of_a_video(options, saved, media_dir, reference_dir):
    theirs = read_openface_csv(reference_dir / "variants/default_au_static/default.csv")
    ours = saved(mien.analyze(media_dir / "default.wmv", options, action_units="static", end_s=3.0))
    # the last rows are smoothed with frames that we leave out
    count = len(ours) - 3
    assert count >= 40
    compared = compare_tables(first_frames(ours, count), first_frames(theirs, count))
    assert NO_CORRELATION.exceeded(compared) == ()


def test_several_faces_of_a_video(options, saved, media_dir, reference_dir):
    theirs = read_openface_csv(reference_dir / "variants/multi_face_multi/multi_face.csv")
    ours = saved(mien.analyze(media_dir / "multi_face.avi", options, faces="many", end_s=200 / 30))
    theirs = first_frames(theirs, 200)
    assert len(ours) == 600
    compared = compare_tables(ours, theirs)
    assert NO_CORRELATION.exceeded(compared) == ()
    assert (row_distances(ours, theirs) <= 0.1).mean() >= 0.98
