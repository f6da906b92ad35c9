"""``mien live`` from end to end: the real executable plays a synthetic video at its own pace."""

import json
import re
import signal
import subprocess
import sys

import pytest
from cli_process import environment, executable

from synthetic_video import write_video

FRAMES = 50


@pytest.fixture
def live(mien, face_video):
    """Run ``mien live`` on the drawn face with the synthetic CLNF model."""

    def run(*arguments):
        chosen = ("--models", "openface", "--landmarks", "clnf", *arguments)
        return mien("live", face_video, "--realtime", *chosen)

    return run


def read(text):
    header, *rows = (json.loads(line) for line in text.splitlines())
    return header["mien"], rows


def check(rows):
    """Frames ascend, and every frame was either analysed or counted as dropped; how many is not asserted."""
    numbers = [row["frame"] for row in rows]
    assert numbers == sorted(set(numbers))
    assert numbers[0] >= 1
    assert numbers[-1] == FRAMES
    assert len(rows) + rows[-1]["live"]["dropped"] == FRAMES
    assert all(row["live"]["latency_ms"] > 0 for row in rows)


def test_lines_go_to_standard_output_when_somebody_reads_it(live):
    done = live()
    assert done.returncode == 0, done.stderr
    about, rows = read(done.stdout)
    check(rows)
    assert about["action_units"] == "live"
    assert about["source"]["name"] == "face.mp4"
    assert about["provenance"]["models"]["landmarks"] == "clnf"
    assert {"landmarks", "gaze_angle_rad", "pose_rotation_rad", "au_intensity"} <= set(rows[0])
    assert rows[-1]["time_s"] == pytest.approx((FRAMES - 1) / 25, abs=1e-3)
    text = " ".join(done.stderr.split())
    assert re.search(r"\d+ of 50 frames analysed in .* s, \d+ dropped\. Latency .* median .* ms", text)


def test_a_file_takes_the_lines_and_standard_output_stays_empty(live, tmp_path):
    done = live("--jsonl", "out/live.jsonl", "--groups", "pose,action-units", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    _, rows = read((tmp_path / "out" / "live.jsonl").read_text())
    check(rows)
    assert "landmarks" not in rows[0]
    assert "AU12" in rows[0]["au_intensity"]


def test_corrected_intensities_are_never_below_zero(live):
    done = live("--correction", "--groups", "action-units")
    about, rows = read(done.stdout)
    assert about["action_units"] == "live, corrected"
    assert min(value for row in rows for value in row["au_intensity"].values()) >= 0


def test_seconds_end_it(live):
    """Counted from the first result, which comes late where the machine has other work to do."""
    _, rows = read(live("--seconds", 0.5).stdout)
    assert rows[-1]["time_s"] - rows[0]["time_s"] < 0.5
    assert rows[-1]["frame"] < FRAMES or rows[0]["frame"] > FRAMES / 2


def test_it_ends_quietly_when_nobody_reads_any_more(face_video, models_folder, tmp_path):
    command = [executable(), "live", face_video, "--realtime", "--models", "openface", "--landmarks", "clnf"]
    process = subprocess.Popen(
        list(map(str, command)),
        env=environment(models_folder),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline().startswith(b'{"mien"')
    process.stdout.close()
    errors = process.stderr.read().decode()
    assert process.wait(300) == 0
    assert "Traceback" not in errors
    assert "Broken" not in errors


@pytest.fixture(scope="module")
def slow_video(tmp_path_factory, face_pictures):
    """A minute at one frame a second: nobody is too late for it."""
    path = tmp_path_factory.mktemp("slow") / "slow.mp4"
    return write_video(path, face_pictures[:10] * 6, fps=1)


def start(video, models, folder, *arguments):
    """Start ``mien live`` with a server; gives the process and the server's address."""
    command = [executable(), "live", video, "--realtime", "--websocket", 0, *arguments]
    process = subprocess.Popen(
        [*map(str, command), "--models", "openface", "--landmarks", "clnf"],
        env=environment(models),
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    address = next(found for line in process.stderr if (found := re.search(r"ws://\S+", line)))
    return process, address.group()


def stop(process):
    """End it as Ctrl-C does; gives its exit code and the rest of what it said."""
    process.send_signal(signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=300)
    finally:
        process.kill()
    return process.returncode, errors


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C can't be sent to one process on Windows")
def test_whoever_connects_gets_the_lines_and_one_too_many_is_refused(slow_video, models_folder, tmp_path):
    from websockets.exceptions import InvalidStatus
    from websockets.sync import client

    process, address = start(slow_video, models_folder, tmp_path, "--clients", 1)
    with client.connect(address) as connection:
        received = [json.loads(connection.recv(timeout=300)) for _ in range(2)]
        with pytest.raises(InvalidStatus, match="503") as caught, client.connect(address):
            pass
        assert b"the only place is taken" in caught.value.response.body
    code, errors = stop(process)
    assert "mien" in received[0]
    assert "landmarks" in received[1]
    assert code == 0
    assert "Traceback" not in errors
    assert "frames analysed" in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clip.mp4"], "add --realtime"),
        (["--realtime"], "--realtime needs a video"),
        (["clip.mp4", "--realtime", "--camera", 1], "expected a video or --camera"),
        (["--size", "large"], "expected WIDTHxHEIGHT"),
        (["--seconds", 0], "expected more than 0"),
        (["--groups", "faces"], "unknown columns faces"),
        (["--camera", -1], "expected 0 or more"),
    ],
)
def test_contradictions_are_explained(mien, arguments, message):
    done = mien("live", *arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_camera_that_is_not_there_is_named(mien):
    done = mien("live", "--camera", 93)
    assert done.returncode == 1
    assert "camera 93" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_video_is_named(mien):
    done = mien("live", "nowhere.mp4", "--realtime")
    assert done.returncode == 1
    assert "nowhere.mp4: no such file" in done.stderr


def test_the_video_is_never_replaced_by_its_lines(mien, face_video, tmp_path):
    video = tmp_path / "face.mp4"
    video.write_bytes(face_video.read_bytes())
    done = mien("live", "face.mp4", "--realtime", "--jsonl", f"../{tmp_path.name}/face.mp4")
    assert done.returncode == 1
    assert "the video itself" in done.stderr
    assert video.read_bytes() == face_video.read_bytes()
