"""Reads MTCNN (docs/algorithms/model-files.md#detector), from OpenFace's files or an archive of arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelFileError
from mien.models.readers.binary import ByteCursor
from mien.models.readers.fault import missing, refusing
from mien.models.readers.network import read_network
from mien.models.readers.text import read_paths
from mien.models.records import MtcnnRecord, NetworkLayer
from mien.storage.npz import read_npz

_MOST_BYTES = 1 << 26

_KINDS = {0: "conv", 1: "max_pool", 2: "dense", 3: "prelu", 4: "sigmoid"}
_NETWORKS = ("PNet", "RNet", "ONet")
_OUTPUTS = {"PNet": 6, "RNet": 6, "ONet": 16}

# Layers of each network as the archive names them: "pool k s" is a pooling, a list is the parts of the head.
_ARCHIVE: dict[str, tuple[str | tuple[str, ...], ...]] = {
    "PNet": ("conv1", "pool 2 2", "conv2", "conv3", ("conv4_1", "conv4_2")),
    "RNet": ("conv1", "pool 3 2", "conv2", "pool 3 2", "conv3", "dense4", ("dense5_1", "dense5_2")),
    "ONet": (
        *("conv1", "pool 3 2", "conv2", "pool 3 2", "conv3", "pool 2 2", "conv4", "dense5"),
        ("dense6_1", "dense6_2", "dense6_3"),
    ),
}


@refusing
def read_mtcnn(path: Path | str) -> MtcnnRecord:
    """Read the three networks that a detector list names.

    Parameters
    ----------
    path
        The list (``MTCNN_detector.txt``).

    Returns
    -------
    MtcnnRecord
        Convolution kernels reordered to (out, in, kh, kw).

    Raises
    ------
    ModelsMissingError
        A file is not there.
    ModelFileError
        A file is truncated, has something after its end, or is of another kind.
    """
    files = read_paths(Path(path), _NETWORKS)
    pnet, rnet, onet = (_read_file(files[name], _OUTPUTS[name]) for name in _NETWORKS)
    return MtcnnRecord(pnet, rnet, onet)


@refusing
def _read_file(path: Path, outputs: int) -> tuple[NetworkLayer, ...]:
    cursor = ByteCursor.open(path)
    layers = read_network(cursor, _KINDS)
    cursor.finish()
    bias = layers[-1].bias
    if layers[-1].kind != "dense" or bias is None or bias.size != outputs:
        found = layers[-1].kind if bias is None else f"{layers[-1].kind} with {bias.size} outputs"
        raise cursor.fault(f"a dense last layer with {outputs} outputs", found)
    return layers


@refusing
def mtcnn_from_npz(path: Path | str) -> MtcnnRecord:
    """Read the three networks from an archive of facenet-pytorch's arrays.

    Every number equals that of OpenFace's files; only the order of the dense layers' inputs differs, which
    are (column, row, channel) in the archive and (channel, column, row) here.

    Parameters
    ----------
    path
        An ``.npz`` with keys such as ``pnet.conv1.weight``.

    Returns
    -------
    MtcnnRecord
        The same layers as `read_mtcnn` gives.

    Raises
    ------
    ModelsMissingError
        There is no such file.
    ModelFileError
        It is no such archive.
    """
    path = Path(path)
    try:
        arrays = read_npz(path, _MOST_BYTES)
        pnet, rnet, onet = (_layers_from_arrays(arrays, name) for name in _NETWORKS)
    except FileNotFoundError:
        raise missing(path) from None
    except (OSError, ValueError, KeyError, IndexError, ZeroDivisionError) as error:
        raise ModelFileError(f"{path}: expected an .npz archive of MTCNN weights ({error})") from error
    return MtcnnRecord(pnet, rnet, onet)


def _layers_from_arrays(arrays: dict[str, NDArray[np.float32]], network: str) -> tuple[NetworkLayer, ...]:
    prefix = network.lower()
    layers: list[NetworkLayer] = []
    channels = 0
    for item in _ARCHIVE[network]:
        if isinstance(item, tuple):
            weight, bias = (
                np.concatenate([arrays[f"{prefix}.{part}.{kind}"] for part in item])
                for kind in ("weight", "bias")
            )
            layers.append(_dense(weight.reshape(len(bias), -1), bias))
        elif item.startswith("pool"):
            size, stride = map(int, item.split()[1:])
            layers.append(NetworkLayer("max_pool", pool=(size, size, stride, stride)))
        else:
            weight, bias = arrays[f"{prefix}.{item}.weight"], arrays[f"{prefix}.{item}.bias"]
            if item.startswith("dense"):
                layers.append(_dense(_channel_first(weight, channels), bias))
            else:
                layers.append(NetworkLayer("conv", weight=weight, bias=bias))
                channels = len(bias)
            slopes = arrays[f"{prefix}.prelu{item[-1]}.weight"]
            layers.append(NetworkLayer("prelu", weight=slopes))
    return tuple(layers)


def _channel_first(weight: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Reorder the inputs of a dense layer from (column, row, channel) to (channel, column, row)."""
    side = int(np.sqrt(weight.shape[1] // channels))
    return weight.reshape(-1, side, side, channels).transpose(0, 3, 1, 2).reshape(len(weight), -1)


def _dense(weight: NDArray[np.float32], bias: NDArray[np.float32]) -> NetworkLayer:
    return NetworkLayer("dense", weight=np.ascontiguousarray(weight.T), bias=bias)
