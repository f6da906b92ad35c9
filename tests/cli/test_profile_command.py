"""mien profile: every stage is found, and the report has all its parts."""

import pytest

from mien.analysis.profiling import PROBES


@pytest.mark.parametrize("probe", [p for probes in PROBES.values() for p in probes], ids=lambda p: p.name)
def test_every_probed_stage_exists(probe):
    owner, name = probe.find()
    assert callable(getattr(owner, name))


def test_report_names_stages_speed_start_and_health(mien, face_video):
    done = mien("profile", face_video, "--models", "openface", "--landmarks", "clnf")
    assert done.returncode == 0, done.stderr
    for expected in (
        "decoding",
        "grey",
        "main fit",
        "alignment + FHOG",
        "medians",
        "predictors",
        "post-processing, table",
        "× real time",
        "start to first row",
        "imports",
        "scale 1, rigid",
        "11 hypotheses tried",
        "0 of 50 frames failed",
    ):
        assert expected in done.stdout, done.stdout


def test_open_models_are_profiled_too(mien, face_video):
    done = mien("profile", face_video, "--models", "open", "--end", "0.2")
    assert done.returncode == 0, done.stderr
    assert "detection" in done.stdout


def test_a_missing_video_is_an_error(mien):
    done = mien("profile", "nothing.mp4")
    assert done.returncode == 1
    assert "no such file" in done.stderr
