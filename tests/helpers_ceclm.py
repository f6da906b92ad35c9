"""The original's CE-CLM run with stand-in patch experts: its model folder, its dumps of single stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from mien.datatypes import FaceBoxes, Frame
from mien.imaging.kernels import bgr_to_gray
from mien.shape.model import ShapeParameters

MAIN = "main_ceclm_general.txt"


def model_folder(openface: Path, stand_ins: Path, target: Path) -> Path:
    """Link a landmark model folder whose CEN files are the stand-ins; returns its main file.

    The main file itself does not exist: what it says is built in.
    """
    source = openface / "LandmarkDetector" / "model"
    for entry in source.iterdir():
        if entry.name not in ("patch_experts", MAIN):
            (target / entry.name).symlink_to(entry)
    (target / "patch_experts").mkdir()
    for entry in stand_ins.glob("cen_patches_*.dat"):
        (target / "patch_experts" / entry.name).symlink_to(entry)
    return target / MAIN


@dataclass(frozen=True)
class Dump:
    """One dumped frame: ``run`` as in the names of the files, ``kind`` "track" or "image"."""

    folder: Path
    run: str
    number: int
    kind: str

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        return _load(self.folder / f"{self.run}_{self.number:06}_{self.kind}.npz")

    @property
    def gray(self) -> np.ndarray:
        return _gray(self.folder, self.run.removesuffix("_last").removesuffix("_forced11"), self.number)

    @property
    def frame(self) -> Frame:
        """The grey frame; its colours are missing, so nothing can be detected in it."""
        return Frame(self.number - 1, 0.0, np.zeros((1, 1, 3), np.uint8), self.gray)

    @property
    def boxes(self) -> FaceBoxes:
        """What the original's face detector gave its tracker in this frame."""
        table = self.arrays.get("mtcnn_7_final_tight", np.zeros((0, 9)))
        return FaceBoxes(table[:, :4].astype(np.float32), table[:, 4].astype(np.float32))

    @property
    def previous(self) -> ShapeParameters:
        return ShapeParameters(*(self.arrays[f"prev_{k}"].ravel().astype("f4") for k in ("global", "local")))

    def points(self, key: str) -> np.ndarray:
        """(68, 2) of a 2-D shape."""
        return self.arrays[key].reshape(2, -1).T

    def params(self, prefix: str) -> ShapeParameters:
        return ShapeParameters(*(self.arrays[prefix + k].ravel().astype("f4") for k in ("global", "local")))

    def fits(self) -> Iterator[Fit]:
        """Every fit of the main model."""
        names = sorted({key[:5] for key in self.arrays if key.startswith("fit") and "_main_" in key})
        for name in names:
            yield Fit(self, f"{name}_main_")

    def __str__(self) -> str:
        return f"{self.run}-{self.number}-{self.kind}"


@dataclass(frozen=True)
class Fit:
    """One fit of the main model."""

    dump: Dump
    prefix: str

    def __getitem__(self, key: str) -> np.ndarray:
        return self.dump.arrays[self.prefix + key]

    def __contains__(self, key: str) -> bool:
        return self.prefix + key in self.dump.arrays

    @property
    def start(self) -> ShapeParameters:
        return self.dump.params(self.prefix + "init_")

    @property
    def windows(self) -> tuple[int, ...]:
        return tuple(int(w) for w in self["window_sizes"].ravel())

    def scales(self) -> Iterator[Scale]:
        start = self.start
        for index in range(len(self.windows)):
            if f"s{index}_view" in self:
                scale = Scale(self, index, start)
                start = scale.after("nonrigid_")
                yield scale


@dataclass(frozen=True)
class Scale:
    """One scale of a fit, and the parameters at its start."""

    fit: Fit
    index: int
    start: ShapeParameters

    def __getitem__(self, key: str) -> np.ndarray:
        return self.fit[f"s{self.index}_{key}"]

    @property
    def view(self) -> int:
        return int(self["view"].item())

    @property
    def visible(self) -> np.ndarray:
        return self["visibility"].ravel() != 0

    @property
    def points(self) -> np.ndarray:
        """(2, n) float32."""
        return np.ascontiguousarray(self["cur_landmarks"].reshape(2, -1), np.float32)

    @property
    def similarity(self) -> np.ndarray:
        forward, back = self["sim_img_to_ref"], self["sim_ref_to_img"]
        return np.array([forward[0, 0], forward[1, 0], back[0, 0], -back[0, 1]], np.float32)

    @property
    def responses(self) -> np.ndarray:
        """(n, w, w)."""
        return self["responses"]

    def after(self, phase: str) -> ShapeParameters:
        return self.fit.dump.params(f"{self.fit.prefix}s{self.index}_{phase}")

    def number(self, key: str) -> float:
        return float(self[key].item())

    def __str__(self) -> str:
        return f"{self.fit.dump} {self.fit.prefix}s{self.index} view {self.view}"


def dumps(folder: Path) -> Iterator[Dump]:
    """Every dumped frame of the folder ``ce_clm/stages``."""
    for path in sorted(folder.glob("*_[0-9]*_*.npz")):
        run, number, kind = path.stem.rsplit("_", 2)
        yield Dump(folder, run, int(number), kind)


@lru_cache(maxsize=32)
def _load(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


@lru_cache(maxsize=32)
def _gray(folder: Path, run: str, number: int) -> np.ndarray:
    if run.startswith("sample"):
        media = folder.parents[2] / "media" / f"{run.split('_')[0]}.jpg"
        with Image.open(media) as picture:
            rgb = np.asarray(picture.convert("RGB"))
        gray = np.empty(rgb.shape[:2], np.uint8)
        bgr_to_gray(np.ascontiguousarray(rgb[:, :, ::-1]), gray)
        return gray
    return np.asarray(Image.open(folder / f"{run}_{number:06}_gray.png"))
