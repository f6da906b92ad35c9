"""Damages small files of every kind that mien reads, and looks for anything but mien's own errors.

    python tools/fuzz_readers.py [--inputs 100000] [--seed 0] [--kinds ccnf scores ...] [--keep FOLDER]

The kinds are model files, archives of arrays, tables and notes, and cached arrays. Every input is made from a
whole file and a number, so that a finding can be made again: flipped bits, changed integers and words, pieces
cut out, doubled or taken from another place. Archives are also damaged inside and packed anew. Readers run
in a process of their own under a limit of memory: a crash, an exception that is not mien's or a reader that
needs more, or ten seconds, is a finding, and the exit code is 1. Cached arrays must come out right or be
refused.
"""

# ruff: noqa: E402
from __future__ import annotations

import argparse
import functools
import io
import math
import multiprocessing
import random
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "tests" / "models"))

import numpy as np

from mien.errors import MienError

SLOW = ("landmark-model", "mtcnn-list", "au-list", "mtcnn-npz")
MEMORY_BYTES = 4 << 30
MOST_CPU_S = 10.0
INTEGERS = (-1, 0, 1, 2, 7, 255, 2**15, 2**16, 2**24, 2**31 - 1, -(2**31), 0x7FC00000, 0x7F800000)
WORDS = (
    *(b"x", b"nan", b"inf", b"-1", b"0", b"1e300", b"1e999", b"9" * 5000),
    *(b"\xff", b"\0", b"../..", b"{", b"[" * 3000, b"a" * 300),
)


@dataclass(frozen=True)
class Kind:
    """A kind of file: its name on disk, its whole content, and what reads it."""

    file: str
    content: bytes
    read: Callable[[Path], Any]
    text: bool = False


def kinds(folder: Path) -> dict[str, Kind]:
    """Every kind, with the files that lie beside it."""
    return {**_models(folder), **_archives(), **_notes(folder), **_caches()}


def _models(folder: Path) -> dict[str, Kind]:
    import test_readers_damage as damage

    from mien.models import readers
    from mien.models.manifest import read_manifest
    from synthetic_models import MODEL, PREDICTORS, write_openface

    found = {
        name.replace(" ", "-"): Kind("model.bin", make(), read, text=name in damage.TEXT)
        for name, (make, read) in damage.ALL.items()
    }
    store = write_openface(folder / "openface-2.2.0")
    lists = {
        "landmark-model": (store / MODEL / "main_clnf_general.txt", readers.read_landmark_model),
        "mtcnn-list": (store / MODEL / "mtcnn_detector/MTCNN_detector.txt", readers.read_mtcnn),
        "au-list": (store / PREDICTORS / "main_dynamic_svms.txt", readers.read_action_units),
        "manifest": (store / "manifest.tsv", read_manifest),
    }
    # They are written beside the files that they name.
    beside = {
        name: Kind(str(path.with_name(f"damaged-{path.name}")), path.read_bytes(), read, text=True)
        for name, (path, read) in lists.items()
        if path.is_file()
    }
    return found | beside


def _archives() -> dict[str, Kind]:
    from mien.analysis.recordings import read_scores
    from mien.models import readers
    from mien.models.open import CANONICAL_FACE, MTCNN
    from mien.shape.canonical_face import read_canonical_face

    with tempfile.TemporaryDirectory() as place:
        scores = Path(place) / "a.scores.npz"
        _recording().save(scores)
        return {
            "scores": Kind("a.scores.npz", scores.read_bytes(), read_scores),
            "mtcnn-npz": Kind("mtcnn.npz", MTCNN.read_bytes(), readers.mtcnn_from_npz),
            "canonical-face": Kind("face.npz", CANONICAL_FACE.read_bytes(), read_canonical_face),
        }


def _recording() -> Any:
    """Scores of five frames, three of them with a face."""
    from mien.action_units.histogram import MedianHistogram
    from mien.action_units.scores import ClipScores, PredictorFacts
    from mien.analysis.recordings import RecordingScores

    rng = np.random.default_rng(0)
    ok = np.array([True, False, True, True, False])
    cells, counters = np.array([3, 17, 42], np.uint32), np.array([1, 1, 1], np.uint32)
    medians = MedianHistogram(0.0, 1.0, 10, 0.0, 3, np.zeros(5), cells, counters)
    facts = PredictorFacts(np.ones(35, bool), np.ones(35, bool), np.zeros(17), np.zeros((2, 18)), "0" * 64)
    clip = ClipScores(
        ok,
        rng.normal(size=(3, 35)),
        np.zeros((0, 17)),
        np.zeros((0, 18), bool),
        np.zeros(35),
        (medians, medians),
        facts,
    )
    return RecordingScores(clip, np.arange(5), np.arange(5) / 25, np.ones(5), ok, 0, "clip.mp4")


def _notes(folder: Path) -> dict[str, Kind]:
    from mien.analysis.recordings import read_baseline
    from mien.geometry.pinhole import read_intrinsics
    from mien.landmarks.mesh_indices import read_mesh_indices
    from mien.models.open import INDICES
    from mien.results.csv_reader import read_openface_csv
    from mien.video.images import read_boxes

    units = [f"AU{number:02}_r" for number in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)]
    header = ",".join(["frame", "face_id", "timestamp", "confidence", "success", *units])
    row = ",".join(["1", "0", "0.040", "0.98", "1", *["0.25"] * len(units)])
    table = f"{header}\n{row}\n{row.replace('1', '2', 1)}\n".encode()
    camera = b'{"camera_matrix": [[500.0, 0, 320], [0, 500, 240], [0, 0, 1]]}'
    return {
        "table": Kind("table.csv", table, read_openface_csv, text=True),
        "neutral-table": Kind("neutral.csv", table, read_baseline, text=True),
        "boxes": Kind("boxes.txt", b"10 20 110.5 140\n30,40,60,80\n", read_boxes, text=True),
        "intrinsics": Kind("camera.json", camera, lambda path: read_intrinsics(str(path)), text=True),
        "mesh-indices": Kind("indices.json", INDICES.read_bytes(), read_mesh_indices, text=True),
    }


def _caches() -> dict[str, Kind]:
    from mien.models.hashes import HashMemory
    from mien.storage.checked_array import DoubtfulFileError, load_array, store_array

    array = np.random.default_rng(0).normal(size=(3, 5, 16)).astype(np.float32)

    def read_array(path: Path) -> None:
        try:
            found = load_array(path, "key", np.float32, (3, None, 16))
        except DoubtfulFileError:
            return
        if not np.array_equal(found, array):
            raise AssertionError("a damaged array was believed")

    with tempfile.TemporaryDirectory() as place:
        source, stored, sums = (Path(place) / name for name in ("model", "array.npy", "sums.json"))
        store_array(stored, "key", array)
        source.write_bytes(b"model")
        memory = HashMemory(sums)
        right = memory.sha256(source)
        memory.save()
        about, original = source.stat(), str(source)
        contents = stored.read_bytes(), sums.read_bytes()

    def read_sums(path: Path) -> None:
        for key, (stamp, digest) in HashMemory(path)._entries.items():
            if (key, stamp[0]) == (original, about.st_size) and digest != right:
                raise AssertionError("a damaged sum was believed")

    return {
        "cached-array": Kind("array.npy", contents[0], read_array),
        "remembered-sums": Kind("sums.json", contents[1], read_sums, text=True),
    }


def damaged(kind: Kind, seed: int) -> bytes:
    """The input that belongs to a number."""
    rng = random.Random(seed)
    if kind.content[:2] == b"PK" and rng.random() < 0.7:
        return _damaged_inside(kind.content, rng)
    data = bytearray(kind.content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        _damage(data, rng, text=kind.text)
    return bytes(data)


def _damage(data: bytearray, rng: random.Random, *, text: bool) -> None:
    """One change. Beginnings, where headers are, are changed more often."""
    reach = len(data) if rng.random() < 0.6 else min(len(data), 400)
    at = rng.randrange(reach) if reach else 0
    way = rng.randrange(8)
    if way == 0 and data:
        data[at] ^= 1 << rng.randrange(8)
    elif way == 1 and data:
        data[at] = rng.randrange(256)
    elif way == 2:
        data[at & ~3 : (at & ~3) + 4] = struct.pack("<i", rng.choice(INTEGERS))
    elif way == 3:
        del data[at:]
    elif way == 4:
        del data[at : at + rng.randrange(1, 64)]
    elif way == 5:
        data[at:at] = data[at : at + rng.randrange(1, 64)]
    elif way == 6:
        other = rng.randrange(len(data) + 1)
        data[at : at + 16] = data[other : other + 16]
    elif text:
        _change_word(data, at, rng)
    else:
        data[at:at] = rng.randbytes(rng.randrange(1, 16))


def _change_word(data: bytearray, at: int, rng: random.Random) -> None:
    start = max(data.rfind(mark, 0, at) for mark in (b" ", b"\n", b",", b"\t")) + 1
    ends = [end for mark in (b" ", b"\n", b",", b"\t") if (end := data.find(mark, start)) >= 0]
    data[start : min(ends, default=len(data))] = rng.choice(WORDS)


def _damaged_inside(content: bytes, rng: random.Random) -> bytes:
    """Damage a member of an archive, most often its header, and pack it anew with the right checksum."""
    packed, members = io.BytesIO(), _members(content)
    with zipfile.ZipFile(packed, "w") as new:
        chosen = rng.choice(list(members))
        for name, whole in members.items():
            data: bytes | bytearray = whole
            if name == chosen:
                data = bytearray(whole)
                if rng.random() < 0.5:
                    head = data[:128]
                    _damage(head, rng, text=True)
                    data[:128] = head
                else:
                    _damage(data, rng, text=False)
                if rng.random() < 0.1:
                    continue
            new.writestr(zipfile.ZipInfo(name), bytes(data))  # always of one date
    return packed.getvalue()


@functools.cache
def _members(content: bytes) -> dict[str, bytes]:
    """What is in an archive, unpacked once."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


class SlowReaderError(BaseException):
    """A reader takes longer than any file is worth; no reader takes it for a fault of the file."""


@contextmanager
def _in_time() -> Iterator[None]:
    """End what takes too long, where the system can."""
    if sys.platform == "win32":
        yield
        return

    def end(*_: Any) -> None:
        raise SlowReaderError(f"more than {MOST_CPU_S:g} s of processor time")

    signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_CPU_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def try_kind(name: str, first: int, last: int, keep: str | None) -> tuple[Counter[str], list[str]]:
    """Read the inputs of a kind; how they came out, and what was found."""
    outcomes: Counter[str] = Counter()
    findings: list[str] = []
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("error")
        kind = kinds(Path(place))[name]
        path = Path(place, kind.file)  # a whole path stays what it is
        for seed in range(first, last):
            data = damaged(kind, seed)
            path.write_bytes(data)
            try:
                with _in_time():
                    kind.read(path)
                outcomes["read"] += 1
            except MienError:
                outcomes["refused"] += 1
            except (Exception, SlowReaderError) as error:
                outcomes["found"] += 1
                findings.append(f"{name} {seed}: {type(error).__name__}: {str(error)[:150]}")
                if keep:
                    Path(keep, f"{name}-{seed}").write_bytes(data)
                    Path(keep, f"{name}-{seed}.txt").write_text(traceback.format_exc())
    return outcomes, findings


def _limited(connection: Any, *arguments: Any) -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    connection.send(try_kind(*arguments))


def in_a_process(*arguments: Any) -> tuple[Counter[str], list[str]]:
    """Run `try_kind` where it may crash."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_limited, args=(theirs, *arguments))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        process.join()
        return Counter(crashed=1), [f"{arguments}: the process ended with {process.exitcode}"]
    finally:
        process.join()


def _shares(inputs: int, names: list[str]) -> dict[str, int]:
    """Inputs of each kind: files that take long to read get a tenth of what others get."""
    weights = {name: 0.1 if name in SLOW else 1.0 for name in names}
    whole = sum(weights.values())
    return {name: math.ceil(inputs * weight / whole) for name, weight in weights.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=100_000, help="of each group, shared by its kinds")
    parser.add_argument("--seed", type=int, default=0, help="number of the first input")
    parser.add_argument("--kinds", nargs="*")
    parser.add_argument("--keep", help="folder for what was found")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        groups = {
            "model files": list(_models(Path(place))),
            "archives": list(_archives()),
            "tables and notes": list(_notes(Path(place))),
            "caches": list(_caches()),
        }
    failed = False
    print(f"{'group':18}{'kind':20}{'inputs':>9}{'read':>9}{'refused':>9}{'found':>7}{'s':>7}")
    for group, names in groups.items():
        wanted = [name for name in names if not arguments.kinds or name in arguments.kinds]
        for name, count in _shares(arguments.inputs, wanted).items():
            started = time.perf_counter()
            outcomes, findings = in_a_process(name, arguments.seed, arguments.seed + count, arguments.keep)
            bad = outcomes["found"] + outcomes["crashed"]
            took = time.perf_counter() - started
            figures = f"{count:9}{outcomes['read']:9}{outcomes['refused']:9}{bad:7}{took:7.0f}"
            print(f"{group:18}{name:20}{figures}", flush=True)
            for line in findings[:10]:
                print(f"    {line}", flush=True)
            failed |= bool(bad)
    sys.exit(failed)


if __name__ == "__main__":
    main()
