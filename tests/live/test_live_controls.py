"""What viewers of a live page may ask for."""

from __future__ import annotations

import threading

from mien.live import controls as module
from mien.live.controls import Controls
from mien.live.keeping import Names, Recorder, TableSoFar


def test_a_signal_just_before_the_wait_ends_it_too(tmp_path, monkeypatch):
    """Handlers run in the thread that waits, at any moment: also between its look and its wait."""
    names = Names(tmp_path, "camera")
    controls = Controls(Recorder(names, ""), TableSoFar(names, None), lambda state: None)
    wait, answers = controls._changed.wait, []
    monkeypatch.setattr(module, "_LOOK_S", 0.01)

    def interrupted(seconds=None):
        controls.quit()
        return wait(seconds)

    monkeypatch.setattr(controls._changed, "wait", interrupted)
    waiting = threading.Thread(target=lambda: answers.append(controls.wait_for_start()), daemon=True)
    waiting.start()
    waiting.join(20)
    assert answers == [False]
