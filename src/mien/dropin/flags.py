"""All flags of the original's programs (docs/openface-commands.md), in one table.

Parsing, ``--help`` and the table of docs/openface-commands.md are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mien.dropin.programs import Program

_FE, _IMG, _MULTI = Program
EVERYWHERE = frozenset(Program)
_VIDEOS = frozenset({_FE, _MULTI})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One flag.

    Attributes
    ----------
    name
        As it is written, with its dash.
    section
        Heading that it stands under.
    meaning
        What it does.
    kind
        What it takes.
    value
        Name of its value in texts; empty for a switch.
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
    repeatable
        Whether every occurrence counts; else the last one does.
    own
        Whether it is mien's own, which the original does not know.
    """

    name: str
    section: str
    meaning: str
    kind: Kind = Kind.SWITCH
    value: str = ""
    default: str = ""
    programs: frozenset[Program] = EVERYWHERE
    elsewhere: str = ""
    window: bool = False
    refused: str = ""
    repeatable: bool = False
    own: bool = False

    @property
    def usage(self) -> str:
        """The flag with its value."""
        return f"{self.name} {self.value}".rstrip()

    def support(self, program: Program) -> Support:
        """What mien does with it in one of the programs."""
        if program not in self.programs:
            return Support.NO_EFFECT
        if self.window:
            return Support.NO_WINDOW
        return Support.REFUSED if self.refused else Support.HONOURED


_INPUT, _OUTPUT, _ALIGNED, _WINDOWS, _MODEL = SECTIONS = (
    "Input",
    "Output",
    "Aligned faces and pictures",
    "Windows",
    "Landmarks",
)

_INPUT_FLAGS = (
    Flag(
        name="-f",
        section=_INPUT,
        kind=Kind.TEXT,
        value="FILE",
        meaning="a video, for FaceLandmarkImg a picture",
        repeatable=True,
    ),
    Flag(
        name="-fdir",
        section=_INPUT,
        kind=Kind.TEXT,
        value="DIR",
        meaning="folder of pictures (.jpg .jpeg .png .bmp): a sequence; for FaceLandmarkImg independent "
        "pictures, of which the first folder counts, and -f goes before",
        repeatable=True,
    ),
    Flag(
        name="-device",
        section=_INPUT,
        kind=Kind.INTEGER,
        value="N",
        meaning="camera; goes before -f; Ctrl-C ends it",
        programs=_VIDEOS,
        elsewhere="it reads pictures",
    ),
    Flag(
        name="-cam_width",
        section=_INPUT,
        kind=Kind.INTEGER,
        value="N",
        default="640",
        meaning="width of the camera's pictures, px",
        programs=_VIDEOS,
        elsewhere="it reads pictures",
    ),
    Flag(
        name="-cam_height",
        section=_INPUT,
        kind=Kind.INTEGER,
        value="N",
        default="480",
        meaning="their height, px",
        programs=_VIDEOS,
        elsewhere="it reads pictures",
    ),
    Flag(
        name="-root",
        section=_INPUT,
        kind=Kind.TEXT,
        value="DIR",
        meaning="folder that relative inputs are below",
    ),
    Flag(name="-inroot", section=_INPUT, kind=Kind.TEXT, value="DIR", meaning="the same as -root"),
    Flag(
        name="-bboxdir",
        section=_INPUT,
        kind=Kind.TEXT,
        value="DIR",
        meaning="with -fdir: folder of face boxes, NAME.txt with a line min_x min_y max_x max_y per face, in "
        "place of face detection; below -inroot too",
        programs=frozenset({_IMG}),
        elsewhere="box files are for pictures",
    ),
    Flag(
        name="-fx",
        section=_INPUT,
        kind=Kind.NUMBER,
        value="PX",
        meaning="focal length; give -fy too",
        default="by size",
    ),
    Flag(
        name="-fy",
        section=_INPUT,
        kind=Kind.NUMBER,
        value="PX",
        meaning="focal length; give -fx too",
        default="by size",
    ),
    Flag(
        name="-cx",
        section=_INPUT,
        kind=Kind.NUMBER,
        value="PX",
        meaning="optical centre; give -cy too",
        default="middle",
    ),
    Flag(
        name="-cy",
        section=_INPUT,
        kind=Kind.NUMBER,
        value="PX",
        meaning="optical centre; give -cx too",
        default="middle",
    ),
)

_OUTPUT_FLAGS = (
    Flag(
        name="-out_dir",
        section=_OUTPUT,
        kind=Kind.TEXT,
        value="DIR",
        default="processed",
        meaning="folder of all outputs",
    ),
    Flag(
        name="-of",
        section=_OUTPUT,
        kind=Kind.TEXT,
        value="PATH",
        meaning="name of the outputs of an input, below -out_dir, its ending left out; the first -of is the "
        "first input's, and so on",
        repeatable=True,
    ),
    Flag(name="-2Dfp", section=_OUTPUT, meaning="landmarks in the picture"),
    Flag(name="-3Dfp", section=_OUTPUT, meaning="landmarks in space"),
    Flag(name="-pdmparams", section=_OUTPUT, meaning="parameters of the face's shape"),
    Flag(name="-pose", section=_OUTPUT, meaning="head pose"),
    Flag(name="-aus", section=_OUTPUT, meaning="action units"),
    Flag(name="-gaze", section=_OUTPUT, meaning="gaze and eye landmarks"),
    Flag(name="-hogalign", section=_OUTPUT, meaning="descriptors of the faces, BASE.hog"),
    Flag(name="-simalign", section=_OUTPUT, meaning="aligned faces, BASE_aligned/"),
    Flag(name="-tracked", section=_OUTPUT, meaning="results drawn over the pictures, BASE.avi or BASE.jpg"),
    Flag(
        name="--csv-style",
        section=_OUTPUT,
        kind=Kind.TEXT,
        value="STYLE",
        default="openface-2.2",
        meaning="openface-blank: a blank after each comma, as OpenFace 2.0 and its builds for Windows write",
        own=True,
    ),
)

_ALIGNED_FLAGS = (
    Flag(name="-nobadaligned", section=_ALIGNED, meaning="no aligned faces where the landmarks failed"),
    Flag(
        name="-format_aligned",
        section=_ALIGNED,
        kind=Kind.TEXT,
        value="EXT",
        default="bmp",
        meaning="format of aligned faces",
    ),
    Flag(
        name="-format_vis_image",
        section=_ALIGNED,
        kind=Kind.TEXT,
        value="EXT",
        default="jpg",
        meaning="format of drawn pictures",
        programs=frozenset({_IMG}),
        elsewhere="it writes a video",
    ),
    Flag(
        name="-simscale",
        section=_ALIGNED,
        kind=Kind.NUMBER,
        value="V",
        default="0.7",
        meaning="scale of aligned faces, px per mm",
    ),
    Flag(
        name="-simsize",
        section=_ALIGNED,
        kind=Kind.INTEGER,
        value="N",
        default="112",
        meaning="their size, px; without -simscale the scale follows it",
    ),
    Flag(name="-nomask", section=_ALIGNED, meaning="what surrounds the face stays in aligned faces"),
    Flag(
        name="-g",
        section=_ALIGNED,
        meaning="grey aligned faces",
        programs=frozenset({_FE}),
        elsewhere="its aligned faces are always in colour",
    ),
)

_WINDOW_FLAGS = (
    Flag(name="-verbose", section=_WINDOWS, meaning="all windows", window=True),
    Flag(name="-vis-track", section=_WINDOWS, meaning="window with the tracked face", window=True),
    Flag(name="-vis-hog", section=_WINDOWS, meaning="window with the descriptor", window=True),
    Flag(name="-vis-align", section=_WINDOWS, meaning="window with the aligned face", window=True),
    Flag(name="-vis-aus", section=_WINDOWS, meaning="window with action units", window=True),
)

_MODEL_FLAGS = (
    Flag(
        name="-au_static",
        section=_MODEL,
        meaning="action units without the person's neutral face",
        programs=frozenset({_FE}),
        elsewhere="it always does this",
    ),
    Flag(
        name="-mloc",
        section=_MODEL,
        kind=Kind.TEXT,
        value="FILE",
        default="model/main_ceclm_general.txt",
        meaning="main file of the landmark model, looked for here, then among OpenFace's models; without it "
        "CE-CLM where its files are installed, else CLNF",
    ),
    Flag(
        name="-fdloc",
        section=_MODEL,
        kind=Kind.TEXT,
        value="FILE",
        meaning="face detection by this Haar cascade",
        programs=frozenset({_FE, _IMG}),
        elsewhere="it always detects faces by MTCNN",
        refused="mien detects faces by MTCNN, OpenFace's default, and has no Haar cascades; leave it out",
    ),
    Flag(
        name="-sigma",
        section=_MODEL,
        kind=Kind.NUMBER,
        value="V",
        default="1.5",
        meaning="width of the mean shift's kernel; times 1.5 for CE-CLM",
    ),
    Flag(
        name="-reg",
        section=_MODEL,
        kind=Kind.NUMBER,
        value="V",
        default="25",
        meaning="weight of the shape prior; times 0.9 for CE-CLM",
    ),
    Flag(
        name="-w_reg",
        section=_MODEL,
        kind=Kind.NUMBER,
        value="V",
        default="0",
        meaning="weight of the patch experts' confidences",
    ),
    Flag(
        name="-multi_view",
        section=_MODEL,
        kind=Kind.ZERO_OR_ONE,
        value="0/1",
        default="0",
        meaning="try eleven head orientations for every face",
        programs=frozenset({_IMG}),
        elsewhere="how many orientations are tried is fixed for videos",
    ),
    Flag(
        name="-validate_detections",
        section=_MODEL,
        kind=Kind.ZERO_OR_ONE,
        value="0/1",
        default="1",
        meaning="whether landmarks are validated",
    ),
    Flag(
        name="-n_iter",
        section=_MODEL,
        kind=Kind.INTEGER,
        value="N",
        default="5",
        meaning="iterations of each optimisation, at most",
    ),
    Flag(name="-q", section=_MODEL, meaning="print errors and warnings only"),
    Flag(
        name="-wild",
        section=_MODEL,
        meaning="preset for difficult pictures: -sigma 1.25 -reg 35 -w_reg 2.5 -n_iter 10 -multi_view 1, "
        "larger windows, face detection by MTCNN; flags after it change it again",
    ),
)

FLAGS = (*_INPUT_FLAGS, *_OUTPUT_FLAGS, *_ALIGNED_FLAGS, *_WINDOW_FLAGS, *_MODEL_FLAGS)
"""Every flag of the original, in the order of the help."""

BY_NAME = {flag.name: flag for flag in FLAGS}

SELECTIONS = tuple(flag.name for flag in _OUTPUT_FLAGS if flag.kind is Kind.SWITCH)
"""The nine flags that select outputs: without any of them all are on."""
