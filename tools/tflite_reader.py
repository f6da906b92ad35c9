"""Reads a TensorFlow Lite file: tensors, constants, operators (docs/algorithms/open-conversion.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from flatbuffers import flexbuffers

_DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.INT64: np.int64,
}
_SPARSE_VECTORS = {
    tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
    tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
    tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
}
_KINDS = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
_PADDINGS = {tflite.Padding.SAME: "same", tflite.Padding.VALID: "valid"}
_ACTIVATIONS = {
    tflite.ActivationFunctionType.NONE: "",
    tflite.ActivationFunctionType.RELU: "relu",
    tflite.ActivationFunctionType.RELU6: "relu6",
}


@dataclass
class Operator:
    """One operator: its kind, the numbers of its tensors, and the options that matter here."""

    kind: str
    inputs: list[int]
    outputs: list[int]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class Network:
    """A network: the shape of every tensor, its constants (dense, as stored), its operators in order."""

    names: list[str]
    shapes: list[tuple[int, ...]]
    constants: dict[int, np.ndarray]
    operators: list[Operator]
    inputs: list[int]
    outputs: list[int]


def read_tflite(path: Path) -> Network:
    """Read subgraph 0; constants that are expanded or widened by operators are already expanded."""
    model = tflite.Model.GetRootAsModel(path.read_bytes(), 0)
    graph = model.Subgraphs(0)
    tensors = [graph.Tensors(i) for i in range(graph.TensorsLength())]
    network = Network(
        names=[tensor.Name().decode() for tensor in tensors],
        shapes=[tuple(tensor.ShapeAsNumpy().tolist()) if tensor.ShapeLength() else () for tensor in tensors],
        constants=_constants(model, tensors),
        operators=[],
        inputs=graph.InputsAsNumpy().tolist(),
        outputs=graph.OutputsAsNumpy().tolist(),
    )
    for i in range(graph.OperatorsLength()):
        operator = _operator(model, graph.Operators(i))
        if operator.kind in ("DEQUANTIZE", "DENSIFY"):  # they only change how a constant is stored
            network.constants[operator.outputs[0]] = network.constants[operator.inputs[0]]
        else:
            network.operators.append(operator)
    return network


def _constants(model: Any, tensors: list[Any]) -> dict[int, np.ndarray]:
    constants = {}
    for i, tensor in enumerate(tensors):
        buffer = model.Buffers(tensor.Buffer())
        if buffer.DataLength():
            values = np.frombuffer(buffer.DataAsNumpy().tobytes(), _DTYPES[tensor.Type()])
            shape = tensor.ShapeAsNumpy().tolist() if tensor.ShapeLength() else []
            sparsity = tensor.Sparsity()
            constants[i] = values.reshape(shape) if sparsity is None else _expand(values, shape, sparsity)
    return constants


def _expand(values: np.ndarray, shape: list[int], sparsity: Any) -> np.ndarray:
    """Fill a dense array from TensorFlow Lite's sparse encoding.

    Levels are traversed in the stored order: the array's dimensions, then blocks of some of them. A dense
    level runs over its size, a sparse one over the indices of its segment; the last level's position
    addresses the value.
    """
    order = sparsity.TraversalOrderAsNumpy().tolist()
    block_map = sparsity.BlockMapAsNumpy().tolist() if sparsity.BlockMapLength() else []
    levels = [_level(sparsity.DimMetadata(i)) for i in range(len(order))]
    blocks = {dim: levels[order.index(len(shape) + k)][0] for k, dim in enumerate(block_map)}
    dense = np.zeros(shape, values.dtype)
    index = [0] * len(order)

    def place(dim: int) -> int:
        if dim not in blocks:
            return index[dim]
        return index[dim] * blocks[dim] + index[len(shape) + block_map.index(dim)]

    def visit(level: int, position: int) -> None:
        if level == len(order):
            dense[tuple(place(dim) for dim in range(len(shape)))] = values[position]
            return
        size, segments, indices = levels[level]
        if segments is None:
            steps = [(position * size + i, i) for i in range(size)]
        else:
            steps = [(i, int(indices[i])) for i in range(segments[position], segments[position + 1])]
        for following, index[order[level]] in steps:
            visit(level + 1, following)

    visit(0, 0)
    return dense


def _level(meta: Any) -> tuple[int, np.ndarray | None, np.ndarray | None]:
    if meta.Format() == tflite.DimensionType.DENSE:
        return meta.DenseSize(), None, None
    segments = _sparse_vector(meta.ArraySegmentsType(), meta.ArraySegments())
    return 0, segments, _sparse_vector(meta.ArrayIndicesType(), meta.ArrayIndices())


def _sparse_vector(kind: int, table: Any) -> np.ndarray:
    vector = _SPARSE_VECTORS[kind]()
    vector.Init(table.Bytes, table.Pos)
    return vector.ValuesAsNumpy().astype(np.int64)


def _operator(model: Any, raw: Any) -> Operator:
    code = model.OperatorCodes(raw.OpcodeIndex())
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    inputs, outputs = raw.InputsAsNumpy().tolist(), raw.OutputsAsNumpy().tolist()
    if number == tflite.BuiltinOperator.CUSTOM:
        options = bytes(raw.CustomOptionsAsNumpy()) if raw.CustomOptionsLength() else b""
        return Operator(
            code.CustomCode().decode(), inputs, outputs, flexbuffers.Loads(options) if options else {}
        )
    kind = _KINDS[number]
    return Operator(kind, inputs, outputs, _options(kind, raw.BuiltinOptions()))


def _options(kind: str, table: Any) -> dict[str, Any]:
    """What the converter has to know of an operator's built-in options."""
    readers = {
        "CONV_2D": tflite.Conv2DOptions,
        "DEPTHWISE_CONV_2D": tflite.DepthwiseConv2DOptions,
        "MAX_POOL_2D": tflite.Pool2DOptions,
        "ADD": tflite.AddOptions,
        "MUL": tflite.MulOptions,
        "CONCATENATION": tflite.ConcatenationOptions,
        "DEPTH_TO_SPACE": tflite.DepthToSpaceOptions,
        "RESIZE_BILINEAR": tflite.ResizeBilinearOptions,
    }
    if kind not in readers:
        return {}
    options = readers[kind]()
    options.Init(table.Bytes, table.Pos)
    found: dict[str, Any] = {}
    if hasattr(options, "FusedActivationFunction"):
        found["activation"] = _ACTIVATIONS[options.FusedActivationFunction()]
    if hasattr(options, "Padding"):
        found["padding"] = _PADDINGS[options.Padding()]
        found["strides"] = (options.StrideH(), options.StrideW())
    if hasattr(options, "DilationHFactor"):
        found["dilations"] = (options.DilationHFactor(), options.DilationWFactor())
    if kind == "MAX_POOL_2D":
        found["kernel"] = (options.FilterHeight(), options.FilterWidth())
    if kind == "CONCATENATION":
        found["axis"] = options.Axis()
    if kind == "DEPTH_TO_SPACE":
        found["block"] = options.BlockSize()
    if kind == "RESIZE_BILINEAR":
        found["half_pixel"], found["align_corners"] = options.HalfPixelCenters(), options.AlignCorners()
    return found
