"""Several videos at once share one accelerator, here the processor, and give what each gives alone."""

from __future__ import annotations

import csv
import json
import threading
from functools import partial

import pytest

import mien.packs
from mien.cli import videos as module
from mien.cli.exit_codes import ExitCode
from mien.cli.extras import Extras
from mien.cli.videos import analyze_videos
from mien.errors import OutputError, SourceError
from mien.landmarks.accelerator import Accelerator
from mien.landmarks.cen_onnx import CenOnnxPatchExperts
from mien.options import AnalysisOptions
from mien.packs import SharedModels, choose_pack
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
    monkeypatch.setattr("mien.cli.run.compile_first", lambda *_: None)


@pytest.fixture(scope="module")
def clips(tmp_path_factory, face_pictures):
    """Three pieces of the drawn face's way."""
    folder = tmp_path_factory.mktemp("clips")
    return [
        write_video(folder / f"{name}.mp4", face_pictures[first : first + FRAMES])
        for first, name in ((0, "a"), (12, "b"), (25, "c"))
    ]


@pytest.fixture
def accelerator(models, monkeypatch):
    """What videos that are analysed together share: graphs on the processor, and time to meet."""
    shared = Accelerator("cpu", wait_s=0.2)
    monkeypatch.setattr(mien.packs, "SharedModels", partial(SharedModels, accelerator=shared))
    return shared


OPTIONS = AnalysisOptions(models="openface", landmarks="ce-clm", threads=1)


def analyze(clips, folder, together, **options):
    folder.mkdir()
    tables = [folder / f"{clip.stem}.csv" for clip in clips]
    return analyze_videos(
        clips, tables, options.pop("options", OPTIONS), Extras(**options), quiet=True, together=together
    )


def rows(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_tables_are_those_of_one_video_at_a_time(accelerator, clips, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    flight = module._Flight(OPTIONS, Extras(), quiet=True)
    tables = [alone / f"{clip.stem}.csv" for clip in clips]
    assert flight.run(clips, tables, 1) is ExitCode.OK
    assert accelerator.runs == accelerator.calls
    calls = accelerator.calls
    assert analyze(clips, tmp_path / "together", 3) is ExitCode.OK
    assert accelerator.calls == 2 * calls
    assert accelerator.runs < accelerator.calls + calls  # some were joined
    for name in ("a.csv", "b.csv", "c.csv"):
        together = rows(tmp_path / "together" / name)
        assert together == rows(alone / name)
        assert len(together) == FRAMES + 1
        assert together[0][4].strip() == "success"
        assert all(float(row[4]) == 1 for row in together[1:])


def test_provenance_says_where_every_network_ran(accelerator, clips, tmp_path):
    assert analyze(clips[:2], tmp_path / "out", 2) is ExitCode.OK
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

    monkeypatch.setattr("mien.analysis.Analysis", Counting)
    assert analyze(clips, tmp_path / "out", 2) is ExitCode.OK
    assert most == 2


@pytest.mark.parametrize("together", [1, 3])
def test_a_video_that_cannot_be_read_does_not_lose_the_others(accelerator, clips, tmp_path, capsys, together):
    broken = tmp_path / "broken.mp4"
    broken.write_text("no video")
    sources = [clips[0], broken, clips[1]]
    assert analyze(sources, tmp_path / "out", together) is ExitCode.ERROR
    assert len(rows(tmp_path / "out/a.csv")) == len(rows(tmp_path / "out/b.csv")) == FRAMES + 1
    assert not (tmp_path / "out/broken.csv").exists()
    assert "broken.mp4" in capsys.readouterr().err


def test_the_only_video_raises_its_error(models, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_text("no video")
    with pytest.raises(SourceError, match="broken"):
        analyze([broken], tmp_path / "out", None)


def test_a_table_that_cannot_be_written_does_not_lose_the_others(
    accelerator, clips, tmp_path, capsys, monkeypatch
):
    write = module._write

    def fail_for_b(analysis, table, *arguments):
        if table.stem == "b":
            raise OutputError("disk full")
        return write(analysis, table, *arguments)

    monkeypatch.setattr(module, "_write", fail_for_b)
    assert analyze(clips, tmp_path / "out", 3) is ExitCode.ERROR
    assert (tmp_path / "out/a.csv").exists()
    assert (tmp_path / "out/c.csv").exists()
    assert "b.mp4: disk full" in capsys.readouterr().err


def test_a_bug_in_one_video_shows_after_the_others_are_done(accelerator, clips, tmp_path, monkeypatch):
    write = module._write

    def fail_for_a(analysis, table, *arguments):
        if table.stem == "a":
            raise ZeroDivisionError
        return write(analysis, table, *arguments)

    monkeypatch.setattr(module, "_write", fail_for_a)
    with pytest.raises(ZeroDivisionError):
        analyze(clips, tmp_path / "out", 2)
    assert (tmp_path / "out/b.csv").exists()
    assert (tmp_path / "out/c.csv").exists()


def test_an_interrupt_keeps_what_there_is_of_every_video(accelerator, clips, tmp_path, monkeypatch):
    follow, flights = module.count_faces, []
    monkeypatch.setattr(module, "interruptible", lambda stop, _: flights.append(stop) or _Nothing())

    def stop_after_three(analysis, tally, advance):
        def count(frames):
            advance(frames)
            if tally.frames >= 2:
                flights[0]()

        follow(analysis, tally, count)

    monkeypatch.setattr(module, "count_faces", stop_after_three)
    assert analyze(clips, tmp_path / "out", 2) is ExitCode.INTERRUPTED
    names = {path.name for path in (tmp_path / "out").glob("*.csv")}
    assert names <= {"a.partial.csv", "b.partial.csv"}
    assert names


class _Nothing:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


def test_the_processor_takes_one_video_at_a_time(models, clips, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_Flight", lambda *_, **__: pytest.fail("several at the same time"))
    options = AnalysisOptions(models="openface", landmarks="clnf", threads=1)
    assert analyze(clips[:2], tmp_path / "out", None, options=options) is ExitCode.OK


def test_shared_models_are_read_once(models):
    pack = choose_pack("openface")
    shared = SharedModels(pack, OPTIONS, accelerator=Accelerator("cpu"))
    first, second = (mien.packs.build_stages(pack, OPTIONS, shared=shared).tracker.detector for _ in range(2))
    assert first.model is not second.model
    assert all(isinstance(experts, CenOnnxPatchExperts) for experts in first.model.experts)
    assert first.model.experts[0]._record is second.model.experts[0]._record
    assert first.model.experts[0]._accelerator is second.model.experts[0]._accelerator


def test_open_models_can_be_analysed_together_too(models, clips, tmp_path):
    options = AnalysisOptions(models="open", threads=1)
    assert analyze(clips[:2], tmp_path / "alone", 1, options=options) is ExitCode.OK
    assert analyze(clips[:2], tmp_path / "together", 2, options=options) is ExitCode.OK
    for name in ("a.csv", "b.csv"):
        assert rows(tmp_path / "together" / name) == rows(tmp_path / "alone" / name)
