"""Damaged files are refused with the file and the place named, whatever the damage."""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import synthetic_formats as formats
import synthetic_models
from mien.analysis.recordings import read_scores
from mien.errors import MienError, ModelFileError, TableError
from mien.models import readers
from mien.models.readers.action_units import read_predictor
from mien.models.readers.binary import ByteCursor
from mien.models.records import CcnfRecord, CenRecord, DenseLayer, PdmRecord

# --- small files of every binary kind ---------------------------------------------------------------------


def small_ccnf() -> CcnfRecord:
    rng = np.random.default_rng(3)
    visible = np.array([[True, True], [True, False]])
    neurons = visible[..., None] * np.ones(2)
    return CcnfRecord(
        scale=0.25,
        view_centers=np.zeros((2, 3)),
        visibility=visible,
        sigma_components={3: rng.normal(size=(2, 9, 9)).astype(np.float32)},
        weights=rng.normal(size=(2, 2, 2, 3, 3)).astype(np.float32),
        norms=neurons,
        biases=neurons,
        alphas=neurons,
        betas=neurons,
        confidences=visible * 1.0,
    )


def small_cen() -> CenRecord:
    rng = np.random.default_rng(3)

    def layer(outputs: int, inputs: int) -> DenseLayer:
        weight = rng.normal(size=(outputs, inputs)).astype(np.float32)
        return DenseLayer(weight, np.zeros(outputs, np.float32), 2)

    return CenRecord(
        scale=0.25,
        view_centers=np.zeros((2, 3)),
        visibility=np.ones((2, 2), bool),
        mirror_landmark=np.array([1, 0], np.int32),
        mirror_view=np.array([0, 1], np.int32),
        experts=(((layer(3, 10), layer(1, 3)), ()), ((layer(1, 10),), ())),
        confidences=np.ones((2, 2)),
    )


def small_pdm() -> PdmRecord:
    rng = np.random.default_rng(3)
    return PdmRecord(
        mean=rng.normal(size=(4, 3)).astype(np.float32),
        basis=rng.normal(size=(4, 3, 2)).astype(np.float32),
        eigenvalues=np.array([3.25, 1.125], np.float32),
    )


def read_network_file(path):
    from mien.models.readers.mtcnn import _read_file

    return _read_file(Path(path), 6)


def read_au(path):
    return read_predictor(path, "AU01")


BINARY = {
    "ccnf": (lambda: formats.ccnf(small_ccnf()), readers.read_ccnf),
    "cen": (lambda: formats.cen(small_cen(), support=3), readers.read_cen),
    "validator": (lambda: formats.validator(synthetic_models.validator_record(5)), readers.read_validator),
    "network": (lambda: formats.mtcnn_network(synthetic_models.mtcnn_record().pnet), read_network_file),
    "svr predictor": (
        lambda: formats.predictor(synthetic_models.predictor_record("01", "svr", True)),
        read_au,
    ),
    "svm predictor": (
        lambda: formats.predictor(synthetic_models.predictor_record("10", "svm", False)),
        read_au,
    ),
}
TEXT = {
    "pdm": (lambda: formats.pdm(small_pdm()), readers.read_pdm),
    "triangulation": (
        lambda: formats.text_matrix(np.array([[10, 11, 12], [13, 14, 15]])).encode(),
        readers.read_triangulation,
    ),
    "early termination": (
        lambda: b"1.0 2.0 3.0 4.0 5.0 6.0\n",
        lambda path: readers.read_early_termination(path, 2),
    ),
}
ALL = BINARY | TEXT
_CONTENT: dict[str, bytes] = {}


def content(kind: str) -> bytes:
    if kind not in _CONTENT:
        _CONTENT[kind] = ALL[kind][0]()
    return _CONTENT[kind]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("damage") / "model.bin"


def refuse(kind: str, data: bytes, path) -> ModelFileError:
    path.write_bytes(data)
    with pytest.raises(ModelFileError) as caught:
        ALL[kind][1](path)
    assert str(path) in str(caught.value)
    assert "expected" in str(caught.value)
    return caught.value


def end_of_safe_text(data: bytes) -> int:
    """Where the last number starts: a cut inside it cannot be seen."""
    stripped = data.rstrip()
    return max(stripped.rfind(b" "), stripped.rfind(b"\n"))


@pytest.mark.parametrize("kind", ALL)
def test_whole_files_are_read(kind, scratch):
    scratch.write_bytes(content(kind))
    ALL[kind][1](scratch)


@pytest.mark.parametrize("kind", ALL)
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_file_cut_anywhere_is_refused(kind, scratch, data):
    whole = content(kind)
    most = len(whole) - 1 if kind in BINARY else end_of_safe_text(whole)
    refuse(kind, whole[: data.draw(st.integers(0, most))], scratch)


@pytest.mark.parametrize("kind", BINARY)
@given(extra=st.binary(min_size=1, max_size=40))
@settings(max_examples=20, deadline=None)
def test_bytes_after_the_end_are_refused(kind, scratch, extra):
    assert "end of the file" in str(refuse(kind, content(kind) + extra, scratch))


@pytest.mark.parametrize("kind", TEXT)
@pytest.mark.parametrize("extra", [b"\n7\n", b"\nword", b"\n# comment\n1.5"])
def test_text_after_the_end_is_refused(kind, scratch, extra):
    refuse(kind, content(kind) + extra, scratch)


@pytest.mark.parametrize("kind", TEXT)
@pytest.mark.parametrize("extra", [b"\n", b"\n\n# comment\n", b"\r\n"])
def test_blanks_and_comments_after_the_end_are_no_fault(kind, scratch, extra):
    scratch.write_bytes(content(kind) + extra)
    ALL[kind][1](scratch)


@pytest.mark.parametrize("kind", BINARY)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_changed_integers_never_give_anything_but_a_record_or_a_refusal(kind, scratch, data):
    """Any four bytes replaced: weights may change unseen, but no other error escapes."""
    whole = content(kind)
    at = data.draw(st.integers(0, (len(whole) - 4) // 4)) * 4
    value = data.draw(st.sampled_from([-1, 0, 1, 2, 7, 2**16, 2**31 - 1, -(2**31), 0x7FC00000]))
    scratch.write_bytes(whole[:at] + struct.pack("<i", value) + whole[at + 4 :])
    with contextlib.suppress(ModelFileError):
        ALL[kind][1](scratch)


@pytest.mark.parametrize("kind", ALL)
@given(noise=st.binary(max_size=200))
@settings(max_examples=40, deadline=None)
def test_arbitrary_bytes_are_refused(kind, scratch, noise):
    refuse(kind, noise, scratch)


@pytest.mark.parametrize("kind", TEXT)
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_changed_words_never_give_anything_but_a_record_or_a_refusal(kind, scratch, data):
    words = content(kind).split(b" ")
    at = data.draw(st.integers(0, len(words) - 1))
    words[at] = data.draw(st.sampled_from([b"x", b"nan", b"-1", b"1e300", b"99999999999", b"0", b"\xff"]))
    scratch.write_bytes(b" ".join(words))
    with contextlib.suppress(ModelFileError):
        ALL[kind][1](scratch)


# --- every header of a small file, one at a time -----------------------------------------------------------


def header_offsets() -> dict[str, list[tuple[int, str]]]:
    """Offsets of integers that a reader must not accept changed, with what they are."""
    views = 12
    centre, flags = 12 + 24, 12 + 8
    experts = views + 2 * centre + 2 * flags
    sigmas = experts + 4 + 8 + 2 * (12 + 9 * 9 * 4)
    return {
        "ccnf": [
            (8, "number of views"),
            (views, "rows of a centre"),
            (views + 8, "type of a centre"),
            (views + 2 * centre, "rows of visibility"),
            (experts + 4, "window size"),
            (sigmas, "tag of an expert"),
            (sigmas + 4, "width"),
            (sigmas + 12, "number of neurons"),
            (sigmas + 16, "tag of a neuron"),
            (sigmas + 16 + 32, "rows of weights"),
        ],
        "svr predictor": [(0, "type"), (12, "rows of the means"), (20, "type of the means")],
        "validator": [(0, "type"), (4, "views"), (8, "rows of an orientation")],
        "network": [(0, "depth"), (4, "type of a layer"), (8, "input maps"), (12, "kernels")],
    }


@pytest.mark.parametrize(
    ("kind", "offset", "what"), [(kind, *item) for kind, items in header_offsets().items() for item in items]
)
@pytest.mark.parametrize("value", [-1, 77, 2**31 - 1])
def test_a_changed_header_is_refused_at_its_place(kind, offset, what, value, scratch):
    whole = content(kind)
    error = refuse(kind, whole[:offset] + struct.pack("<i", value) + whole[offset + 4 :], scratch)
    place = int(str(error).split(": byte ")[1].split(":")[0])
    assert place >= offset - 16, f"{what}: {error}"


def test_the_message_names_file_offset_expectation_and_remedy(scratch):
    whole = content("ccnf")
    error = refuse("ccnf", whole[:50], scratch)
    assert str(error) == (
        f"{scratch}: byte 12: expected 2 matrices: view centre in degrees (72 bytes), "
        "found end of file after 38 bytes. "
        "Replace the damaged or wrong file with `mien models fetch` or `mien models import DIR`."
    )


def test_absurd_sizes_are_refused_without_being_allocated(tmp_path):
    path = tmp_path / "matrix"
    path.write_bytes(formats.i32(2**31 - 1, 2**31 - 1, 6))
    with pytest.raises(ModelFileError, match="end of file"):
        ByteCursor.open(path).matrix("weights", ("<f8",))


def test_few_experts_cannot_make_a_file_demand_much_memory(tmp_path):
    record = small_ccnf()
    grid = (100, 900)
    visible = np.zeros(grid, bool)
    visible[0, 0] = True
    header = formats.f64(1.0) + formats.i32(grid[0])
    header += formats.column(np.zeros(3), "f8") * grid[0]
    header += b"".join(formats.column(row, "i4") for row in visible) + formats.i32(0)
    expert = formats.i32(5, 99, 99, 100)
    expert += (formats.i32(2, 0) + formats.f64(1, 1, 1) + formats.matrix(np.zeros((99, 99), "f4"))) * 100
    data = header + expert + formats.f64(1.0) + formats.i32(5, 0, 0, 0, 0) * (visible.size - 1)
    path = tmp_path / "forged"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match="patch experts for most landmarks"):
        readers.read_ccnf(path)
    assert record.scale == 0.25


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(tmp_path, value):
    record = small_ccnf()
    record.weights[0, 0, 0, 0, 0] = value
    path = tmp_path / "nan"
    path.write_bytes(formats.ccnf(record))
    with pytest.raises(ModelFileError, match="finite numbers"):
        readers.read_ccnf(path)


@pytest.mark.parametrize("kind", ALL)
def test_an_empty_file_is_refused(kind, scratch):
    refuse(kind, b"", scratch)


@pytest.mark.parametrize("kind", ALL)
def test_a_missing_file_is_a_plain_error(kind, tmp_path):
    with pytest.raises(MienError, match="mien models fetch"):
        ALL[kind][1](tmp_path / "absent")


@pytest.mark.parametrize("kind", ALL)
def test_a_folder_is_a_plain_error(kind, tmp_path):
    with pytest.raises(MienError, match=r"cannot be read|expected"):
        ALL[kind][1](tmp_path)


def test_networks_whose_layers_do_not_fit_are_refused(tmp_path):
    layers = list(synthetic_models.mtcnn_record().pnet)
    path = tmp_path / "network"
    path.write_bytes(formats.mtcnn_network([layers[3], *layers[:3]]))
    with pytest.raises(ModelFileError, match="input maps of a convolution"):
        read_network_file(path)


def test_cen_layers_that_do_not_fit_are_refused(tmp_path):
    record = small_cen()
    layers = record.experts[0][0]
    broken = ((layers[1], layers[0]), ())
    path = tmp_path / "cen"
    path.write_bytes(formats.cen(CenRecord(**{**_fields(record), "experts": (broken, broken)}), support=3))
    with pytest.raises(ModelFileError, match="weights of layer 0"):
        readers.read_cen(path)


def _fields(record):
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


@pytest.mark.parametrize("damage", ["no archive", "missing array", "wrong shape", "absent"])
def test_a_wrong_archive_of_detector_weights_is_refused(tmp_path, damage):
    path = tmp_path / "mtcnn.npz"
    if damage == "no archive":
        path.write_bytes(b"no zip")
    elif damage == "missing array":
        np.savez(path, a=np.zeros(3))
    elif damage == "wrong shape":
        arrays = {"pnet.conv1.weight": np.zeros(3), "pnet.conv1.bias": np.zeros(3)}
        np.savez(path, **arrays)
    with pytest.raises(MienError, match=r"mtcnn\.npz"):
        readers.mtcnn_from_npz(path)


def test_a_predictor_list_needs_one_name_a_line(tmp_path, synthetic_openface):
    folder = synthetic_openface / synthetic_models.PREDICTORS
    for line in ("svm_combined/AU_1_dynamic.dat", "svm_combined/AU_1_dynamic.dat AU01,AU02"):
        for name in ("In-the-wild_aligned_PDM_68.txt", "tris_68_full.txt", "main_dynamic_svms.txt"):
            (tmp_path / name).write_bytes((folder / name).read_bytes())
        (tmp_path / "AU_all_best.txt").write_text(line)
        with pytest.raises(ModelFileError, match="the name of one action unit"):
            readers.read_action_units(tmp_path / "main_dynamic_svms.txt")


# --- lists that name what cannot be read ------------------------------------------------------------------

HERE = synthetic_models.MODEL
LISTS = {
    "au_list_MemoryError_1051": (
        f"{synthetic_models.PREDICTORS}/main_dynamic_svms.txt",
        readers.read_action_units,
    ),
    "landmark_model_OSError_1013": (f"{HERE}/main_clnf_general.txt", readers.read_landmark_model),
    "mtcnn_list_ValueError_1044": (f"{HERE}/mtcnn_detector/MTCNN_detector.txt", readers.read_mtcnn),
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_that_once_broke_something_are_refused(name, cases_dir, synthetic_openface, tmp_path):
    place, read = LISTS[name]
    shutil.copytree(synthetic_openface, tmp_path / "openface-2.2.0")
    path = tmp_path / "openface-2.2.0" / place
    path.write_bytes((cases_dir / "damage" / f"reader_{name}.bin").read_bytes())
    with pytest.raises(MienError):
        read(path)


@pytest.mark.parametrize("name", ["NotImplementedError_1419", "TokenError_525"])
def test_archives_that_once_broke_something_are_refused(name, cases_dir):
    path = cases_dir / "damage" / f"reader_npz_{name}.bin"
    with pytest.raises(ModelFileError, match="expected an"):
        readers.mtcnn_from_npz(path)
    with pytest.raises(TableError, match="expected scores"):
        read_scores(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.parametrize("kind", ALL)
def test_what_never_ends_and_what_makes_one_wait_are_refused(kind, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(ModelFileError, match="no regular file"):
            ALL[kind][1](path)


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("deep"), OverflowError("large"), KeyError("a")]
)
def test_whatever_a_reader_stumbles_over_is_a_damaged_file(error, monkeypatch, tmp_path):
    def stumble(path, **arguments):
        raise error

    monkeypatch.setattr(ByteCursor, "open", stumble)
    with pytest.raises(ModelFileError, match=f"{type(error).__name__}.*mien models fetch"):
        readers.read_ccnf(tmp_path / "a")
