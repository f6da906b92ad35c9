"""One person's neutral face over several videos, and tables made again from scores: the real executable."""

import json

import numpy as np
import pytest

from mien.results import read_openface_csv
from synthetic_video import write_video


@pytest.fixture(scope="module")
def halves(tmp_path_factory, face_pictures):
    """The drawn face in two videos."""
    folder = tmp_path_factory.mktemp("halves")
    return [write_video(folder / f"{i}.mp4", face_pictures[20 * i : 20 * i + 20]) for i in (0, 1)]


@pytest.fixture
def clip(analyze, halves, tmp_path):
    """One video analysed with its scores kept."""
    done = analyze(halves[0], "--keep-scores")
    assert done.returncode == 0, done.stderr
    return tmp_path / "0.scores.npz"


def test_scores_give_the_very_table_of_the_analysis(mien, clip, tmp_path):
    done = mien("renormalise", clip, "-o", "again.csv", models=None)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "0.csv").read_bytes()
    made = json.loads((tmp_path / "again.provenance.json").read_text())
    assert made["normalisation"] == {"person": None, "recordings": None, "neutral": None}


def test_keeping_scores_does_not_change_the_table(analyze, clip, halves, tmp_path):
    assert analyze(halves[0], "-o", "plain.csv").returncode == 0
    assert (tmp_path / "plain.csv").read_bytes() == (tmp_path / "0.csv").read_bytes()


def test_without_the_table_action_units_come_alone(mien, clip, tmp_path):
    (tmp_path / "0.csv").unlink()
    done = mien("renormalise", clip, models=None)
    assert done.returncode == 0, done.stderr
    assert "action units only" in " ".join(done.stdout.split())
    assert len(read_openface_csv(tmp_path / "0.renormalised.csv").names) == 40


def test_videos_of_a_person_equal_their_scores_put_together(mien, analyze, halves, tmp_path):
    done = analyze(*halves, "--person", "p1", "--keep-scores", "-o", tmp_path / "together")
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "together" / "1.provenance.json").read_text())
    assert made["normalisation"]["person"] == "p1"
    assert made["normalisation"]["recordings"] == ["0.mp4", "1.mp4"]
    assert analyze(*halves, "-o", tmp_path / "apart").returncode == 0
    names = ("0.csv", "1.csv")
    together, apart = ([(tmp_path / d / n).read_bytes() for n in names] for d in ("together", "apart"))
    assert together != apart
    scores = [tmp_path / "together" / f"{i}.scores.npz" for i in (0, 1)]
    done = mien("renormalise", *scores, "--person", "p1", "-o", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert [(tmp_path / "again" / n).read_bytes() for n in names] == together
    assert mien("renormalise", *scores, "-o", tmp_path / "alone").returncode == 0
    assert [(tmp_path / "alone" / n).read_bytes() for n in names] == apart


def test_a_neutral_video_equals_its_scores(analyze, halves, clip, tmp_path):
    for name, neutral in (("a.csv", halves[0]), ("b.csv", clip)):
        done = analyze(halves[1], "--neutral", neutral, "-o", name)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_the_neutral_table_is_never_replaced(analyze, mien, clip, halves, tmp_path):
    neutral = tmp_path / "0.csv"
    before = neutral.read_bytes()
    for done in (
        analyze(halves[0], "--neutral", neutral),
        mien("renormalise", clip, "--neutral", neutral, "-o", "0.csv", models=None),
    ):
        assert done.returncode == 1
        assert "neutral recording itself" in done.stderr
    assert neutral.read_bytes() == before


def test_a_neutral_table_lowers_intensities(mien, clip, tmp_path):
    done = mien("renormalise", clip, "--neutral", tmp_path / "0.csv", "-o", "lower.csv", models=None)
    assert done.returncode == 0, done.stderr
    old, new = (read_openface_csv(tmp_path / name) for name in ("0.csv", "lower.csv"))
    units = [name for name in old.names if name.endswith("_r") and name.startswith("AU")]
    assert (new.select(units) <= old.select(units)).all()
    np.testing.assert_array_equal(new["AU12_c"], old["AU12_c"])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["{clip}", "{clip}"], 2, "different names"),
        (["{clip}", "{clip}", "-o", "t.csv"], 2, "need a folder"),
        (["{clip}", "-o", "t.txt"], 1, "ends in .csv"),
        (["{clip}", "--neutral", "none.mp4"], 1, "none.mp4: no such file"),
        (["none.scores.npz"], 1, "can't be read"),
    ],
)
def test_contradictions_are_explained(mien, clip, arguments, code, message):
    done = mien("renormalise", *(str(text).format(clip=clip) for text in arguments))
    assert done.returncode == code
    assert message in " ".join(done.stderr.split())


def test_one_table_for_several_videos_is_refused(analyze, halves):
    done = analyze(*halves, "-o", "one.csv")
    assert done.returncode == 2
    assert "need a folder" in done.stderr


@pytest.mark.parametrize(
    ("left_out", "message"),
    [(["--skip", "aus"], "needs action units"), (["--every", 2], "needs every frame")],
)
def test_scores_need_all_frames_and_action_units(analyze, halves, left_out, message):
    done = analyze(halves[0], "--keep-scores", *left_out)
    assert done.returncode == 2
    assert message in done.stderr


def test_the_open_models_have_no_scores(mien, halves):
    done = mien("analyze", halves[0], "--models", "open", "--keep-scores")
    assert done.returncode == 2
    assert "keep_scores: for the models of OpenFace only" in done.stderr
