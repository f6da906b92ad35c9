"""Colours of lines can be told apart, whatever colours somebody sees."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest

SCRIPT = (files("mien.report") / "assets" / "colours.js").read_text(encoding="utf-8")
GROUNDS = {"LIGHT": "#ffffff", "DARK": "#15181c"}
# Machado, Oliveira and Fernandes 2009, severity 1, for linear RGB.
VISION = {
    "ordinary": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    xyz = TO_XYZ @ np.clip(rgb, 0, 1) / np.array([0.9505, 1, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def colours(name):
    return re.findall(r"#[0-9a-f]{6}", re.search(rf"const {name} = \[(.*?)\]", SCRIPT).group(1))


@pytest.mark.parametrize("name", GROUNDS)
@pytest.mark.parametrize("vision", VISION)
def test_lines_differ_for_every_kind_of_colour_vision(name, vision):
    seen = [lab(VISION[vision] @ linear(colour)) for colour in colours(name)]
    assert len(seen) == 8
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > 25


@pytest.mark.parametrize("name", GROUNDS)
def test_lines_stand_out_from_the_ground(name):
    weights = np.array([0.2126, 0.7152, 0.0722])
    ground = linear(GROUNDS[name]) @ weights + 0.05
    for colour in colours(name):
        own = linear(colour) @ weights + 0.05
        assert max(own, ground) / min(own, ground) >= 3
