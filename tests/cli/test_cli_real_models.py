"""``mien analyze`` with OpenFace's models against the original's own table."""

import csv

import numpy as np
import pytest

pytestmark = pytest.mark.models


@pytest.mark.parametrize(
    ("video", "limit_px"),
    [("default.wmv", 0.08), ("0417_02_003_bill_clinton.avi", 0.08), ("clip2.mp4", 0.15)],
)
def test_the_first_seconds_equal_the_originals(
    mien, openface_dir, media_dir, reference_dir, tmp_path, video, limit_px
):
    done = mien(
        *("analyze", media_dir / video, "--compat", "openface", "--models", "openface"),
        *("--landmarks", "clnf", "--end", 4),
        models=openface_dir,
    )
    assert done.returncode == 0, done.stderr
    stem = video.rsplit(".", 1)[0]
    ours, theirs = read(tmp_path / f"{stem}.csv"), read(reference_dir / "videos" / stem / f"{stem}.csv")
    assert list(ours) == list(theirs)
    count = len(ours["frame"])
    assert count >= 60
    for name in ("frame", "face_id", "timestamp"):
        assert np.array_equal(ours[name], theirs[name][:count])
    assert np.mean(ours["success"] == theirs["success"][:count]) >= 0.985
    both = (ours["success"] == 1) & (theirs["success"][:count] == 1)
    apart = np.hypot(
        *(
            np.stack([ours[f"{axis}_{i}"] - theirs[f"{axis}_{i}"][:count] for i in range(68)])[:, both]
            for axis in "xy"
        )
    )
    assert apart.mean() <= limit_px


def read(path):
    with path.open(newline="") as table:
        rows = csv.reader(table, skipinitialspace=True)
        names = next(rows)
        return dict(zip(names, np.array([[float(cell) for cell in row] for row in rows]).T, strict=True))
