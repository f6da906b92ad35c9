"""How a result was made: kept with the result and written beside its table."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mien.results.files import whole_file
from mien.runtime.versions import __version__, version_of

PACKAGES = ("numpy", "numba", "onnxruntime", "av", "pillow")
ONNX_RUNTIMES = ("onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino")


def collect_provenance(
    *,
    source: str | Path | None = None,
    hash_source: bool = True,
    pack: str | None = None,
    landmark_model: str | None = None,
    model_files: Iterable[str | Path] = (),
    model_sha256: Mapping[str, str] | None = None,
    options: object = None,
    networks: Mapping[str, str] | None = None,
    notes: Iterable[str] = (),
) -> dict[str, Any]:
    """Gather what somebody needs to make a result again.

    Parameters
    ----------
    source
        The file that is analysed; its size and SHA-256 are noted.
    hash_source
        Whether to read the whole source for its SHA-256 (about a second per gigabyte).
    pack, landmark_model
        Names of the model pack and of the landmark model in it.
    model_files
        Model files that were read; they are hashed now unless ``model_sha256`` knows them.
    model_sha256
        SHA-256 by file name, where already known.
    options
        A dataclass or mapping of options.
    networks
        Device on which each network ran, by the network's name.
    notes
        What a reader of the results should know of the source, as in `mien.results.RecordedSource`.

    Returns
    -------
    dict
        Only what JSON can hold: keys "mien", "made", "machine", "packages", "models", "networks", "options",
        "source", "notes".
    """
    known = model_sha256 or {}
    files = {Path(path).name: known.get(Path(path).name) or sha256_of(path) for path in model_files}
    return {
        "mien": __version__,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "host": platform.node(),
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "packages": {name: version_of(name) for name in PACKAGES} | _other_runtimes(),
        "models": {
            "pack": pack,
            "landmarks": landmark_model,
            "sha256": {**known, **files},
            **({"intensity_scale": "about OpenFace's"} if pack == "open" else {}),
        },
        "networks": dict(networks or {}),
        "options": _plain(options),
        "source": None if source is None else _source(Path(source), hash_source=hash_source),
        "notes": list(notes),
    }


def sha256_of(path: str | Path) -> str | None:
    """SHA-256 of a file as hexadecimal digits; None where it can't be read."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def provenance_path(table: str | Path) -> Path:
    """Where the provenance of a table is kept: NAME.provenance.json beside it."""
    return Path(table).with_suffix(".provenance.json")


def write_provenance(
    provenance: Mapping[str, Any], table: str | Path, written: Mapping[str, Any] | None = None
) -> Path:
    """Write the provenance beside a table.

    Parameters
    ----------
    provenance
        As `collect_provenance` gives it.
    table
        The table that it is about.
    written
        How the table is laid out, such as its format and columns.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        It can't be written there.
    """
    path = provenance_path(table)
    about = {"table": Path(table).name, **({"written": dict(written)} if written else {}), **provenance}
    text = json.dumps(about, indent=2, ensure_ascii=False, default=str)
    with whole_file(path) as file:
        # Names of files need not be text; what UTF-8 can't hold is escaped, as JSON has it.
        file.write(text.encode("utf-8", "backslashreplace") + b"\n")
    return path


def _source(path: Path, *, hash_source: bool) -> dict[str, Any]:
    try:
        size = path.stat().st_size if path.is_file() else None
    except OSError:
        size = None
    digest = sha256_of(path) if hash_source and size is not None else None
    return {"path": str(path.absolute()), "bytes": size, "sha256": digest}


def _other_runtimes() -> dict[str, str]:
    """ONNX Runtime comes in packages of different names, one per accelerator."""
    versions = {name: version_of(name) for name in ONNX_RUNTIMES}
    return {name: found for name, found in versions.items() if found is not None}


def _plain(options: object) -> Any:
    """Options as JSON holds them; paths and the like as text."""
    if is_dataclass(options) and not isinstance(options, type):
        options = asdict(options)
    return json.loads(json.dumps(options, default=str))
