"""Slow, obvious twin of what `mien.runtime.onnx_graph` writes (docs/algorithms/small-networks.md)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mien.models.records import NetworkLayer


def run(layers: Iterable[NetworkLayer], maps: np.ndarray) -> np.ndarray:
    """One image: maps (C, H, W), or a vector after the first dense layer that is not 1×1."""
    values = maps.astype(np.float64)
    for layer in layers:
        values = _apply(layer, values)
    return values


def _apply(layer: NetworkLayer, values: np.ndarray) -> np.ndarray:
    if layer.kind == "conv":
        return _convolve(values, layer.weight, layer.bias)
    if layer.kind == "max_pool":
        return _max_pool(values, *layer.pool)
    if layer.kind == "dense":
        return _dense(values, layer.weight, layer.bias)
    if layer.kind == "relu":
        return np.maximum(values, 0)
    if layer.kind == "sigmoid":
        return 1 / (1 + np.exp(-values))
    assert layer.kind == "prelu"
    slopes = layer.weight.reshape((-1,) + (1,) * (values.ndim - 1))
    return np.where(values >= 0, values, slopes * values)


def _convolve(maps: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    outputs, _, kernel_h, kernel_w = weight.shape
    out = np.empty((outputs, maps.shape[1] - kernel_h + 1, maps.shape[2] - kernel_w + 1))
    for y in range(out.shape[1]):
        for x in range(out.shape[2]):
            out[:, y, x] = np.tensordot(weight, maps[:, y : y + kernel_h, x : x + kernel_w], 3) + bias
    return out


def _max_pool(maps: np.ndarray, kernel_x: int, kernel_y: int, stride_x: int, stride_y: int) -> np.ndarray:
    rows = int(np.floor((maps.shape[1] - kernel_y) / stride_y + 0.5)) + 1
    columns = int(np.floor((maps.shape[2] - kernel_x) / stride_x + 0.5)) + 1
    out = np.empty((len(maps), rows, columns))
    for r in range(rows):
        for c in range(columns):
            y, x = r * stride_y, c * stride_x
            out[:, r, c] = maps[:, y : y + kernel_y, x : x + kernel_x].max(axis=(1, 2))
    return out


def _dense(values: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    if values.ndim == 3 and len(values) == len(weight):
        return np.einsum("io,ihw->ohw", weight, values) + bias.reshape(-1, 1, 1)
    if values.ndim == 3:
        values = np.concatenate([one.flatten(order="F") for one in values])
    return weight.T @ values + bias.ravel()
