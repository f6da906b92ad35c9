"""What the stages hand to one another: small frozen containers of arrays.

Conventions (see ``docs/conventions.md``): image coordinates are pixels with the
origin at the centre of the top-left pixel, x to the right and y down. Camera
coordinates are millimetres with X right, Y down and Z away from the camera.
Angles are radians. ``NaN`` means "not measured".

A stage imports this module and never another stage.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32] | NDArray[np.float64]


class ShapesShown:
    """A dataclass whose text gives shapes of arrays, not their contents; declare it with ``repr=False``."""

    __slots__ = ()

    def __repr__(self) -> str:
        items = fields(self)  # type: ignore[arg-type]  # its subclasses are dataclasses
        parts = (f"{item.name}={_shown(getattr(self, item.name))}" for item in items if item.repr)
        return f"{type(self).__name__}({', '.join(parts)})"


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)}"
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}(…)"
    if isinstance(value, tuple | list | dict) and value:
        return f"{type(value).__name__} of {len(value)}"
    return f"{value:.4g}" if isinstance(value, float) else repr(value)


@dataclass(frozen=True, slots=True, repr=False)
class Frame(ShapesShown):
    """One decoded picture.

    Attributes
    ----------
    index
        Position in the source, counted from 0.
    time_s
        Time stamp in seconds.
    bgr
        (H, W, 3) uint8, C-contiguous, channels blue, green, red.
    gray
        (H, W) uint8, the grey conversion of ``bgr``.
    boxes
        (N, 4) float32, px: x, y, width, height of faces that are known beforehand, tight around the
        landmarks; None where faces are to be detected. Trackers of pictures heed it.
    """

    index: int
    time_s: float
    bgr: NDArray[np.uint8]
    gray: NDArray[np.uint8]
    boxes: NDArray[np.float32] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        height, width = self.gray.shape
        return width, height


@dataclass(frozen=True, slots=True, repr=False)
class FaceBoxes(ShapesShown):
    """Detected faces, most certain first.

    Attributes
    ----------
    boxes
        (N, 4) float32, px: x, y of the top-left corner, width, height; tight around
        the landmarks (brow to chin, cheek to cheek).
    scores
        (N,) float32 in [0, 1].
    keypoints
        (N, K, 2) float32, px, where the detector gives key points; else None. The first two are the eye on
        the image's left and the other eye.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    keypoints: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True, slots=True, repr=False)
class EyeShape(ShapesShown):
    """The 28 points of one eye: 0-7 iris, 8-19 lids, 20-27 pupil.

    Attributes
    ----------
    points
        (28, 2) float32, px.
    depth_offsets
        (28,) float32, mm: depth of each point relative to the model's origin, after rotation.
    scale
        Scale of the eye's model, px per mm.
    """

    points: NDArray[np.float32]
    depth_offsets: NDArray[np.float32]
    scale: float


@dataclass(frozen=True, slots=True, repr=False)
class FaceLandmarks(ShapesShown):
    """The landmarks of one face in one frame, and how far they can be trusted.

    Attributes
    ----------
    points
        (68, 2) float32, px, iBUG order.
    object_shape
        (68, 3) float32, mm: the fitted shape in the model's own frame (x right, y down,
        z away from the camera), before rotation.
    global_params
        (6,) float32: scale (px per mm), Euler angles rx, ry, rz (rad), tx, ty (px).
    local_params
        (M,) float32: coefficients of the shape model's modes.
    eyes
        Image-left eye, image-right eye; empty where the model has none.
    confidence
        Certainty of the landmark validator, 0 to 1.
    success
        What the tracker reports for the frame (the ``success`` column of a video's table).
    valid
        The validator's verdict on this fit; decides whether action units are computed.
    mesh
        (478, 3) float32, px, dense mesh and irises, where the model gives one; else None.
    """

    points: NDArray[np.float32]
    object_shape: NDArray[np.float32]
    global_params: NDArray[np.float32]
    local_params: NDArray[np.float32]
    eyes: tuple[EyeShape, ...]
    confidence: float
    success: bool
    valid: bool
    mesh: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, repr=False)
class FollowedFace(ShapesShown):
    """A face in one frame, and what is needed to follow it into the next.

    Attributes
    ----------
    landmarks
        Its landmarks; ``valid`` says whether there is a face.
    memory
        Belongs to the stage that fitted the landmarks; nobody else looks into it.
    """

    landmarks: FaceLandmarks
    memory: Any


@dataclass(frozen=True, slots=True, repr=False)
class TrackedFace(ShapesShown):
    """One of the faces of a frame.

    Attributes
    ----------
    face_id
        Identity of the face, counted from 0.
    landmarks
        Its landmarks.
    """

    face_id: int
    landmarks: FaceLandmarks


@dataclass(frozen=True, slots=True)
class Camera:
    """Pinhole camera without distortion; focal lengths and principal point in px."""

    fx: float
    fy: float
    cx: float
    cy: float

    @property
    def intrinsics(self) -> NDArray[np.float64]:
        """(4,) float64: fx, fy, cx, cy."""
        return np.array([self.fx, self.fy, self.cx, self.cy], np.float64)


@dataclass(frozen=True, slots=True, repr=False)
class HeadPose(ShapesShown):
    """Position and orientation of the head in the camera frame.

    Attributes
    ----------
    translation_mm
        (3,) float64: Tx, Ty, Tz.
    rotation_rad
        (3,) float64: Euler angles Rx, Ry, Rz with R = Rx Ry Rz.
    """

    translation_mm: NDArray[np.float64]
    rotation_rad: NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class Gaze(ShapesShown):
    """Where the eyes look, and the eye landmarks it was computed from.

    Attributes
    ----------
    directions
        (2, 3) float64 unit vectors in the camera frame, image-left eye first; zeros where not measured.
    angle_rad
        (2,) float64: horizontal (positive to the image's right), vertical (positive down).
    eye_points
        (56, 2) float32, px: 28 points of the image-left eye, then of the image-right eye.
    eye_points_3d
        (56, 3) float32, mm, camera frame.
    """

    directions: NDArray[np.float64]
    angle_rad: NDArray[np.float64]
    eye_points: NDArray[np.float32]
    eye_points_3d: NDArray[np.float32]


BLENDSHAPE_NAMES: tuple[str, ...] = (
    "_neutral",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookInLeft",
    "eyeLookInRight",
    "eyeLookOutLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
)
"""MediaPipe's 52 blendshapes (ARKit's names) in the order of every blendshape array.

Left and right are the subject's. The first, the face at rest, is an output without a meaning."""


@dataclass(frozen=True, slots=True, repr=False)
class Blendshapes(ShapesShown):
    """How much of each of 52 expressions a face shows, without reference to a neutral face.

    Attributes
    ----------
    coefficients
        (52,) float32, 0 to 1, in the order of `BLENDSHAPE_NAMES`; 1 is the whole expression as its makers
        modelled it, NaN is not measured.
    logits
        (52,) float32: the same before the logistic function. Some expressions, such as ``cheekSquintLeft``,
        vary between 0 and 0.0001 on real faces; their logits tell what their coefficients hide.
    """

    coefficients: NDArray[np.float32]
    logits: NDArray[np.float32]


@dataclass(frozen=True, slots=True, repr=False)
class AlignedFace(ShapesShown):
    """A face in the reference frame of the mean shape.

    Attributes
    ----------
    bgr
        (size, size, 3) uint8; black outside the mask.
    matrix
        (2, 3) float32: from the frame's pixels to those of ``bgr``.
    """

    bgr: NDArray[np.uint8]
    matrix: NDArray[np.float32]


FHOG_LENGTH = 4464
"""Length of the appearance descriptor: 12 x 12 cells of 31 numbers."""


@dataclass(frozen=True, slots=True, repr=False)
class Appearance(ShapesShown):
    """How one face looks in one frame.

    Attributes
    ----------
    aligned
        The masked face of 112 x 112 px; black where the frame failed.
    fhog
        (`FHOG_LENGTH`,) float32, histograms of oriented gradients of ``aligned``; zeros where the
        frame failed.
    global_params, local_params
        (6,) and (m,) float32: parameters of the shape model refitted to the landmarks; zeros where the frame
        failed.
    good
        Whether the landmarks were valid.
    """

    aligned: AlignedFace
    fhog: NDArray[np.float32]
    global_params: NDArray[np.float32]
    local_params: NDArray[np.float32]
    good: bool


@dataclass(frozen=True, slots=True, repr=False)
class ActionUnits(ShapesShown):
    """Action units of one face in one frame, as known at that moment (live values).

    Attributes
    ----------
    intensity
        (17,) float64 in the order of ``mien.action_units.catalogue.INTENSITY_NAMES``; NaN where not measured.
    presence
        (18,) float64, 0 or 1, in the order of ``PRESENCE_NAMES``; NaN where not measured.
    measures
        Further named scalars that a model pack gives (eye opening, lip gap …).
    blendshapes
        See `Blendshapes`; None where the model pack has none.
    """

    intensity: NDArray[np.float64]
    presence: NDArray[np.float64]
    measures: dict[str, float] = field(default_factory=dict)
    blendshapes: Blendshapes | None = None


@dataclass(frozen=True, slots=True, repr=False)
class ActionUnitSeries(ShapesShown):
    """Action units of a whole recording, after post-processing: one row per analysed face and frame.

    Attributes
    ----------
    intensity
        (N, 17) float64, 0 to 5, in the order of ``mien.action_units.catalogue.INTENSITY_NAMES``; NaN where
        not measured.
    presence
        (N, 18) float64, 0 or 1, in the order of ``PRESENCE_NAMES``; NaN where not measured.
    measures
        Further (N,) float64 arrays by name.
    """

    intensity: NDArray[np.float64]
    presence: NDArray[np.float64]
    measures: dict[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class FaceResult(ShapesShown):
    """Everything measured on one face in one frame: one row of the table.

    Attributes
    ----------
    frame, time_s
        0-based index of the frame and its time stamp in seconds.
    face_id
        Identity of the face, counted from 0.
    landmarks
        See `FaceLandmarks`.
    landmarks_3d
        (68, 3) float32, mm, camera frame.
    pose, gaze, action_units
        See the classes; ``gaze`` and ``action_units`` are None where they were switched off.
    """

    frame: int
    time_s: float
    face_id: int
    landmarks: FaceLandmarks
    landmarks_3d: NDArray[np.float32]
    pose: HeadPose
    gaze: Gaze | None
    action_units: ActionUnits | None
