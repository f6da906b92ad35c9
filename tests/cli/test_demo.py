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
    assert "models: open" in done.stderr
    with (tmp_path / "shown" / "portrait.csv").open() as file:
        rows = list(csv.DictReader(file))
    truth = json.loads((tmp_path / "shown" / "portrait.motion.json").read_text())
    assert [int(row["frame"]) for row in rows] == truth["frame"]
    assert {row["success"] for row in rows} == {"1"}
    assert {row["AU04_r"] + row["AU12_c"] + row["eye_lmk_x_0"] for row in rows} == {""}
    assert all(0 <= float(row["AU12_r"]) <= 5 for row in rows)


def test_a_folder_that_cannot_be_made_is_an_error(mien, tmp_path):
    (tmp_path / "file").write_text("")
    done = mien("demo", "-o", "file", "--models", "open")
    assert done.returncode == 1
    assert "name another with -o" in done.stderr
