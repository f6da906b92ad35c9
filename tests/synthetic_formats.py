"""Writers of OpenFace's model file formats, the inverse of `mien.models.readers`, for tests.

Every writer takes what the reader's record holds and gives the bytes of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

import numpy as np

from mien.models.records import (
    ActionUnitPredictor,
    CcnfRecord,
    CenRecord,
    NetworkLayer,
    PdmRecord,
    ValidatorRecord,
)

_CODES = {"uint8": 0, "int32": 4, "float32": 5, "float64": 6}
MTCNN_CODES = {"conv": 0, "max_pool": 1, "dense": 2, "prelu": 3, "sigmoid": 4}
VALIDATOR_CODES = {"conv": 0, "max_pool": 1, "dense": 2, "relu": 3, "sigmoid": 4}


def i32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def f64(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}d", *values)


def matrix(values) -> bytes:
    values = np.asarray(values)
    assert values.ndim == 2
    little = values.astype(values.dtype.newbyteorder("<"))
    return i32(*values.shape, _CODES[values.dtype.name]) + little.tobytes()


def column(values, dtype) -> bytes:
    return matrix(np.asarray(values, dtype).reshape(-1, 1))


def text_matrix(values, comment: str | None = None, fmt: str = "%.6f") -> str:
    values = np.asarray(values)
    code = 4 if values.dtype.kind == "i" else 6
    lines = [f"# {comment}"] if comment else []
    lines += [str(values.shape[0]), str(values.shape[1]), str(code)]
    lines += [" ".join(("%d" if code == 4 else fmt) % x for x in row) + " " for row in values]
    return "\n".join(lines) + "\n"


def pdm(record: PdmRecord) -> bytes:
    n, m = len(record.mean), len(record.eigenvalues)
    text = text_matrix(record.mean.T.reshape(3 * n, 1), "The mean values of the components (in mm)", "%.9g")
    text += text_matrix(record.basis.transpose(1, 0, 2).reshape(3 * n, m), "The components", "%.9g")
    text += text_matrix(record.eigenvalues.reshape(1, m), "The eigenvalues", "%.9g")
    return text.encode()


def triangulations(items: Sequence[np.ndarray]) -> bytes:
    text = f"# Number of triangulations\n{len(items)}\n"
    return (text + "".join(text_matrix(t, "Triangulation") for t in items)).encode()


def _views(record: CcnfRecord | CenRecord) -> bytes:
    data = f64(record.scale) + i32(len(record.view_centers))
    data += b"".join(column(np.rad2deg(center), "f8") for center in record.view_centers)
    return data + b"".join(column(visible, "i4") for visible in record.visibility)


def ccnf(record: CcnfRecord, windows: Iterable[int] = ()) -> bytes:
    """``windows``: further window sizes, stored without components."""
    parts = [_views(record), i32(len(record.sigma_components) + len(list(windows)))]
    parts += [i32(window, 0) for window in windows]
    for window, components in record.sigma_components.items():
        parts += [i32(window, len(components)), *map(matrix, components)]
    neurons, height, width = record.weights.shape[2:]
    for at in np.ndindex(record.visibility.shape):
        if not record.visibility[at]:
            parts.append(i32(5, width, height, 0, 0))
            continue
        parts.append(i32(5, width, height, neurons))
        for j in range(neurons):
            parts.append(i32(2, 0) + f64(record.norms[at][j], record.biases[at][j], record.alphas[at][j]))
            parts.append(matrix(record.weights[at][j]))
        parts += [f64(*record.betas[at]), f64(record.confidences[at])]
    return b"".join(parts)


def cen(record: CenRecord, bias_dtype: str = "f4", bias_as_row: bool = True, support: int = 11) -> bytes:
    parts = [_views(record)]
    parts += [matrix(np.atleast_2d(record.mirror_landmark)), matrix(np.atleast_2d(record.mirror_view))]
    for at in np.ndindex(record.visibility.shape):
        layers = record.experts[at[0]][at[1]]
        parts.append(i32(6, support, support, len(layers)))
        for layer in layers:
            bias = layer.bias.astype(bias_dtype).reshape((1, -1) if bias_as_row else (-1, 1))
            parts.append(i32(layer.activation) + matrix(bias) + matrix(layer.weight))
        parts.append(f64(record.confidences[at]))
    return b"".join(parts)


def network(layers: Sequence[NetworkLayer], codes: dict[str, int], *, stored_pool: bool) -> bytes:
    parts = [i32(len(layers))]
    for layer in layers:
        parts.append(i32(codes[layer.kind]))
        if layer.kind == "conv":
            outputs, inputs = layer.weight.shape[:2]
            parts += [i32(inputs, outputs), layer.bias.astype("<f4").tobytes()]
            parts += [matrix(layer.weight[o, i]) for i in range(inputs) for o in range(outputs)]
        elif layer.kind == "dense":
            parts += [column(layer.bias, "f4"), matrix(layer.weight)]
        elif layer.kind == "prelu":
            parts.append(column(layer.weight, "f4"))
        elif layer.kind == "max_pool" and stored_pool:
            parts.append(i32(*layer.pool))
    return b"".join(parts)


def mtcnn_network(layers: Sequence[NetworkLayer]) -> bytes:
    return network(layers, MTCNN_CODES, stored_pool=True)


def validator(record: ValidatorRecord) -> bytes:
    parts = [i32(3, len(record.views))]
    parts += [column(np.rad2deg(view.orientation), "f8") for view in record.views]
    for view in record.views:
        parts += [matrix(view.mean_image.reshape(1, -1)), matrix(view.std_image.reshape(1, -1))]
        parts.append(network(view.layers, VALIDATOR_CODES, stored_pool=False))
        parts.append(i32(len(view.mean_image)) + f64(view.min_x, view.min_y))
        parts += [column(view.destination, "f8"), matrix(view.triangles)]
        parts += [matrix(m) for m in (view.triangle_ids, view.mask, view.alpha, view.beta)]
    return b"".join(parts)


def predictor(record: ActionUnitPredictor) -> bytes:
    code = {"svr": 0, "svm": 4}[record.kind] + int(record.dynamic)
    data = i32(code)
    if code == 1:
        data += f64(record.cutoff)
    data += matrix(record.means.reshape(1, -1)) + matrix(record.weights.reshape(-1, 1)) + f64(record.bias)
    return data + (f64(record.positive_class, record.negative_class) if record.kind == "svm" else b"")
