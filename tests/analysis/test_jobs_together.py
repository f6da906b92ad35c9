"""Several videos at once share one accelerator, here the processor, and give what each gives alone."""

from __future__ import annotations

import csv
import json
import math
import pickle
import threading
from contextlib import contextmanager
from functools import partial

import pytest

import mien.packs
from mien.analysis import jobs as jobs_module
from mien.analysis import output_set
from mien.analysis.jobs import run_job, run_jobs, video_jobs
from mien.analysis.outcome import Job
from mien.analysis.outputs import OutputOptions
from mien.analysis.watch import Watch
from mien.errors import OutputError, SourceError, UnexpectedError
from mien.landmarks.accelerator import Accelerator
from mien.landmarks.cen_onnx import CenOnnxPatchExperts
from mien.options import AnalysisOptions
from mien.packs import choose_pack, shared_models
from synthetic_face import Pose, picture
from synthetic_models import write_openface
from synthetic_video import write_video

FRAMES = 8


@pytest.fixture(scope="module")
def ce_clm_folder(tmp_path_factory):
    return write_openface(tmp_path_factory.mktemp("models") / "openface-2.2.0")


@pytest.fixture
def models(ce_clm_folder, monkeypatch):
    monkeypatch.setenv("MIEN_MODELS", str(ce_clm_folder))
    monkeypatch.setenv("MIEN_CACHE", str(ce_clm_folder.parent / "cache"))


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Three pieces of a drawn face's way around a circle."""
    folder = tmp_path_factory.mktemp("clips")

    def pictures(first):
        for turn in (2 * math.pi * (first + i) / 50 for i in range(FRAMES)):
            yield picture(Pose(x=160 + 3 * math.sin(turn), y=120 + 2 * math.cos(turn)), 320, 240)

    return [
        write_video(folder / f"{name}.mp4", list(pictures(first)))
        for first, name in ((0, "a"), (12, "b"), (25, "c"))
    ]


@pytest.fixture
def accelerator(models, monkeypatch):
    """What videos that are analysed together share: graphs on the processor, and time to meet."""
    shared = Accelerator("cpu", wait_s=0.2)
    monkeypatch.setattr(mien.packs, "shared_models", partial(shared_models, accelerator=shared))
    return shared


OPTIONS = AnalysisOptions(models="openface", landmarks="ce-clm", threads=1)


def analyze(clips, folder, together, *, options=OPTIONS, stopped=None, **wanted):
    """Outcomes by the names of the videos."""
    jobs = video_jobs(clips, folder, OutputOptions(tables=(), **wanted))
    outcomes = run_jobs(jobs, options, together=together, stopped=stopped)
    return {outcome.name: outcome for outcome in outcomes}


def good(outcomes):
    return all(outcome.error is None and not outcome.partial for outcome in outcomes.values())


def rows(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_tables_are_those_of_one_video_at_a_time(accelerator, clips, tmp_path):
    shared = mien.packs.shared_models(choose_pack("openface"), OPTIONS)
    alone = video_jobs(clips, tmp_path / "alone", OutputOptions(tables=()))
    assert all(run_job(job, OPTIONS, shared=shared).error is None for job in alone)
    assert accelerator.runs == accelerator.calls
    calls = accelerator.calls
    assert good(analyze(clips, tmp_path / "together", 3))
    assert accelerator.calls == 2 * calls
    assert accelerator.runs < accelerator.calls + calls  # some were joined
    for name in ("a.csv", "b.csv", "c.csv"):
        together = rows(tmp_path / "together" / name)
        assert together == rows(tmp_path / "alone" / name)
        assert len(together) == FRAMES + 1
        assert together[0][4].strip() == "success"
        assert all(float(row[4]) == 1 for row in together[1:])


def test_provenance_says_where_every_network_ran(accelerator, clips, tmp_path):
    assert good(analyze(clips[:2], tmp_path / "out", 2))
    networks = json.loads((tmp_path / "out/a.provenance.json").read_text())["networks"]
    assert {"MTCNN proposal", "landmark validator", "CEN 0.25", "CEN 1"} <= set(networks)
    assert set(networks.values()) == {"cpu"}


def test_no_more_are_open_than_were_asked_for(accelerator, clips, tmp_path, monkeypatch):
    most = now = 0
    lock = threading.Lock()

    class Counting(mien.Analysis):
        def __enter__(self):
            nonlocal most, now
            with lock:
                now += 1
                most = max(most, now)
            return super().__enter__()

        def __exit__(self, *error):
            nonlocal now
            with lock:
                now -= 1
            return super().__exit__(*error)

    monkeypatch.setattr("mien.analysis.job_run.Analysis", Counting)
    assert good(analyze(clips, tmp_path / "out", 2))
    assert most == 2


@pytest.mark.parametrize("together", [1, 3])
def test_a_video_that_cannot_be_read_does_not_lose_the_others(accelerator, clips, tmp_path, together):
    broken = tmp_path / "broken.mp4"
    broken.write_text("no video")
    outcomes = analyze([clips[0], broken, clips[1]], tmp_path / "out", together)
    assert len(rows(tmp_path / "out/a.csv")) == len(rows(tmp_path / "out/b.csv")) == FRAMES + 1
    assert not (tmp_path / "out/broken.csv").exists()
    assert isinstance(outcomes["broken.mp4"].error, SourceError)
    assert outcomes["broken.mp4"].written == ()


@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.parametrize("error", [OutputError("disk full"), ZeroDivisionError("by nothing")])
def test_what_goes_wrong_with_one_video_does_not_lose_the_others(
    accelerator, clips, tmp_path, monkeypatch, error, together
):
    write = output_set.save_tables

    def fail_for_b(result, named, folder):
        if named.base == "b":
            raise error
        return write(result, named, folder)

    monkeypatch.setattr(output_set, "save_tables", fail_for_b)
    outcomes = analyze(clips, tmp_path / "out", together)
    assert sorted(path.name for path in (tmp_path / "out").glob("*.csv")) == [
        "a.csv",
        "b.partial.csv",
        "c.csv",
    ]
    failed = outcomes.pop("b.mp4")
    assert good(outcomes)
    assert str(error) in str(failed.error)
    assert isinstance(failed.error, OutputError if isinstance(error, OutputError) else UnexpectedError)
    assert len(rows(failed.written[0])) == FRAMES + 1


@pytest.mark.parametrize("together", [1, 2])
def test_when_stopped_what_there_is_of_every_video_is_kept(accelerator, clips, tmp_path, together):
    watch = StopsAfter(3)
    jobs = video_jobs(clips, tmp_path / "out", OutputOptions(tables=(), hog=True))
    outcomes = list(run_jobs(jobs, OPTIONS, watch=watch, stopped=watch.stopped, together=together))
    assert all(outcome.stopped and outcome.partial and outcome.error is None for outcome in outcomes)
    names = {path.name for path in (tmp_path / "out").iterdir() if path.suffix in (".csv", ".hog")}
    assert names == {path.name for outcome in outcomes for path in outcome.written}
    assert "a.partial.csv" in names
    assert not names & {"a.csv", "b.csv", "c.csv", "c.partial.csv"}
    for outcome in outcomes:
        assert len(rows(outcome.written[0])) == outcome.frames + 1 < FRAMES + 1


class StopsAfter(Watch):
    """Sets its event after some frames."""

    def __init__(self, frames):
        self.stopped, self.left = threading.Event(), frames

    @contextmanager
    def step(self, name, total, pack=None):
        def advance(frames):
            self.left -= frames
            if self.left <= 0:
                self.stopped.set()

        yield advance


def test_jobs_and_outcomes_can_be_passed_between_processes(models, clips, tmp_path):
    (job,) = video_jobs(clips[:1], tmp_path / "a.csv", OutputOptions(tables=(".jsonl",), details=True))
    options = AnalysisOptions(models="open", threads=1)
    outcome = run_job(pickle.loads(pickle.dumps(job)), pickle.loads(pickle.dumps(options)))
    assert pickle.loads(pickle.dumps(outcome)) == outcome
    assert (outcome.frames, outcome.rows, outcome.pack) == (FRAMES, FRAMES, "open")
    assert [path.name for path in outcome.written] == ["a.csv", "a.jsonl", "a_of_details.txt"]
    failed = run_job(Job(tmp_path / "none.mp4", job.outputs), options)
    again = pickle.loads(pickle.dumps(failed))
    assert (type(again.error), str(again.error)) == (SourceError, str(failed.error))


def test_the_processor_takes_one_video_at_a_time(models, clips, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs_module, "_at_the_same_time", lambda *_: pytest.fail("several at the same time"))
    options = AnalysisOptions(models="openface", landmarks="clnf", threads=1)
    assert good(analyze(clips[:2], tmp_path / "out", None, options=options))


def test_shared_models_are_read_once(models):
    pack = choose_pack("openface")
    shared = shared_models(pack, OPTIONS, accelerator=Accelerator("cpu"))
    first, second = (mien.packs.build_stages(pack, OPTIONS, shared=shared).tracker.detector for _ in range(2))
    assert first.model is not second.model
    assert all(isinstance(experts, CenOnnxPatchExperts) for experts in first.model.experts)
    assert first.model.experts[0]._record is second.model.experts[0]._record
    assert first.model.experts[0]._accelerator is second.model.experts[0]._accelerator


def test_open_models_can_be_analysed_together_too(models, clips, tmp_path):
    options = AnalysisOptions(models="open", threads=1)
    assert good(analyze(clips[:2], tmp_path / "alone", 1, options=options))
    assert good(analyze(clips[:2], tmp_path / "together", 2, options=options))
    for name in ("a.csv", "b.csv"):
        assert rows(tmp_path / "together" / name) == rows(tmp_path / "alone" / name)
