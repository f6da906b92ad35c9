"""The open model pack: networks and tables that come with mien, under permissive licences.

The files lie in this folder, with the licences they are under, a notice of what was changed, and their sums
as ``sha256sum --check`` reads them. ``docs/open-models.md`` says what the pack measures and how well;
``tools/rebuild_open_models.py`` makes the files anew from the packages they come from.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
"""Where the pack's files are."""
CANNOT_SEE = "Open models: no AU04 07 09 14 15 17 20 23 28, no presences; ~ is only about on OpenFace's scale"
"""What a picture and a terminal say of the pack's limits, in one line."""
SHORT_RANGE = FOLDER / "face_detection_short_range.onnx"
"""Detects near faces."""
FULL_RANGE = FOLDER / "face_detection_full_range.onnx"
"""Detects smaller faces."""
MTCNN = FOLDER / "mtcnn.npz"
"""Detects faces as OpenFace does (MIT)."""
ATTENTION_MESH = FOLDER / "face_landmark_with_attention.onnx"
"""Face mesh with refined eyes and lips, and irises."""
PLAIN_MESH = FOLDER / "face_landmark.onnx"
"""Face mesh alone, faster."""
CANONICAL_FACE = FOLDER / "canonical_face.npz"
"""Average face, for head pose and action units."""
INDICES = FOLDER / "indices.json"
"""Meaning of the mesh's points."""
BLENDSHAPES = FOLDER / "face_blendshapes.onnx"
"""Blendshapes of the face mesh."""
BLENDSHAPE_LISTS = FOLDER / "blendshapes.json"
"""Names of the blendshapes, and the mesh's points that they are read from."""
NEEDED = (
    *(SHORT_RANGE, FULL_RANGE, MTCNN, ATTENTION_MESH, CANONICAL_FACE),
    *(INDICES, BLENDSHAPES, BLENDSHAPE_LISTS),
)
"""What the pack can't be used without."""
