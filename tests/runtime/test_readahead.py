"""Iterating in a thread of its own."""

import threading
import time

import pytest

from mien.runtime.readahead import ReadAhead


def running(name):
    return [t for t in threading.enumerate() if t.name == name]


def test_items_arrive_in_order():
    with ReadAhead(range(100)) as items:
        assert list(items) == list(range(100))


def test_at_most_depth_items_wait():
    made = []

    def source():
        for i in range(100):
            made.append(i)
            yield i

    with ReadAhead(source(), depth=2) as items:
        assert next(items) == 0
        time.sleep(0.1)
        # One delivered, two waiting, one in the thread's hand.
        assert len(made) <= 4


def test_an_error_comes_after_the_items_before_it():
    def source():
        yield 1
        yield 2
        raise KeyError("broken")

    with ReadAhead(source()) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(KeyError, match="broken"):
            next(items)
        assert list(items) == []


def test_leaving_early_closes_the_source_in_its_thread():
    closed = []

    def source():
        try:
            yield from range(1000)
        finally:
            closed.append(threading.current_thread().name)

    with ReadAhead(source(), name="test-early") as items:
        next(items)
    assert closed == ["test-early"]
    assert not running("test-early")


def test_an_endless_source_stops_when_the_consumer_fails():
    def source():
        while True:
            yield 0

    with pytest.raises(RuntimeError), ReadAhead(source(), name="test-endless"):
        raise RuntimeError
    assert not running("test-endless")


def test_closing_twice_and_after_the_end_is_harmless():
    items = ReadAhead([1, 2])
    assert list(items) == [1, 2]
    items.close()
    items.close()
