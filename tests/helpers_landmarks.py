"""Small random landmark models and pictures with a fixed seed, for tests that need no model files."""

from __future__ import annotations

import numpy as np

from mien.models.records import CcnfRecord, LandmarkModelRecord, PartRecord, PdmRecord

YAWS_DEG = (0.0, -30.0, 30.0)


def random_pdm(rng: np.random.Generator, n: int = 10, m: int = 4) -> PdmRecord:
    """A cloud of points, about 120 mm wide, whose modes neither move nor turn nor scale it."""
    points = rng.uniform([-60, -60, -30], [60, 60, 30], (n, 3))
    points -= points.mean(axis=0)
    rigid = [np.eye(3)[[a]].repeat(n, 0) for a in range(3)] + [points]
    rigid += [np.cross(np.eye(3)[a], points) for a in range(3)]
    directions = rigid + [rng.normal(size=(n, 3)) for _ in range(m)]
    orthonormal = np.linalg.qr(np.column_stack([d.T.reshape(-1) for d in directions]))[0]
    basis = orthonormal[:, 7:].reshape(3, n, m).transpose(1, 0, 2)
    return PdmRecord(
        mean=points.astype(np.float32),
        basis=np.ascontiguousarray(basis, np.float32),
        eigenvalues=np.geomspace(300, 1, m).astype(np.float32),
    )


def random_parameters(rng: np.random.Generator, pdm: PdmRecord) -> tuple[np.ndarray, np.ndarray]:
    """Global and local parameters, float32, of a face somewhere in a picture, turned by up to a radian."""
    glob = np.array([rng.uniform(0.4, 3), *rng.uniform(-1, 1, 3), *rng.uniform(50, 600, 2)])
    local = rng.normal(0, np.sqrt(pdm.eigenvalues))
    return glob.astype(np.float32), local.astype(np.float32)


def components(window: int) -> np.ndarray:
    """(3, w², w²) Laplacians of the straight and of the diagonal neighbours, and a sparsity term."""
    row, column = np.divmod(np.arange(window**2), window)
    dr, dc = abs(row[:, None] - row), abs(column[:, None] - column)
    near = ((dr + dc) == 1, (dr == 1) & (dc == 1), (dr + dc) == 3)
    return np.array([np.diag(k.sum(1)) - k.astype(float) for k in near], np.float32)


def random_ccnf(
    rng: np.random.Generator,
    n: int,
    scale: float = 0.35,
    *,
    neurons: int = 7,
    windows: tuple[int, ...] = (7, 9, 11, 15),
    hidden: tuple[tuple[int, ...], ...] = ((),),
) -> CcnfRecord:
    """Random experts; one entry of ``hidden`` per view lists the landmarks that it does not see."""
    views = len(hidden)
    visible = np.ones((views, n), bool)
    for view, indices in enumerate(hidden):
        visible[view, list(indices)] = False
    weights = rng.normal(size=(views, n, neurons, 11, 11))
    weights -= weights.mean(axis=(3, 4), keepdims=True)
    weights /= np.linalg.norm(weights, axis=(3, 4), keepdims=True)
    # Stored filters have a small mean left.
    weights += rng.normal(0, 1e-4, (views, n, neurons, 1, 1))
    alphas = np.exp(rng.normal(0, 2, (views, n, neurons)))
    alphas[..., -1] = 1e-5
    centers = np.zeros((views, 3))
    centers[:, 1] = np.deg2rad(YAWS_DEG[:views])
    seen = visible[..., None]
    return CcnfRecord(
        scale=scale,
        view_centers=centers,
        visibility=visible,
        sigma_components={w: components(w) for w in windows},
        weights=(weights * seen[..., None, None]).astype(np.float32),
        norms=seen * rng.uniform(5, 20, (views, n, neurons)),
        biases=seen * rng.uniform(-6, 1, (views, n, neurons)),
        alphas=seen * alphas,
        betas=seen * rng.uniform(0.05, 0.3, (views, n, 3)) if windows else np.zeros((views, n, 0)),
        confidences=visible * rng.uniform(0.2, 1, (views, n)),
    )


def random_model(
    seed: int = 1, *, n: int = 10, scales: tuple[float, ...] = (0.25, 0.35, 0.5), name: str = "main_random"
) -> LandmarkModelRecord:
    """A model of ``n`` landmarks and three views; the turned views miss the first or the last landmark."""
    rng = np.random.default_rng(seed)
    experts = tuple(random_ccnf(rng, n, scale, hidden=((), (n - 1,), (0,))) for scale in scales)
    return LandmarkModelRecord(
        name=name,
        pdm=random_pdm(rng, n),
        patch_experts=experts,
        parts=(),
        validator=None,
        early_termination=None,
    )


def random_part(
    main: LandmarkModelRecord,
    name: str,
    pairs: list[tuple[int, int]],
    n: int,
    scale: float = 1.0,
    seed: int = 2,
) -> PartRecord:
    """A part of ``n`` landmarks; the mapped ones stand in its mean shape where they stand in the main one."""
    rng = np.random.default_rng(seed)
    mapping = np.array(pairs, np.int32)
    pdm = random_pdm(rng, n)
    mean = pdm.mean.copy()
    mean[mapping[:, 1]] = main.pdm.mean[mapping[:, 0]]
    experts = (random_ccnf(rng, n, scale, windows=()), random_ccnf(rng, n, 1.5 * scale, windows=()))
    model = LandmarkModelRecord(
        name=f"main_{name}",
        pdm=PdmRecord(mean, pdm.basis, pdm.eigenvalues),
        patch_experts=experts,
        parts=(),
        validator=None,
        early_termination=None,
    )
    return PartRecord(name, mapping, model)


def textured(rng: np.random.Generator, height: int = 240, width: int = 320) -> np.ndarray:
    """(height, width) uint8 picture, smooth enough to have gradients, with noise on top."""
    y, x = np.mgrid[:height, :width]
    level = np.full((height, width), 128.0)
    for _ in range(12):
        fx, fy, phase = *rng.uniform(-0.3, 0.3, 2), rng.uniform(0, 6.3)
        level += rng.uniform(5, 25) * np.sin(fx * x + fy * y + phase)
    return np.clip(level + rng.normal(0, 4, level.shape), 0, 255).astype(np.uint8)
