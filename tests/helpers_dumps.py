"""The original program's intermediate values of single frames (``reference/stages``), scale by scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.fitting import ConstrainedLocalModel
from mien.shape.model import ShapeParameters

PARTS = ("inner", "left_eye_28", "right_eye_28")
MODELS = ("main", *PARTS)


@dataclass(frozen=True, repr=False)
class FrameDump:
    """One frame as the tracker ("track") or the single-image program ("image") saw it."""

    video: str
    number: int
    kind: str
    arrays: dict[str, np.ndarray]
    gray: np.ndarray
    bgr: np.ndarray

    def __getitem__(self, key: str) -> np.ndarray:
        return self.arrays[key]

    def __repr__(self) -> str:
        return f"{self.video} {self.number} {self.kind}"

    @property
    def fits(self) -> list[str]:
        """Names of the main model's fits, "fit00" …"""
        return sorted({key[:5] for key in self.arrays if key.startswith("fit")})

    def parameters(self, prefix: str) -> ShapeParameters:
        """Parameters under ``<prefix>global`` and ``<prefix>local``."""
        return ShapeParameters(
            self.arrays[prefix + "global"].astype(np.float32).ravel(),
            self.arrays[prefix + "local"].astype(np.float32).ravel(),
        )

    def points(self, key: str) -> np.ndarray:
        """(n, 2) float32."""
        return points_of(self.arrays[key])


@dataclass(frozen=True, repr=False)
class Scale:
    """One scale of one fit of one model."""

    frame: FrameDump
    fit: str
    model_name: str
    index: int
    start: ShapeParameters

    def __getitem__(self, key: str) -> np.ndarray:
        return self.frame.arrays[self.prefix + key]

    def __repr__(self) -> str:
        return f"{self.frame} {self.prefix}"

    @property
    def prefix(self) -> str:
        return f"{self.fit}_{self.model_name}_s{self.index}_"

    @property
    def window(self) -> int:
        return self["responses"].shape[1]

    @property
    def view(self) -> int:
        return int(self["view"].item())

    @property
    def visible(self) -> np.ndarray:
        return self["visibility"].ravel().astype(bool)

    @property
    def base(self) -> np.ndarray:
        """(2, n) float32: landmarks for which the responses were computed."""
        return np.ascontiguousarray(points_of(self["cur_landmarks"]).T)

    @property
    def similarity(self) -> np.ndarray:
        """(4,) float32 as the kernels pack it. The original's warp reads B01, which need not equal -B10."""
        a, b = self["sim_img_to_ref"], self["sim_ref_to_img"]
        return np.array([a[0, 0], a[1, 0], b[0, 0], -b[0, 1]], np.float32)

    @property
    def after_rigid(self) -> ShapeParameters:
        return self.frame.parameters(self.prefix + "rigid_")

    @property
    def after_full(self) -> ShapeParameters:
        return self.frame.parameters(self.prefix + "nonrigid_")

    def iterations(self, rigid: bool) -> tuple[list[ShapeParameters], np.ndarray]:
        """States before and after every iteration (one more than iterations), and the mean shifts."""
        name = "rigid" if rigid else "nonrigid"
        rows = self[f"{name}_iter_params"].astype(np.float32)
        first = self.start if rigid else self.after_rigid
        return [first, *(ShapeParameters(r[:6], r[6:]) for r in rows)], self[f"{name}_iter_meanshifts"]

    @property
    def has_likelihood(self) -> bool:
        """Whether this is the scale whose likelihood was stored."""
        return f"{self.fit}_{self.model_name}_s{self.index + 1}_view" not in self.frame.arrays

    @property
    def likelihood(self) -> float:
        return float(self.frame.arrays[f"{self.fit}_{self.model_name}_likelihood"].item())


def points_of(column: np.ndarray) -> np.ndarray:
    """(n, 2) float32 of a column of all x, then all y."""
    return np.ascontiguousarray(np.asarray(column, np.float32).reshape(2, -1).T)


@lru_cache(maxsize=2)
def read_frames(reference: Path) -> tuple[FrameDump, ...]:
    """All dumped frames, without the arrays of other stages."""
    frames = []
    for path in sorted(reference.glob("stages/*/frame_*/*.npz")):
        with np.load(path) as archive:
            wanted = [k for k in archive.files if not k.startswith(("mtcnn_pnet", "au_"))]
            arrays = {key: archive[key] for key in wanted}
        gray = np.array(Image.open(path.with_name("gray.png")))
        rgb = np.array(Image.open(path.with_name("frame.png")).convert("RGB"))
        frames.append(
            FrameDump(
                video=path.parent.parent.name,
                number=int(path.parent.name[-6:]),
                kind=path.stem,
                arrays=arrays,
                gray=gray,
                bgr=np.ascontiguousarray(rgb[..., ::-1]),
            )
        )
    return tuple(frames)


def scales(frames) -> Iterator[Scale]:
    """Every dumped scale of every fit, coarse to fine."""
    for frame in frames:
        for fit in frame.fits:
            for model in MODELS:
                start = frame.parameters(f"{fit}_{model}_init_")
                for index in range(3):
                    scale = Scale(frame, fit, model, index, start)
                    if scale.prefix + "view" in frame.arrays:
                        yield scale
                        start = scale.after_full


def model_of(detector: LandmarkDetector, name: str) -> ConstrainedLocalModel:
    """The main model or a part's."""
    if name == "main":
        return detector.model
    return next(part.model for part in detector.parts if part.name == name)
