"""The original's programs that mien stands in for (docs/algorithms/output-table.md#programs)."""

from __future__ import annotations

from enum import StrEnum


class Program(StrEnum):
    """A program of OpenFace, by the name of its executable."""

    FEATURE_EXTRACTION = "FeatureExtraction"
    FACE_LANDMARK_IMG = "FaceLandmarkImg"
    FACE_LANDMARK_VID_MULTI = "FaceLandmarkVidMulti"


SUMMARIES = {
    Program.FEATURE_EXTRACTION: "OpenFace's program for one face in a video, with its flags.",
    Program.FACE_LANDMARK_IMG: "OpenFace's program for all faces of pictures, with its flags.",
    Program.FACE_LANDMARK_VID_MULTI: "OpenFace's program for up to four faces in videos, with its flags.",
}
