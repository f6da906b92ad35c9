"""The page's server: what it gives to whom, what viewers may ask for, and who costs whom what."""

import http.client
import json
import os
import socket
import struct
import threading
import time
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from shown_results import Tap, live_face, page

from mien.errors import OptionError, OutputError
from mien.live import answers
from mien.live import page as page_module
from mien.live.board import IN_FLIGHT
from mien.live.shown import USUAL_PORT
from mien.results import read_openface_csv

WAIT_S = 120.0
SAFE = (
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "cache-control",
)


@pytest.fixture
def shown(tmp_path):
    with page(tmp_path) as (made, feed):
        made.feed = feed
        yield made


def port_of(shown):
    return shown._page.port


def ask(shown, path, *, host=None, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port_of(shown), timeout=WAIT_S)
    connection.putrequest(method, path, skip_host=True)
    for name, value in {"Host": host or f"127.0.0.1:{port_of(shown)}", **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


@contextmanager
def viewer(shown, path="/live", **options):
    from websockets.sync.client import connect

    with connect(
        f"ws://127.0.0.1:{port_of(shown)}{path}", compression=None, max_size=2**24, **options
    ) as made:
        yield made


def hear(connection):
    """The next message: a state, or what is said of a picture, which is drawn at once."""
    message = connection.recv(timeout=WAIT_S)
    if isinstance(message, str):
        return json.loads(message)
    (size,) = struct.unpack("<I", message[:4])
    about = json.loads(message[4 : 4 + size])
    connection.send(json.dumps({"drawn": about["number"]}))
    return about


def hear_end(connection):
    """Hear without a word, until the connection ends."""
    while True:
        connection.recv(timeout=WAIT_S)


def hear_until(connection, wanted):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        heard = hear(connection)
        if wanted(heard):
            return heard
    raise AssertionError("it was never heard")


def test_the_page_and_its_parts_come_from_here_with_a_policy_that_allows_nothing_else(shown):
    status, headers, body = ask(shown, "/")
    assert status == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert all(name in headers for name in SAFE)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    here = f"127.0.0.1:{port_of(shown)}"
    assert f"connect-src 'self' ws://{here} wss://{here};" in policy
    page_text = body.decode()
    assert "http:" not in page_text
    assert "https:" not in page_text
    assert "onclick" not in page_text
    parts = [part.split('"')[0] for part in page_text.split('"assets/')[1:]]
    assert len(parts) == 6
    for part in parts:
        status, headers, body = ask(shown, f"/assets/{part}")
        assert status == 200
        assert len(body) == int(headers["content-length"]) > 100
        assert all(name in headers for name in SAFE)


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/assets/../page.py",
        "/assets/%2e%2e/page.py",
        "/files/x.csv",
        "/files/../../etc/passwd",
        "/assets/",
    ],
)
def test_there_is_nothing_else(shown, path):
    assert ask(shown, path)[0] == 404


@pytest.mark.parametrize("path", ["/", "/live", "/assets/live.js", "/files/a.csv"])
def test_a_name_that_was_made_to_point_here_gets_nothing(shown, path):
    status, _, body = ask(shown, path, host=f"evil.example:{port_of(shown)}")
    assert status == 421
    assert b"not known under that name" in body


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
def test_other_pages_may_not_connect(shown, origin):
    from websockets.exceptions import InvalidStatus

    with pytest.raises(InvalidStatus, match="403"), viewer(shown, origin=origin):
        pass


def test_the_page_itself_may(shown):
    with viewer(shown, origin=f"http://127.0.0.1:{port_of(shown)}") as one:
        assert hear(one)["hello"]["name"] == "clip.mp4"


def test_with_a_token_nothing_is_seen_without_it(tmp_path):
    from websockets.exceptions import InvalidStatus

    with page(tmp_path, token=True) as (shown, _):
        token = shown.address.partition("token=")[2]
        assert len(token) >= 24
        for path in ("/", "/?token=wrong", "/files/a.csv"):
            status, _, body = ask(shown, path)
            assert status == 403
            assert b"its token is missing" in body
        for path in ("/live", "/live?token=wrong"):
            with pytest.raises(InvalidStatus, match="403"), viewer(shown, path):
                pass
        assert ask(shown, f"/?token={token}")[0] == 200
        with viewer(shown, f"/live?token={token}") as one:
            assert "hello" in hear(one)


def test_other_addresses_always_need_a_token_and_are_warned_of(tmp_path):
    with page(tmp_path, host="0.0.0.0") as (shown, _):
        assert "?token=" in shown.address
        assert not shown.address.startswith("http://0.0.0.0")
        assert "not" in shown.warning or "nothing is encrypted" in shown.warning
        assert ask(shown, "/")[0] == 403
    with page(tmp_path) as (shown, _):
        assert shown.warning == ""
        assert shown.address == f"http://127.0.0.1:{port_of(shown)}"


def test_a_viewer_gets_layout_state_and_pictures(shown):
    with viewer(shown) as one:
        hello = hear(one)["hello"]
        assert hello["models"] == "test"
        assert hello["units"][0]["name"] == "AU01"
        assert hear(one)["state"] == "running"
        first, second = hear(one), hear(one)
        assert second["number"] > first["number"]
        assert second["viewers"] == 1
        later = hear_until(one, lambda heard: heard.get("drawn_ms") is not None)
        assert later["drawn_ms"] > 0


def deaf_viewer(shown):
    """A viewer that reads nothing."""
    made = socket.create_connection(("127.0.0.1", port_of(shown)), timeout=WAIT_S)
    request = (
        f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port_of(shown)}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    )
    made.sendall(request.encode())
    return made


def test_viewers_who_do_not_draw_or_do_not_read_cost_the_others_nothing(shown):
    with viewer(shown) as silent, viewer(shown) as good, deaf_viewer(shown):
        hear_until(good, lambda heard: heard.get("viewers") == 3)
        pictures = [hear_until(good, lambda heard: "number" in heard) for _ in range(20)]
        # all rows have come, whether or not this machine is too busy for all pictures
        assert len({row[0] for heard in pictures for row in heard["rows"]}) >= 20
        messages = []
        while len(messages) < IN_FLIGHT + 2:
            messages.append(silent.recv(timeout=WAIT_S))
        with pytest.raises(TimeoutError):
            silent.recv(timeout=0.3)


def test_whoever_finds_no_room_is_told_so(tmp_path):
    from websockets.exceptions import ConnectionClosed

    with page(tmp_path, viewers=1) as (shown, _), viewer(shown) as one:
        hear(one)
        with viewer(shown) as two, pytest.raises(ConnectionClosed) as caught:
            two.recv(timeout=WAIT_S)
        assert caught.value.rcvd.code == 1013
        assert "places are taken" in caught.value.rcvd.reason


@pytest.mark.parametrize(
    "said",
    [
        "",
        "{",
        "[]",
        "1",
        '{"do": 1}',
        '{"do": "rm"}',
        '{"drawn": "1"}',
        '{"drawn": true}',
        "[" * 1000,
        b"\xff\x00",
    ],
)
def test_nonsense_is_of_no_account(shown, said):
    with viewer(shown) as one:
        one.send(said)
        hear_until(one, lambda heard: "number" in heard)


def test_long_speeches_end_the_connection(shown):
    from websockets.exceptions import ConnectionClosed

    with viewer(shown) as one:
        one.send("x" * 5000)
        with pytest.raises(ConnectionClosed):
            hear_end(one)


def test_a_viewer_that_says_nothing_for_long_is_taken_for_dead(tmp_path, monkeypatch):
    from websockets.exceptions import ConnectionClosed

    monkeypatch.setattr(page_module, "_SILENT_S", 0.2)
    with page(tmp_path) as (shown, _), viewer(shown) as one, pytest.raises((ConnectionClosed, OSError)):
        hear_end(one)


def do(connection, command):
    connection.send(json.dumps({"do": command}))


def test_stop_pauses_and_start_goes_on(shown):
    with viewer(shown) as one:
        do(one, "stop")
        assert hear_until(one, lambda heard: heard.get("state") == "paused")
        assert shown.feed.tap.paused
        do(one, "start")
        assert hear_until(one, lambda heard: heard.get("state") == "running")
        assert not shown.feed.tap.paused


def test_after_the_end_somebody_can_start_anew(shown):
    shown.controls.ended()
    started = []
    waiting = threading.Thread(target=lambda: started.append(shown.controls.wait_for_start()), daemon=True)
    waiting.start()
    with viewer(shown) as one:
        assert hear_until(one, lambda heard: "state" in heard)["state"] == "ended"
        do(one, "start")
        assert hear_until(one, lambda heard: heard.get("state") == "starting")
        waiting.join(WAIT_S)
        assert started == [True]
        shown.begin(Tap(), shown.feed.shown._table._builder.source, {})
        assert hear_until(one, lambda heard: heard.get("state") == "running")
        shown.controls.ended("the camera was unplugged", failed=True)
        failed = hear_until(one, lambda heard: heard.get("state") == "failed")
        assert failed["words"] == "the camera was unplugged"


def test_the_end_of_the_program_ends_the_wait(shown):
    shown.controls.ended()
    threading.Timer(0.05, shown.controls.quit).start()
    assert shown.controls.wait_for_start() is False


def test_a_recording_lies_in_the_folder_and_can_be_fetched(shown, tmp_path):
    with viewer(shown) as one:
        do(one, "record")
        state = hear_until(one, lambda heard: heard.get("recording"))
        hear_until(one, lambda heard: heard.get("recorded_rows", 0) >= 2)
        do(one, "end-record")
        saved = hear_until(one, lambda heard: heard.get("saved"))["saved"][-1]
    assert saved["files"] == [state["recording"]]
    lines = (tmp_path / state["recording"]).read_text().splitlines()
    assert lines[0] == '{"mien": {}}'
    assert len(lines) == saved["rows"] + 1
    status, headers, body = ask(shown, f"/files/{quote(saved['files'][0])}?part=0")
    assert (status, headers["mien-parts"]) == (200, "1")
    assert body.decode().splitlines() == lines


def test_a_saved_table_is_whole_and_comes_in_parts(shown, tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "_PART_BYTES", 5000)
    with viewer(shown) as one:
        hear_until(one, lambda heard: heard.get("table_rows", 0) >= 3)
        do(one, "save")
        saved = hear_until(one, lambda heard: heard.get("saved"))["saved"][-1]
    table, provenance = saved["files"]
    assert len(read_openface_csv(tmp_path / table)) == saved["rows"] >= 3
    assert json.loads((tmp_path / provenance).read_text())["table"] == table
    whole, part, parts = b"", 0, 1
    while part < parts:
        status, headers, body = ask(shown, f"/files/{table}?part={part}")
        parts = int(headers["mien-parts"])
        assert status == 200
        whole += body
        part += 1
    assert parts > 1
    assert whole == (tmp_path / table).read_bytes()
    for part in (-1, "x", "9" * 40):
        assert ask(shown, f"/files/{table}?part={part}")[0] == 404


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_told(shown, tmp_path):
    tmp_path.chmod(0o500)
    try:
        with viewer(shown) as one:
            do(one, "record")
            assert "can't be written" in hear_until(one, lambda heard: heard.get("trouble"))["trouble"]
    finally:
        tmp_path.chmod(0o700)


def test_a_place_that_cannot_be_written_to_is_told_and_the_analysis_goes_on(tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    with page(blocked / "in") as (shown, _), viewer(shown) as one:
        for command in ("record", "save"):
            hear_until(one, lambda heard: heard.get("table_rows"))
            do(one, command)
            assert "can't be written" in hear_until(one, lambda heard: heard.get("trouble"))["trouble"]
        assert hear_until(one, lambda heard: "number" in heard)


def test_the_end_is_told_and_does_not_wait_for_whoever_is_deaf(tmp_path):
    from websockets.exceptions import ConnectionClosed

    with page(tmp_path) as (shown, feed), viewer(shown) as one, deaf_viewer(shown):
        hear_until(one, lambda heard: heard.get("viewers") == 2)
        feed.close()
        closing = threading.Thread(target=shown.close)
        closing.start()
        with pytest.raises(ConnectionClosed) as caught:
            hear_end(one)
        assert caught.value.rcvd.code == 1001
        closing.join(20)
        assert not closing.is_alive()


def test_a_port_that_is_asked_for_must_be_free_and_the_usual_one_need_not(tmp_path):
    with page(tmp_path) as (shown, _), pytest.raises(OutputError, match="choose another"):
        page(tmp_path, port=port_of(shown)).__enter__()
    with page(tmp_path, port=None) as (one, _), page(tmp_path, port=None) as (two, _):
        assert port_of(one) != port_of(two)
        assert port_of(one) == USUAL_PORT or port_of(two) != USUAL_PORT


def test_impossible_wishes_are_refused(tmp_path):
    with pytest.raises(OptionError, match="at least 1"):
        page(tmp_path, viewers=0).__enter__()
    with pytest.raises(OptionError, match="blur, black"):
        page(tmp_path, anonymous="grey").__enter__()


def test_ten_thousand_results_without_viewers_take_no_more_room(tmp_path):
    with page(tmp_path) as (shown, _):
        result = live_face(0)
        for _ in range(10_000):
            shown._board.post(result)
        assert len(shown._board._rows) <= 4096
