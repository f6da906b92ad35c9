"""Which file -mloc means."""

import pytest

from mien.dropin.input_jobs import has_eyes, landmark_model
from mien.errors import OptionError
from mien.models.store import ModelStore


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "models" / "openface-2.2.0" / "LandmarkDetector" / "model"
    folder.mkdir(parents=True)
    for name in ("main_clnf_general.txt", "main_clnf_wild.txt"):
        (folder / name).write_text("LandmarkDetector list.txt\n")
    return ModelStore(tmp_path / "models")


def test_without_it_the_best_that_is_installed_is_taken(store):
    assert landmark_model(None, store) is None


def test_models_of_the_original_are_found_by_their_name_whatever_folder_is_said(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = store.folder / "LandmarkDetector" / "model"
    assert landmark_model("model/main_clnf_general.txt", store) == "clnf"
    assert landmark_model("../x/main_ceclm_general.txt", store) == "ce-clm"
    assert landmark_model("main_clnf_wild.txt", store) == str(own / "main_clnf_wild.txt")
    assert landmark_model(str(own / "main_clnf_general.txt"), store) == "clnf"


def test_a_file_that_is_there_goes_before_them(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "main_clnf_general.txt").write_text("")
    assert landmark_model("model/main_clnf_general.txt", store) == "model/main_clnf_general.txt"


def test_a_model_that_is_nowhere_is_an_error(store):
    with pytest.raises(OptionError, match=r"-mloc mine.txt: no such file, neither here nor as .*mine.txt"):
        landmark_model("mine.txt", store)


def test_a_model_without_both_eyes_gives_no_gaze(tmp_path):
    path = tmp_path / "main.txt"
    left = "LandmarkDetector_part eye/left.txt left_eye_28 36 8 37 10\r\n"
    path.write_text("LandmarkDetector list.txt\n" + left)
    assert not has_eyes(path)
    path.write_text(left + "LandmarkDetector_part eye/right.txt right_eye_28 42 8\n")
    assert has_eyes(path)
    assert has_eyes(tmp_path / "missing.txt")
