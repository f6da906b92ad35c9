"""Small random CEN patch experts with a fixed seed, and landmark models made of them."""

from __future__ import annotations

import dataclasses

import numpy as np

from helpers_landmarks import random_model
from mien.models.records import CenRecord, DenseLayer, EarlyTermination, LandmarkModelRecord

INPUTS = 122
YAWS_DEG = (0.0, -30.0, 30.0)


def random_layers(
    rng: np.random.Generator, widths: tuple[int, ...] = (9, 5, 1), activations: tuple[int, ...] = (2, 0, 0)
) -> tuple[DenseLayer, ...]:
    """A network whose output varies with its input; ``widths``: outputs of each layer."""
    layers = []
    inputs = INPUTS
    for outputs, activation in zip(widths, activations, strict=True):
        gain = 6 if inputs == INPUTS else 4 / np.sqrt(inputs)
        weight = rng.normal(0, gain, (outputs, inputs)).astype(np.float32)
        weight[:, 0] *= 0.1
        layers.append(DenseLayer(weight, rng.normal(0, 0.5, outputs).astype(np.float32), activation))
        inputs = outputs
    return tuple(layers)


def random_cen(
    rng: np.random.Generator,
    n: int = 6,
    scale: float = 0.35,
    *,
    widths: tuple[int, ...] = (9, 5, 1),
    activations: tuple[int, ...] = (2, 0, 0),
    hidden: tuple[tuple[int, ...], ...] = ((), (), ()),
) -> CenRecord:
    """Experts of a frontal view and of two that mirror each other.

    Landmarks 0 and 1 mirror each other, 2 and 3 too, and so on; of an odd number the last is its own mirror.
    Frontal experts are stored for the odd ones (and the last), those of view 1 for all, of view 2 for none.
    """
    mirror = np.array([i if i == n - 1 and n % 2 else i ^ 1 for i in range(n)], np.int32)
    visible = np.ones((3, n), bool)
    for view, indices in enumerate(hidden):
        visible[view, list(indices)] = False
    stored = [
        {i for i in range(n) if i % 2 or mirror[i] == i},
        {i for i in range(n) if visible[1, i] or visible[2, mirror[i]]},
        set(),
    ]
    experts = tuple(
        tuple(random_layers(rng, widths, activations) if i in stored[v] else () for i in range(n))
        for v in range(3)
    )
    centers = np.zeros((3, 3))
    centers[:, 1] = np.deg2rad(YAWS_DEG)
    return CenRecord(
        scale=scale,
        view_centers=centers,
        visibility=visible,
        mirror_landmark=mirror,
        mirror_view=np.array([0, 2, 1], np.int32),
        experts=experts,
        confidences=visible * rng.uniform(0.2, 1, visible.shape),
    )


def random_cen_model(
    seed: int = 1,
    *,
    n: int = 10,
    scales: tuple[float, ...] = (0.25, 0.35, 0.5, 1.0),
    termination: EarlyTermination | None = None,
) -> LandmarkModelRecord:
    """A model of ``n`` landmarks whose experts are CEN."""
    rng = np.random.default_rng(seed)
    return dataclasses.replace(
        random_model(seed, n=n, scales=scales),
        patch_experts=tuple(random_cen(rng, n, scale) for scale in scales),
        early_termination=termination,
    )
