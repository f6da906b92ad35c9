"""The store: what is there, what is checked, what is used."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from importlib import import_module
from pathlib import Path

import pytest
from helpers_server import make_store

import mien.models.open as open_models
import synthetic_models
from mien import packs
from mien.errors import ModelFileError, ModelsMissingError, OptionError
from mien.models.hashes import HashMemory, sha256_of_file
from mien.models.manifest import PACKAGED, read_manifest
from mien.models.readers import read_action_units, read_landmark_model, read_mtcnn
from mien.models.store import ModelStore, default_root, licence_text


@pytest.fixture
def memory(tmp_path):
    return HashMemory(tmp_path / "sums.json")


@pytest.fixture
def copy(tmp_path, synthetic_openface):
    """A copy of the synthetic folder that may be changed, below a root."""
    shutil.copytree(synthetic_openface, tmp_path / "root" / "openface-2.2.0")
    return tmp_path / "root"


# --- manifest ---------------------------------------------------------------------------------------------


def test_the_packaged_manifest_is_sound():
    manifest = read_manifest()
    assert manifest.version == "2.2.0"
    assert {file.group for file in manifest.files} == {"clnf", "ce-clm", "extra"}
    assert len({file.path for file in manifest.files}) == len(manifest.files) == 101
    assert all(len(file.addresses) >= 2 and file.size > 0 for file in manifest.files)
    assert all(address.startswith("https://") for file in manifest.files for address in file.addresses)
    cen = [file for file in manifest.files if "cen_patches" in file.path]
    assert [file.size for file in cen] == [60602360, 60602360, 154289792, 154289792]
    assert {file.group for file in cen} == {"ce-clm"}


@pytest.mark.models
def test_the_packaged_manifest_describes_the_original_files(openface_dir):
    for file in read_manifest().files:
        path = openface_dir / file.path
        if "cen_patches" not in file.path:
            assert path.stat().st_size == file.size
            assert sha256_of_file(path) == file.sha256


@pytest.mark.models
def test_the_packaged_licence_is_the_original(openface_dir):
    assert licence_text() == (openface_dir / "OpenFace-license.txt").read_text()


@pytest.mark.models
def test_every_file_of_the_models_is_in_the_manifest(openface_dir):
    model = openface_dir / "LandmarkDetector/model"
    known = {openface_dir / file.path for file in read_manifest().files}
    for main in ("main_clnf_general.txt", "main_clnf_wild.txt"):
        assert set(read_landmark_model(model / main).files) <= known


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a table"),
        ("path\tsize\n", "expected a table"),
        ("path\tsize\tsha256\tgroup\taddresses\na\tx\tb\tclnf\t\n", "line 2"),
        ("path\tsize\tsha256\tgroup\taddresses\n../a\t1\t" + "0" * 64 + "\tclnf\t\n", "line 2"),
        ("path\tsize\tsha256\tgroup\taddresses\n/a\t1\t" + "0" * 64 + "\tclnf\t\n", "line 2"),
        ("path\tsize\tsha256\tgroup\taddresses\na\t1\t" + "0" * 64 + "\tother\t\n", "line 2"),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path, text, message):
    (tmp_path / "manifest.tsv").write_text(text)
    with pytest.raises(ModelFileError, match=message):
        read_manifest(tmp_path / "manifest.tsv")


# --- folder -----------------------------------------------------------------------------------------------


def test_the_folder_is_the_one_that_the_environment_names(monkeypatch, tmp_path):
    monkeypatch.setenv("MIEN_MODELS", str(tmp_path))
    assert default_root() == tmp_path
    assert ModelStore().folder == tmp_path / "openface-2.2.0"


def test_without_it_the_folder_is_in_the_user_s_data(monkeypatch):
    monkeypatch.delenv("MIEN_MODELS", raising=False)
    assert default_root().parts[-2:] == ("mien", "models")


def test_the_environment_may_name_the_pack_s_own_folder(synthetic_openface, memory):
    store = ModelStore(synthetic_openface, memory)
    assert store.folder == synthetic_openface
    assert store.status().complete


# --- status -----------------------------------------------------------------------------------------------


def test_an_empty_store_lacks_everything(tmp_path, memory):
    status = ModelStore(tmp_path, memory).status()
    assert len(status.missing) == len(read_manifest().files)
    assert not status.complete
    assert status.landmark_models == ()


def test_a_full_store_has_both_landmark_models(copy, memory):
    status = ModelStore(copy, memory).status()
    assert status.complete
    assert status.landmark_models == ("ce-clm", "clnf")


def test_without_its_four_files_only_ce_clm_is_lacking(copy, memory):
    store = ModelStore(copy, memory)
    (store.folder / "LandmarkDetector/model/patch_experts/cen_patches_0.50_of.dat").unlink()
    status = store.status()
    assert status.complete
    assert status.landmark_models == ("clnf",)


@pytest.mark.parametrize("damage", ["cut", "changed", "folder"])
def test_a_damaged_file_makes_the_store_incomplete(copy, memory, damage):
    store = ModelStore(copy, memory)
    assert store.status().complete
    path = store.folder / "LandmarkDetector/model/mtcnn_detector/PNet.dat"
    data = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(data[:-1])
    elif damage == "changed":
        path.write_bytes(data[:-1] + b"?")
    else:
        path.mkdir()
    status = store.status()
    assert [file.path for file in status.wrong] == ["LandmarkDetector/model/mtcnn_detector/PNet.dat"]
    assert not status.complete


def test_unchanged_files_are_read_only_once(copy, tmp_path, monkeypatch):
    assert ModelStore(copy, HashMemory(tmp_path / "sums.json")).status().complete

    def never(path):
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr("mien.models.hashes.sha256_of_file", never)
    assert ModelStore(copy, HashMemory(tmp_path / "sums.json")).status().complete


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"a": 1}', '{"a": [1, 2]}', "[" * 9999, '{"files": 1, "sha256": 2}']
)
def test_a_damaged_memory_of_sums_costs_only_time(copy, tmp_path, content):
    (tmp_path / "sums.json").write_text(content)
    assert ModelStore(copy, HashMemory(tmp_path / "sums.json")).status().complete


def test_a_memory_that_cannot_be_written_costs_only_time(copy, tmp_path):
    (tmp_path / "file").write_text("")
    assert ModelStore(copy, HashMemory(tmp_path / "file" / "sums.json")).status().complete


def test_a_file_changed_without_a_change_of_size_is_noticed(tmp_path):
    memory = HashMemory(tmp_path / "sums.json")
    path = tmp_path / "file"
    path.write_bytes(b"one")
    first = memory.sha256(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert memory.sha256(path) != first


def remembered_wrongly(path, sums) -> HashMemory:
    """A memory that holds another sum for an unchanged file."""
    right = sha256_of_file(path)
    memory = HashMemory(sums)
    memory.sha256(path)
    memory.save()
    stored = json.loads(sums.read_text())
    text = stored["files"].replace(right, "0" * 64)
    assert text != stored["files"]
    sums.write_text(json.dumps({"files": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}))
    return HashMemory(sums)


def test_a_wrong_remembered_sum_is_made_again(copy, tmp_path):
    path = copy / "openface-2.2.0/LandmarkDetector/model/mtcnn_detector/PNet.dat"
    memory = remembered_wrongly(path, tmp_path / "sums.json")
    assert ModelStore(copy, memory).status().complete
    assert HashMemory(tmp_path / "sums.json").sha256(path) == sha256_of_file(path)


def test_a_changed_character_of_the_remembered_sums_is_noticed(tmp_path):
    path, sums = tmp_path / "file", tmp_path / "sums.json"
    path.write_bytes(b"one")
    memory = HashMemory(sums)
    right = memory.sha256(path)
    memory.save()
    whole = sums.read_text()
    at = whole.index(right)
    sums.write_text(whole[:at] + ("0" if right[0] != "0" else "1") + whole[at + 1 :])
    assert HashMemory(sums).sha256(path) == right


def test_a_file_changed_behind_its_time_of_writing_is_noticed(tmp_path):
    memory = HashMemory(tmp_path / "sums.json")
    path = tmp_path / "file"
    path.write_bytes(b"one")
    status, first = path.stat(), memory.sha256(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert memory.sha256(path) != first or sys.platform == "win32"


# --- locate -----------------------------------------------------------------------------------------------


def test_the_best_landmark_model_is_taken_by_default(copy, memory):
    store = ModelStore(copy, memory)
    assert store.locate().landmarks == "ce-clm"
    (store.folder / "LandmarkDetector/model/patch_experts/cen_patches_1.00_of.dat").unlink()
    assert store.locate().landmarks == "clnf"


def test_located_files_can_be_read(copy, memory):
    files = ModelStore(copy, memory).locate("clnf")
    assert read_landmark_model(files.landmark_model).name == "main_clnf_general"
    assert len(read_action_units(files.dynamic_action_units).predictors) == 35
    assert not any(p.dynamic for p in read_action_units(files.static_action_units).predictors)
    assert read_mtcnn(files.detector).onet[-1].bias.shape == (16,)
    ce_clm = ModelStore(copy, memory).locate("ce-clm")
    assert read_landmark_model(ce_clm.landmark_model).name == "main_ceclm_general"


def test_a_main_file_is_named_by_its_path(copy, memory):
    store = ModelStore(copy, memory)
    main = store.folder / "LandmarkDetector/model/main_clnf_wild.txt"
    files = store.locate(str(main))
    assert (files.landmarks, files.landmark_model) == ("main_clnf_wild", main)


def test_an_unknown_landmark_model_is_refused_with_the_known_ones(copy, memory):
    with pytest.raises(OptionError, match=r"expected clnf, ce-clm or the path of a main file, got 'svr'"):
        ModelStore(copy, memory).locate("svr")


def test_missing_models_are_one_message_with_the_command(tmp_path, memory):
    with pytest.raises(ModelsMissingError) as caught:
        ModelStore(tmp_path, memory).locate()
    message = str(caught.value)
    assert "OpenFace's models are not installed" in message
    assert "mien models fetch" in message
    assert "mien models import DIR" in message
    assert str(tmp_path) in message


def test_damaged_models_are_named(copy, memory):
    store = ModelStore(copy, memory)
    (store.folder / "FaceAnalyser/AU_predictors/AU_all_best.txt").write_text("x")
    with pytest.raises(ModelsMissingError, match=r"incomplete: 1 damaged .*AU_all_best\.txt"):
        store.locate()


def test_ce_clm_is_not_offered_by_a_folder_whose_list_does_not_know_it(tmp_path, memory):
    store = ModelStore(synthetic_models.write_openface(tmp_path / "openface-2.2.0", ce_clm=False), memory)
    assert store.status().landmark_models == ("clnf",)
    assert store.locate().landmarks == "clnf"
    with pytest.raises(ModelsMissingError, match=r"ce-clm is not installed: manifest.tsv .* lists no files"):
        store.locate("ce-clm")


def test_ce_clm_without_its_files_is_refused_with_the_command(copy, memory):
    store = ModelStore(copy, memory)
    (store.folder / "LandmarkDetector/model/patch_experts/cen_patches_1.00_of.dat").unlink()
    with pytest.raises(ModelsMissingError, match=r"ce-clm is incomplete.*mien models fetch"):
        store.locate("ce-clm")


def test_damaged_files_of_the_best_landmark_model_do_not_pass_for_its_absence(copy, memory):
    store = ModelStore(copy, memory)
    path = store.folder / "LandmarkDetector/model/patch_experts/cen_patches_1.00_of.dat"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelsMissingError, match=r"ce-clm is incomplete: 1 damaged .*1\.00_of\.dat.*clnf$"):
        store.locate()
    assert store.locate("clnf").landmarks == "clnf"


def test_a_landmark_model_that_is_there_in_part_is_told(copy, memory, caplog):
    store = ModelStore(copy, memory)
    (store.folder / "LandmarkDetector/model/patch_experts/cen_patches_1.00_of.dat").unlink()
    store.locate()
    assert "cen_patches_1.00_of.dat is missing" in caplog.text
    assert "clnf is used" in caplog.text


# --- packs ------------------------------------------------------------------------------------------------


def test_openface_is_chosen_when_it_is_complete_and_open_else(copy, memory, tmp_path):
    assert packs.choose_pack(None, ModelStore(copy, memory)).name == "openface"
    assert packs.choose_pack(None, ModelStore(tmp_path / "empty", memory)).name == "open"
    assert packs.choose_pack("open", ModelStore(copy, memory)).name == "open"


@pytest.mark.parametrize("damage", ["changed", "cut", "folder", "missing"])
def test_files_that_are_there_but_wrong_never_lead_to_the_other_pack(copy, memory, damage):
    store = ModelStore(copy, memory)
    path = store.folder / "LandmarkDetector/model/pdms/In-the-wild_aligned_PDM_68.txt"
    data = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes(data[:-1] + (b"?" if damage == "changed" else b""))
    with pytest.raises(ModelsMissingError) as caught:
        packs.choose_pack(None, ModelStore(copy, memory))
    message = str(caught.value)
    assert "pdms/In-the-wild_aligned_PDM_68.txt" in message
    assert "mien models fetch" in message
    assert "mien models import DIR" in message
    assert "--models open" in message
    assert packs.choose_pack("open", ModelStore(copy, memory)).name == "open"


def test_a_wanted_pack_that_is_not_there_is_an_error(tmp_path, memory):
    with pytest.raises(ModelsMissingError, match="mien models fetch"):
        packs.choose_pack("openface", ModelStore(tmp_path, memory))
    with pytest.raises(OptionError, match="openface or open"):
        packs.choose_pack("other", ModelStore(tmp_path, memory))


def test_an_incomplete_open_pack_is_an_error(tmp_path, memory, monkeypatch):
    monkeypatch.setattr(open_models, "FOLDER", tmp_path)
    with pytest.raises(ModelsMissingError, match="install mien again"):
        packs.choose_pack("open", ModelStore(tmp_path, memory))


@pytest.mark.parametrize("name", packs.PACKS)
def test_a_pack_is_one_file_that_describes_and_builds_it(name):
    home = import_module(f"mien.packs.{name}")
    assert home.describe().name == name
    assert all(callable(getattr(home, verb)) for verb in ("complain", "read_models", "build"))


def test_packs_say_what_they_are(copy, memory):
    openface, free = packs.describe_pack("openface", ModelStore(copy, memory)), packs.describe_pack("open")
    assert openface.complete
    assert free.complete
    assert "non-commercial" in openface.licence
    assert "commercial use allowed" in free.licence
    assert "mien models fetch" in free.notice
    assert "OpenFace" in openface.notice


def test_hashes_of_packs_are_those_of_their_files(copy, memory, monkeypatch, tmp_path):
    monkeypatch.setattr("mien.models.hashes.default_memory_path", lambda: tmp_path / "other.json")
    for pack in (packs.describe_pack("openface", ModelStore(copy, memory)), packs.describe_pack("open")):
        hashes = pack.hashes()
        assert set(hashes) == set(pack.files)
        name = pack.files[0]
        assert hashes[name] == sha256_of_file(pack.folder / name)


def test_files_from_elsewhere_are_read_once_for_their_hash(copy, memory, monkeypatch, tmp_path):
    monkeypatch.setattr("mien.models.hashes.default_memory_path", lambda: tmp_path / "other.json")
    pack = packs.describe_pack("openface", ModelStore(copy, memory))
    own, other, missing = pack.folder / pack.files[0], tmp_path / "cen.dat", tmp_path / "main.txt"
    other.write_bytes(b"weights")
    found = pack.fingerprints([own, other, missing])
    assert found["model_files"] == [other, missing]
    assert found["model_sha256"] == {pack.files[0]: sha256_of_file(own), "cen.dat": sha256_of_file(other)}
    monkeypatch.setattr("mien.models.hashes.sha256_of_file", lambda path: pytest.fail(f"{path} read again"))
    assert pack.fingerprints([own, other])["model_sha256"] == found["model_sha256"]


def test_the_synthetic_folder_has_the_original_s_structure(synthetic_openface):
    original = {file.path for file in read_manifest(PACKAGED).files}
    synthetic = {
        path.relative_to(synthetic_openface).as_posix()
        for path in synthetic_openface.rglob("*")
        if path.is_file()
    }
    predictors = {path for path in original if "_combined/" in path}
    assert original - predictors <= synthetic
    assert {Path(path).parent for path in predictors} <= {Path(path).parent for path in synthetic}
    assert synthetic_models.MODEL


def test_a_folder_may_bring_its_own_manifest(tmp_path):
    store = make_store(tmp_path, {"LandmarkDetector/a.txt": (b"a", "clnf")}, [])
    assert not store.status().complete
    (store.folder / "LandmarkDetector").mkdir()
    (store.folder / "LandmarkDetector/a.txt").write_bytes(b"a")
    assert store.status().complete
