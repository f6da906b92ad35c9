"""Slow, obvious twins of the geometry, pose and gaze kernels, in float64."""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation


def rotation_from_euler(angles):
    return Rotation.from_euler("XYZ", angles).as_matrix()


def project(points_3d, camera):
    x, y, z = np.asarray(points_3d, float).T
    return np.stack([camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy], axis=1)


def points_in_camera(points, offsets, scale, camera):
    depth = camera.fx / scale + np.asarray(offsets, float)
    x = depth * (np.asarray(points, float)[:, 0] - camera.cx) / camera.fx
    y = depth * (np.asarray(points, float)[:, 1] - camera.cy) / camera.fx
    return np.stack([x, y * camera.fx / camera.fy, depth], axis=1)


def lift(points, shape, params, camera):
    rotated = np.asarray(shape, float) @ rotation_from_euler(params[1:4]).T
    return points_in_camera(points, rotated[:, 2], params[0], camera)


def reprojection_errors(unknowns, shape, points, camera):
    placed = np.asarray(shape, float) @ Rotation.from_rotvec(unknowns[:3]).as_matrix().T + unknowns[3:]
    return (project(placed, camera) - points).ravel()


def head_pose(points, shape, params, camera):
    """Converged to machine precision by SciPy, from the same first guess."""
    depth = camera.fx / params[0]
    x, y = depth * (params[4] - camera.cx) / camera.fx, depth * (params[5] - camera.cy) / camera.fy
    start = np.array([*params[1:4], x, y, depth], float)
    scale = np.array([1, 1, 1, 100, 100, 100])
    fit = least_squares(
        reprojection_errors,
        start,
        args=(shape, points, camera),
        x_scale=scale,
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
    )
    return fit.x[3:], Rotation.from_rotvec(fit.x[:3]).as_euler("XYZ")


def eye_direction(iris, corners, rotation):
    ray = iris.mean(axis=0)
    ray = ray / np.linalg.norm(ray)
    centre = corners.mean(axis=0) + rotation @ (0, -3.5, 7.0)
    b, c = -2 * ray @ centre, centre @ centre - 144
    disc = b * b - 4 * c
    hit = ray * (-b - np.sqrt(disc)) / 2 if disc >= 0 else np.array([0, 0, -1])
    return (hit - centre) / np.linalg.norm(hit - centre)


def gaze_angles(directions):
    x, y, z = (directions[0] + directions[1]) / 2
    return np.array([np.arctan2(x, -z), np.arctan2(y, -z)])
