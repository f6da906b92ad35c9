"""Networks written as ONNX compute what the layers' definitions say."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import OptionError
from mien.models.records import NetworkLayer
from mien.runtime.onnx_graph import INPUT_NAME, network_to_onnx
from mien.runtime.sessions import create_session
from oracle import networks

RELU = NetworkLayer("relu")


def conv(rng, inputs, outputs, height, width):
    weight = rng.normal(size=(outputs, inputs, height, width)).astype(np.float32)
    return NetworkLayer("conv", weight=weight, bias=rng.normal(size=outputs).astype(np.float32))


def dense(rng, inputs, outputs):
    weight = rng.normal(size=(inputs, outputs)).astype(np.float32)
    return NetworkLayer("dense", weight=weight, bias=rng.normal(size=outputs).astype(np.float32))


def prelu(rng, channels, largest=1.0):
    return NetworkLayer("prelu", weight=rng.uniform(-1, largest, channels).astype(np.float32))


def pool(x, y, stride_x, stride_y):
    return NetworkLayer("max_pool", pool=(x, y, stride_x, stride_y))


def run(layers, images, **size):
    model = network_to_onnx(layers, channels=images.shape[1], **size)
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    return create_session(model).run(None, {INPUT_NAME: images})[0]


def assert_equals_definition(layers, images, **size):
    expected = np.stack([networks.run(layers, image) for image in images])
    found = run(layers, images, **size)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())


def images_of(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_chains_like_the_detector_equal_their_definition(seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(9, 16, 2)
    layers = [
        conv(rng, 3, 4, 3, 2),
        prelu(rng, 4),
        pool(3, 2, 2, 2),
        conv(rng, 4, 5, 2, 2),
        prelu(rng, 5, 1.5),
    ]
    assert_equals_definition(layers, images_of(rng, 2, 3, height, width))


@pytest.mark.parametrize(
    ("size", "window", "stride", "expected"), [(27, 2, 2, 14), (22, 3, 2, 11), (9, 3, 2, 4), (21, 3, 2, 10)]
)
def test_pooling_rounds_up_and_clips_the_last_window(size, window, stride, expected):
    images = -np.abs(images_of(np.random.default_rng(0), 1, 2, size, size)) - 1
    layers = [pool(window, window, stride, stride)]
    assert run(layers, images).shape == (1, 2, expected, expected)
    assert_equals_definition(layers, images)


def test_pooling_keeps_the_axes_apart():
    images = images_of(np.random.default_rng(0), 1, 1, 9, 13)
    assert_equals_definition([pool(3, 2, 2, 1)], images)


def test_maps_are_flattened_column_by_column_before_a_dense_layer():
    pick = np.eye(6, dtype=np.float32)[:, ::-1].copy()
    layers = [NetworkLayer("dense", weight=pick, bias=np.zeros(6, np.float32))]
    maps = np.arange(6, dtype=np.float32).reshape(1, 1, 2, 3)
    assert run(layers, maps).tolist() == [[5, 2, 4, 1, 3, 0]]


def test_dense_layers_after_maps_equal_their_definition():
    rng = np.random.default_rng(3)
    layers = [
        *(conv(rng, 1, 3, 3, 3), RELU, pool(2, 2, 2, 2)),
        *(dense(rng, 3 * 4 * 3, 7), prelu(rng, 7, 2.0), dense(rng, 7, 5), prelu(rng, 5)),
        NetworkLayer("sigmoid"),
    ]
    assert_equals_definition(layers, images_of(rng, 3, 1, 10, 8), height=10, width=8)


def test_a_dense_layer_with_as_many_inputs_as_maps_works_on_every_position():
    rng = np.random.default_rng(4)
    layers = [conv(rng, 3, 4, 2, 2), dense(rng, 4, 6)]
    images = images_of(rng, 1, 3, 6, 9)
    assert run(layers, images).shape == (1, 6, 5, 8)
    assert_equals_definition(layers, images)


def test_prelu_gives_the_same_bits_as_its_definition():
    rng = np.random.default_rng(5)
    values = np.concatenate([images_of(rng, 500), [0.0, -0.0, 1e-30, -1e-30]]).astype(np.float32)
    images = np.ascontiguousarray(np.broadcast_to(values, (1, 4, 1, len(values))))
    for largest in (1.0, 1.3):
        slopes = np.array([largest, -0.7, 0.0, 0.25], np.float32)
        expected = np.where(images >= 0, images, slopes.reshape(1, 4, 1, 1) * images)
        assert np.array_equal(run([NetworkLayer("prelu", weight=slopes)], images), expected)


def test_size_and_number_of_images_stay_open_where_none_is_given():
    rng = np.random.default_rng(6)
    layers = [conv(rng, 3, 2, 3, 3), RELU]
    session = create_session(network_to_onnx(layers, channels=3))
    for shape in ((1, 3, 5, 7), (4, 3, 12, 3)):
        images = images_of(rng, *shape)
        expected = np.stack([networks.run(layers, image) for image in images])
        assert np.abs(session.run(None, {INPUT_NAME: images})[0] - expected).max() < 1e-5


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([NetworkLayer("softmax")], "unknown layer"),
        ([NetworkLayer("conv")], "without its weights"),
        ([conv(np.random.default_rng(0), 2, 2, 3, 3)], "cannot follow 3 maps"),
        (
            [dense(np.random.default_rng(0), 12, 4), dense(np.random.default_rng(0), 5, 2)],
            "cannot follow 4 values",
        ),
    ],
)
def test_layers_that_do_not_fit_are_refused(layers, message):
    with pytest.raises(OptionError, match=message):
        network_to_onnx(layers, channels=3)
