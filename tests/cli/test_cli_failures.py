"""What ``mien analyze`` keeps when something fails on the way; in one process, with tiny stages."""

import shutil
import tempfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mien.analysis import videos as module
from mien.cli.main import app
from mien.packs import choice, describe_pack
from mien.results import VideoResult
from simple_stages import CountingTracker, SummingAnalyzer, stages
from synthetic_video import numbered_video


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    numbered_video(tmp_path / "clip.mp4", 30)

    def run(*arguments, fail_at=None):
        def build(*_, **__):
            return stages(CountingTracker(fail_at), SummingAnalyzer())

        monkeypatch.setattr(module, "choose_pack", lambda name: describe_pack("open"))
        monkeypatch.setattr(choice, "build_stages", build)
        return CliRunner().invoke(app, ["analyze", "clip.mp4", *arguments])

    return run


def test_the_models_and_how_to_get_others_are_said(run):
    done = run()
    assert done.exit_code == 0
    assert "models: open" in done.output
    assert "mien models fetch" in done.output


def test_a_failing_frame_keeps_the_table_so_far(run):
    done = run(fail_at=12)
    assert done.exit_code == 1
    assert "frame 12" in done.output
    assert "clip.partial.csv" in done.output
    assert len(Path("clip.partial.csv").read_text().splitlines()) == 1 + 12
    assert not Path("clip.csv").exists()


def test_failing_at_the_first_frame_leaves_no_table(run):
    assert run(fail_at=0).exit_code == 1
    assert not list(Path().glob("*.csv"))


def test_a_table_whose_place_has_gone_is_kept_elsewhere(run, monkeypatch, tmp_path):
    """The folder vanishes, say a network drive, while the video is analysed."""
    shelter = tmp_path / "temporary"
    shelter.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(shelter))
    save = VideoResult.save

    def vanishing(self, path, **kwargs):
        target = Path(path)
        drive = tmp_path / "drive"
        if "drive" in target.parts and drive.is_dir():
            shutil.rmtree(drive)
            drive.write_text("no folder any more")
        save(self, path, **kwargs)

    monkeypatch.setattr(VideoResult, "save", vanishing)
    done = run("-o", "drive/clip.csv")
    assert done.exit_code == 1
    assert str(shelter / "clip.csv") in done.output.replace("\n", "")
    assert len((shelter / "clip.csv").read_text().splitlines()) == 1 + 30


def test_a_parquet_table_is_written_where_the_name_asks_for_it(run):
    assert run("-o", "clip.parquet").exit_code == 0
    assert Path("clip.parquet").read_bytes()[:4] == b"PAR1"
