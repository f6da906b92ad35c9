"""Writes MediaPipe's blendshape network, a mixer of perceptrons over points, as ONNX.

Unlike the image networks it keeps TensorFlow's layout: its convolutions are 1x1, that is, matrix products
over the last axis. Behind the coefficients it gives the values before the logistic function, since some
coefficients are so small that single precision knows them in steps only.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper
from tflite_reader import Operator
from tflite_to_onnx import Converter

COEFFICIENTS, LOGITS = "blendshapes", "logits"


class MixerConverter(Converter):
    """Converts the network; `convert` gives the ONNX model."""

    def _input(self, source: int) -> str:
        return "input"

    def _outputs(self) -> list[onnx.ValueInfoProto]:
        (tensor,) = self._network.outputs
        (logistic,) = (operator for operator in self._network.operators if operator.kind == "LOGISTIC")
        size = self._network.shapes[tensor]
        values = {COEFFICIENTS: self._names[tensor], LOGITS: self._names[logistic.inputs[0]]}
        for name, value in values.items():
            shape = self._constant(size, np.int64)
            self._nodes.append(helper.make_node("Reshape", [value, shape], [name]))
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name in values]

    # operators, in the order of their names

    def _concatenation(self, operator: Operator) -> str:
        parts = [self._operand(tensor) for tensor in operator.inputs]
        return self._emit("Concat", parts, axis=operator.options["axis"])

    def _conv_2d(self, operator: Operator) -> str:
        source, weights, bias = operator.inputs
        kernel = self._network.constants[weights]
        if kernel.shape[1:3] != (1, 1):
            raise NotImplementedError(f"only 1x1 convolutions are known here, got {kernel.shape}")
        product = self._emit("MatMul", [self._names[source], self._constant(kernel[:, 0, 0].T)])
        return self._emit("Add", [product, self._operand(bias)])

    def _div(self, operator: Operator) -> str:
        return self._emit("Div", [self._operand(tensor) for tensor in operator.inputs])

    def _logistic(self, operator: Operator) -> str:
        return self._emit("Sigmoid", [self._names[operator.inputs[0]]])

    def _mean(self, operator: Operator) -> str:
        return self._reduce("ReduceMean", operator)

    def _neg(self, operator: Operator) -> str:
        return self._emit("Neg", [self._names[operator.inputs[0]]])

    def _reduce(self, kind: str, operator: Operator) -> str:
        source, axes = operator.inputs
        named = self._constant(np.atleast_1d(self._network.constants[axes]), np.int64)
        keeps = self._rank(operator.outputs[0]) == self._rank(source)
        return self._emit(kind, [self._names[source], named], keepdims=int(keeps))

    def _reshape(self, operator: Operator) -> str:
        return self._reshaped(self._names[operator.inputs[0]], self._network.shapes[operator.outputs[0]])

    def _rsqrt(self, operator: Operator) -> str:
        root = self._emit("Sqrt", [self._names[operator.inputs[0]]])
        return self._emit("Reciprocal", [root])

    def _sqrt(self, operator: Operator) -> str:
        return self._emit("Sqrt", [self._names[operator.inputs[0]]])

    def _squared_difference(self, operator: Operator) -> str:
        difference = self._sub(operator)
        return self._product(difference, difference)

    def _strided_slice(self, operator: Operator) -> str:
        """A slice from the beginnings of all axes; its result's shape says how far it goes."""
        source, begin, _, steps = operator.inputs
        if np.any(self._network.constants[begin] != 0) or np.any(self._network.constants[steps] != 1):
            raise NotImplementedError("only slices from the beginning, in steps of 1, are known")
        shape = self._network.shapes[operator.outputs[0]]
        rank = self._rank(source)
        ends = [1] * (rank - len(shape)) + list(shape)
        bounds = [self._constant(values, np.int64) for values in ([0] * rank, ends, range(rank))]
        sliced = self._emit("Slice", [self._names[source], *bounds])
        return self._reshaped(sliced, shape)

    def _sub(self, operator: Operator) -> str:
        return self._emit("Sub", [self._operand(tensor) for tensor in operator.inputs])

    def _sum(self, operator: Operator) -> str:
        return self._reduce("ReduceSum", operator)

    def _transpose(self, operator: Operator) -> str:
        source, order = operator.inputs
        return self._emit("Transpose", [self._names[source]], perm=self._network.constants[order].tolist())
