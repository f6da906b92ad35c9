"""Where lines go: streams, files that grow, and whoever connects."""

import contextlib
import errno
import io
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from mien.errors import OptionError, OutputError
from mien.live.listening import ListeningSocket
from mien.live.sinks import FileSink, StreamSink
from mien.live.websocket import WebSocketSink

WAIT_S = 120.0
"""A machine with other work to do may take long; what fails takes forever."""


def test_a_stream_gets_every_line_at_once_and_stays_open():
    stream = io.BytesIO()
    sink = StreamSink(stream)
    sink.write("a\n")
    assert stream.getvalue() == b"a\n"
    sink.close()
    assert not stream.closed


def test_a_file_can_be_read_while_it_grows(tmp_path):
    path = tmp_path / "new" / "live.jsonl"
    sink = FileSink(path)
    for count in (1, 2):
        sink.write("ä\n")
        assert path.read_text(encoding="utf-8") == "ä\n" * count
    sink.close()
    sink.close()


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"can't be written.*choose another"):
        FileSink(tmp_path)


@pytest.fixture
def server():
    sink = WebSocketSink(0, header='{"mien": 1}\n')
    yield sink
    sink.close()


def connect(server, **options):
    from websockets.sync.client import connect

    return connect(f"ws://127.0.0.1:{server.port}", **options)


def test_who_connects_gets_the_header_and_then_the_lines(server):
    with connect(server) as client:
        assert json.loads(client.recv(timeout=WAIT_S)) == {"mien": 1}
        for number in range(3):
            server.write(f'{{"frame": {number}}}\n')
            assert json.loads(client.recv(timeout=WAIT_S)) == {"frame": number}


def test_several_clients_get_the_same(server):
    with connect(server) as one, connect(server) as two:
        for client in (one, two):
            client.recv(timeout=WAIT_S)
        server.write("line\n")
        assert one.recv(timeout=WAIT_S) == two.recv(timeout=WAIT_S) == "line"


def test_a_client_that_has_left_holds_nobody_up(server):
    with connect(server) as gone:
        gone.recv(timeout=WAIT_S)
    with connect(server) as client:
        client.recv(timeout=WAIT_S)
        server.write("line\n")
        assert client.recv(timeout=WAIT_S) == "line"


def test_writing_does_not_wait_for_a_client_that_does_not_read(server):
    line = "x" * 100_000 + "\n"
    with connect(server, max_queue=1) as client:
        client.recv(timeout=WAIT_S)
        writing = threading.Thread(target=lambda: [server.write(line) for _ in range(300)])
        writing.start()
        writing.join(WAIT_S)
        assert not writing.is_alive()


def _stalled(server) -> socket.socket:
    """A client that asks and then never reads or answers."""
    client = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S)
    request = (
        "GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    client.sendall(request.encode())
    assert client.recv(12) == b"HTTP/1.1 101"
    return client


def test_clients_that_stall_or_break_off_neither_hold_up_the_end_nor_make_noise(server, monkeypatch):
    errors = []
    monkeypatch.setattr(threading, "excepthook", errors.append)
    with _stalled(server), connect(server) as broken:
        broken.recv(timeout=WAIT_S)
        broken.socket.close()
        for _ in range(50):
            server.write("x" * 100_000 + "\n")
        closing = threading.Thread(target=server.close)
        closing.start()
        closing.join(9)  # websockets alone would wait for 10 s
        assert not closing.is_alive()
    assert not errors


def test_whoever_comes_when_all_places_are_taken_is_told_so():
    from websockets.exceptions import InvalidStatus

    sink = WebSocketSink(0, header="header\n", most=2)
    try:
        with connect(sink) as one, connect(sink) as two:
            for client in (one, two):
                client.recv(timeout=WAIT_S)
            for _ in range(5):
                with pytest.raises(InvalidStatus, match="503") as caught, connect(sink):
                    pass
                assert b"all 2 places are taken" in caught.value.response.body
            sink.write("line\n")
            assert one.recv(timeout=WAIT_S) == two.recv(timeout=WAIT_S) == "line"
        with free_place(sink) as client:
            assert client.recv(timeout=WAIT_S) == "header"
    finally:
        sink.close()


@contextlib.contextmanager
def free_place(sink):
    """A connection as soon as there is room: the server notices a bit later that somebody has left."""
    from websockets.exceptions import InvalidHandshake

    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            client = connect(sink)
            break
        except (OSError, InvalidHandshake):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    with client:
        yield client


def test_a_crowd_that_says_nothing_does_not_keep_others_out_for_good():
    sink = WebSocketSink(0, header="header\n", most=2)
    crowd = [socket.create_connection(("127.0.0.1", sink.port), timeout=WAIT_S) for _ in range(40)]
    try:
        # More than may shake hands at once: those are turned away, with a word.
        assert crowd[-1].recv(12) == b"HTTP/1.1 503"
        for silent in crowd:
            silent.close()
        with free_place(sink) as client:
            assert client.recv(timeout=WAIT_S) == "header"
    finally:
        for silent in crowd:
            silent.close()
        sink.close()


EXHAUSTED = """
import resource, sys
from mien.live.websocket import WebSocketSink

limit = 40
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
sink = WebSocketSink(0, header="header\\n", most=1000)
print(sink.port, flush=True)
sys.stdin.readline()
sink.close()
print("closed", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no limit of descriptors")
def test_the_server_outlives_running_out_of_descriptors():
    process = subprocess.Popen(
        [sys.executable, "-c", EXHAUSTED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        server = SimpleNamespace(port=int(process.stdout.readline()))
        crowd = [socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) for _ in range(80)]
        assert "no more clients for now" in process.stderr.readline()
        for client in crowd:
            client.close()
        with free_place(server) as client:
            assert client.recv(timeout=WAIT_S) == "header"
        out, errors = process.communicate("\n", timeout=WAIT_S)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out, errors) == (0, "closed\n", "")


def test_a_connection_that_nothing_can_wait_for_ends_without_a_traceback(monkeypatch, capfd):
    """A process without a free descriptor has none to wait with, either."""
    sink, failed = WebSocketSink(0, header="header\n", most=4), threading.Event()

    def no_descriptor(connection):
        failed.set()
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr("websockets.sync.connection.Connection.recv_events", no_descriptor)
        with socket.create_connection(("127.0.0.1", sink.port), timeout=WAIT_S) as client:
            assert failed.wait(WAIT_S)
            assert client.recv(1) == b""
    try:
        with free_place(sink) as client:
            assert client.recv(timeout=WAIT_S) == "header"
    finally:
        sink.close()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ECONNABORTED])
def test_accepting_goes_on_after_an_error_and_says_so_once(monkeypatch, caplog, number):
    accept, failures = socket.socket.accept, [number] * 3

    def failing(self):
        if failures:
            raise OSError(failures.pop(), "no")
        return accept(self)

    with ListeningSocket("127.0.0.1", 0, 1) as listening:
        monkeypatch.setattr(socket.socket, "accept", failing)
        with socket.create_connection(listening.getsockname()):
            client, _ = listening.accept()
        client.close()
    assert not failures
    assert caplog.text.count("no more clients for now") == (number != errno.ECONNABORTED)


def test_accepting_ends_with_the_socket():
    listening = ListeningSocket("127.0.0.1", 0, 1)
    ended = threading.Event()

    def accept():
        with contextlib.suppress(OSError):
            listening.accept()
        ended.set()

    threading.Thread(target=accept, daemon=True).start()
    listening.close()
    assert ended.wait(WAIT_S)


NOISE = """
import sys
from mien.live.websocket import WebSocketSink

sink = WebSocketSink(0, header="header\\n", most=4)
print(sink.port, flush=True)
for line in sys.stdin:
    sink.write("x" * 100_000 + "\\n")
sink.close()
"""


def test_dead_and_rude_clients_print_nothing():
    """What the server's own process prints is looked at: tracebacks of threads and records of loggers."""
    process = subprocess.Popen(
        [sys.executable, "-c", NOISE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        server = SimpleNamespace(port=int(process.stdout.readline()))
        for said in (
            b"",
            b"GET / HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\x02\x00",
            b"\0" * 9000,
            b"POST / x\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as client:
                client.sendall(said)
        for _ in range(3):
            with _stalled(server) as client:
                # A reset instead of a farewell, and bytes that are no frame.
                client.sendall(b"\xff" * 20)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            process.stdin.write("\n")
            process.stdin.flush()
        with connect(server) as client:
            client.recv(timeout=WAIT_S)
            client.socket.shutdown(socket.SHUT_RDWR)
        out, errors = process.communicate("\n" * 20, timeout=WAIT_S)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out, errors) == (0, "", "")


def test_a_server_that_ends_by_itself_says_so(caplog, monkeypatch):
    def no_more(self):
        raise RuntimeError("can't start new thread")

    sink = WebSocketSink(0, header="header\n")
    monkeypatch.setattr(ListeningSocket, "accept", no_more)
    with socket.create_connection(("127.0.0.1", sink.port)):
        sink._server.thread.join(WAIT_S)
    assert not sink._server.thread.is_alive()
    assert "the WebSocket server has ended, the analysis goes on: can't start new thread" in caplog.text
    sink.write("line\n")
    sink.close()


def test_no_room_for_anybody_is_refused():
    with pytest.raises(OptionError, match="expected at least 1"):
        WebSocketSink(0, most=0)


@pytest.mark.parametrize("origin", ["https://example.org", "null"])
def test_pages_of_other_sites_are_refused(server, origin):
    from websockets.exceptions import InvalidStatus

    with pytest.raises(InvalidStatus, match="403"), connect(server, origin=origin):
        pass


def test_pages_of_this_machine_are_served(server):
    with connect(server, origin="http://localhost:8000") as client:
        assert client.recv(timeout=WAIT_S)


def test_a_port_in_use_is_named(server):
    with pytest.raises(OutputError, match=rf"port {server.port} .*choose another"):
        WebSocketSink(server.port)


def test_the_end_of_the_server_ends_the_connections():
    from websockets.exceptions import ConnectionClosed

    sink = WebSocketSink(0, header="header\n")
    with connect(sink) as client:
        client.recv(timeout=WAIT_S)
        sink.write("last\n")
        sink.close()
        assert client.recv(timeout=WAIT_S) == "last"
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=WAIT_S)
