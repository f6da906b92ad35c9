"""Where OpenFace's model files are kept: found, checked, fetched, imported.

The files are in ``openface-2.2.0`` below the folder that the environment variable ``MIEN_MODELS`` names, by
default the user's data folder; ``MIEN_MODELS`` may also name the folder itself. A folder with a
``manifest.tsv`` of its own is checked against that one.
"""

from __future__ import annotations

import functools
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mien.errors import MienError, ModelsMissingError, OptionError
from mien.models import hashes
from mien.models.hashes import HashMemory
from mien.models.manifest import GROUPS, PACKAGED, Manifest, ModelFile, read_manifest
from mien.storage.cache_folder import write_whole
from mien.storage.locking import locked

if TYPE_CHECKING:
    from mien.models.download import DownloadError, Progress

FOLDER_VARIABLE = "MIEN_MODELS"
PACK_FOLDER = "openface-2.2.0"
LANDMARK_MODELS = {"clnf": "main_clnf_general.txt", "ce-clm": "main_ceclm_general.txt"}
"""Landmark models by name, and their main files."""

_MODEL = "LandmarkDetector/model"
_PREDICTORS = "FaceAnalyser/AU_predictors"
_LICENCE = Path(__file__).with_name("openface_licence.txt")
_HOW_TO_INSTALL = "run `mien models fetch`, or `mien models import DIR` if you have an OpenFace folder"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenFaceFiles:
    """Where the files of an analysis are.

    Attributes
    ----------
    landmarks
        Name of the landmark model: "clnf", "ce-clm", or the stem of another main file.
    landmark_model
        Its main file.
    detector
        The list of the face detector's networks.
    dynamic_action_units, static_action_units
        Entry files of the predictors for videos and for single images.
    """

    landmarks: str
    landmark_model: Path
    detector: Path
    dynamic_action_units: Path
    static_action_units: Path


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """Which files are in the store.

    Attributes
    ----------
    present, missing, wrong
        Files that are there with the right content, are not there, or have another content.
    """

    present: tuple[ModelFile, ...]
    missing: tuple[ModelFile, ...]
    wrong: tuple[ModelFile, ...]

    def lacking(self, *groups: str) -> tuple[ModelFile, ...]:
        """Give the files of some groups that are missing or wrong."""
        return tuple(file for file in (*self.missing, *self.wrong) if file.group in groups)

    def damaged(self, group: str) -> tuple[ModelFile, ...]:
        """Give the files of a group that are there with another content."""
        return tuple(file for file in self.wrong if file.group == group)

    @property
    def installed(self) -> bool:
        """Whether any file but alternatives is there, right or wrong."""
        return any(file.group != "extra" for file in (*self.present, *self.wrong))

    @property
    def complete(self) -> bool:
        """Whether everything that CLNF landmarks, gaze and action units need is there."""
        return not self.lacking("clnf")

    @property
    def landmark_models(self) -> tuple[str, ...]:
        """Names of the landmark models whose files are there, best first."""
        if not self.complete:
            return ()
        # A folder's own manifest may know of no such files.
        known = any(file.group == "ce-clm" for file in self.present)
        return ("ce-clm", "clnf") if known and not self.lacking("ce-clm") else ("clnf",)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: paths copied, paths that were there before, what is still missing.

    ``different`` names the places of files that have a right name but another content.
    """

    copied: tuple[str, ...]
    kept: tuple[str, ...]
    missing: tuple[ModelFile, ...]
    different: dict[str, str]


class ModelStore:
    """OpenFace's model files on this machine.

    Parameters
    ----------
    root
        The folder that ``MIEN_MODELS`` would name; by default the one it names.
    memory
        Remembered sums of files.
    """

    def __init__(self, root: Path | str | None = None, memory: HashMemory | None = None) -> None:
        self.root = Path(root) if root is not None else default_root()
        self._memory = memory

    @cached_property
    def folder(self) -> Path:
        """The folder that holds ``LandmarkDetector`` and ``FaceAnalyser``."""
        is_pack = (self.root / "LandmarkDetector").is_dir() or (self.root / PACKAGED.name).is_file()
        return self.root if is_pack else self.root / PACK_FOLDER

    @cached_property
    def manifest(self) -> Manifest:
        """What should be in the folder."""
        own = self.folder / PACKAGED.name
        return read_manifest(own if own.is_file() else PACKAGED)

    def path(self, file: ModelFile) -> Path:
        """Give the place of a file."""
        return self.folder / file.path

    def status(self) -> StoreStatus:
        """Check every file by size and SHA-256 (files that have not changed since are not read again)."""
        memory = self._hashes
        sorted_files: dict[str, list[ModelFile]] = {"present": [], "missing": [], "wrong": []}
        for file in self.manifest.files:
            sorted_files[_state(self.path(file), file, memory)].append(file)
        memory.save()
        return StoreStatus(**{name: tuple(files) for name, files in sorted_files.items()})

    def sha256(self, path: Path) -> str:
        """Give the hash of any file, from memory where it has not changed."""
        try:
            return self._hashes.sha256(path)
        finally:
            self._hashes.save()

    def locate(self, landmarks: str | None = None) -> OpenFaceFiles:
        """Give the places of the files of an analysis.

        Parameters
        ----------
        landmarks
            "clnf", "ce-clm", or the path of a main file; None takes the best that is there, but nothing less
            than "ce-clm" where files of it are there and damaged.

        Raises
        ------
        ModelsMissingError
            Files are missing or wrong; the message says how to get them.
        OptionError
            There is no such landmark model.
        """
        status = self.status()
        if not status.complete:
            raise self._incomplete(status, "clnf", "OpenFace's models are")
        name = landmarks or self._best(status)
        if name == "ce-clm" and name not in status.landmark_models:
            raise self._incomplete(status, "ce-clm", "the landmark model ce-clm is")
        main = self.folder / _MODEL / LANDMARK_MODELS[name] if name in LANDMARK_MODELS else Path(name)
        if name not in LANDMARK_MODELS:
            if not main.is_file():
                names = ", ".join(LANDMARK_MODELS)
                raise OptionError(f"landmarks: expected {names} or the path of a main file, got {name!r}")
            name = main.stem
        predictors = self.folder / _PREDICTORS
        return OpenFaceFiles(
            landmarks=name,
            landmark_model=main,
            detector=self.folder / _MODEL / "mtcnn_detector" / "MTCNN_detector.txt",
            dynamic_action_units=predictors / "main_dynamic_svms.txt",
            static_action_units=predictors / "main_static_svms.txt",
        )

    def fetch(
        self,
        *,
        accept_licence: bool,
        groups: tuple[str, ...] = GROUPS,
        progress: Progress | None = None,
        pause_s: float = 0.5,
    ) -> tuple[ModelFile, ...]:
        """Download what is missing or wrong.

        Parameters
        ----------
        accept_licence
            Whether the user agrees to OpenFace's licence (`licence_text`).
        groups
            What to download: see `mien.models.manifest.GROUPS`.
        progress
            Told of every piece of every file.
        pause_s
            Seconds before a broken transfer is tried again.

        Returns
        -------
        tuple of ModelFile
            The files that were downloaded.

        Raises
        ------
        OptionError
            The licence was not accepted.
        ModelsMissingError
            Some files could not be had; the message names them and each reason. The others are kept.
        """
        if not accept_licence:
            raise OptionError(
                "OpenFace's models may only be downloaded by those who agree to its licence (academic, "
                "non-commercial); agree with --accept-openface-licence"
            )
        with self._locked():
            wanted = self.status().lacking(*groups)
            self._check_space(wanted)
            self._write_licence()
            failures = self._download(wanted, progress, pause_s)
        if failures:
            reasons = "\n".join(f"  {file.path}: {reason}" for file, reason in failures)
            raise ModelsMissingError(
                f"{len(failures)} of {len(wanted)} files could not be downloaded:\n{reasons}\n"
                "What has arrived is kept; run the command again, or import an existing OpenFace folder "
                "with `mien models import DIR`"
            )
        return wanted

    def import_from(self, source: Path | str) -> ImportReport:
        """Copy the files that are anywhere below an OpenFace folder, or in a zip or tar archive of one.

        Raises
        ------
        SourceError
            The source cannot be read, or is neither folder nor archive.
        """
        from mien.models.search import SearchReport, search

        groups = tuple({file.group for file in self.manifest.files})
        copied: list[str] = []

        def copy(file: ModelFile, data: bytes) -> None:
            _write(self.path(file), data)
            copied.append(file.path)

        with self._locked():
            wanted = self.status().lacking(*groups)
            report = search(Path(source), wanted, copy) if wanted else SearchReport()
            if copied:
                self._write_licence()
        names = {file.path for file in wanted}
        return ImportReport(
            copied=tuple(copied),
            kept=tuple(file.path for file in self.manifest.files if file.path not in names),
            missing=tuple(file for file in wanted if file.path not in report.found),
            different=report.different,
        )

    @property
    def _hashes(self) -> HashMemory:
        if self._memory is None:
            self._memory = hashes.memory_at(hashes.default_memory_path())
        return self._memory

    def _download(
        self, wanted: tuple[ModelFile, ...], progress: Progress | None, pause_s: float
    ) -> list[tuple[ModelFile, DownloadError]]:
        from mien.models.download import DownloadError, download, make_session

        failures = []
        with make_session() as session:
            for file in wanted:
                try:
                    download(file, self.path(file), session, progress, pause_s)
                except DownloadError as error:
                    failures.append((file, error))
        return failures

    def _best(self, status: StoreStatus) -> str:
        """The best landmark model; damage doesn't pass for absence."""
        if status.damaged("ce-clm"):
            return "ce-clm"
        best = status.landmark_models[0]
        weights = [file for file in self.manifest.group("ce-clm") if file.path.endswith(".dat")]
        there = [file for file in weights if file in status.present]
        if best != "ce-clm" and there:
            absent = next(file.path for file in status.lacking("ce-clm"))
            _say_once(
                f"the landmark model ce-clm is incomplete ({absent} is missing in {self.folder}): {best} is "
                f"used; {_HOW_TO_INSTALL}"
            )
        return best

    def _incomplete(self, status: StoreStatus, group: str, what: str) -> ModelsMissingError:
        lacking = status.lacking(group)
        if not lacking:
            return ModelsMissingError(
                f"{what} not installed: {PACKAGED.name} in {self.folder} lists no files for it; delete that "
                f"list and {_HOW_TO_INSTALL}"
            )
        wrong = status.damaged(group)
        absent = len(lacking) - len(wrong)
        parts = [
            f"{absent} {'file is' if absent == 1 else 'files are'} missing" if absent else "",
            f"{len(wrong)} damaged or of another version" if wrong else "",
        ]
        whole = absent == len(self.manifest.group(group))
        other = {"clnf": "--models open for mien's own", "ce-clm": "--landmarks clnf"}[group]
        return ModelsMissingError(
            f"{what} {'not installed' if whole else 'incomplete'}: {', '.join(filter(None, parts))} in "
            f"{self.folder}, the first is {(wrong or lacking)[0].path}; {_HOW_TO_INSTALL}"
            + ("" if whole else f"; to go on without, use {other}")
        )

    def _check_space(self, wanted: tuple[ModelFile, ...]) -> None:
        needed = sum(file.size for file in wanted)
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            raise MienError(
                f"{self.folder}: {needed / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free; "
                f"make room or name another folder with {FOLDER_VARIABLE}"
            )

    def _write_licence(self) -> None:
        target = self.folder / "OpenFace-license.txt"
        if not target.exists():
            _write(target, _LICENCE.read_bytes())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from changing the store at the same time."""
        import filelock

        with ExitStack() as held:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                try:
                    held.enter_context(locked(self.folder / ".lock", 0))
                except filelock.Timeout:
                    _log.warning("another process is changing %s; waiting for it", self.folder)
                    held.enter_context(locked(self.folder / ".lock"))
            except OSError as error:
                raise MienError(
                    f"{self.folder}: cannot be written ({error.strerror or error}); "
                    f"name another folder with {FOLDER_VARIABLE}"
                ) from error
            yield


@functools.cache
def _say_once(text: str) -> None:
    _log.warning("%s", text)


def default_root() -> Path:
    """The folder that ``MIEN_MODELS`` names, else the one in the user's data folder."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("mien", appauthor=False)) / "models"


def licence_text() -> str:
    """The licence of OpenFace and its models, as its authors wrote it."""
    return _LICENCE.read_text("utf-8")


def _state(path: Path, file: ModelFile, memory: HashMemory) -> str:
    try:
        if path.stat().st_size != file.size:
            return "wrong"
        return "present" if memory.sha256(path, file.sha256) == file.sha256 else "wrong"
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError as error:
        _log.warning("%s cannot be read: %s", path, error)
        return "wrong"


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    try:
        write_whole(path, data)
    except OSError as error:
        raise MienError(f"{path}: cannot be written ({error.strerror or error})") from error
