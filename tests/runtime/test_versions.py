"""Versions of packages, as importlib.metadata tells them."""

from importlib.metadata import version

import pytest

from mien.runtime.versions import version_of


@pytest.mark.parametrize("package", ["numpy", "numba", "onnxruntime", "av", "pillow", "llvmlite"])
def test_they_are_those_of_the_metadata(package):
    assert version_of(package) == version(package)


def test_a_package_that_is_not_there_has_none():
    assert version_of("no-such-package") is None
