"""Writes a TensorFlow Lite network as plain ONNX (docs/algorithms/open-conversion.md).

Four-dimensional activations are NCHW inside the ONNX graph, everything else keeps its layout; the input and
the outputs keep TensorFlow's. Half-precision constants are stored as such and cast, which loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tflite_reader import Network, Operator

OPSET, IR_VERSION = 18, 8
_TO_NCHW, _TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
_CHANNEL_FIRST_AXIS = {0: 0, 1: 2, 2: 3, 3: 1}
_LEAST_HALF_SIZE = 64
"""Smaller constants are stored in single precision: a cast would take more room than it saves."""


class Converter:
    """Converts one network; `convert` gives the ONNX model."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[tuple[Any, ...], tuple[str, onnx.TensorProto]] = {}
        self._casts: dict[str, str] = {}
        self._names: dict[int, str] = {}
        self._count = 0

    def convert(self, name: str, doc: str, metadata: dict[str, str]) -> onnx.ModelProto:
        """Emit every operator in order and wrap the graph with its provenance."""
        network = self._network
        (source,) = network.inputs
        self._names[source] = self._input(source)
        for operator in network.operators:
            self._names[operator.outputs[0]] = self._convert(operator)
        outputs = self._outputs()
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, network.shapes[source])],
            outputs,
            [tensor for _, tensor in self._initializers.values()],
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        model.producer_name, model.doc_string = "mien tools/tflite_to_onnx.py", doc
        helper.set_model_props(model, metadata)
        onnx.checker.check_model(model, full_check=True)
        return model

    def _input(self, source: int) -> str:
        """The input in the graph's layout."""
        return self._emit("Transpose", ["input"], perm=_TO_NCHW)

    def _outputs(self) -> list[onnx.ValueInfoProto]:
        return [self._output(tensor) for tensor in self._network.outputs]

    def _emit(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        self._count += 1
        output = f"t{self._count}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def _constant(self, values: Any, dtype: Any = None) -> str:
        """Name of an initializer; equal constants are stored once."""
        array = np.ascontiguousarray(values, dtype)
        widen = array.dtype == np.float16
        if widen and array.size < _LEAST_HALF_SIZE:
            array, widen = array.astype(np.float32), False
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._initializers:
            name = f"c{len(self._initializers)}"
            self._initializers[key] = (name, numpy_helper.from_array(array, name))
        name = self._initializers[key][0]
        if widen and name not in self._casts:
            self._casts[name] = self._emit("Cast", [name], to=TensorProto.FLOAT)
        return self._casts[name] if widen else name

    def _output(self, tensor: int) -> onnx.ValueInfoProto:
        """Give a tensor its public name and TensorFlow's layout; 1x1 maps lose their empty axes."""
        shape = list(self._network.shapes[tensor])
        value = self._names[tensor]
        if len(shape) == 4:
            value = self._emit("Transpose", [value], perm=_TO_NHWC)
            shape = [1, int(np.prod(shape))]
        name = self._network.names[tensor]
        self._nodes.append(helper.make_node("Reshape", [value, self._constant(shape, np.int64)], [name]))
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    def _convert(self, operator: Operator) -> str:
        method = getattr(self, f"_{operator.kind.lower()}", None)
        if method is None:
            raise NotImplementedError(f"operator {operator.kind} is not known; add a method for it")
        value = method(operator)
        activation = operator.options.get("activation", "")
        if activation == "relu":
            return self._emit("Relu", [value])
        if activation == "relu6":
            return self._emit("Clip", [value, self._constant(0, np.float32), self._constant(6, np.float32)])
        return str(value)

    def _operand(self, tensor: int) -> str:
        """An activation, or a constant of elementwise arithmetic in the graph's layout."""
        if tensor in self._names:
            return self._names[tensor]
        return self._constant(self._network.constants[tensor])

    def _rank(self, tensor: int) -> int:
        return len(self._network.shapes[tensor])

    # operators, in the order of their names

    def _add(self, operator: Operator) -> str:
        return self._emit("Add", [self._operand(tensor) for tensor in operator.inputs])

    def _concatenation(self, operator: Operator) -> str:
        axis = operator.options["axis"]
        if self._rank(operator.outputs[0]) == 4:
            axis = _CHANNEL_FIRST_AXIS[axis % 4]
        return self._emit("Concat", [self._names[tensor] for tensor in operator.inputs], axis=axis)

    def _conv_2d(self, operator: Operator) -> str:
        kernel = self._network.constants[operator.inputs[1]].transpose(0, 3, 1, 2)
        channels = self._network.shapes[operator.inputs[0]][3]
        return self._convolve(operator, kernel, channels // kernel.shape[1])

    def _depthwise_conv_2d(self, operator: Operator) -> str:
        kernel = self._network.constants[operator.inputs[1]].transpose(3, 0, 1, 2)
        return self._convolve(operator, kernel, self._network.shapes[operator.inputs[0]][3])

    def _convolve(self, operator: Operator, kernel: np.ndarray, groups: int) -> str:
        source, _, bias = operator.inputs
        strides, dilations = operator.options["strides"], operator.options["dilations"]
        return self._emit(
            "Conv",
            [self._names[source], self._constant(kernel), self._constant(self._network.constants[bias])],
            kernel_shape=kernel.shape[2:],
            strides=strides,
            dilations=dilations,
            group=groups,
            pads=self._pads(source, kernel.shape[2:], strides, dilations, operator.options["padding"]),
        )

    def _pads(
        self,
        source: int,
        kernel: Sequence[int],
        strides: Sequence[int],
        dilations: Sequence[int],
        padding: str,
    ) -> list[int]:
        """TensorFlow's padding, written out: the larger half goes to the end."""
        if padding == "valid":
            return [0, 0, 0, 0]
        sizes = self._network.shapes[source][1:3]
        totals = [
            max((-(-size // stride) - 1) * stride + (taps - 1) * dilation + 1 - size, 0)
            for size, taps, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True)
        ]
        starts = [total // 2 for total in totals]
        return starts + [total - start for total, start in zip(totals, starts, strict=True)]

    def _depth_to_space(self, operator: Operator) -> str:
        source = self._names[operator.inputs[0]]
        return self._emit("DepthToSpace", [source], blocksize=operator.options["block"], mode="DCR")

    def _max_pool_2d(self, operator: Operator) -> str:
        kernel, strides = operator.options["kernel"], operator.options["strides"]
        pads = self._pads(operator.inputs[0], kernel, strides, (1, 1), operator.options["padding"])
        source = self._names[operator.inputs[0]]
        return self._emit("MaxPool", [source], kernel_shape=kernel, strides=strides, pads=pads)

    def _mul(self, operator: Operator) -> str:
        return self._emit("Mul", [self._operand(tensor) for tensor in operator.inputs])

    def _pad(self, operator: Operator) -> str:
        amounts = self._network.constants[operator.inputs[1]][list(_TO_NCHW)].T.ravel()
        return self._emit("Pad", [self._names[operator.inputs[0]], self._constant(amounts, np.int64)])

    def _prelu(self, operator: Operator) -> str:
        """relu(x) + a (x - relu(x)): ONNX Runtime's own PRelu is slow."""
        source = self._names[operator.inputs[0]]
        slopes = self._network.constants[operator.inputs[1]]
        positive = self._emit("Relu", [source])
        negative = self._emit("Sub", [source, positive])
        scaled = self._emit("Mul", [negative, self._constant(slopes.reshape(-1, 1, 1))])
        return self._emit("Add", [positive, scaled])

    def _relu(self, operator: Operator) -> str:
        return self._emit("Relu", [self._names[operator.inputs[0]]])

    def _reshape(self, operator: Operator) -> str:
        value = self._names[operator.inputs[0]]
        if self._rank(operator.inputs[0]) == 4:
            value = self._emit("Transpose", [value], perm=_TO_NHWC)
        shape = self._network.shapes[operator.outputs[0]]
        value = self._emit("Reshape", [value, self._constant(shape, np.int64)])
        return self._emit("Transpose", [value], perm=_TO_NCHW) if len(shape) == 4 else value

    def _resize_bilinear(self, operator: Operator) -> str:
        mode = "half_pixel" if operator.options["half_pixel"] else "asymmetric"
        if operator.options["align_corners"]:
            mode = "align_corners"
        _, height, width, channels = self._network.shapes[operator.outputs[0]]
        size = self._constant([1, channels, height, width], np.int64)
        return self._emit(
            "Resize",
            [self._names[operator.inputs[0]], "", "", size],
            mode="linear",
            coordinate_transformation_mode=mode,
        )

    def _strided_slice(self, operator: Operator) -> str:
        source, result = operator.inputs[0], operator.outputs[0]
        if self._network.shapes[source] != self._network.shapes[result]:
            raise NotImplementedError("only a slice that takes everything is known")
        return self._names[source]

    # MediaPipe's custom operators

    def _landmarks2transformmatrix(self, operator: Operator) -> str:
        """Place a grid over landmarks, along the line from one landmark to another: a (1, 4, 4) matrix."""
        options = operator.options
        points = self._names[operator.inputs[0]]
        ends = self._gather_xy(points, [options["left_rotation_idx"], options["right_rotation_idx"]])
        line = self._emit("Sub", [self._slice(ends, 1, 1, 2), self._slice(ends, 1, 0, 1)])
        length = self._emit("ReduceL2", [line, self._constant([2], np.int64)], keepdims=1)
        direction = self._emit("Div", [line, length])
        c, s = self._slice(direction, 2, 0, 1), self._slice(direction, 2, 1, 2)
        subset = self._gather_xy(points, list(options["subset_idxs"]))
        x, y = self._slice(subset, 2, 0, 1), self._slice(subset, 2, 1, 2)
        along = self._plus(self._product(x, c), self._product(y, s))
        across = self._emit("Sub", [self._product(y, c), self._product(x, s)])
        (extent_x, middle_x), (extent_y, middle_y) = self._extent(along), self._extent(across)
        scale_x = self._times(extent_x, options["scale_x"] / options["output_width"])
        scale_y = self._times(extent_y, options["scale_y"] / options["output_height"])
        centre_x = self._emit("Sub", [self._product(c, middle_x), self._product(s, middle_y)])
        centre_y = self._plus(self._product(s, middle_x), self._product(c, middle_y))
        m00, m01 = self._product(c, scale_x), self._emit("Neg", [self._product(s, scale_y)])
        m10, m11 = self._product(s, scale_x), self._product(c, scale_y)
        half_x, half_y = options["output_width"] / 2, options["output_height"] / 2
        shift_x = self._plus(self._times(m00, half_x), self._times(m01, half_y))
        shift_y = self._plus(self._times(m10, half_x), self._times(m11, half_y))
        ox, oy = self._emit("Sub", [centre_x, shift_x]), self._emit("Sub", [centre_y, shift_y])
        zero, one = (self._constant(np.full((1, 1, 1), value, np.float32)) for value in (0, 1))
        rows = [m00, m01, zero, ox, m10, m11, zero, oy, zero, zero, one, zero, zero, zero, zero, one]
        return self._reshaped(self._emit("Concat", rows, axis=2), (1, 4, 4))

    def _transformtensorbilinear(self, operator: Operator) -> str:
        """Sample a map at a transformed grid's cell centres; 0 outside the map."""
        source, matrix = operator.inputs
        rows, columns = operator.options["output_height"], operator.options["output_width"]
        last = [size - 1 for size in self._network.shapes[source][2:0:-1]]
        y, x = np.mgrid[:rows, :columns] + 0.5
        cells = np.stack([x, y, 0 * x, 0 * x + 1]).reshape(1, 4, -1).astype(np.float16)
        two_rows = self._slice(self._names[matrix], 1, 0, 2)
        placed = self._emit("MatMul", [two_rows, self._constant(cells)])
        placed = self._emit("Sub", [placed, self._constant(0.5, np.float32)])
        inside = self._inside(placed, np.array(last, np.float32).reshape(1, 2, 1))
        mask = self._reshaped(inside, (1, 1, rows, columns))
        to_unit = np.float32(2) / np.array(last, np.float32).reshape(1, 2, 1)
        unit = self._emit("Mul", [placed, self._constant(to_unit)])
        unit = self._emit("Sub", [unit, self._constant(1, np.float32)])
        grid = self._reshaped(self._emit("Transpose", [unit], perm=(0, 2, 1)), (1, rows, columns, 2))
        options = {"mode": "bilinear", "padding_mode": "border", "align_corners": 1}
        return self._product(self._emit("GridSample", [self._names[source], grid], **options), mask)

    def _transformlandmarks(self, operator: Operator) -> str:
        """Take (1, n, 2) points from the grid to the map."""
        points, matrix = (self._names[tensor] for tensor in operator.inputs)
        rows = self._slice(matrix, 1, 0, 2)
        linear = self._emit("Transpose", [self._slice(rows, 2, 0, 2)], perm=(0, 2, 1))
        offset = self._reshaped(self._slice(rows, 2, 3, 4), (1, 1, 2))
        return self._plus(self._emit("MatMul", [points, linear]), offset)

    # small steps of the custom operators

    def _inside(self, placed: str, last: np.ndarray) -> str:
        """1 where both coordinates lie in [0, last], else 0."""
        low = self._emit("GreaterOrEqual", [placed, self._constant(0, np.float32)])
        high = self._emit("LessOrEqual", [placed, self._constant(last)])
        both = self._emit("Cast", [self._emit("And", [low, high])], to=TensorProto.FLOAT)
        return self._emit("ReduceMin", [both, self._constant([1], np.int64)], keepdims=0)

    def _extent(self, values: str) -> tuple[str, str]:
        """Length and middle of the interval that (1, n, 1) values span."""
        axis = self._constant([1], np.int64)
        high, low = (self._emit(kind, [values, axis], keepdims=1) for kind in ("ReduceMax", "ReduceMin"))
        return self._emit("Sub", [high, low]), self._times(self._plus(high, low), 0.5)

    def _gather_xy(self, points: str, indices: Sequence[int]) -> str:
        chosen = self._emit("Gather", [points, self._constant(indices, np.int64)], axis=1)
        return self._slice(chosen, 2, 0, 2)

    def _slice(self, value: str, axis: int, start: int, stop: int) -> str:
        bounds = [self._constant([number], np.int64) for number in (start, stop, axis)]
        return self._emit("Slice", [value, *bounds])

    def _reshaped(self, value: str, shape: Sequence[int]) -> str:
        return self._emit("Reshape", [value, self._constant(shape, np.int64)])

    def _product(self, a: str, b: str) -> str:
        return self._emit("Mul", [a, b])

    def _plus(self, a: str, b: str) -> str:
        return self._emit("Add", [a, b])

    def _times(self, value: str, factor: float) -> str:
        return self._emit("Mul", [value, self._constant(factor, np.float32)])
