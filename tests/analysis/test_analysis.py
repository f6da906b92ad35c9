"""`analyze`, `track` and `Analysis` on synthetic videos, with tiny stages in place of a model pack."""

import numpy as np
import pytest
from PIL import Image

import mien
from mien.analysis import videos as module
from mien.analysis.videos import Analysis
from mien.options import AnalysisOptions
from mien.packs import describe_pack
from simple_stages import CountingTracker, SummingAnalyzer, stages
from synthetic_video import numbered_video


@pytest.fixture
def video(tmp_path):
    return numbered_video(tmp_path / "clip.mp4", 30)


@pytest.fixture
def tiny(monkeypatch):
    """Replace the model packs by tiny stages; gives what they were asked for."""
    asked = []

    def build(pack, options, **_):
        asked.append(options)
        return stages(CountingTracker(tiny.fail_at), SummingAnalyzer())

    def tiny():
        return asked

    tiny.fail_at = None
    monkeypatch.setattr(module, "choose_pack", lambda name: describe_pack("open"))
    monkeypatch.setattr(module, "build_stages", build)
    return tiny


def test_analyze_gives_one_row_per_frame_with_final_action_units(tiny, video):
    result = mien.analyze(video)
    assert result.frame.tolist() == list(range(30))
    assert result.time_s == pytest.approx(np.arange(30) / 25)
    assert result.au_post_processed
    assert (result.source.width, result.source.height, result.source.fps) == (96, 64, 25.0)


def test_track_delivers_the_same_frames_with_live_action_units(tiny, video):
    result = mien.analyze(video)
    faces = list(mien.track(video))
    assert [face.frame for face in faces] == result.frame.tolist()
    assert np.array_equal([face.landmarks.points for face in faces], result.landmarks)


def test_track_reports_errors_before_the_first_frame_is_asked_for(tiny, tmp_path):
    with pytest.raises(mien.SourceError, match="no such file"):
        mien.track(tmp_path / "missing.mp4")


def test_leaving_track_early_is_clean(tiny, video):
    faces = mien.track(video, threads=3)
    next(faces)
    faces.close()


def test_keywords_take_precedence_over_options(tiny, video):
    mien.analyze(video, AnalysisOptions(threads=1, end_s=0.5), end_s=0.2)
    (options,) = tiny()
    assert options == AnalysisOptions(threads=1, end_s=0.2)


def test_unknown_keywords_are_named(tiny, video):
    with pytest.raises(mien.OptionError, match="unknown options speed, volume: expected some of models"):
        mien.analyze(video, volume=11, speed=2)


def test_a_failing_frame_leaves_the_rows_before_it(tiny, video):
    tiny.fail_at = 12
    with pytest.raises(mien.FrameError, match="frame 12") as caught:
        mien.analyze(video, threads=2)
    assert caught.value.partial.frame.tolist() == list(range(12))
    assert len(caught.value.partial.au_intensity) == 12


def test_stopping_keeps_what_was_analysed(tiny, video):
    with Analysis(video) as analysis:
        for face in analysis:
            if face.frame == 9:
                analysis.stop()
        result = analysis.result()
    assert result.frame.tolist() == list(range(10))
    assert result.provenance["analysed"] == {"frames": 10, "stopped": True, "lost": ""}


def test_a_result_before_the_first_frame_is_empty(tiny, video):
    with Analysis(video) as analysis:
        assert len(analysis.result()) == 0


def test_provenance_names_source_options_and_losses(tiny, tmp_path):
    path = numbered_video(tmp_path / "cut.mp4", 60, options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    provenance = mien.analyze(path, threads=1).provenance
    assert provenance["source"]["path"] == str(path)
    assert provenance["options"]["threads"] == 1
    assert provenance["models"]["landmarks"] == "counting"
    assert "earlier than its header says" in provenance["analysed"]["lost"]


def test_the_video_is_closed_when_the_models_cannot_be_read(monkeypatch, tiny, video):
    closed = []
    monkeypatch.setattr("mien.video.file.VideoFile.close", lambda self: closed.append(self))

    def fail(*_, **__):
        raise mien.ModelFileError("damaged")

    monkeypatch.setattr(module, "build_stages", fail)
    with pytest.raises(mien.ModelFileError):
        Analysis(video)
    with pytest.raises(mien.ModelFileError):
        mien.track(video)
    assert len(closed) == 2


def test_a_single_picture_is_no_sequence(tmp_path):
    """Of frame*.jpg a shell makes many names: each would become a video of one frame."""
    (tmp_path / "frames").mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "frames" / "1.png")
    with pytest.raises(mien.OptionError, match="is one picture; expected a folder"):
        mien.analyze(tmp_path / "frames" / "1.png", sequence=True, models="open")
    assert len(mien.analyze(tmp_path / "frames", sequence=True, models="open")) == 1
