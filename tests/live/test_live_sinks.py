"""Where lines go: streams, files that grow, and whoever connects."""

import io
import json
import socket
import threading

import pytest

from mien.errors import OutputError
from mien.live.sinks import FileSink, StreamSink
from mien.live.websocket import WebSocketSink


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
        assert json.loads(client.recv(timeout=20)) == {"mien": 1}
        for number in range(3):
            server.write(f'{{"frame": {number}}}\n')
            assert json.loads(client.recv(timeout=20)) == {"frame": number}


def test_several_clients_get_the_same(server):
    with connect(server) as one, connect(server) as two:
        for client in (one, two):
            client.recv(timeout=20)
        server.write("line\n")
        assert one.recv(timeout=20) == two.recv(timeout=20) == "line"


def test_a_client_that_has_left_holds_nobody_up(server):
    with connect(server) as gone:
        gone.recv(timeout=20)
    with connect(server) as client:
        client.recv(timeout=20)
        server.write("line\n")
        assert client.recv(timeout=20) == "line"


def test_writing_does_not_wait_for_a_client_that_does_not_read(server):
    line = "x" * 100_000 + "\n"
    with connect(server, max_queue=1) as client:
        client.recv(timeout=20)
        writing = threading.Thread(target=lambda: [server.write(line) for _ in range(300)])
        writing.start()
        writing.join(60)
        assert not writing.is_alive()


def _stalled(server) -> socket.socket:
    """A client that asks and then never reads or answers."""
    client = socket.create_connection(("127.0.0.1", server.port))
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
        broken.recv(timeout=20)
        broken.socket.close()
        for _ in range(50):
            server.write("x" * 100_000 + "\n")
        closing = threading.Thread(target=server.close)
        closing.start()
        closing.join(6)  # websockets alone would wait for 10 s
        assert not closing.is_alive()
    assert not errors


@pytest.mark.parametrize("origin", ["https://example.org", "null"])
def test_pages_of_other_sites_are_refused(server, origin):
    from websockets.exceptions import InvalidStatus

    with pytest.raises(InvalidStatus, match="403"), connect(server, origin=origin):
        pass


def test_pages_of_this_machine_are_served(server):
    with connect(server, origin="http://localhost:8000") as client:
        assert client.recv(timeout=20)


def test_a_port_in_use_is_named(server):
    with pytest.raises(OutputError, match=rf"port {server.port} .*choose another"):
        WebSocketSink(server.port)


def test_the_end_of_the_server_ends_the_connections():
    from websockets.exceptions import ConnectionClosed

    sink = WebSocketSink(0, header="header\n")
    with connect(sink) as client:
        client.recv(timeout=20)
        sink.write("last\n")
        sink.close()
        assert client.recv(timeout=20) == "last"
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=20)
