"""Who may see the live page: names, origins and tokens."""

import socket

import pytest

from mien.live.door import Door, is_loopback, new_token

HERE = Door("127.0.0.1", None)
OPEN = Door("0.0.0.0", "secret")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.7", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_only_this_machines_own_addresses_need_no_token(host, expected):
    assert is_loopback(host) is expected


@pytest.mark.parametrize("host", ["localhost", "localhost:80", "127.0.0.1:8465", "[::1]:8465", "LOCALHOST:1"])
def test_this_machine_is_known_by_its_own_names_at_any_port(host):
    assert HERE.knows([host])


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8465",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.168.1.7:8465",
        "user@localhost",
        "localhost/..",
        "localhost?; script-src *",
        "localhost#x",
        "@localhost",
        "localhost:port",
        "[::1",
        "",
    ],
)
def test_names_that_were_made_to_point_here_are_unknown(host):
    assert not HERE.knows([host])


def test_no_host_and_two_hosts_are_unknown():
    assert not HERE.knows([])
    assert not HERE.knows(["localhost", "localhost"])


def test_others_reach_an_open_page_by_number_or_by_the_machines_name():
    name = socket.gethostname().lower()
    assert all(OPEN.knows([host]) for host in ("192.168.1.7:8465", "[2001:db8::1]:8465", name, "localhost:1"))
    assert not OPEN.knows(["evil.example:8465"])


@pytest.mark.parametrize("origin", ["http://localhost:8465", "https://LOCALHOST:8465"])
def test_the_page_itself_may_connect_and_so_may_programs(origin):
    assert HERE.lets_in([origin], ["localhost:8465"])
    assert HERE.lets_in([], ["localhost:8465"])


@pytest.mark.parametrize(
    "origins",
    [
        ["http://localhost:3000"],
        ["http://127.0.0.1:8465"],
        ["http://evil.example"],
        ["null"],
        ["file://"],
        ["localhost:8465"],
        [""],
        ["http://localhost:8465", "http://localhost:8465"],
    ],
)
def test_other_pages_may_not_connect(origins):
    assert not HERE.lets_in(origins, ["localhost:8465"])


@pytest.mark.parametrize(
    "path", ["/", "/?token=", "/?token=Secret", "/?token=secret2", "/?t=secret", "/?token=%ff"]
)
def test_without_the_token_nobody_gets_in(path):
    assert not OPEN.has_token(path)


def test_the_token_opens_and_where_there_is_none_all_may_come():
    assert OPEN.has_token("/live?a=1&token=secret")
    assert HERE.has_token("/")


def test_tokens_are_long_differ_and_need_no_escapes():
    tokens = {new_token() for _ in range(50)}
    assert len(tokens) == 50
    assert all(len(token) >= 24 and token.replace("-", "").replace("_", "").isalnum() for token in tokens)
