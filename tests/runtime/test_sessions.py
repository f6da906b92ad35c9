"""Networks run where they were told to run, or not at all."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from mien.errors import ProviderError
from mien.models.records import NetworkLayer
from mien.runtime.onnx_graph import INPUT_NAME, network_to_onnx
from mien.runtime.sessions import (
    DEVICES,
    available_devices,
    create_session,
    device_of,
    resolve_device,
)


def network() -> bytes:
    """Twice the input."""
    return network_to_onnx(
        [NetworkLayer("dense", np.full((1, 1), 2, np.float32), np.zeros(1, np.float32))], channels=1
    )


def absent_device() -> str:
    return next(name for name in DEVICES if name != "auto" and name not in available_devices())


@pytest.fixture
def runtime(monkeypatch):
    """An ONNX Runtime whose providers are told; ``broken`` ones raise, ``silent`` ones fall back."""
    made = []
    state = SimpleNamespace(providers=["CPUExecutionProvider"], broken=set(), silent=set(), made=made)

    class InferenceSession:
        def __init__(self, source, options, providers, **arguments) -> None:
            provider, settings = providers[0] if isinstance(providers[0], tuple) else (providers[0], {})
            if provider in state.broken:
                raise ValueError("no device found")
            self.used = "CPUExecutionProvider" if provider in state.silent else provider
            made.append((provider, settings, arguments))

        def get_providers(self):
            return [self.used, "CPUExecutionProvider"]

    class SessionOptions(SimpleNamespace):
        def add_session_config_entry(self, key, value) -> None:
            """Accepted, like any other setting."""

    module = SimpleNamespace(
        InferenceSession=InferenceSession,
        SessionOptions=SessionOptions,
        get_available_providers=lambda: list(state.providers),
        preload_dlls=lambda: made.append("preload"),
    )
    monkeypatch.setitem(sys.modules, "onnxruntime", module)
    resolve_device.cache_clear()
    yield state
    resolve_device.cache_clear()


def test_the_processor_is_always_there():
    assert "cpu" in available_devices()
    session = create_session(network())
    assert device_of(session) == "cpu"
    assert session.run(None, {INPUT_NAME: np.full((1, 1, 1, 1), 3, np.float32)})[0].item() == 6


def test_auto_takes_something_that_works():
    device = resolve_device("auto")
    assert device in available_devices()
    session = create_session(network(), device="auto")
    assert device_of(session) == device


def test_unknown_device_is_refused_with_the_known_ones():
    with pytest.raises(ProviderError, match="unknown device 'tpu': expected one of auto, cpu, cuda"):
        create_session(network(), device="tpu")
    with pytest.raises(ProviderError, match="unknown device"):
        resolve_device("gpu")


def test_missing_provider_names_the_package():
    device = absent_device()
    with pytest.raises(ProviderError, match=rf"device '{device}' needs .* install onnxruntime"):
        create_session(network(), device=device)


def test_resolving_a_named_device_does_not_need_it():
    assert resolve_device(absent_device()) == absent_device()


def test_auto_prefers_an_accelerator_and_says_so(runtime, caplog):
    runtime.providers = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    with caplog.at_level(logging.INFO):
        assert resolve_device("auto") == "cuda"
    assert "auto takes cuda" in caplog.text


@pytest.mark.parametrize("fault", ["broken", "silent"])
def test_auto_leaves_out_what_does_not_start(runtime, caplog, fault):
    runtime.providers = ["CUDAExecutionProvider", "OpenVINOExecutionProvider", "CPUExecutionProvider"]
    getattr(runtime, fault).add("CUDAExecutionProvider")
    with caplog.at_level(logging.INFO):
        assert resolve_device("auto") == "openvino"
    assert "leaves out cuda" in caplog.text


@pytest.mark.parametrize("fault", ["broken", "silent"])
def test_wanted_device_that_does_not_start_is_an_error(runtime, fault):
    """Neither an exception nor a silent fall-back of ONNX Runtime goes through."""
    runtime.providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    getattr(runtime, fault).add("CUDAExecutionProvider")
    with pytest.raises(ProviderError, match=r"CUDAExecutionProvider does not start.*install onnxruntime-gpu"):
        create_session(b"", device="cuda")


def test_gpu_computes_in_full_precision_and_does_not_fall_back(runtime):
    runtime.providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    session = create_session(b"", device="cuda")
    assert device_of(session) == "cuda"
    provider, settings, arguments = runtime.made[-1]
    assert provider == "CUDAExecutionProvider"
    assert settings["use_tf32"] == "0"
    assert arguments == {"enable_fallback": False}


def test_openvino_computes_in_full_precision(runtime):
    runtime.providers = ["OpenVINOExecutionProvider", "CPUExecutionProvider"]
    create_session(b"", device="openvino")
    provider, settings, _ = runtime.made[-1]
    assert (provider, settings["precision"]) == ("OpenVINOExecutionProvider", "FP32")


def test_nothing_works_is_an_error(runtime):
    runtime.providers = []
    with pytest.raises(ProviderError, match="reinstall onnxruntime"):
        resolve_device("auto")
