"""Downloads from a misbehaving server on this machine."""

from __future__ import annotations

import errno
import multiprocessing
import os
import sys
import threading

import filelock
import pytest
from helpers_server import Behaviour, make_store, serve

from mien.errors import MienError, ModelsMissingError, OptionError
from mien.models.hashes import HashMemory
from mien.models.store import ModelStore

BIG = bytes(range(256)) * 12_000  # 3 MB
SMALL = b"PDM pdms/some.txt\n"
FILES = {
    "LandmarkDetector/model/big.dat": (BIG, "clnf"),
    "FaceAnalyser/small.txt": (SMALL, "clnf"),
    "LandmarkDetector/model/cen.dat": (b"cen" * 100, "ce-clm"),
}
PATH = "LandmarkDetector/model/big.dat"


@pytest.fixture
def server():
    with serve() as state:
        yield state


def fill(server, prefix: str = "a/", **changes) -> None:
    for path, (data, _) in FILES.items():
        server.paths[prefix + path] = Behaviour(data)
    for name, value in changes.items():
        setattr(server.paths[prefix + PATH], name, value)


@pytest.fixture
def store(tmp_path, server):
    return make_store(tmp_path, FILES, [server.address + "a/", server.address + "b/"])


def fetch(store, **options):
    return store.fetch(accept_licence=True, pause_s=0.0, **options)


def assert_complete(store):
    assert store.status().missing == store.status().wrong == ()
    assert not list(store.folder.rglob("*.part"))
    assert (store.folder / PATH).read_bytes() == BIG


def test_all_files_are_downloaded_and_the_licence_is_put_beside_them(store, server):
    fill(server)
    assert [file.path for file in fetch(store)] == list(FILES)
    assert_complete(store)
    assert "OPENFACE" in (store.folder / "OpenFace-license.txt").read_text()
    assert fetch(store) == ()


def test_nothing_is_asked_for_without_agreement_to_the_licence(store, server):
    fill(server)
    with pytest.raises(OptionError, match="--accept-openface-licence"):
        store.fetch(accept_licence=False)
    assert server.requests == []
    assert len(store.status().missing) == 3


def test_groups_choose_what_is_downloaded(store, server):
    fill(server)
    assert [file.path for file in fetch(store, groups=("ce-clm",))] == ["LandmarkDetector/model/cen.dat"]


def test_progress_tells_the_bytes_that_are_here(store, server):
    fill(server)
    told = []
    fetch(store, groups=("clnf",), progress=lambda file, count: told.append((file.path, count)))
    counts = [count for path, count in told if path == PATH]
    assert counts == sorted(counts)
    assert counts[-1] == len(BIG)


def test_a_broken_transfer_goes_on_where_it_stopped(store, server):
    fill(server, break_after=1_000_000, breaks=2)
    fetch(store)
    assert_complete(store)
    ranges = server.asked("a/" + PATH)
    assert ranges[0] is None
    assert len(ranges) == 3
    assert 0 < int(ranges[1][6:-1]) < int(ranges[2][6:-1])
    assert server.asked("b/" + PATH) == []


def test_the_next_run_goes_on_where_the_last_one_stopped(store, server):
    fill(server)
    (store.folder / PATH).parent.mkdir(parents=True)
    (store.folder / (PATH + ".part")).write_bytes(BIG[:1234])
    fetch(store)
    assert server.asked("a/" + PATH) == ["bytes=1234-"]
    assert_complete(store)


def test_the_second_address_goes_on_where_the_first_broke_for_good(store, server):
    fill(server, break_after=500_000, breaks=99, ranges=True)
    fill(server, "b/")
    server.paths["a/" + PATH].break_after = 300_000
    fetch(store)
    assert_complete(store)
    assert len(server.asked("a/" + PATH)) == 3
    assert server.asked("b/" + PATH)[0].startswith("bytes=")


def test_a_server_without_ranges_is_asked_for_the_whole(store, server):
    fill(server, ranges=False)
    (store.folder / PATH).parent.mkdir(parents=True)
    (store.folder / (PATH + ".part")).write_bytes(b"x" * 1234)
    fetch(store)
    assert_complete(store)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data": BIG[:-1] + b"?"}, "SHA-256"),
        ({"data": BIG + b"?"}, "offers 3072001 bytes"),
        ({"data": BIG + b"?", "chunked": True}, "more than the expected 3072000"),
        ({"data": BIG[:-1]}, "offers 3071999 bytes"),
        ({"data": BIG[:-1], "chunked": True}, "broke after 3071999 of 3072000"),
        ({"data": b"<html>quota exceeded</html>"}, "text/html"),
        ({"status": 404}, "404"),
        ({"status": 403}, "403"),
        ({"status": 503}, "503"),
        ({"status": 429}, "429"),
    ],
)
def test_the_second_address_is_used_when_the_first_is_wrong(store, server, changes, reason, caplog):
    fill(server, **changes)
    fill(server, "b/")
    caplog.set_level("INFO", "mien")
    fetch(store)
    assert_complete(store)
    assert reason in caplog.text


def test_an_unreachable_address_is_passed_over(tmp_path, server):
    fill(server, "b/")
    store = make_store(tmp_path, FILES, ["http://127.0.0.1:9/", server.address + "b/"])
    fetch(store)
    assert_complete(store)


def test_a_wrong_partial_file_is_thrown_away(store, server):
    fill(server)
    (store.folder / PATH).parent.mkdir(parents=True)
    (store.folder / (PATH + ".part")).write_bytes(b"x" * 1234)
    fetch(store)
    assert server.asked("a/" + PATH) == ["bytes=1234-", None]
    assert_complete(store)


@pytest.mark.parametrize("length", [len(BIG), len(BIG) + 5])
def test_a_full_or_too_long_partial_file_is_checked_like_any_other(store, server, length):
    fill(server)
    (store.folder / PATH).parent.mkdir(parents=True)
    (store.folder / (PATH + ".part")).write_bytes(b"x" * length)
    fetch(store)
    assert_complete(store)


def test_a_server_that_gives_another_range_is_not_used(store, server):
    fill(server, wrong_range=True)
    fill(server, "b/")
    (store.folder / PATH).parent.mkdir(parents=True)
    (store.folder / (PATH + ".part")).write_bytes(BIG[:1234])
    fetch(store)
    assert_complete(store)
    assert server.asked("b/" + PATH) == ["bytes=1234-"]


def test_a_server_that_has_nothing_after_what_is_here_is_asked_for_the_whole(store, server):
    """416: the partial file may be of another version of the file."""
    fill(server, no_such_range=True)
    (store.folder / PATH).parent.mkdir(parents=True)
    (store.folder / (PATH + ".part")).write_bytes(b"x" * 1234)
    fetch(store)
    assert server.asked("a/" + PATH) == ["bytes=1234-", None]
    assert_complete(store)


@pytest.mark.parametrize(
    "address",
    [
        "http://[::1",
        "http://[",
        "http://\xff\xfe/",
        "http://a..b/",
        "http://.example/",
        "http://" + "a" * 70 + ".example/",
        "http://host:99999999/",
        "http://host:port/",
        "file:///etc/hostname",
        "ftp://127.0.0.1/",
        "//",
        "http:///",
        "http://%zz/",
        "javascript:x",
        "\x1b[31m",
        "",
    ],
)
def test_redirects_to_what_is_no_address_are_no_crash(store, server, address, caplog):
    fill(server, redirect=address)
    fill(server, "b/")
    caplog.set_level("INFO", "mien")
    fetch(store)
    assert_complete(store)
    assert server.asked("b/" + PATH)
    assert "\x1b" not in caplog.text


def test_redirects_in_a_circle_end(store, server):
    fill(server, redirect=f"/a/{PATH}")
    fill(server, "b/")
    fetch(store)
    assert_complete(store)
    assert len(server.asked("a/" + PATH)) < 40


@pytest.mark.parametrize("place", ["", ".part"])
def test_a_folder_in_the_way_is_named(store, server, place):
    fill(server)
    (store.folder / (PATH + place)).mkdir(parents=True)
    with pytest.raises(ModelsMissingError, match=r"big\.dat(\.part)? is a folder; remove it"):
        fetch(store)
    assert (store.folder / (PATH + place)).is_dir()
    assert (store.folder / "FaceAnalyser/small.txt").read_bytes() == SMALL


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
@pytest.mark.parametrize("place", ["", ".part"])
def test_what_a_link_points_at_is_never_written_to(store, server, tmp_path, place):
    fill(server)
    victim = tmp_path / "victim"
    victim.write_bytes(b"dear")
    (store.folder / PATH).parent.mkdir(parents=True)
    (store.folder / (PATH + place)).symlink_to(victim)
    fetch(store)
    assert victim.read_bytes() == b"dear"
    assert not (store.folder / PATH).is_symlink()
    assert_complete(store)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_pipe_in_the_place_of_a_partial_file_is_not_waited_for(store, server):
    fill(server)
    (store.folder / PATH).parent.mkdir(parents=True)
    os.mkfifo(store.folder / (PATH + ".part"))
    fetch(store)
    assert_complete(store)


def test_a_full_disk_is_said_and_no_other_address_is_asked(store, server, monkeypatch):
    fill(server)

    def full(part, have):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mien.models.download._opened", full)
    with pytest.raises(ModelsMissingError, match="No space left on device"):
        fetch(store, groups=("ce-clm",))
    assert server.asked("b/LandmarkDetector/model/cen.dat") == []


def test_what_cannot_be_had_is_named_with_every_reason_and_the_rest_is_kept(store, server):
    fill(server, status=404)
    with pytest.raises(ModelsMissingError) as caught:
        fetch(store)
    message = str(caught.value)
    assert "1 of 3 files" in message
    assert PATH in message
    assert message.count("404") == 2
    assert "mien models import DIR" in message
    assert [file.path for file in store.status().missing] == [PATH]
    fill(server)
    assert [file.path for file in fetch(store)] == [PATH]


def test_a_file_without_any_address_is_named(tmp_path):
    store = make_store(tmp_path, FILES, [])
    with pytest.raises(ModelsMissingError, match="no address is known"):
        fetch(store)


def test_a_damaged_file_is_downloaded_again(store, server):
    fill(server)
    fetch(store)
    (store.folder / PATH).write_bytes(b"x" * len(BIG))
    assert [file.path for file in store.status().wrong] == [PATH]
    assert [file.path for file in fetch(store)] == [PATH]
    assert_complete(store)


def _fetch_in_process(root, ready):
    store = ModelStore(root, HashMemory(root / "sums.json"))  # the manifest was written by the parent
    ready.wait()
    store.fetch(accept_licence=True, pause_s=0.0)


def test_two_processes_do_not_download_the_same_file_twice(tmp_path, server):
    fill(server)
    store = make_store(tmp_path, FILES, [server.address + "a/"])
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    processes = [context.Process(target=_fetch_in_process, args=(tmp_path, ready)) for _ in range(2)]
    for process in processes:
        process.start()
    ready.set()
    for process in processes:
        process.join(300)
    assert [process.exitcode for process in processes] == [0, 0]
    assert sorted(path for path, _ in server.requests) == sorted("a/" + path for path in FILES)
    assert_complete(store)


def test_a_locked_store_is_waited_for(store, server, caplog):
    fill(server)
    lock = filelock.FileLock(store.folder / ".lock", thread_local=False)
    lock.acquire()
    worker = threading.Thread(target=fetch, args=(store,))
    worker.start()
    worker.join(0.3)
    assert worker.is_alive()
    assert server.requests == []
    lock.release()
    worker.join(120)
    assert "waiting" in caplog.text
    assert_complete(store)


def test_too_little_room_is_said_before_anything_is_downloaded(store, server, monkeypatch):
    fill(server)
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(MienError, match=r"3 MB are needed, 1 MB are free.*MIEN_MODELS"):
        fetch(store)
    assert server.requests == []


def test_a_folder_that_cannot_be_made_is_a_plain_error(tmp_path):
    from mien.models.store import ModelStore

    (tmp_path / "file").write_text("")
    with pytest.raises(MienError, match=r"cannot be written.*MIEN_MODELS"):
        ModelStore(tmp_path / "file").fetch(accept_licence=True)
