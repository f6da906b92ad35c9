"""OpenFace's ``_of_details.txt``: what was analysed (docs/algorithms/output-table.md#details)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from mien.datatypes import Camera
from mien.results.columns import Group
from mien.results.files import whole_file

_GROUPS = (
    ("Gaze", Group.GAZE),
    ("AUs", Group.ACTION_UNITS),
    ("Landmarks 2D", Group.LANDMARKS_2D),
    ("Landmarks 3D", Group.LANDMARKS_3D),
    ("Pose", Group.POSE),
    ("Shape parameters", Group.SHAPE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What the file says.

    Attributes
    ----------
    source
        The input's path as given; None stands for a camera.
    camera
        Intrinsics in px.
    hog, video, image, aligned
        Names of the other outputs, without a folder; None where there are none.
    table
        Name of the table; None where no row was written.
    groups
        Groups of columns in the table.
    """

    source: str | None
    camera: Camera
    hog: str | None = None
    video: str | None = None
    image: str | None = None
    aligned: str | None = None
    table: str | None = None
    groups: Collection[str] = frozenset(Group)

    def text(self) -> str:
        """The file's text."""
        camera = self.camera
        lines = ["Input:webcam"]
        if self.source is not None:
            lines = [f"Input:{self.source}", f"Input full path:{full_path(self.source)}"]
        # six significant digits, in the shortest form, as C++ prints by default
        values = ",".join(f"{value:.6g}" for value in (camera.fx, camera.fy, camera.cx, camera.cy))
        lines.append(f"Camera parameters:{values}")
        names = (
            ("Output HOG", self.hog),
            ("Output video", self.video),
            ("Output image", self.image),
            ("Output aligned directory", self.aligned),
            ("Output csv", self.table),
        )
        lines += [f"{key}:{name}" for key, name in names if name is not None]
        if self.table is not None:
            lines += [f"{key}: {int(group in self.groups)}" for key, group in _GROUPS]
        return "\n".join(lines) + "\n"


def full_path(source: str) -> str:
    """An absolute path as it is; a relative one made absolute, without links and dots."""
    path = Path(source)
    return source if path.is_absolute() else str(path.resolve())


def write_details(details: Details, path: str | Path) -> None:
    """Write the details of one input.

    Parameters
    ----------
    details
        What to say.
    path
        The file.

    Raises
    ------
    OutputError
        The file can't be written there.
    """
    with whole_file(path) as file:
        # a path is bytes that need not be text
        file.write(details.text().encode("utf-8", "surrogateescape"))
