"""A complete OpenFace-format model folder made of nothing but arithmetic, for tests without licensed data.

The models recognise the face that `synthetic_face.picture` draws: the detector fires on its marks, the
patch experts are the patches of the drawing around each landmark, the validator compares the drawing with
the warped picture. Action-unit predictors are random. Files, names and structure are OpenFace's.

>>> folder = write_openface(tmp_path / "openface-2.2.0")
>>> read_landmark_model(folder / "LandmarkDetector/model/main_clnf_general.txt")
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.spatial import Delaunay

import synthetic_formats as formats
from mien.models.records import (
    ActionUnitPredictor,
    CcnfRecord,
    CenRecord,
    DenseLayer,
    MtcnnRecord,
    NetworkLayer,
    PdmRecord,
    ValidatorRecord,
    ValidatorView,
)
from synthetic_face import (
    MARKS_MM,
    SEED,
    Pose,
    eye_pdm,
    eye_points,
    face_pdm,
    face_points,
    gray_levels,
    inner_pdm,
    landmarks,
    mirror_landmarks,
)

MODEL = "LandmarkDetector/model"
PREDICTORS = "FaceAnalyser/AU_predictors"
VIEW_YAWS_DEG = (0.0, -30.0, 30.0)
HIDDEN_68 = ((), (13, 14, 15, 16), (0, 1, 2, 3))
HIDDEN_51 = ((), (9,), (0,))
_NUMBERS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
INTENSITIES = tuple(f"{number:02}" for number in _NUMBERS)
PRESENCES = (*INTENSITIES[:16], "28", "45")
DYNAMIC_SVM = {"01", "02", "09", "15", "17", "20", "25", "26", "28", "45"}
DYNAMIC_SVR = {"01", "02", "05", "09", "15", "17", "20", "23", "25", "26", "45"}
_SUPPORT = 11


# --- patch experts ---------------------------------------------------------------------------------------


def _patches(points: Callable[[Pose], np.ndarray], scale: float, yaw_deg: float) -> np.ndarray:
    """(n, 11, 11) zero-mean, unit-norm patches of the drawing around each point, in the reference frame."""
    pose = Pose(scale, (0.0, np.deg2rad(yaw_deg), 0.0))
    turned, straight = landmarks(pose), landmarks(Pose(scale))
    shrink = (turned - turned.mean(0)).std() / (straight - straight.mean(0)).std()
    offset = (np.arange(_SUPPORT) - _SUPPORT // 2) * shrink
    centers = points(pose)
    x = centers[:, 0, None, None] + offset[None, None, :]
    y = centers[:, 1, None, None] + offset[None, :, None]
    patches = gray_levels(*np.broadcast_arrays(x, y), pose)
    patches = patches - patches.mean((1, 2), keepdims=True)
    return (patches / np.linalg.norm(patches, axis=(1, 2), keepdims=True)).astype(np.float32)


def _eye_in_face(side: str) -> Callable[[Pose], np.ndarray]:
    """Where the 28 points of an eye are in the drawing."""
    lids = slice(36, 42) if side == "left" else slice(42, 48)
    return lambda pose: landmarks(pose)[lids].mean(0) + pose.scale * eye_points()[:, :2]


def _visibility(count: int, hidden: tuple[tuple[int, ...], ...]) -> np.ndarray:
    visible = np.ones((len(hidden), count), bool)
    for view, indices in enumerate(hidden):
        visible[view, list(indices)] = False
    return visible


def _view_centers(count: int) -> np.ndarray:
    centers = np.zeros((count, 3))
    centers[:, 1] = np.deg2rad(VIEW_YAWS_DEG[:count])
    return centers


def sigma_components(window: int) -> np.ndarray:
    """(2, w², w²) Laplacians of the grid's straight and diagonal neighbours."""
    row, column = np.divmod(np.arange(window**2), window)
    dr, dc = abs(row[:, None] - row), abs(column[:, None] - column)
    neighbours = ((dr + dc) == 1, (dr == 1) & (dc == 1))
    return np.array([np.diag(near.sum(1)) - near.astype(float) for near in neighbours], np.float32)


def ccnf_record(
    points: Callable[[Pose], np.ndarray],
    scale: float,
    hidden: tuple[tuple[int, ...], ...],
    windows: tuple[int, ...],
) -> CcnfRecord:
    """Three neurons an expert: the patch, the patch weaker, and noise whose weight is next to nothing."""
    patches = np.array([_patches(points, scale, VIEW_YAWS_DEG[v]) for v in range(len(hidden))])
    visible = _visibility(patches.shape[1], hidden)
    noise = np.random.default_rng(SEED).normal(size=patches.shape)
    noise -= noise.mean((2, 3), keepdims=True)
    noise /= np.linalg.norm(noise, axis=(2, 3), keepdims=True)
    weights = np.stack([patches, patches, noise], 2).astype(np.float32) * visible[..., None, None, None]

    def spread(*values: float) -> np.ndarray:
        return visible[..., None] * np.array(values, float)

    return CcnfRecord(
        scale=scale,
        view_centers=_view_centers(len(hidden)),
        visibility=visible,
        sigma_components={w: sigma_components(w) for w in windows},
        weights=weights,
        norms=spread(12.0, 8.0, 5.0),
        biases=spread(-7.0, -6.0, -2.0),
        alphas=spread(2.0, 0.5, 1e-5),
        betas=spread(0.3, 0.1) if windows else spread(),
        confidences=visible * (0.6 + 0.3 * np.random.default_rng(SEED).random(visible.shape)),
    )


def cen_record(scale: float, depth: int) -> CenRecord:
    """Experts of view 0 for mid-line and lower landmarks, all of view 1, none of view 2 (mirrored)."""
    visible = _visibility(68, HIDDEN_68)
    mirror = mirror_landmarks()
    experts = []
    for view, yaw in enumerate(VIEW_YAWS_DEG):
        patches = _patches(landmarks, scale, yaw)
        stored = [visible[view, i] and view < 2 and (view == 1 or mirror[i] >= i) for i in range(68)]
        experts.append(tuple(_cen_layers(patches[i], depth) if stored[i] else () for i in range(68)))
    confidence = np.random.default_rng(SEED + 7).random(visible.shape)
    return CenRecord(
        scale=scale,
        view_centers=_view_centers(3),
        visibility=visible,
        mirror_landmark=mirror,
        mirror_view=np.array([0, 2, 1], np.int32),
        experts=tuple(experts),
        confidences=visible * (0.6 + 0.3 * confidence),
    )


def _cen_layers(patch: np.ndarray, depth: int) -> tuple[DenseLayer, ...]:
    """sigmoid(12·match - 7) as rectified halves, an identity layer where three are wanted, and a sum."""
    row = np.append(-4.0, 12 * patch.T.reshape(-1))
    noise = np.random.default_rng(SEED).normal(0, 0.1, (2, row.size))
    weights = [np.vstack([row, -row, noise])]
    weights += [np.eye(4)] * (depth - 2) + [np.array([[1.0, -1.0, 0.0, 0.0]])]
    biases = [np.array([-3.0, 3.0, 0.1, 0.2])] + [np.zeros(4)] * (depth - 2) + [np.zeros(1)]
    codes = [2] * (depth - 1) + [0]
    return tuple(
        DenseLayer(w.astype(np.float32), b.astype(np.float32), code)
        for w, b, code in zip(weights, biases, codes, strict=True)
    )


# --- detector --------------------------------------------------------------------------------------------
#
# The drawing has four red marks around the face, at the corners of a square. Each network blurs redness down
# to a small map, and sums what is missing at the four corners of the map: a face where little is missing.

_ENOUGH = {"PNet": 0.12, "RNet": 0.05, "ONet": 0.05}  # redness of a corner, in units of the networks' input
_STEEPNESS = 60.0
_TOLERANCE = 0.16
_CORNERS_3 = (0, 2, 6, 8)


def _convolution(outputs: int, inputs: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((outputs, inputs, size, size), np.float32), np.zeros(outputs, np.float32)


def _prelu(channels: int, rectified: int = 0) -> NetworkLayer:
    """The identity, but for the first channels, which lose their negative part."""
    slopes = np.ones(channels, np.float32)
    slopes[:rectified] = 0
    return NetworkLayer("prelu", weight=slopes)


def _redness(outputs: int) -> NetworkLayer:
    """A convolution of red, green and blue whose first output is the mean of red minus the others."""
    weight, bias = _convolution(outputs, 3, 3)
    weight[0] = np.array([1, -0.5, -0.5])[:, None, None] / 9
    return NetworkLayer("conv", weight=weight, bias=bias)


def _blur(outputs: int, inputs: int, size: int) -> NetworkLayer:
    """A convolution whose first output is the mean of the first input."""
    weight, bias = _convolution(outputs, inputs, size)
    weight[0, 0] = 1 / size**2
    return NetworkLayer("conv", weight=weight, bias=bias)


def _max_pool(size: int, stride: int = 2) -> NetworkLayer:
    return NetworkLayer("max_pool", pool=(size, size, stride, stride))


def _verdict(hidden: int, used: int, outputs: np.ndarray) -> NetworkLayer:
    """Logits of no face and face from the sum of ``used`` hidden units; constants for the other outputs."""
    weight = np.zeros((hidden, outputs.size), np.float32)
    weight[:used, 0], weight[:used, 1] = _STEEPNESS / 2, -_STEEPNESS / 2
    bias = outputs.astype(np.float32)
    bias[0], bias[1] = -_STEEPNESS * _TOLERANCE / 2, _STEEPNESS * _TOLERANCE / 2
    return NetworkLayer("dense", weight=weight, bias=bias)


def _pnet() -> tuple[NetworkLayer, ...]:
    """What the corners of the 5×5 map after the pooling lack, and redness that its middle should not have."""
    select, bias = _convolution(16, 10, 3)
    for r, c in np.ndindex(3, 3):
        select[3 * r + c, 0, r, c] = -1
        bias[3 * r + c] = _ENOUGH["PNet"]
    select[9, 0, 1, 1] = 1
    compare, no_bias = _convolution(32, 16, 3)
    for r, c in ((0, 0), (0, 2), (2, 0), (2, 2)):
        compare[0, 3 * r + c, r, c] = 1
    compare[1, 9] = 1
    return (
        *(_redness(10), _prelu(10), _max_pool(2)),
        *(NetworkLayer("conv", weight=select, bias=bias), _prelu(16, 10)),
        *(NetworkLayer("conv", weight=compare, bias=no_bias), _prelu(32)),
        _verdict(32, 2, np.zeros(6)),
    )


def _lacking(inputs: int, hidden: int, enough: float) -> tuple[NetworkLayer, ...]:
    """A dense layer whose first units are what the corners of the first input map, 3×3, lack."""
    weight, bias = np.zeros((inputs, hidden), np.float32), np.zeros(hidden, np.float32)
    weight[_CORNERS_3, range(4)] = -1
    bias[:4] = enough
    return NetworkLayer("dense", weight=weight, bias=bias), _prelu(hidden, 4)


def _box_corrections() -> np.ndarray:
    """From the square of the marks to the box whose calibration is the tight box of the landmarks."""
    points = face_points()[:, :2]
    low, high = points.min(0), points.max(0)
    x, y, width, height = *low, *(high - low)
    width, height = width / 1.0323, height / 0.7751
    x, y = x + 0.0075 * width, y - 0.2459 * height
    (left, top), side = (low + high) / 2 - np.array([0.47, 0.46]) * MARKS_MM, MARKS_MM
    return np.array([x - left, y - top, x + width - left - side, y + height - top - side]) / side


def mtcnn_record() -> MtcnnRecord:
    """A detector of the drawn face, with the layer sizes of the original."""
    rnet = (
        *(_redness(28), _prelu(28), _max_pool(3)),
        *(_blur(48, 28, 3), _prelu(48), _max_pool(3)),
        *(_blur(64, 48, 2), _prelu(64)),
        *_lacking(576, 128, _ENOUGH["RNet"]),
        _verdict(128, 4, np.zeros(6)),
    )
    outputs = np.zeros(16)
    outputs[2:6] = _box_corrections()
    onet = (
        *(_redness(32), _prelu(32), _max_pool(3)),
        *(_blur(64, 32, 3), _prelu(64), _max_pool(3)),
        *(_blur(64, 64, 3), _prelu(64), _max_pool(2)),
        *(_blur(128, 64, 2), _prelu(128)),
        *_lacking(1152, 256, _ENOUGH["ONet"]),
        _verdict(256, 4, outputs),
    )
    return MtcnnRecord(_pnet(), rnet, onet)


# --- validator -------------------------------------------------------------------------------------------


def validator_record(bins: int = 30) -> ValidatorRecord:
    """Certain (second bin) where the warped picture looks like the drawing, worst bin where it does not."""
    side = 60
    points = face_points()[:, :2]
    scale = (side - 1) / np.ptp(points, 0).max()
    target = points * scale
    low = target.min(0)
    mesh = Delaunay(target)
    x, y = np.meshgrid(np.arange(side) + low[0], np.arange(side) + low[1])
    ids = mesh.find_simplex(np.column_stack([x.ravel(), y.ravel()])).reshape(side, side).astype(np.int32)
    mask = (ids >= 0).astype(np.int32)
    alpha, beta = _barycentric(target, mesh.simplices)
    looks = gray_levels(x, y, Pose(scale))
    layers = _validator_layers(looks, mask, bins)
    pixels = int(mask.sum())
    views = [
        ValidatorView(
            orientation=np.array([0.0, np.deg2rad(yaw), 0.0]),
            mean_image=np.zeros(pixels),
            std_image=np.ones(pixels),
            layers=layers,
            min_x=float(low[0]),
            min_y=float(low[1]),
            destination=target.T.reshape(-1),
            triangles=mesh.simplices.astype(np.int32),
            triangle_ids=ids,
            mask=mask,
            alpha=alpha,
            beta=beta,
        )
        for yaw in VIEW_YAWS_DEG
    ]
    return ValidatorRecord(tuple(views))


def _pool(image: np.ndarray) -> np.ndarray:
    rows, columns = image.shape
    return image.reshape(rows // 2, 2, columns // 2, 2).max((1, 3))


def _barycentric(target: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T, 3) coefficients of (1, X, Y) that give the weights of a triangle's second and third vertex."""
    (xi, yi), (xj, yj), (xk, yk) = (target[triangles[:, c]].T for c in range(3))
    det = (xj - xi) * (yk - yi) - (xk - xi) * (yj - yi)
    alpha = np.array([yi * (xk - xi) - xi * (yk - yi), yk - yi, -(xk - xi)]) / det
    beta = np.array([xi * (yj - yi) - yi * (xj - xi), -(yj - yi), xj - xi]) / det
    return np.ascontiguousarray(alpha.T), np.ascontiguousarray(beta.T)


def _validator_layers(looks: np.ndarray, mask: np.ndarray, bins: int) -> tuple[NetworkLayer, ...]:
    image = np.where(mask > 0, (looks - looks[mask > 0].mean()) / looks[mask > 0].std(), 0)
    halves = [_pool(np.maximum(sign * image[4:-4, 4:-4], 0)) for sign in (1, -1)]
    maps = [_pool(half[3:-3, 3:-3]) for half in halves]
    seen = np.concatenate([m.T.reshape(-1) for m in maps])
    template = seen - seen.mean()
    first, bias = _convolution(2, 1, 9)
    first[:, 0, 4, 4] = 1, -1
    second, _ = _convolution(2, 2, 7)
    second[[0, 1], [0, 1], 3, 3] = 1
    dense = np.zeros((seen.size, 4), np.float32)
    dense[:, 0] = template / (template @ seen)
    last, last_bias = np.zeros((4, bins), np.float32), np.zeros(bins, np.float32)
    last[0, 1], last_bias[bins - 1] = 10, 4
    relu, pool = NetworkLayer("relu"), _max_pool(2)
    return (
        *(NetworkLayer("conv", weight=first, bias=bias), relu, pool),
        *(NetworkLayer("conv", weight=second, bias=bias), relu, pool),
        *(NetworkLayer("dense", weight=dense, bias=np.zeros(4, np.float32)), relu),
        NetworkLayer("dense", weight=last, bias=last_bias),
    )


# --- action units ----------------------------------------------------------------------------------------


def predictor_record(name: str, kind: str, dynamic: bool) -> ActionUnitPredictor:
    """Random weights that give intensities between about 0 and 5."""
    rng = np.random.default_rng([SEED, int(name), kind == "svm", dynamic])
    weights = np.append(rng.normal(0, 0.15, 4464), rng.normal(0, 0.01, 238))
    means = np.append(np.random.default_rng(SEED).uniform(0, 0.2, 4464), np.zeros(238))
    flipped = name not in ("10", "12", "25")
    return ActionUnitPredictor(
        name=f"AU{name}",
        kind=kind,
        dynamic=dynamic,
        means=means,
        weights=weights,
        bias=1.2 if kind == "svr" else -0.1,
        cutoff=0.1 + 0.01 * int(name) if kind == "svr" and dynamic else np.nan,
        positive_class=np.nan if kind == "svr" else float(not flipped),
        negative_class=np.nan if kind == "svr" else float(flipped),
    )


def _action_unit_files(pdm: PdmRecord, triangles: np.ndarray) -> dict[str, bytes]:
    files = {
        "In-the-wild_aligned_PDM_68.txt": formats.pdm(pdm),
        "tris_68_full.txt": formats.text_matrix(triangles).encode(),
    }
    for style, listing in (("dynamic", "AU_all_best.txt"), ("static", "AU_all_static.txt")):
        lines = []
        for kind, names, moving in (("svm", PRESENCES, DYNAMIC_SVM), ("svr", INTENSITIES, DYNAMIC_SVR)):
            for name in names:
                dynamic = style == "dynamic" and name in moving
                suffix = "_intensity_comb" if kind == "svr" else ""
                way = "dynamic" if dynamic else "static"
                path = f"{kind}_combined/AU_{int(name)}_{way}{suffix}.dat"
                files[path] = formats.predictor(predictor_record(name, kind, dynamic))
                lines.append(f"{path} AU{name}")
        files[listing] = "\n".join(lines).encode()
        files[f"main_{style}_svms.txt"] = (
            f"AUPredictor {listing}\nPDM In-the-wild_aligned_PDM_68.txt\nTriangulation tris_68_full.txt"
        ).encode()
    return files


# --- the folder ------------------------------------------------------------------------------------------

_EYE_PAIRS = {"left": range(36, 42), "right": range(42, 48)}


def _part_line(folder: str, main: str, name: str, pairs: list[tuple[int, int]]) -> str:
    numbers = " ".join(f"{a} {b}" for a, b in pairs)
    return f"LandmarkDetector_part {folder}/{main} {name} {numbers}"


def _eye_lines() -> list[str]:
    return [
        _part_line(
            "model_eye",
            f"main_clnf_synth_{side}.txt",
            f"{side}_eye_28",
            [(a, 8 + 2 * i) for i, a in enumerate(indices)],
        )
        for side, indices in _EYE_PAIRS.items()
    ]


def _lists() -> dict[str, str]:
    """The text files that tie the others together."""
    inner = _part_line("model_inner", "main_clnf_inner.txt", "inner", [(17 + i, i) for i in range(51)])
    validator = "DetectionValidator detection_validation/validator_cnn"
    pdm = "PDM pdms/In-the-wild_aligned_PDM_68.txt\nTriangulations tris_68.txt\n"
    ccnf, cen = "PatchesCCNF patch_experts/ccnf_patches_", "PatchesCEN patch_experts/cen_patches_"
    left = "PatchesCCNF patch_experts/left_ccnf_patches_"
    eyes = _eye_lines()
    return {
        "main_clnf_general.txt": "\n".join(
            ["LandmarkDetector clnf_general.txt", inner, *eyes, "FaceDetConversion x", f"{validator}.txt"]
        ),
        "main_clnf_wild.txt": "\n".join(["LandmarkDetector clnf_wild.txt", *eyes, f"{validator}.txt"]),
        "clnf_general.txt": pdm + "".join(f"{ccnf}{s}_general.txt\r\n" for s in ("0.25", "0.35", "0.5")),
        "clnf_wild.txt": pdm + "".join(f"{ccnf}{s}_wild.txt\n" for s in ("0.25", "0.35", "0.5", "1")),
        "cen_general.txt": pdm
        + "".join(f"{cen}{s}_of.dat\n" for s in ("0.25", "0.35", "0.50", "1.00"))
        + "EarlyTermination early_term_cen_of.txt",
        "early_term_cen_of.txt": "1.000 1.005 1.005 0.000 0.049 0.049 -3.000 -3.000 -3.000 \n",
        "model_inner/main_clnf_inner.txt": "LandmarkDetector clnf_inner.txt",
        "model_inner/clnf_inner.txt": "PDM pdms/pdm_51_inner.txt\n" + f"{ccnf}1.00_inner.txt\n",
        "model_eye/main_clnf_synth_left.txt": "LandmarkDetector clnf_left_synth.txt",
        "model_eye/main_clnf_synth_right.txt": "LandmarkDetector clnf_right_synth.txt",
        "model_eye/clnf_left_synth.txt": "PDM pdms/pdm_28_l_eye_3D_closed.txt\n"
        + "".join(f"{left}{s}_synth_lid_.txt\n" for s in ("1.00", "1.50")),
        "model_eye/clnf_right_synth.txt": "PDM pdms/pdm_28_eye_3D_closed.txt\n"
        + "".join(f"{ccnf}{s}_synth_lid_.txt\n" for s in ("1.00", "1.50")),
        "mtcnn_detector/MTCNN_detector.txt": "PNet PNet.dat\nRNet RNet.dat\nONet ONet.dat\n",
    }


def _landmark_files(pdm: PdmRecord, triangles: np.ndarray) -> dict[str, bytes]:
    files = {name: text.encode() for name, text in _lists().items()}
    files["pdms/In-the-wild_aligned_PDM_68.txt"] = formats.pdm(pdm)
    files["model_inner/pdms/pdm_51_inner.txt"] = formats.pdm(inner_pdm())
    files["tris_68.txt"] = formats.triangulations([triangles] * len(VIEW_YAWS_DEG))
    files["tris_68_full.txt"] = formats.text_matrix(triangles).encode()
    for name, record in zip(
        ("PNet", "RNet", "ONet"), (m := mtcnn_record(), m.pnet, m.rnet, m.onet)[1:], strict=True
    ):
        files[f"mtcnn_detector/{name}.dat"] = formats.mtcnn_network(record)
    files["detection_validation/validator_cnn.txt"] = formats.validator(validator_record(30))
    files["detection_validation/validator_cnn_68.txt"] = formats.validator(validator_record(20))
    for scale in ("0.25", "0.35", "0.5", "1"):
        record = ccnf_record(landmarks, float(scale), HIDDEN_68, (7, 9, 11))
        files[f"patch_experts/ccnf_patches_{scale}_wild.txt"] = formats.ccnf(record)
        if scale != "1":
            files[f"patch_experts/ccnf_patches_{scale}_general.txt"] = formats.ccnf(record)
    record = ccnf_record(lambda pose: landmarks(pose)[17:], 1.0, HIDDEN_51, (9,))
    files["model_inner/patch_experts/ccnf_patches_1.00_inner.txt"] = formats.ccnf(record)
    files |= _eye_files()
    for scale, depth, dtype, as_row in (
        *(("0.25", 2, "f4", True), ("0.35", 3, "f4", True)),
        *(("0.50", 3, "f4", True), ("1.00", 2, "f8", False)),
    ):
        data = formats.cen(cen_record(float(scale), depth), dtype, as_row)
        files[f"patch_experts/cen_patches_{scale}_of.dat"] = data
    return files


def _eye_files() -> dict[str, bytes]:
    files = {}
    for side, prefix, name in (
        ("left", "left_", "pdm_28_l_eye_3D_closed"),
        ("right", "", "pdm_28_eye_3D_closed"),
    ):
        files[f"model_eye/pdms/{name}.txt"] = formats.pdm(eye_pdm())
        for scale in ("1.00", "1.50"):
            record = ccnf_record(_eye_in_face(side), float(scale), ((),), ())
            path = f"model_eye/patch_experts/{prefix}ccnf_patches_{scale}_synth_lid_.txt"
            files[path] = formats.ccnf(record, windows=(3, 5, 7))
    return files


def openface_files() -> dict[str, bytes]:
    """Every file of the synthetic folder by its path in the folder."""
    pdm = face_pdm()
    triangles = Delaunay(face_points()[:, :2]).simplices.astype(np.int32)
    files = {f"{MODEL}/{path}": data for path, data in _landmark_files(pdm, triangles).items()}
    files |= {f"{PREDICTORS}/{path}": data for path, data in _action_unit_files(pdm, triangles).items()}
    files["OpenFace-license.txt"] = b"Synthetic models for tests: no licence is needed.\n"
    return files


def write_openface(folder: Path, *, ce_clm: bool = True) -> Path:
    """Write the folder, with a manifest of its own, and give it back.

    Parameters
    ----------
    folder
        Where the files go; made if necessary. ``MIEN_MODELS`` may name it.
    ce_clm
        Also write the four CEN files.
    """
    rows = ["# version synthetic", "path\tsize\tsha256\tgroup\taddresses"]
    for path, data in sorted(openface_files().items()):
        if not ce_clm and "cen_patches" in path:
            continue
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
        group = "ce-clm" if "cen_patches" in path else "extra" if "wild" in path.lower() else "clnf"
        if "PDM" in path:
            group = "clnf"
        rows.append(f"{path}\t{len(data)}\t{hashlib.sha256(data).hexdigest()}\t{group}\t")
    (folder / "manifest.tsv").write_text("\n".join(rows) + "\n")
    return folder
