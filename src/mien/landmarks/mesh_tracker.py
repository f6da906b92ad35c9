"""Tracks one face from frame to frame with a mesh network (docs/algorithms/open-mesh.md#tracking)."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceBoxes, FaceLandmarks, Frame, TrackedFace
from mien.geometry.kernels import matrix_to_euler
from mien.landmarks.face_region import FaceRegion, region_from_box, region_from_points
from mien.landmarks.mesh import FaceMesh
from mien.shape.canonical_face import MM_PER_UNIT, CanonicalFace, align

PRESENT = 0.5
"""Least presence of a face."""
_LOCAL_PARAMS = 34
_REMEMBERED_SIDES = 60
_SUDDEN_GROWTH = 2.0


class FaceDetector(Protocol):
    """Finds faces in an image, most certain first."""

    def detect(self, bgr: NDArray[np.uint8]) -> FaceBoxes:
        """Find the faces of an image."""
        ...


class MeshReader(Protocol):
    """Reads a face's mesh from a region of an image."""

    def read(self, bgr: NDArray[np.uint8], region: FaceRegion) -> FaceMesh:
        """Read the mesh."""
        ...


class MeshTracker:
    """Follows one face through a video.

    The detector runs only at the start and after a loss. A face that is lost is searched for again in the
    same frame, so that a cut or a jump costs no frame of a recording; MediaPipe, made for live video, waits
    for the next one (``redetect_at_once=False``). The landmarks are not smoothed in time.

    Parameters
    ----------
    detector
        Finds the face to follow: its first.
    network
        Reads the mesh.
    face
        The canonical face.
    ibug68
        (68,) vertices that stand for the 68 landmarks.
    redetect_at_once
        Whether a lost face is searched for in the frame in which it was lost.
    guard
        Whether the detector checks a track whose region suddenly changes its size by more than a factor of
        2, or whose centre leaves the image (docs/algorithms/open-mesh.md#tracking).
    """

    def __init__(
        self,
        detector: FaceDetector,
        network: MeshReader,
        face: CanonicalFace,
        ibug68: NDArray[np.int64],
        *,
        redetect_at_once: bool = True,
        guard: bool = True,
    ) -> None:
        self._detector = detector
        self._network = network
        self._face = face
        self._ibug68 = ibug68
        self._redetect_at_once = redetect_at_once
        self._guard = guard
        self._region: FaceRegion | None = None
        self._sides: deque[float] = deque(maxlen=_REMEMBERED_SIDES)

    @property
    def region(self) -> FaceRegion | None:
        """Where the face is expected in the next frame; None where the detector will be asked."""
        return self._region

    def reset(self) -> None:
        """Forget the face."""
        self._region = None
        self._sides.clear()

    def lose(self) -> None:
        """The next frame has another shape; the face is looked for anew."""
        self.reset()

    def track(self, frame: Frame) -> tuple[TrackedFace]:
        """One face, number 0, whether it was found or not; see `follow`."""
        return (TrackedFace(0, self.follow(frame)),)

    def follow(self, frame: Frame) -> FaceLandmarks:
        """Find the face in the next frame.

        Parameters
        ----------
        frame
            Its ``bgr`` is read.

        Returns
        -------
        FaceLandmarks
            See `landmarks_from_mesh`; all NaN, with ``success`` False, where there is no face.
        """
        region, self._region = self._region, None
        mesh = None if region is None else read_present(self._network, frame.bgr, region)
        if mesh is None and (region is None or self._redetect_at_once):
            self._sides.clear()
            mesh = self._find(frame)
        if mesh is None:
            return no_face()
        self._expect(next_region(mesh), frame.bgr.shape)
        return landmarks_from_mesh(mesh, self._face, self._ibug68)

    def _find(self, frame: Frame) -> FaceMesh | None:
        faces = self._detector.detect(frame.bgr)
        return read_detected(self._network, frame.bgr, faces, 0)[0] if len(faces) else None

    def _expect(self, region: FaceRegion, shape: tuple[int, ...]) -> None:
        """Expect the face in ``region``, unless the track looks like a mistake."""
        usual = median(self._sides) if self._sides else region.side
        steady = usual / _SUDDEN_GROWTH <= region.side <= usual * _SUDDEN_GROWTH
        inside = 0 <= region.cx < shape[1] and 0 <= region.cy < shape[0]
        if not self._guard or (steady and inside):
            self._region = region
            self._sides.append(region.side)


def read_present(network: MeshReader, bgr: NDArray[np.uint8], region: FaceRegion) -> FaceMesh | None:
    """Read a region's mesh.

    Parameters
    ----------
    network
        Reads the mesh.
    bgr
        (H, W, 3) uint8, the image.
    region
        Where the face should be.

    Returns
    -------
    FaceMesh or None
        None where there is no face.
    """
    mesh = network.read(bgr, region)
    return mesh if mesh.presence >= PRESENT else None


def read_detected(
    network: MeshReader, bgr: NDArray[np.uint8], faces: FaceBoxes, number: int
) -> tuple[FaceMesh | None, FaceRegion]:
    """Read the mesh of a detected face.

    Parameters
    ----------
    network
        Reads the mesh.
    bgr
        (H, W, 3) uint8, the image.
    faces
        What a detector found. Without key points the face's tilt is not known: a first reading finds it.
    number
        Which face.

    Returns
    -------
    mesh, region
        None where the network sees no face; where it was read.
    """
    if faces.keypoints is not None:
        region = region_from_box(faces.boxes[number], faces.keypoints[number, :2])
        return read_present(network, bgr, region), region
    region = region_from_box(faces.boxes[number])
    first = read_present(network, bgr, region)
    if first is None:
        return None, region
    region = next_region(first)
    return read_present(network, bgr, region), region


def next_region(mesh: FaceMesh) -> FaceRegion:
    """Where to read next; a network without irises leaves them NaN."""
    return region_from_points(mesh.points[np.isfinite(mesh.points[:, 0])])


def landmarks_from_mesh(mesh: FaceMesh, face: CanonicalFace, ibug68: NDArray[np.int64]) -> FaceLandmarks:
    """Express a mesh as the 68 landmarks and the placement of the canonical face.

    Parameters
    ----------
    mesh
        A face's mesh.
    face
        The canonical face.
    ibug68
        (68,) vertices that stand for the 68 landmarks.

    Returns
    -------
    FaceLandmarks
        ``object_shape`` is the measured shape, turned to the canonical frame, in mm of OpenFace's face.
        ``global_params`` place the canonical face on the mesh by a similarity (px per mm, angles, position
        of its origin). ``local_params`` are NaN, ``eyes`` empty: the mesh has no such thing.
    """
    placed = align(face, mesh.points)
    angles = np.empty(3)
    matrix_to_euler(placed.rotation, angles)
    global_params = [placed.scale / MM_PER_UNIT, *angles, *placed.offset[:2]]
    present = mesh.presence >= PRESENT
    return FaceLandmarks(
        points=mesh.points[ibug68, :2],
        object_shape=(placed.normalise(mesh.points[ibug68]) * MM_PER_UNIT).astype(np.float32),
        global_params=np.array(global_params, np.float32),
        local_params=np.full(_LOCAL_PARAMS, np.nan, np.float32),
        eyes=(),
        confidence=mesh.presence,
        success=present,
        valid=present,
        mesh=mesh.points,
    )


def no_face() -> FaceLandmarks:
    """What is reported for a frame without a face: NaN, no confidence, no success.

    Returns
    -------
    FaceLandmarks
    """
    return FaceLandmarks(
        points=np.full((68, 2), np.nan, np.float32),
        object_shape=np.full((68, 3), np.nan, np.float32),
        global_params=np.full(6, np.nan, np.float32),
        local_params=np.full(_LOCAL_PARAMS, np.nan, np.float32),
        eyes=(),
        confidence=0.0,
        success=False,
        valid=False,
        mesh=np.full((478, 3), np.nan, np.float32),
    )
