"""The original program's full-precision dumps, brought into mien's containers."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from mien.datatypes import EyeShape, FaceLandmarks
from mien.geometry.camera import default_camera
from mien.models.readers.pdm import read_pdm

VIDEOS = (
    "0417_02_003_bill_clinton",
    "2015-10-15-15-14",
    "clip2",
    "default",
    "multi_face",
    "subj01_timepoint01",
)


@lru_cache(maxsize=2)
def read_video(folder: Path) -> dict[str, np.ndarray]:
    """All arrays of a video's dump; shapes as in mien: (N, 68, 2), (N, 68, 3), (N, 56, 3) ..."""
    with np.load(folder / "full.npz") as archive:
        dump = {name: archive[name] for name in archive.files}
    dump["landmarks"] = dump["landmarks"].reshape(-1, 2, 68).transpose(0, 2, 1)
    dump["landmarks3d"] = dump["landmarks3d"].reshape(-1, 3, 68).transpose(0, 2, 1)
    dump["eye_lmk2d"] = dump["eye_lmk2d"].reshape(-1, 56, 2)
    dump["eye_lmk3d"] = dump["eye_lmk3d"].reshape(-1, 56, 3)
    return dump


def camera_of(dump):
    return default_camera(*(int(size) for size in dump["camera_fx_fy_cx_cy_W_H_fps"].ravel()[4:6]))


def main_pdm(openface_dir: Path):
    return read_pdm(openface_dir / "LandmarkDetector/model/pdms/In-the-wild_aligned_PDM_68.txt")


def landmarks_of(dump, row, pdm, camera):
    """The tracker's state in one frame. An eye's fit is not in the dump, only its depths are."""
    points = dump["eye_lmk2d"][row].astype(np.float32)
    depths = (dump["eye_lmk3d"][row][:, 2] - camera.fx).astype(np.float32)
    local = dump["params_local"][row].astype(np.float32)
    return FaceLandmarks(
        points=np.ascontiguousarray(dump["landmarks"][row], np.float32),
        object_shape=(pdm.mean + pdm.basis @ local).astype(np.float32),
        global_params=dump["params_global"][row].astype(np.float32),
        local_params=local,
        eyes=(EyeShape(points[:28], depths[:28], 1.0), EyeShape(points[28:], depths[28:], 1.0)),
        confidence=float(dump["certainty"][row, 0]),
        success=bool(dump["success"][row, 0]),
        valid=bool(dump["detection_success"][row, 0]),
    )
