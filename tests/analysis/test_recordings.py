"""Scores as files, and tables from them: nothing is lost on the way, damage is named."""

import dataclasses

import numpy as np
import pytest

from mien.action_units.analyzer import ActionUnitAnalyzer
from mien.action_units.normalisation import Baseline, normalise
from mien.action_units.predictors import PredictorSet
from mien.analysis.recordings import (
    RecordingScores,
    normalise_recordings,
    read_baseline,
    read_scores,
    write_table,
)
from mien.appearance.extractor import AppearanceExtractor
from mien.datatypes import FaceLandmarks, Frame, TrackedFace
from mien.errors import OptionError, OutputError, TableError
from mien.models.readers.action_units import read_action_units
from mien.results import CsvStyle, read_openface_csv
from synthetic_face import Pose, landmarks, picture
from synthetic_models import PREDICTORS
from synthetic_result import make_result

FRAMES = 12


@pytest.fixture(scope="module")
def record(synthetic_openface):
    return read_action_units(synthetic_openface / PREDICTORS / "main_dynamic_svms.txt")


@pytest.fixture(scope="module")
def predictors(record):
    return PredictorSet(record.predictors)


def analysed(record, predictors, seed):
    extractor = AppearanceExtractor(record.pdm, record.triangles)
    analyzer = ActionUnitAnalyzer(record, predictors=predictors, keep_scores=True)
    zeros = [np.zeros(shape, np.float32) for shape in ((68, 3), 6, 34)]
    for i in range(FRAMES):
        pose = Pose(1.2, (0.0, 0.1 * np.sin(i), 0.0), 160, 120, (10 * np.sin(i + seed), 5.0))
        bgr = picture(pose, 320, 240, noise=3, seed=100 * seed + i)
        face = FaceLandmarks(landmarks(pose).astype(np.float32), *zeros, (), 0.9, True, i != 4)
        appearance = extractor.extract(Frame(i, i / 30, bgr, bgr[:, :, 0]), face)
        analyzer.analyze(TrackedFace(0, face), appearance)
    return analyzer.scores()


@pytest.fixture(scope="module")
def recording(record, predictors):
    return RecordingScores.of(analysed(record, predictors, 1), make_result(FRAMES))


@pytest.fixture(scope="module")
def other(record, predictors):
    return RecordingScores.of(analysed(record, predictors, 2), make_result(FRAMES, seed=1))


def assert_same_fields(a, b):
    for field in dataclasses.fields(a):
        one, two = getattr(a, field.name), getattr(b, field.name)
        if dataclasses.is_dataclass(one):
            assert_same_fields(one, two)
        elif isinstance(one, tuple):
            for left, right in zip(one, two, strict=True):
                assert_same_fields(left, right)
        else:
            np.testing.assert_array_equal(one, two)


def assert_same_units(a, b):
    np.testing.assert_array_equal(a.intensity, b.intensity)
    np.testing.assert_array_equal(a.presence, b.presence)


def test_a_file_gives_back_all_that_was_written(recording, tmp_path):
    recording.save(tmp_path / "clip.scores.npz")
    assert_same_fields(read_scores(tmp_path / "clip.scores.npz"), recording)


def test_scores_and_rows_must_go_together(recording):
    with pytest.raises(ValueError, match="expected scores of 3 frames, got 12"):
        RecordingScores.of(recording.clip, make_result(3))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not an archive", b"frame,success\n1,1\n"])
def test_a_file_that_holds_no_scores_is_named(tmp_path, content):
    path = tmp_path / "clip.scores.npz"
    path.write_bytes(content)
    with pytest.raises(TableError, match=r"clip\.scores\.npz: expected scores(?!.*pickle)"):
        read_scores(path)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_named(recording, tmp_path, part):
    path = tmp_path / "clip.scores.npz"
    recording.save(path)
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    with pytest.raises(TableError, match="expected scores"):
        read_scores(path)


def test_an_archive_of_something_else_is_named(tmp_path):
    path = tmp_path / "other.npz"
    np.savez(path, version=1, a=np.zeros(3))
    with pytest.raises(TableError, match="expected scores"):
        read_scores(path)
    np.savez(path, version=99)
    with pytest.raises(TableError, match="version 1, got 99"):
        read_scores(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TableError, match="can't be read"):
        read_scores(tmp_path / "none.scores.npz")


def test_recordings_stay_apart_unless_they_are_one_persons(recording, other, predictors):
    apart = normalise_recordings([recording, other])
    assert_same_units(apart[0], normalise(recording.clip))
    together = normalise_recordings([recording, other], one_person=True, predictors=predictors)
    assert not np.array_equal(together[0].intensity, apart[0].intensity)


def test_one_recording_of_a_person_needs_no_models(recording):
    (alone,) = normalise_recordings([recording], one_person=True)
    assert_same_units(alone, normalise(recording.clip))


def test_several_recordings_of_a_person_need_the_models_that_scored_them(record, recording, other):
    first, *rest = record.predictors
    others = PredictorSet([dataclasses.replace(first, bias=first.bias + 1), *rest])
    for predictors in (None, others):
        with pytest.raises(OptionError, match="need the models that made their scores"):
            normalise_recordings([recording, other], one_person=True, predictors=predictors)


def test_a_resting_table_joins_the_shared_neutral_face(recording, other, predictors):
    rest = Baseline(rest=np.full(17, 0.2))
    shared = normalise_recordings([recording, other], one_person=True, predictors=predictors)
    lowered = normalise_recordings([recording, other], one_person=True, predictors=predictors, baseline=rest)
    assert (lowered[0].intensity <= shared[0].intensity).all()
    np.testing.assert_array_equal(lowered[0].presence, shared[0].presence)


def test_a_table_of_action_units_has_the_columns_every_table_begins_with(recording, tmp_path):
    series = normalise(recording.clip)
    write_table(recording, series, tmp_path / "new.csv")
    table = read_openface_csv(tmp_path / "new.csv")
    assert table.names[:5] == ("frame", "face_id", "timestamp", "confidence", "success")
    assert len(table.names) == 5 + 17 + 18
    np.testing.assert_array_equal(table["frame"], np.arange(1, FRAMES + 1))
    np.testing.assert_allclose(table["AU12_r"], series.intensity[:, 8], atol=0.005)


@pytest.mark.parametrize("style", CsvStyle)
def test_a_complete_table_keeps_every_other_cell(recording, tmp_path, style):
    make_result(FRAMES).save(tmp_path / "clip.csv", style=style)
    series = normalise(recording.clip)
    write_table(recording, series, tmp_path / "new.csv", tmp_path / "clip.csv")
    old, new = (
        [line.split(",") for line in (tmp_path / name).read_text().splitlines()]
        for name in ("clip.csv", "new.csv")
    )
    first = [name.strip() for name in old[0]].index("AU01_r")
    assert [row[:first] for row in old] == [row[:first] for row in new]
    assert new[0] == old[0]
    assert {cell[0] == " " for row in new for cell in row[1:]} == {style is CsvStyle.OPENFACE_BLANK}
    values = np.array([row[first:] for row in new[1:]], float)
    expected = np.concatenate([series.intensity, series.presence], axis=1)
    np.testing.assert_allclose(values, expected, atol=0.005 + 1e-9)


def test_a_table_of_another_recording_is_refused(recording, tmp_path):
    make_result(FRAMES - 1).save(tmp_path / "clip.csv")
    with pytest.raises(TableError, match="a row for each of the 12 frames"):
        write_table(recording, normalise(recording.clip), tmp_path / "n.csv", tmp_path / "clip.csv")
    make_result(FRAMES, units=False).save(tmp_path / "clip.csv")
    with pytest.raises(TableError, match="lacks AU01_r"):
        write_table(recording, normalise(recording.clip), tmp_path / "n.csv", tmp_path / "clip.csv")
    assert not (tmp_path / "n.csv").exists()


def test_a_place_that_cannot_be_written_to_is_named(recording, tmp_path):
    with pytest.raises(OutputError):
        recording.save(tmp_path)


@pytest.mark.parametrize("style", CsvStyle)
def test_a_neutral_face_comes_from_scores_or_from_a_table(recording, tmp_path, style):
    recording.save(tmp_path / "neutral.scores.npz")
    from_scores = read_baseline(tmp_path / "neutral.scores.npz")
    np.testing.assert_array_equal(from_scores.neutral, recording.clip.neutral)
    make_result(FRAMES).save(tmp_path / "neutral.csv", style=style)
    from_table = read_baseline(tmp_path / "neutral.csv")
    assert from_table.neutral is None
    expected = np.median(read_openface_csv(tmp_path / "neutral.csv")["AU01_r"])
    assert from_table.rest[0] == pytest.approx(expected)


def test_a_table_without_a_face_is_no_neutral_face(tmp_path):
    make_result(3, success=False).save(tmp_path / "neutral.csv")
    with pytest.raises(TableError, match="at least one successful frame"):
        read_baseline(tmp_path / "neutral.csv")
