"""ONNX Runtime sessions, made in one place so that every network obeys the same options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mien.errors import ProviderError

_PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
_PACKAGES = {
    "cuda": "onnxruntime-gpu",
    "tensorrt": "onnxruntime-gpu",
    "coreml": "onnxruntime (on macOS)",
    "directml": "onnxruntime-directml",
    "openvino": "onnxruntime-openvino",
}


def create_session(model: bytes | str | Path, *, device: str = "cpu", threads: int = 1) -> Any:
    """Open a network.

    Parameters
    ----------
    model
        A serialized ONNX model or the path of one.
    device
        "cpu", "cuda", "tensorrt", "coreml", "directml" or "openvino"; never replaced silently.
    threads
        Threads inside one operator.

    Returns
    -------
    onnxruntime.InferenceSession

    Raises
    ------
    ProviderError
        The device is unknown, or the installed ONNX Runtime has no provider for it.
    """
    import onnxruntime as ort

    if device not in _PROVIDERS:
        raise ProviderError(f"unknown device {device!r}: expected one of {', '.join(_PROVIDERS)}")
    provider = _PROVIDERS[device]
    if provider not in ort.get_available_providers():
        raise ProviderError(
            f"device {device!r} needs ONNX Runtime's {provider}, which is not installed here "
            f"(available: {', '.join(ort.get_available_providers())}); "
            f"install the package {_PACKAGES.get(device, 'onnxruntime')}"
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(source, options, providers=[provider])
