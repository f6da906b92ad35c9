"""Reads layers of small networks: the detector's, the validator's (docs/algorithms/small-networks.md)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mien.models.readers.binary import ByteCursor
from mien.models.records import NetworkLayer

_MOST_LAYERS = 100
_MOST_MAPS = 65536


def read_network(
    cursor: ByteCursor, kinds: Mapping[int, str], fixed_pool: tuple[int, int, int, int] | None = None
) -> tuple[NetworkLayer, ...]:
    """Read the number of layers and the layers.

    Parameters
    ----------
    cursor
        At the number of layers.
    kinds
        What each type code means in this file: see `NetworkLayer.kind`.
    fixed_pool
        The pooling of files that do not store its sizes; None where they do.

    Returns
    -------
    tuple of NetworkLayer
        Convolution kernels reordered to (out, in, kh, kw); dense weights (in, out) as stored.

    Raises
    ------
    ModelFileError
        An unknown layer, or one that does not fit the one before.
    """
    layers: list[NetworkLayer] = []
    channels: int | None = None
    for _ in range(cursor.i32("number of layers", 1, _MOST_LAYERS)):
        start = cursor.offset
        code = cursor.i32("type of a layer")
        kind = kinds.get(code)
        if kind is None:
            known = ", ".join(f"{number} {name}" for number, name in kinds.items())
            raise cursor.fault(f"type of a layer ({known})", code, start)
        layer = _read_layer(cursor, kind, channels, fixed_pool)
        layers.append(layer)
        if layer.bias is not None:
            channels = layer.bias.size
    return tuple(layers)


def _read_layer(
    cursor: ByteCursor, kind: str, channels: int | None, fixed_pool: tuple[int, int, int, int] | None
) -> NetworkLayer:
    if kind == "conv":
        return _read_convolution(cursor, channels)
    if kind == "dense":
        return _read_dense(cursor, channels)
    if kind == "prelu":
        return NetworkLayer(kind, weight=cursor.vector("slopes", ("<f4",), channels))
    if kind == "max_pool":
        if fixed_pool is not None:
            return NetworkLayer(kind, pool=fixed_pool)
        x, y, stride_x, stride_y = (cursor.i32("size or stride of a pooling", 1, 100) for _ in range(4))
        return NetworkLayer(kind, pool=(x, y, stride_x, stride_y))
    return NetworkLayer(kind)


def _read_convolution(cursor: ByteCursor, channels: int | None) -> NetworkLayer:
    low, high = (1, _MOST_MAPS) if channels is None else (channels, channels)
    inputs = cursor.i32("input maps of a convolution", low, high)
    outputs = cursor.i32("kernels of a convolution", 1, _MOST_MAPS)
    start = cursor.offset
    bias = cursor.array("<f4", outputs, "biases of a convolution")
    cursor.check_finite(bias, "biases of a convolution", start)
    height, width = cursor.peek_shape("kernel of a convolution")
    cursor.need(inputs * outputs * (12 + 4 * height * width), f"kernels {outputs}×{inputs}×{height}×{width}")
    kernels = cursor.matrices("kernel of a convolution", inputs * outputs, (height, width))
    weight = kernels.reshape(inputs, outputs, height, width).swapaxes(0, 1)
    return NetworkLayer("conv", weight=np.ascontiguousarray(weight), bias=bias)


def _read_dense(cursor: ByteCursor, channels: int | None) -> NetworkLayer:
    bias = cursor.vector("bias of a dense layer", ("<f4",))
    start = cursor.offset
    weight = cursor.matrix("weights of a dense layer", ("<f4",), (None, bias.size))
    # After a convolution the input is a whole map per channel.
    if channels is not None and weight.shape[0] % channels:
        raise cursor.fault(f"a multiple of {channels} inputs", weight.shape[0], start)
    return NetworkLayer("dense", weight=weight, bias=bias)
