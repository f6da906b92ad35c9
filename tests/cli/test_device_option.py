"""``--device``: networks run where they were told to, or the command ends with what to install."""

from __future__ import annotations

import json

import pytest

from mien.runtime.sessions import available_devices

ABSENT = next(name for name in ("cuda", "openvino", "directml", "coreml") if name not in available_devices())


@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze", "VIDEO"),
        ("analyze", "VIDEO", "--fast"),
        ("analyze", "VIDEO", "--faces", "many"),
        ("analyze", "VIDEO", "--models", "open"),
        ("analyze", "VIDEO", "VIDEO2", "-o", "out"),
        ("live", "VIDEO", "--realtime"),
        ("live", "VIDEO", "--realtime", "--models", "open"),
        ("profile", "VIDEO"),
    ],
    ids=" ".join,
)
def test_a_device_that_is_not_there_is_an_error_that_names_the_package(mien, face_video, tmp_path, arguments):
    again = tmp_path / "again.mp4"
    again.symlink_to(face_video)
    places = {"VIDEO": face_video, "VIDEO2": again}
    done = mien(*(places.get(argument, argument) for argument in arguments), "--device", ABSENT)
    assert done.returncode == 1
    assert f"device '{ABSENT}' needs ONNX Runtime's" in done.stderr
    assert "install onnxruntime" in done.stderr
    assert not list(tmp_path.rglob("*.csv"))


def test_an_unknown_device_is_wrong_usage(analyze, face_video):
    done = analyze(face_video, "--device", "gpu")
    assert done.returncode == 2
    assert "expected one of auto, cpu, cuda, tensorrt, coreml, directml, openvino, got 'gpu'" in done.stderr


def test_what_auto_has_taken_is_said_and_recorded(analyze, face_video, tmp_path):
    done = analyze(face_video, "--device", "auto", "--end", 0.3)
    assert done.returncode == 0, done.stderr
    provenance = json.loads((tmp_path / "face.provenance.json").read_text())
    assert provenance["options"]["device"] == "auto"
    networks = provenance["networks"]
    assert list(networks) == ["MTCNN proposal", "MTCNN refinement", "MTCNN output", "landmark validator"]
    (device,) = set(networks.values())
    assert device in available_devices()
    assert f"Networks ran on: {device}." in done.stdout


def test_the_processor_is_recorded_without_a_word(analyze, face_video, tmp_path):
    done = analyze(face_video, "--end", 0.3)
    assert "Networks ran on" not in done.stdout
    provenance = json.loads((tmp_path / "face.provenance.json").read_text())
    assert set(provenance["networks"].values()) == {"cpu"}


def test_open_models_are_recorded_too(mien, face_video, tmp_path):
    done = mien("analyze", face_video, "--models", "open", "--device", "auto", "--end", 0.3)
    assert done.returncode == 0, done.stderr
    networks = json.loads((tmp_path / "face.provenance.json").read_text())["networks"]
    assert set(networks) == {"face mesh", "blendshapes", "BlazeFace 128", "BlazeFace 192"}


def test_live_says_and_records_it(mien, face_video, tmp_path):
    done = mien(
        "live", face_video, "--realtime", "--device", "auto", "--jsonl", "live.jsonl", "--seconds", 0.5
    )
    assert done.returncode == 0, done.stderr
    assert "Networks ran on: " in done.stderr
    header = json.loads((tmp_path / "live.jsonl").read_text().splitlines()[0])
    assert header["mien"]["provenance"]["networks"]["MTCNN proposal"] in available_devices()
