"""The open model pack: networks and tables that come with mien, under permissive licences.

The files lie in this folder, with the licences they are under and a notice of what was changed.
``docs/open-models.md`` says what the pack measures and how well; ``tools/rebuild_open_models.py`` makes the
files anew from the packages they come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
"""Where the pack's files are."""
CANNOT_SEE = "Open models: no AU04 07 09 14 15 17 20 23 28, no presences; ~ is only about on OpenFace's scale"
"""What a picture and a terminal say of the pack's limits, in one line."""
LICENCE_FILES = ("LICENSE-mediapipe", "LICENSE-facenet-pytorch", "NOTICE")


@dataclass(frozen=True, slots=True)
class PackFile:
    """One file of the pack.

    Attributes
    ----------
    name
        In the pack's folder.
    sha256
        Of its content, hexadecimal.
    licence
        SPDX identifier.
    purpose
        What it is for, in a few words.
    needed
        Whether the pack can't be used without it.
    """

    name: str
    sha256: str
    licence: str
    purpose: str
    needed: bool = True

    @property
    def path(self) -> Path:
        """Where the file is."""
        return FOLDER / self.name


SHORT_RANGE = PackFile(
    "face_detection_short_range.onnx",
    "b378bcf1bc5c1e2cf4d871f8d8ccd5819ab8a5e6d9b32b81b80f15e60569dedf",
    "Apache-2.0",
    "detects near faces",
)
FULL_RANGE = PackFile(
    "face_detection_full_range.onnx",
    "b6ab31a5dcaf2a06621cba77d2b086111f99a481b2a61ee355d0f8fea79bb188",
    "Apache-2.0",
    "detects smaller faces",
)
MTCNN = PackFile(
    "mtcnn.npz",
    "5c311546087e8495c32ee30bdc3dd486d88ed12ffd39ae30112dee45b8b72625",
    "MIT",
    "detects faces as OpenFace does",
)
ATTENTION_MESH = PackFile(
    "face_landmark_with_attention.onnx",
    "a1c87a73845fad87b5b54b60f573403c5b184ae39571cd4465d8024854fd3581",
    "Apache-2.0",
    "face mesh with refined eyes and lips, and irises",
)
PLAIN_MESH = PackFile(
    "face_landmark.onnx",
    "d3bb711828939b51904ef54d7f8e2d1818ba278a5642a675bf802ab874abc156",
    "Apache-2.0",
    "face mesh alone, faster",
    needed=False,
)
CANONICAL_FACE = PackFile(
    "canonical_face.npz",
    "3018bd8f6bdaa740c76bc842e9fd788d179ceeab5ee8bfb4d41dff6357cc2a85",
    "Apache-2.0",
    "average face, for head pose and action units",
)
INDICES = PackFile(
    "indices.json",
    "fbac364ac9f353c7c4006cbdfce83b8f2ba7079b78b26ae8264e49b683da3e1b",
    "Apache-2.0",
    "meaning of the mesh's points",
)
BLENDSHAPES = PackFile(
    "face_blendshapes.onnx",
    "351771a26eeab69d863066da6efcb2961a7dc381b6e016619b679afa60811102",
    "Apache-2.0",
    "blendshapes of the face mesh",
)
BLENDSHAPE_LISTS = PackFile(
    "blendshapes.json",
    "09cffa35554d0d638dc257a005ac6431313f70bb76563a2a943c9ed86aa5e5c9",
    "Apache-2.0",
    "names of the blendshapes, and the mesh's points that they are read from",
)
FILES = (
    SHORT_RANGE,
    FULL_RANGE,
    MTCNN,
    ATTENTION_MESH,
    PLAIN_MESH,
    CANONICAL_FACE,
    INDICES,
    BLENDSHAPES,
    BLENDSHAPE_LISTS,
)
