"""Work handed to a thread is done in order; errors come back."""

from __future__ import annotations

import threading

import pytest

from mien.runtime.writebehind import WriteBehind


def test_everything_is_done_in_order():
    done = []
    work = WriteBehind()
    for number in range(100):
        work.submit(lambda number=number: done.append(number))
    work.finish()
    assert done == list(range(100))


def test_the_caller_waits_when_too_much_is_waiting():
    gate, done = threading.Event(), []
    work = WriteBehind(depth=2)
    work.submit(gate.wait)

    def submit_many():
        for number in range(5):
            work.submit(lambda number=number: done.append(number))

    caller = threading.Thread(target=submit_many)
    caller.start()
    caller.join(0.1)
    assert caller.is_alive()
    gate.set()
    caller.join()
    work.finish()
    assert done == list(range(5))


def test_an_error_reaches_the_caller_and_ends_the_work():
    done = []
    work = WriteBehind()

    def fail():
        raise OSError("full")

    def submit_many():
        for _ in range(1000):
            work.submit(lambda: done.append(1))

    work.submit(fail)
    with pytest.raises(OSError, match="full"):
        submit_many()
    work.cancel()
    assert not done


def test_the_error_of_the_last_work_is_raised_at_the_end():
    work = WriteBehind()

    def fail():
        raise OSError("full")

    work.submit(fail)
    with pytest.raises(OSError, match="full"):
        work.finish()


def test_what_waits_is_dropped_when_cancelled():
    gate, done = threading.Event(), []
    work = WriteBehind()
    work.submit(gate.wait)
    work.submit(lambda: done.append(1))
    threading.Timer(0.05, gate.set).start()
    work.cancel()
    work.cancel()
    assert not done
