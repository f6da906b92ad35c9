"""Small networks written as ONNX models, without the ``onnx`` package.

The networks of the detector and of the landmark validator are chains of a handful of layer types
(docs/algorithms/small-networks.md). Writing them by hand takes a page; the package that would do it is
larger than the rest of the library and slow to import.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from mien.errors import OptionError
from mien.models.records import NetworkLayer

INPUT_NAME = "input"
OUTPUT_NAME = "output"

_IR_VERSION = 8
_OPSET = 13
_FLOAT = 1
_ATTRIBUTE_INT, _ATTRIBUTE_INTS = 2, 7

Attribute = int | tuple[int, ...]


def network_to_onnx(
    layers: Iterable[NetworkLayer], *, channels: int, height: int | None = None, width: int | None = None
) -> bytes:
    """Serialize a chain of layers (docs/algorithms/small-networks.md).

    A dense layer is applied to every position where its inputs are as many as there are maps; otherwise
    the maps are flattened column by column before it.

    Parameters
    ----------
    layers
        First to last.
    channels
        Maps of the input.
    height, width
        Size of the input in pixels; None leaves it open, as the number of images always is.

    Returns
    -------
    bytes
        A model with the input "input" (N, channels, height, width) float32 and the output "output":
        (N, out) where the chain ends in a vector, else (N, out, h, w).

    Raises
    ------
    OptionError
        The layers do not fit together.
    """
    graph = _Graph(channels)
    for layer in layers:
        graph.append(layer)
    return graph.serialize((None, channels, height, width))


StackedLayer = tuple[NDArray[np.float32], NDArray[np.float32], str]
"""Weights (E, in, out) and biases (E, out) of E networks, and "relu", "sigmoid" or "linear" after them."""


def stacked_dense_to_onnx(layers: Sequence[StackedLayer]) -> bytes:
    """Serialize many small networks of one shape that run side by side, as batched matrix products.

    Parameters
    ----------
    layers
        First to last.

    Returns
    -------
    bytes
        A model with the input "input" (E, rows, in) float32, any number of rows, and the output "output"
        (E, rows, out).

    Raises
    ------
    OptionError
        The layers do not fit together.
    """
    count, inputs, _ = layers[0][0].shape
    graph = _Graph(inputs)
    for weight, bias, activation in layers:
        graph.append_stack(weight, bias, activation)
    outputs = layers[-1][0].shape[2]
    return graph.serialize((count, None, inputs), (count, None, outputs))


class _Graph:
    """Nodes and weights of a chain, as they accumulate."""

    def __init__(self, channels: int) -> None:
        self._channels: int = channels
        self._is_vector = False
        self._last = INPUT_NAME
        self._nodes: list[bytes] = []
        self._weights: list[bytes] = []

    def append(self, layer: NetworkLayer) -> None:
        """Add one layer after the last."""
        if layer.kind == "conv":
            self._convolve(_need(layer, layer.weight), _need(layer, layer.bias))
        elif layer.kind == "dense":
            self._dense(_need(layer, layer.weight), _need(layer, layer.bias))
        elif layer.kind == "max_pool":
            kernel_x, kernel_y, stride_x, stride_y = layer.pool or (2, 2, 2, 2)
            self._node(
                "MaxPool",
                kernel_shape=(kernel_y, kernel_x),
                strides=(stride_y, stride_x),
                ceil_mode=1,  # The last window is clipped at the border.
            )
        elif layer.kind == "relu":
            self._node("Relu")
        elif layer.kind == "sigmoid":
            self._node("Sigmoid")
        elif layer.kind == "prelu":
            self._prelu(_need(layer, layer.weight))
        else:
            raise OptionError(
                f"unknown layer {layer.kind!r}: expected conv, max_pool, dense, relu, prelu or sigmoid"
            )

    def append_stack(self, weight: NDArray[np.float32], bias: NDArray[np.float32], activation: str) -> None:
        """Add one layer of stacked networks after the last."""
        count, inputs, outputs = weight.shape
        if inputs != self._channels or bias.shape != (count, outputs):
            raise OptionError(
                f"weights of shape {weight.shape} (networks, in, out) and biases of shape {bias.shape} "
                f"cannot follow {self._channels} values"
            )
        self._node("MatMul", self._weight(weight))
        self._node("Add", self._weight(bias[:, None, :]))
        if activation == "relu":
            self._node("Relu")
        elif activation == "sigmoid":
            self._node("Sigmoid")
        elif activation != "linear":
            raise OptionError(f"unknown activation {activation!r}: expected relu, sigmoid or linear")
        self._channels = outputs

    def _convolve(self, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        if self._is_vector or weight.ndim != 4 or weight.shape[1] != self._channels:
            raise OptionError(
                f"a convolution of shape {weight.shape} (out, in, kh, kw) cannot follow {self._channels} maps"
            )
        self._node("Conv", self._weight(weight), self._weight(bias.ravel()), kernel_shape=weight.shape[2:])
        self._channels = weight.shape[0]

    def _dense(self, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        inputs, outputs = weight.shape
        if not self._is_vector:
            if inputs == self._channels:
                self._convolve(np.ascontiguousarray(weight.T)[:, :, None, None], bias)
                return
            self._node("Transpose", perm=(0, 1, 3, 2))
            self._node("Flatten", axis=1)
            self._is_vector = True
        elif inputs != self._channels:
            raise OptionError(f"a dense layer of {inputs} inputs cannot follow {self._channels} values")
        self._node("Gemm", self._weight(weight), self._weight(bias.ravel()))
        self._channels = outputs

    def _prelu(self, slope: NDArray[np.float32]) -> None:
        # ONNX Runtime's own PRelu is the slowest way to compute it; these forms give the same bits.
        shape = (-1,) if self._is_vector else (-1, 1, 1)
        value, slopes = self._last, self._weight(slope.reshape(shape))
        if slope.max() <= 1:
            self._last = self._emit("Max", [value, self._emit("Mul", [value, slopes])])
            return
        positive = self._emit("Relu", [value])
        negative = self._emit("Sub", [value, positive])
        self._last = self._emit("Add", [positive, self._emit("Mul", [negative, slopes])])

    def _node(self, operator: str, *weights: str, **attributes: Attribute) -> str:
        self._last = self._emit(operator, [self._last, *weights], **attributes)
        return self._last

    def _emit(self, operator: str, inputs: list[str], **attributes: Attribute) -> str:
        output = f"v{len(self._nodes)}"
        body = b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(4, operator)
        body += b"".join(_message(5, _attribute(name, value)) for name, value in attributes.items())
        self._nodes.append(_message(1, body))
        return output

    def _weight(self, array: NDArray[np.float32]) -> str:
        name = f"w{len(self._weights)}"
        values = np.ascontiguousarray(array, dtype="<f4")
        body = b"".join(_integer(1, n) for n in values.shape) + _integer(2, _FLOAT)
        self._weights.append(_message(5, body + _text(8, name) + _message(9, values.tobytes())))
        return name

    def serialize(
        self, input_shape: tuple[int | None, ...], output_shape: tuple[int | None, ...] | None = None
    ) -> bytes:
        """Encode a ModelProto."""
        final = _message(1, _text(1, self._last) + _text(2, OUTPUT_NAME) + _text(4, "Identity"))
        if output_shape is None:
            output_shape = (None, self._channels) if self._is_vector else (None, self._channels, None, None)
        graph = b"".join([*self._nodes, final, _text(2, "chain"), *self._weights])
        graph += _message(11, _value_info(INPUT_NAME, input_shape))
        graph += _message(12, _value_info(OUTPUT_NAME, output_shape))
        opset = _text(1, "") + _integer(2, _OPSET)
        return _integer(1, _IR_VERSION) + _text(2, "mien") + _message(7, graph) + _message(8, opset)


def _need(layer: NetworkLayer, array: NDArray[np.float32] | None) -> NDArray[np.float32]:
    if array is None:
        raise OptionError(f"a layer of kind {layer.kind!r} came without its weights")
    return array


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _integer(3, value) + _integer(20, _ATTRIBUTE_INT)
    return _text(1, name) + b"".join(_integer(8, v) for v in value) + _integer(20, _ATTRIBUTE_INTS)


def _value_info(name: str, shape: tuple[int | None, ...]) -> bytes:
    dimensions = b"".join(
        _message(1, _text(2, f"{name}_{axis}") if size is None else _integer(1, size))
        for axis, size in enumerate(shape)
    )
    tensor = _integer(1, _FLOAT) + _message(2, dimensions)
    return _text(1, name) + _message(2, _message(1, tensor))
