"""``mien demo`` works without any file, and says how well it did."""

from __future__ import annotations

import csv
import json


def test_it_writes_video_truth_table_and_picture_and_says_where(mien, tmp_path):
    done = mien("demo", "-o", "shown", "--models", "open")
    assert done.returncode == 0, done.stderr
    for name in ("portrait.mp4", "portrait.motion.json", "portrait.csv", "portrait.overlay.png"):
        assert (tmp_path / "shown" / name).stat().st_size > 1000
        assert name in done.stdout
    assert "a face in 100 %" in done.stdout
    for motion in ("roll", "zoom", "shift"):
        assert f"Known {motion} followed within" in done.stdout
    for action in ("smile, right", "smile, left", "wink, right", "wink, left", "brow, right", "brow, left"):
        assert f"Known {action} followed with r 0." in done.stdout
    assert done.stdout.count("Open models: no AU04 07 09") == 1
    assert "models: open" in done.stderr
    with (tmp_path / "shown" / "portrait.csv").open() as file:
        rows = list(csv.DictReader(file))
    truth = json.loads((tmp_path / "shown" / "portrait.motion.json").read_text())
    assert [int(row["frame"]) for row in rows] == truth["frame"]
    assert {row["success"] for row in rows} == {"1"}
    assert {row["AU04_r"] + row["AU12_c"] + row["eye_lmk_x_0"] for row in rows} == {""}
    smile = [float(row["AU12_r"]) for row in rows]
    assert 0 <= min(smile) < 0.3
    assert 1 < max(smile) <= 5
    assert [smile[k] > 1 for k in (10, 40, 65)] == [False, True, False]
    assert len(truth["smile_left"]) == len(truth["wink_right"]) == len(rows)


def test_a_folder_that_cannot_be_made_is_an_error(mien, tmp_path):
    (tmp_path / "file").write_text("")
    done = mien("demo", "-o", "file", "--models", "open")
    assert done.returncode == 1
    assert "name another with -o" in done.stderr
