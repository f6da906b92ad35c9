"""The original program's full-precision dumps, brought into mien's containers."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from mien.datatypes import EyeShape, FaceLandmarks
from mien.geometry.pinhole import default_camera
from mien.models.readers.shape_files import read_pdm
from mien.results import VideoResult

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


def result_of(dump) -> VideoResult:
    """The original's full-precision values as a result of mien."""
    single, flat = np.float32, {name: array[:, 0] for name, array in dump.items() if array.shape[1:] == (1,)}
    return VideoResult(
        frame=flat["frame"].astype(np.int64) - 1,
        face_id=np.zeros(len(flat["frame"]), np.int32),
        time_s=flat["timestamp"],
        confidence=flat["certainty"],
        success=flat["success"] > 0,
        valid=flat["detection_success"] > 0,
        landmarks=dump["landmarks"].astype(single),
        landmarks_3d=dump["landmarks3d"].astype(single),
        pose_translation_mm=dump["pose"][:, :3],
        pose_rotation_rad=dump["pose"][:, 3:],
        global_params=dump["params_global"].astype(single),
        local_params=dump["params_local"].astype(single),
        gaze_directions=np.stack([dump["gaze0"], dump["gaze1"]], axis=1),
        gaze_angle_rad=dump["gaze_angle"],
        eye_landmarks=dump["eye_lmk2d"].astype(single),
        eye_landmarks_3d=dump["eye_lmk3d"].astype(single),
        au_intensity=dump["au_reg_final"],
        au_presence=dump["au_class_final"],
        au_intensity_names=tuple(dump["au_reg_final_names"]),
        au_presence_names=tuple(dump["au_class_final_names"]),
        au_post_processed=True,
    )
