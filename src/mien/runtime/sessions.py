"""ONNX Runtime sessions, made in one place so that every network obeys the same options.

A network runs where it was told to run, or not at all: ONNX Runtime would fall back to the processor when a
provider cannot start; here that is an error that says what to install. Providers are set up to compute in
float32 where they leave a choice.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mien.errors import ProviderError
from mien.runtime.onnx_runtime import import_onnx_runtime
from mien.storage.cache_folder import cache_folder

logger = logging.getLogger(__name__)

Model = bytes | str | Path


@dataclass(frozen=True, slots=True)
class _Device:
    """How a device is called in ONNX Runtime, what to install for it, and how it is set up."""

    provider: str
    package: str
    options: dict[str, str] = field(default_factory=dict)


_DEVICES = {
    "cpu": _Device("CPUExecutionProvider", "onnxruntime"),
    "cuda": _Device(
        "CUDAExecutionProvider",
        "onnxruntime-gpu[cuda,cudnn]",
        # TF32 has the mantissa of float16; the default search tries every algorithm for every new size.
        {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
    ),
    "tensorrt": _Device(
        "TensorrtExecutionProvider",
        "onnxruntime-gpu[cuda,cudnn] and NVIDIA's tensorrt",
        {"trt_engine_cache_enable": "1"},
    ),
    "coreml": _Device("CoreMLExecutionProvider", "onnxruntime on macOS"),
    "directml": _Device("DmlExecutionProvider", "onnxruntime-directml (Windows)"),
    # Intel's graphics processors would take float16.
    "openvino": _Device("OpenVINOExecutionProvider", "onnxruntime-openvino", {"precision": "FP32"}),
}
DEVICES = ("auto", *_DEVICES)
"""What ``--device`` may be."""
_BEST_FIRST = ("cuda", "directml", "coreml", "openvino", "cpu")
"""What "auto" tries; TensorRT is left out, which builds its engines for minutes."""


def available_devices() -> tuple[str, ...]:
    """Devices for which the installed ONNX Runtime has a provider; whether one works shows when it starts."""
    present = set(import_onnx_runtime().get_available_providers())
    return tuple(name for name, device in _DEVICES.items() if device.provider in present)


@cache
def resolve_device(device: str) -> str:
    """Decide where networks run.

    Parameters
    ----------
    device
        One of `DEVICES`. "auto" takes the first of CUDA, DirectML, CoreML, OpenVINO and the processor that
        starts on this machine, and logs which.

    Returns
    -------
    str
        The device, never "auto".

    Raises
    ------
    ProviderError
        There is no such device.
    """
    if device not in DEVICES:
        raise ProviderError(f"unknown device {device!r}: expected one of {', '.join(DEVICES)}")
    if device != "auto":
        return device
    present = available_devices()
    for name in _BEST_FIRST:
        if name in present and (name == "cpu" or _starts(name)):
            logger.info("device: auto takes %s", name)
            return name
    raise ProviderError(
        f"none of ONNX Runtime's providers starts ({', '.join(present)}); reinstall onnxruntime"
    )


def create_session(model: Model, *, device: str = "cpu", threads: int = 1) -> Any:
    """Open a network.

    Parameters
    ----------
    model
        A serialized ONNX model or the path of one.
    device
        One of `DEVICES`; never replaced silently.
    threads
        Threads inside one operator, on the processor.

    Returns
    -------
    onnxruntime.InferenceSession

    Raises
    ------
    ProviderError
        The device is unknown, the installed ONNX Runtime has no provider for it, or the provider does not
        start on this machine.
    """
    return _open(model, resolve_device(device), threads)


def device_of(session: Any) -> str:
    """Name of the device on which a session runs."""
    provider = session.get_providers()[0]
    return next(name for name, device in _DEVICES.items() if device.provider == provider)


def _open(model: Model, name: str, threads: int) -> Any:
    ort = import_onnx_runtime()
    device = _DEVICES[name]
    if name not in available_devices():
        raise ProviderError(
            f"device {name!r} needs ONNX Runtime's {device.provider}, which is not installed here "
            f"(available: {', '.join(available_devices())}); install {device.package}"
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait for work by running in circles would take the cores from the other stages.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if name == "directml":
        options.enable_mem_pattern = False
    source = model if isinstance(model, bytes) else str(model)
    if name == "cpu":
        return ort.InferenceSession(source, options, providers=[device.provider])
    if name in ("cuda", "tensorrt") and hasattr(ort, "preload_dlls"):
        ort.preload_dlls()
    try:
        # Operators that a provider does not know run on the processor; a provider that fails must not.
        session = ort.InferenceSession(
            source, options, providers=[(device.provider, _options(name))], enable_fallback=False
        )
    except Exception as error:  # ONNX Runtime's errors have no common base.
        raise _not_started(name, str(error)) from error
    if session.get_providers()[0] != device.provider:
        raise _not_started(name, f"ONNX Runtime would use {session.get_providers()[0]} instead")
    return session


def _options(name: str) -> dict[str, str]:
    options = dict(_DEVICES[name].options)
    if name == "tensorrt":
        options["trt_engine_cache_path"] = str(cache_folder() / "tensorrt")
    return options


def _not_started(name: str, reason: str) -> ProviderError:
    device = _DEVICES[name]
    return ProviderError(
        f"device {name!r}: {device.provider} does not start on this machine ({reason.strip()[:300]}); check "
        f"its driver and install {device.package}, or use --device cpu"
    )


def _starts(name: str) -> bool:
    """Whether a network of one multiplication opens on a device."""
    import numpy as np

    from mien.models.records import NetworkLayer
    from mien.runtime.onnx_graph import network_to_onnx

    one = np.ones((1, 1), np.float32)
    try:
        _open(network_to_onnx([NetworkLayer("dense", one, one[0])], channels=1), name, 1)
    except ProviderError as error:
        logger.info("device: auto leaves out %s: %s", name, error)
        return False
    return True
