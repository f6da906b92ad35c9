"""Cameras: how FFmpeg is asked for them, and what is said when there is none; a test picture stands in."""

import itertools

import av
import numpy as np
import pytest

import mien.video.camera as module
from mien.errors import OptionError, SourceError
from mien.video.camera import CameraDevice, CameraSource, camera_device, open_camera

HAS_TEST_PICTURE = "lavfi" in av.formats_available
needs_test_picture = pytest.mark.skipif(not HAS_TEST_PICTURE, reason="this FFmpeg has no test picture")


def test_every_system_has_its_own_words():
    linux = camera_device(1, (1280, 720), platform="linux")
    assert linux == CameraDevice("v4l2", "/dev/video1", {"video_size": "1280x720"})
    mac = camera_device(0, platform="darwin")
    assert mac == CameraDevice("avfoundation", "0:none", {"video_size": "640x480", "framerate": "30"})
    assert camera_device(0, fps=60, platform="linux").options["framerate"] == "60"


def test_windows_calls_cameras_by_name(monkeypatch):
    monkeypatch.setattr(module, "list_cameras", lambda device: ["Front", "Back"])
    assert camera_device(1, platform="win32").address == "video=Back"
    with pytest.raises(SourceError, match=r"no camera 2; found 0: Front, 1: Back"):
        camera_device(2, platform="win32")
    monkeypatch.setattr(module, "list_cameras", lambda device: [])
    with pytest.raises(SourceError, match="no camera at all"):
        camera_device(0, platform="win32")


@pytest.mark.parametrize(("number", "size"), [(-1, (640, 480)), (0, (0, 480))])
def test_impossible_wishes_are_refused(number, size):
    with pytest.raises(OptionError):
        camera_device(number, size)


def test_a_machine_without_cameras_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(module.sys, "platform", "linux")
    device = CameraDevice("v4l2", str(tmp_path / "video7"))
    if "v4l2" not in ",".join(av.formats_available):
        pytest.skip("this FFmpeg has no v4l2")
    with pytest.raises(SourceError, match=r"camera 7 .*does not exist; found"):
        CameraSource(device, name="camera 7")


def test_an_unknown_device_is_named():
    with pytest.raises(SourceError, match="no input device nonsense"):
        CameraSource(CameraDevice("nonsense", "0"), name="camera 0")


@needs_test_picture
def test_a_camera_that_cannot_do_what_it_is_asked_for_is_named():
    with pytest.raises(SourceError, match=r"camera 0 .*can't be opened"):
        CameraSource(CameraDevice("lavfi", "nosuchfilter=1"), name="camera 0")


@needs_test_picture
def test_pictures_come_with_their_time_of_arrival_until_it_is_closed():
    device = CameraDevice("lavfi", "testsrc=size=160x120:rate=25")
    with CameraSource(device, name="camera 0") as camera:
        info = camera.info
        assert (info.name, info.width, info.height, info.fps) == ("camera 0", 160, 120, 25)
        assert (info.frame_count, info.camera, camera.lost) == (None, True, "")
        frames = []
        for frame in camera:
            frames.append(frame)
            if len(frames) == 5:
                camera.close()
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    times = [frame.time_s for frame in frames]
    assert times == sorted(times)
    assert all(b - a > 0 for a, b in itertools.pairwise(times))
    first = frames[0]
    assert first.bgr.shape == (120, 160, 3)
    assert first.gray.shape == (120, 160)
    assert np.ptp(first.bgr) > 100
    assert camera.captured_s(frames[1]) > camera.captured_s(first)


@needs_test_picture
def test_a_camera_that_ends_ends_the_frames():
    device = CameraDevice("lavfi", "testsrc=size=64x48:rate=25:duration=0.2")
    with CameraSource(device) as camera:
        assert len(list(camera)) == 5


def test_opening_asks_for_the_first_of_this_machine(monkeypatch):
    monkeypatch.setattr(module, "camera_device", lambda *wish: CameraDevice("nonsense", "0"))
    with pytest.raises(SourceError, match="camera 2"):
        open_camera(2)
