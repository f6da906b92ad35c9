"""``mien live --page`` from end to end: the real executable, its page, its files, its end."""

import json
import re
import signal
import struct
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from cli_process import environment, executable

from mien.results import read_openface_csv
from synthetic_video import write_video

WAIT_S = 300.0
FRAMES = 50

on_posix = pytest.mark.skipif(
    sys.platform == "win32", reason="Ctrl-C can't be sent to one process on Windows"
)


@contextmanager
def running(video, models, folder, *arguments):
    """The command with a page, and the page's address; it is ended as Ctrl-C does."""
    command = [executable(), "live", video, "--page", "--page-port", 0, *arguments]
    process = subprocess.Popen(
        [*map(str, command), "--models", "openface", "--landmarks", "clnf"],
        env=environment(models),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.told = []
    try:
        for line in process.stderr:
            process.told.append(line)
            if found := re.search(r"Live page: (\S+)", line):
                break
        yield process, found.group(1)
    finally:
        process.kill()
        process.wait()


def end(process):
    """Exit code, standard output and errors after Ctrl-C."""
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=WAIT_S)
    return process.returncode, out, errors


def connect(address):
    from websockets.sync.client import connect

    where, _, token = address.partition("/?")
    path = f"/live?{token}" if token else "/live"
    return connect(where.replace("http", "ws") + path, compression=None, max_size=2**24)


def hear_until(connection, wanted):
    while True:
        message = connection.recv(timeout=WAIT_S)
        if isinstance(message, bytes):
            (size,) = struct.unpack("<I", message[:4])
            assert message[4 + size : 6 + size] in (b"\xff\xd8", b"")
            message = message[4 : 4 + size]
        heard = json.loads(message)
        if "number" in heard:
            connection.send(json.dumps({"drawn": heard["number"]}))
        if wanted(heard):
            return heard


def do(connection, command):
    connection.send(json.dumps({"do": command}))


@pytest.fixture(scope="module")
def slow_video(tmp_path_factory, face_pictures):
    """Two minutes at five frames a second: it is not over before the test is."""
    path = tmp_path_factory.mktemp("slow") / "slow.mp4"
    return write_video(path, face_pictures * 12, fps=5)


@on_posix
def test_a_video_is_shown_paused_recorded_and_saved(slow_video, models_folder, tmp_path):
    with running(slow_video, models_folder, tmp_path, "--out", "kept") as (process, address):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
        with urllib.request.urlopen(address, timeout=WAIT_S) as answer:
            assert b"<title>mien live</title>" in answer.read()
        with connect(address) as one:
            assert hear_until(one, lambda heard: "hello" in heard)["hello"]["name"] == "slow.mp4"
            assert hear_until(one, lambda heard: "drawing" in heard)["size"] == [320, 240]
            do(one, "stop")
            hear_until(one, lambda heard: heard.get("state") == "paused")
            do(one, "record")
            recording = hear_until(one, lambda heard: heard.get("recording"))["recording"]
            do(one, "start")
            hear_until(one, lambda heard: heard.get("recorded_rows", 0) > 1)
            do(one, "save")
            saved = hear_until(one, lambda heard: heard.get("saved"))["saved"][0]
            hear_until(one, lambda heard: "number" in heard)
        code, out, errors = end(process)
    assert (code, out) == (0, "")
    assert "Traceback" not in errors
    assert "frames analysed" in errors
    lines = [json.loads(line) for line in (tmp_path / "kept" / recording).read_text().splitlines()]
    assert lines[0]["mien"]["source"]["name"] == "slow.mp4"
    assert len(lines) > 2
    assert "landmarks" in lines[1]
    table = read_openface_csv(tmp_path / "kept" / saved["files"][0])
    assert len(table) == saved["rows"]
    assert (table["frame"][1:] > table["frame"][:-1]).all()
    assert {"AU12_r", "gaze_angle_x", "pose_Rx", "x_67"} <= set(table.names)
    about = json.loads((tmp_path / "kept" / saved["files"][1]).read_text())
    assert about["models"]["landmarks"] == "clnf"
    assert about["source"]["path"].endswith("slow.mp4")
    assert about["live"]["action_units"] == "live"


@on_posix
def test_a_video_at_its_end_is_played_again_with_a_table_of_its_own(face_video, models_folder, tmp_path):
    with running(face_video, models_folder, tmp_path) as (process, address):
        with connect(address) as one:
            hear_until(one, lambda heard: heard.get("state") == "ended")
            do(one, "start")
            hear_until(one, lambda heard: heard.get("state") == "running")
            hear_until(one, lambda heard: heard.get("state") == "ended")
            do(one, "save")
            saved = hear_until(one, lambda heard: heard.get("saved"))["saved"][0]
        assert end(process)[0] == 0
    table = read_openface_csv(tmp_path / saved["files"][0])
    assert len(table) == saved["rows"] <= FRAMES
    assert table["frame"][-1] == FRAMES
    assert (table["frame"][1:] > table["frame"][:-1]).all()
    about = json.loads((tmp_path / saved["files"][1]).read_text())
    assert about["live"]["dropped"] + len(table) == FRAMES


@on_posix
def test_other_addresses_are_warned_of_and_need_the_token(face_video, models_folder, tmp_path):
    with running(face_video, models_folder, tmp_path, "--page-host", "0.0.0.0") as (process, address):
        place, _, token = address.partition("/?token=")
        assert len(token) >= 24
        assert "whoever has this address" in process.stderr.readline()
        port = place.rpartition(":")[2]
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=WAIT_S)
        with connect(f"http://127.0.0.1:{port}/?token={token}") as one:
            assert "hello" in hear_until(one, lambda heard: True)
        assert end(process)[0] == 0


@on_posix
def test_lines_and_seconds_go_with_a_page(face_video, models_folder, tmp_path):
    with running(face_video, models_folder, tmp_path, "--jsonl", "-", "--seconds", 0.5, "-q") as (process, _):
        out, errors = process.communicate(timeout=WAIT_S)
    rows = [json.loads(line) for line in out.splitlines()][1:]
    assert process.returncode == 0
    assert errors == ""
    assert rows
    assert rows[-1]["time_s"] - rows[0]["time_s"] < 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--anonymous", "black"], "--anonymous is for the page"),
        (["--page-port", 1], "--page-port is for the page"),
        (["--page-host", "0.0.0.0"], "--page-host is for the page"),
        (["--out", "folder"], "--out is for the page"),
        (["--page", "--anonymous", "grey"], "expected one of blur, black"),
        (["--page", "--page-port", 99999], "port 99999"),
        (["--page", "--camera", 1], "expected a video or --camera"),
    ],
)
def test_contradictions_are_explained(mien, face_video, arguments, message):
    done = mien("live", face_video, "--realtime", "--models", "openface", "--landmarks", "clnf", *arguments)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_video_that_is_not_there_is_named_before_any_page_is_served(mien):
    done = mien("live", "nowhere.mp4", "--page")
    assert done.returncode == 1
    assert "nowhere.mp4: no such file" in done.stderr
    assert "Live page" not in done.stderr
