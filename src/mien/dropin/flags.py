"""All flags of the original's programs (docs/openface-commands.md), in one table.

Parsing, ``--help`` and the table of docs/openface-commands.md are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial


class Program(StrEnum):
    """A program of OpenFace that mien stands in for, by the name of its executable."""

    FEATURE_EXTRACTION = "FeatureExtraction"
    FACE_LANDMARK_IMG = "FaceLandmarkImg"
    FACE_LANDMARK_VID_MULTI = "FaceLandmarkVidMulti"


SUMMARIES = {
    Program.FEATURE_EXTRACTION: "OpenFace's program for one face in a video, with its flags.",
    Program.FACE_LANDMARK_IMG: "OpenFace's program for all faces of pictures, with its flags.",
    Program.FACE_LANDMARK_VID_MULTI: "OpenFace's program for up to four faces in videos, with its flags.",
}


class Kind(StrEnum):
    """What a flag takes."""

    SWITCH = "nothing"
    TEXT = "text"
    INTEGER = "a whole number"
    NUMBER = "a number"
    ZERO_OR_ONE = "0 or 1"


class Support(StrEnum):
    """What mien does with a flag."""

    HONOURED = "as in OpenFace"
    NO_EFFECT = "no effect"
    NO_WINDOW = "no window"
    REFUSED = "refused"


_FE, _IMG, _MULTI = Program
_KINDS = {
    "": Kind.SWITCH,
    "N": Kind.INTEGER,
    "PX": Kind.NUMBER,
    "V": Kind.NUMBER,
    "0/1": Kind.ZERO_OR_ONE,
}
"""By the name of the value in `Flag.usage`; other names stand for text."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag.

    Attributes
    ----------
    usage
        As it is written, with its dash, and the name of its value: "-sigma V". A switch has no value.
    meaning
        What it does.
    default
        What applies without it; empty where the meaning says it.
    programs
        Where it has a meaning; in the others it has no effect, in the original neither.
    elsewhere
        Why it has none there.
    window
        Whether all it does is to open a window, which mien has not.
    refused
        Why it can't be honoured though results depend on it; empty where it can.
    own
        Whether it is mien's own, which the original does not know.
    """

    usage: str
    meaning: str
    default: str = ""
    programs: tuple[Program, ...] = tuple(Program)
    elsewhere: str = ""
    window: bool = False
    refused: str = ""
    own: bool = False

    @property
    def name(self) -> str:
        """As it is written, with its dash."""
        return self.usage.partition(" ")[0]

    @property
    def value(self) -> str:
        """Name of its value in texts; empty for a switch."""
        return self.usage.partition(" ")[2]

    @property
    def kind(self) -> Kind:
        """What it takes."""
        return _KINDS.get(self.value, Kind.TEXT)

    def support(self, program: Program) -> Support:
        """What mien does with it in one of the programs."""
        if program not in self.programs:
            return Support.NO_EFFECT
        if self.window:
            return Support.NO_WINDOW
        return Support.REFUSED if self.refused else Support.HONOURED


_of_cameras = partial(Flag, programs=(_FE, _MULTI), elsewhere="it reads pictures")

SECTIONS: dict[str, tuple[Flag, ...]] = {
    "Input": (
        Flag("-f FILE", "a video, for FaceLandmarkImg a picture"),
        Flag(
            "-fdir DIR",
            "folder of pictures (.jpg .jpeg .png .bmp): a sequence; for FaceLandmarkImg independent "
            "pictures, of which the first folder counts, and -f goes before",
        ),
        _of_cameras("-device N", "camera; goes before -f; Ctrl-C ends it"),
        _of_cameras("-cam_width N", "width of the camera's pictures, px", "640"),
        _of_cameras("-cam_height N", "their height, px", "480"),
        Flag("-root DIR", "folder that relative inputs are below"),
        Flag("-inroot DIR", "the same as -root"),
        Flag(
            "-bboxdir DIR",
            "with -fdir: folder of face boxes, NAME.txt with a line min_x min_y max_x max_y per face, in "
            "place of face detection; below -inroot too",
            programs=(_IMG,),
            elsewhere="box files are for pictures",
        ),
        Flag("-fx PX", "focal length; give -fy too", "by size"),
        Flag("-fy PX", "focal length; give -fx too", "by size"),
        Flag("-cx PX", "optical centre; give -cy too", "middle"),
        Flag("-cy PX", "optical centre; give -cx too", "middle"),
    ),
    "Output": (
        Flag("-out_dir DIR", "folder of all outputs", "processed"),
        Flag(
            "-of PATH",
            "name of the outputs of an input, below -out_dir, its ending left out; the first -of is the "
            "first input's, and so on",
        ),
        Flag("-2Dfp", "landmarks in the picture"),
        Flag("-3Dfp", "landmarks in space"),
        Flag("-pdmparams", "parameters of the face's shape"),
        Flag("-pose", "head pose"),
        Flag("-aus", "action units"),
        Flag("-gaze", "gaze and eye landmarks"),
        Flag("-hogalign", "descriptors of the faces, BASE.hog"),
        Flag("-simalign", "aligned faces, BASE_aligned/"),
        Flag("-tracked", "results drawn over the pictures, BASE.avi or BASE.jpg"),
        Flag(
            "--csv-style STYLE",
            "openface-blank: a blank after each comma, as OpenFace 2.0 and its builds for Windows write",
            "openface-2.2",
            own=True,
        ),
    ),
    "Aligned faces and pictures": (
        Flag("-nobadaligned", "no aligned faces where the landmarks failed"),
        Flag("-format_aligned EXT", "format of aligned faces", "bmp"),
        Flag(
            "-format_vis_image EXT",
            "format of drawn pictures",
            "jpg",
            programs=(_IMG,),
            elsewhere="it writes a video",
        ),
        Flag("-simscale V", "scale of aligned faces, px per mm", "0.7"),
        Flag("-simsize N", "their size, px; without -simscale the scale follows it", "112"),
        Flag("-nomask", "what surrounds the face stays in aligned faces"),
        Flag(
            "-g",
            "grey aligned faces",
            programs=(_FE,),
            elsewhere="its aligned faces are always in colour",
        ),
    ),
    "Windows": (
        Flag("-verbose", "all windows", window=True),
        Flag("-vis-track", "window with the tracked face", window=True),
        Flag("-vis-hog", "window with the descriptor", window=True),
        Flag("-vis-align", "window with the aligned face", window=True),
        Flag("-vis-aus", "window with action units", window=True),
    ),
    "Landmarks": (
        Flag(
            "-au_static",
            "action units without the person's neutral face",
            programs=(_FE,),
            elsewhere="it always does this",
        ),
        Flag(
            "-mloc FILE",
            "main file of the landmark model, looked for here, then among OpenFace's models; without it "
            "CE-CLM where its files are installed, else CLNF",
            "model/main_ceclm_general.txt",
        ),
        Flag(
            "-fdloc FILE",
            "face detection by this Haar cascade",
            programs=(_FE, _IMG),
            elsewhere="it always detects faces by MTCNN",
            refused="mien detects faces by MTCNN, OpenFace's default, and has no Haar cascades; leave it out",
        ),
        Flag("-sigma V", "width of the mean shift's kernel; times 1.5 for CE-CLM", "1.5"),
        Flag("-reg V", "weight of the shape prior; times 0.9 for CE-CLM", "25"),
        Flag("-w_reg V", "weight of the patch experts' confidences", "0"),
        Flag(
            "-multi_view 0/1",
            "try eleven head orientations for every face",
            "0",
            programs=(_IMG,),
            elsewhere="how many orientations are tried is fixed for videos",
        ),
        Flag("-validate_detections 0/1", "whether landmarks are validated", "1"),
        Flag("-n_iter N", "iterations of each optimisation, at most", "5"),
        Flag("-q", "print errors and warnings only"),
        Flag(
            "-wild",
            "preset for difficult pictures: -sigma 1.25 -reg 35 -w_reg 2.5 -n_iter 10 -multi_view 1, "
            "larger windows, face detection by MTCNN; flags after it change it again",
        ),
    ),
}
"""Every flag of the original under its heading, in the order of the help."""

FLAGS = tuple(flag for flags in SECTIONS.values() for flag in flags)

BY_NAME = {flag.name: flag for flag in FLAGS}

SELECTIONS = tuple(flag.name for flag in SECTIONS["Output"] if flag.kind is Kind.SWITCH)
"""The nine flags that select outputs: without any of them all are on."""
