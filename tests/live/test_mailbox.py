"""The slot between capture and analysis: the latest item wins, and what it replaces is counted."""

import threading

import pytest

from mien.live.mailbox import Mailbox


def test_a_later_item_replaces_one_that_nobody_took():
    box = Mailbox()
    for item in (1, 2, 3):
        assert box.put(item)
    assert box.take() == 3
    assert box.dropped == 2


def test_taken_items_are_not_dropped():
    box = Mailbox()
    for item in (1, 2, 3):
        box.put(item)
        assert box.take() == item
    assert box.dropped == 0


def test_the_last_item_can_be_taken_after_the_end():
    box = Mailbox()
    box.put("last")
    box.close()
    assert list(box) == ["last"]
    assert box.take() is None


def test_nothing_is_accepted_after_the_end():
    box = Mailbox()
    box.close()
    assert not box.put(1)
    assert box.take() is None


def test_an_error_comes_after_the_last_item():
    box = Mailbox()
    box.put(1)
    box.close(ValueError("camera unplugged"))
    assert box.take() == 1
    with pytest.raises(ValueError, match="unplugged"):
        box.take()


def test_an_end_is_not_replaced_by_a_later_error():
    box = Mailbox()
    box.close()
    box.close(ValueError("too late"))
    assert box.take() is None


def test_counting_starts_again():
    box = Mailbox()
    for item in (1, 2):
        box.put(item)
    box.forget()
    assert box.dropped == 0
    assert box.take() == 2


def test_the_end_wakes_who_waits():
    box, seen = Mailbox(), []
    waiting = threading.Thread(target=lambda: seen.append(box.take()))
    waiting.start()
    box.close()
    waiting.join(120)
    assert seen == [None]


def test_items_of_a_busy_producer_arrive_in_order_and_all_are_accounted_for():
    box, count = Mailbox(), 2000

    def produce():
        for item in range(1, count + 1):
            box.put(item)
        box.close()

    thread = threading.Thread(target=produce)
    thread.start()
    taken = list(box)
    thread.join()
    assert taken == sorted(set(taken))
    assert taken[-1] == count
    assert len(taken) + box.dropped == count
