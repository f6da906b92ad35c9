"""Both sides with OpenFace's own models, against the original program where it has measured composites."""

from dataclasses import replace

import numpy as np
import pytest

import mien
from mien.datatypes import Frame
from mien.errors import FrameError
from mien.options import AnalysisOptions
from mien.packs import choose_pack
from mien.results import read_openface_csv
from mien.shape.mirror import mirror_landmarks
from mien.sides import openface_like
from mien.sides.analysis import SidesAnalysis, SidesOptions
from mien.sides.composite import CompositeMaker
from mien.sides.observer import DirectReader, direct_sketcher
from mien.sides.relative import pooled, series_of
from mien.sides.side_jobs import SidesJob, run_sides
from mien.video.file import open_video

OPTIONS = AnalysisOptions(
    models="openface", landmarks="clnf", compat="openface", threads=1, skip=("gaze",), end_s=0.9
)


@pytest.fixture(autouse=True)
def _models(openface_dir, monkeypatch):
    monkeypatch.setenv("MIEN_MODELS", str(openface_dir))


@pytest.fixture
def clip(media_dir):
    return media_dir / "2015-10-15-15-14.avi"


class Flipped:
    """Reads every frame flipped, with exactly flipped landmarks."""

    def __init__(self, record, predictors):
        self.reader, self.sketch = DirectReader(record, predictors), direct_sketcher(record)

    def watch(self, frame, face, sketch, made):
        bgr = np.ascontiguousarray(frame.bgr[:, ::-1])
        turned = Frame(frame.index, frame.time_s, bgr, np.ascontiguousarray(frame.gray[:, ::-1]))
        if sketch is None:
            self.reader.read(turned, face, None)
            return
        used = sketch.midplane.project(sketch.midplane.face).astype(np.float32)  # without the tracker's bias
        marks = replace(face.landmarks, points=mirror_landmarks(used, frame.size[0] - 1))
        self.reader.read(turned, face, self.sketch(marks))


def test_sides_of_a_flipped_video_swap(clip, openface_record):
    from mien.action_units.predictors import PredictorSet

    predictors = PredictorSet(openface_record.predictors)
    flipped = Flipped(openface_record, predictors)
    with SidesAnalysis(clip, OPTIONS, watch=flipped.watch) as analysis:
        for _ in analysis:
            pass
        both = analysis.sides()
    scores = flipped.reader.scores()
    other = series_of(scores, pooled(scores, predictors)).intensity[::-1]
    assert len(both) > 20 and both.usable.mean() > 0.9  # noqa: PT018
    assert np.nanmean(np.abs(both.intensity - other)) <= 0.005
    assert np.nanmean(np.abs(both.intensity[0] - both.intensity[1])) > 0.02


class FlippedVideo:
    """The frames of a video, flipped before anything sees them."""

    def __init__(self, path):
        self._video = open_video(path, compat="openface")
        self.info, self.lost = self._video.info, ""

    def __iter__(self):
        for frame in self._video:
            bgr, gray = (np.ascontiguousarray(part[:, ::-1]) for part in (frame.bgr, frame.gray))
            yield Frame(frame.index, frame.time_s, bgr, gray)

    def close(self):
        self._video.close()


def test_sides_of_a_flipped_video_that_is_tracked_anew_swap(media_dir):
    """The bias of the tracker, which made most of the difference, is taken out."""
    found = []
    path, options = media_dir / "subj01_timepoint01.mp4", replace(OPTIONS, end_s=None)
    for source in (path, FlippedVideo(path)):
        with SidesAnalysis(source, options) as analysis:
            for _ in analysis:
                pass
            found.append(analysis.sides())
    straight, flipped = found
    assert np.nanmean(np.abs(straight.intensity - flipped.intensity[::-1])) <= 0.05
    told = [one.provenance["sides"]["tracker_bias"] for one in found]
    assert [bias["frames"] for bias in told] == [10, 10]  # of 158
    assert all(0.1 < bias["mean_mm"] < 0.6 for bias in told)
    for name, most_mm in (("commissure_lateral", 0.3), ("brow_height", 0.25), ("fissure_height", 0.2)):
        gap = np.abs(straight.measures[name] - flipped.measures[name][::-1])
        assert np.nanmean(gap) <= most_mm


def test_the_whole_face_is_what_analyze_gives(clip):
    both = mien.sides(clip, OPTIONS)
    whole = mien.analyze(clip, OPTIONS)
    assert (both.video.au_intensity == whole.au_intensity).all()
    assert (both.video.landmarks == whole.landmarks).all()


def test_results_do_not_depend_on_threads(clip):
    one, three = mien.sides(clip, OPTIONS), mien.sides(clip, replace(OPTIONS, threads=3))
    assert np.array_equal(one.intensity, three.intensity, equal_nan=True)
    assert np.array_equal(one.measures["brow_height"], three.measures["brow_height"], equal_nan=True)


def test_selfie_pictures_swap_the_sides(clip):
    plain, selfie = mien.sides(clip, OPTIONS), mien.sides(clip, OPTIONS, SidesOptions(selfie=True))
    assert np.array_equal(plain.intensity, selfie.intensity[::-1], equal_nan=True)
    for name, values in plain.measures.items():
        assert np.array_equal(values, selfie.measures[name][::-1], equal_nan=True)
    assert (plain.midline["chin_deviation"] == -selfie.midline["chin_deviation"]).all()


def test_measures_of_a_healthy_face_have_a_healthy_size(clip):
    both = mien.sides(clip, OPTIONS)
    median = {name: np.nanmedian(values, axis=1) for name, values in both.measures.items()}
    for name, low, high in (
        ("fissure_height", 5, 13),
        ("brow_height", 11, 30),
        ("commissure_lateral", 18, 36),
        ("upper_lid_distance", 1, 6),
        ("lower_lid_distance", 2, 8),
    ):
        assert ((low < median[name]) & (median[name] < high)).all(), (name, median[name])


def test_composites_of_the_original_programs_reader_are_measured_as_it_does(reference_dir):
    """The file of composites that the original has measured, within the limits of docs/fidelity.md."""
    folder = reference_dir / "sides"
    table = read_openface_csv(folder / "default_left_mirrored.csv")
    ours = mien.analyze(folder / "default_left_mirrored.mp4", replace(OPTIONS, end_s=None))
    theirs = table.select([f"{name}_r" for name in ours.au_intensity_names])
    assert len(ours) == len(table)
    assert np.abs(ours.au_intensity - theirs).mean() <= 0.025


def test_frames_mirrored_in_memory_are_near_the_compressed_ones(media_dir, reference_dir):
    table = read_openface_csv(reference_dir / "sides" / "subj01_timepoint01_left_mirrored.csv")
    options = replace(OPTIONS, end_s=None)
    both = mien.sides(media_dir / "subj01_timepoint01.mp4", options, SidesOptions(procedure="openface-like"))
    theirs = table.select([f"{name}_r" for name in both.video.au_intensity_names])
    assert both.provenance["sides"]["neutral"] == "own"
    assert np.abs(both.intensity[0] - theirs).mean() <= 0.06


def test_both_ways_flipping_a_picture_changes_nothing_but_the_tracking(clip, openface_record):
    """The descriptor of a face and of the flipped face are one."""
    from mien.appearance.extractor import AppearanceExtractor

    extractor = AppearanceExtractor(openface_record.pdm, openface_record.triangles, both_ways=True)
    plain = AppearanceExtractor(openface_record.pdm, openface_record.triangles)
    seen = []

    def watch(frame, face, sketch, made):
        if frame.index % 20:
            return
        bgr = np.ascontiguousarray(frame.bgr[:, ::-1])
        turned = Frame(frame.index, frame.time_s, bgr, np.ascontiguousarray(frame.gray[:, ::-1]))
        marks = replace(face.landmarks, points=mirror_landmarks(face.landmarks.points, frame.size[0] - 1))
        for one in (extractor, plain):
            a, b = one.extract(frame, face.landmarks), one.extract(turned, marks)
            seen.append(
                (
                    one is extractor,
                    np.abs(a.fhog - b.fhog).mean(),
                    np.abs(a.local_params - b.local_params).mean(),
                )
            )

    with SidesAnalysis(clip, OPTIONS, watch=watch) as analysis:
        for _ in analysis:
            pass
    both = np.array([row[1:] for row in seen if row[0]])
    single = np.array([row[1:] for row in seen if not row[0]])
    assert (both < 0.05 * single).all()


def test_the_open_models_measure_distances_without_action_units(media_dir):
    choose_pack("open")
    both = mien.sides(media_dir / "2015-10-15-15-14.avi", models="open", end_s=0.5, threads=1)
    assert both.intensity is None
    assert np.isfinite(both.measures["fissure_height"][:, both.usable]).all()
    assert 5 < np.nanmedian(both.measures["fissure_height"]) < 14


def test_pictures_have_both_sides_of_every_face(media_dir):
    both = mien.sides(media_dir / "sample1.jpg", models="openface")
    assert both.intensity is not None and both.intensity.shape[0] == 2  # noqa: PT018
    assert np.isfinite(both.intensity).any()


def test_without_eyes_sides_have_action_units_and_angles_but_no_lengths(media_dir):
    both = mien.sides(
        media_dir / "2015-10-15-15-14.avi", models="openface", skip=("gaze", "parts"), end_s=0.3, threads=1
    )
    assert both.usable.all()
    assert np.isfinite(both.intensity).all()
    assert np.isfinite(both.measures["smile_angle"]).all()
    assert np.isnan(both.measures["fissure_height"]).all()


@pytest.mark.parametrize("procedure", ["direct", "openface-like"])
def test_a_frame_that_cannot_be_measured_does_not_cost_those_before(
    media_dir, tmp_path, monkeypatch, procedure
):
    composites, frames = CompositeMaker.make, openface_like.mirror_frame
    calls = []

    def failing(real, most):
        def work(*arguments):
            calls.append(1)
            if len(calls) > most:
                raise ArithmeticError("this frame")
            return real(*arguments)

        return work

    monkeypatch.setattr(CompositeMaker, "make", failing(composites, 5))
    monkeypatch.setattr(openface_like, "mirror_frame", failing(frames, 11))  # the right side's sixth
    table = tmp_path / "clip.sides.csv"
    job = SidesJob(
        source=media_dir / "2015-10-15-15-14.avi", table=table, how=SidesOptions(procedure=procedure)
    )
    with pytest.raises(FrameError, match="ArithmeticError: this frame; the frames before it are complete"):
        run_sides(job, OPTIONS)
    assert len(read_openface_csv(table)) == 5
