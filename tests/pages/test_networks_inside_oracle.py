"""Networks looked into: filters, activations and worked numbers against the served file."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.signal import correlate
from scipy.special import softmax
from streamlit.testing.v1 import AppTest

from tests.pages.oracle_images import (
    CLASSES,
    MODELS,
    NETWORKS,
    bodies_with,
    body_with,
    fitted,
    galleries_of,
    images_in,
    images_of,
    labels_of,
    numbers_in,
    rows_in,
    served,
)
from tests.pages.shown import open_page

pytestmark = pytest.mark.data
IMAGE = 25


@pytest.fixture(autouse=True)
def _shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(MODELS))


def opened(network: str, part: str, **address: str) -> AppTest:
    return open_page(
        "networks", network=NETWORKS[network], part=part, picture=str(IMAGE), **address
    )


def pixels() -> NDArray[np.uint8]:
    return np.asarray(images_of("test")[IMAGE])


def greys(values: NDArray[Any], span: NDArray[Any]) -> NDArray[np.float64]:
    low, high = min(0.0, float(span.min())), float(span.max())
    return 255 * (values.astype(np.float64) - low) / (high - low)


def assert_grey(image: NDArray[np.uint8], expected: NDArray[np.float64]) -> None:
    assert image.shape == expected.shape
    assert np.abs(image - expected).max() <= 0.51


@pytest.mark.parametrize(
    ("network", "shape"), [("cnn4", (32, 3)), ("cnn6", (32, 3)), ("cnn7", (24, 2))]
)
@pytest.mark.parametrize("order", ["Strongest first", "In order"])
def test_each_filter_shows_its_own_weights_at_the_place_of_its_size(
    network: str, shape: tuple[int, int], order: str
) -> None:
    count, side = shape
    kernel = 255 * served(network).weights((count, side, side, 3))
    largest = np.abs(kernel).max(axis=(1, 2, 3))
    expected = np.argsort(-largest, kind="stable") if order != "In order" else np.arange(count)
    app = opened(network, "Filters", order_filters=order)
    (shown,) = galleries_of(app, "lab-channels")
    assert [int(cell.lines[0]) for cell in shown] == expected.tolist()
    for cell, place in zip(shown, expected, strict=True):
        assert numbers_in(cell.lines[1]) == [pytest.approx(largest[place], abs=0.0051)]
        ideal = 127.5 + 127.5 * kernel[place] / largest[place]
        assert np.abs(cell.images[0] - ideal).max() <= 0.51


def test_the_first_convolution_is_the_correlation_of_image_and_filter() -> None:
    """The network's own numbers, on which the other tests rest, are those of the formula."""
    kernel, made = served("cnn4").weights((32, 3, 3, 3)), served("cnn4").steps(pixels())[0]
    border = np.pad(pixels().astype(np.float64), ((1, 1), (1, 1), (0, 0)))
    for channel in np.argsort(-made.sum(axis=(0, 1)))[:4]:
        summed = correlate(border, kernel[channel], mode="valid")[..., 0]
        lit = made[..., channel] > 0
        bias = (made[..., channel] - summed)[lit]
        assert np.ptp(bias) < 1e-4  # one number of the filter is all that is added
        assert (summed[~lit] + bias.mean() < 1e-4).all()


@pytest.mark.parametrize(("network", "layer"), [("cnn4", 2), ("cnn4", 6), ("cnn6", 1), ("cnn7", 4)])
@pytest.mark.parametrize("brightness", ["Channels compared", "Each for itself"])
def test_the_activations_of_a_layer_are_those_of_the_served_network(
    network: str, layer: int, brightness: str
) -> None:
    made = served(network).steps(pixels())[layer - 1]
    sizes = np.abs(made).mean(axis=(0, 1))
    app = opened(network, "Activations", layer=str(layer), brightness=brightness)
    (shown,) = galleries_of(app, "lab-channels")
    order = [int(cell.lines[0]) for cell in shown]
    assert sorted(order) == list(range(made.shape[-1]))
    assert (np.diff(sizes[order]) <= 1e-6).all()
    for cell, channel in zip(shown, order, strict=True):
        values = made[..., channel]
        span = made if brightness == "Channels compared" else values
        if span.max() > min(0, span.min()):
            assert_grey(cell.images[0], greys(values, span))
        if numbers_in(cell.lines[1]):
            assert numbers_in(cell.lines[1])[0] == pytest.approx(sizes[channel], abs=0.0051)


def test_in_order_the_channels_stand_by_their_numbers() -> None:
    app = opened("cnn4", "Activations", layer="3", order_channels="In order")
    (shown,) = galleries_of(app, "lab-channels")
    assert [int(cell.lines[0]) for cell in shown] == list(range(32))


@pytest.mark.parametrize("network", NETWORKS)
def test_all_steps_show_the_most_active_channels_of_this_image(network: str) -> None:
    app = opened(network, "Activations")
    columns = body_with(app, 'class="lab-flow"').split("<header>")[1:]
    steps = served(network).steps(pixels())
    (first,) = images_in(columns[0])
    assert np.array_equal(first, pixels())
    assert len(columns) == len(steps) + 1
    for column, made in zip(columns[1:], steps, strict=True):
        if made.ndim == 3:
            sizes = np.abs(made).mean(axis=(0, 1))
            channels = [int(number) for number in re.findall(r'lab-more">(\d+)<', column)]
            assert sizes[channels].tolist() == sorted(sizes.tolist(), reverse=True)[:4]
            for image, channel in zip(images_in(column), channels, strict=True):
                assert_grey(image, greys(made[..., channel], made[..., channel]))
        elif len(made) == 10:
            rows = rows_in(column)
            assert [row[0] for row in rows] == CLASSES
            shown = [numbers_in(row[1])[0] for row in rows]
            factor = 100 if made is steps[-1] else 1
            np.testing.assert_allclose(shown, factor * made, atol=0.051)


def test_the_sentence_gives_the_class_before_calibration() -> None:
    shares = served("cnn4").shares(pixels()[None])[0]
    best = int(shares.argmax())
    (line,) = [item.value for item in opened("cnn4", "Activations").text if "%" in item.value][:1]
    assert numbers_in(line) == [pytest.approx(100 * shares[best], abs=0.051)]
    words = line.translate(str.maketrans(",.;:", "    ")).split()
    truth = CLASSES[labels_of("test")[IMAGE]]
    assert [word for word in words if word in CLASSES] == [truth, CLASSES[best]]
    assert abs(shares[best] - served("cnn4").calibrated(pixels()[None])[0, best]) > 0.002


# Step by step


def frames_in(app: AppTest) -> list[list[float]]:
    """Returns top, left, width and height of each frame that is drawn, in pixels."""
    styles = re.findall(r'<span style="([^"]*)"></span>', body_with(app, "lab-places"))
    return [numbers_in(style) for style in styles]


def verdict_in(app: AppTest) -> float:
    (number,) = re.findall(r"<strong>([^<]*)</strong>", bodies_with(app, "lab-verdict")[0])
    return numbers_in(number)[0]


def test_a_worked_convolution_shows_window_weights_products_and_their_sum() -> None:
    app = opened("cnn4", "Step by step", layer="1", filter="3", row="9", column="4")
    kernel = 255 * served("cnn4").weights((32, 3, 3, 3))[3]
    window = pixels()[8:11, 3:6].astype(np.float64)
    products = window / 255 * kernel
    _, *lines = body_with(app, 'class="lab-work"').split('class="lab-line"')[1:]
    for channel, line in enumerate(lines):
        tables = np.array([[numbers_in(cell)[0] for cell in row] for row in rows_in(line)])
        expected = [window[..., channel], kernel[..., channel], products[..., channel]]
        np.testing.assert_allclose(tables, np.concatenate(expected), atol=0.0051)
        (total,) = re.findall(r'class="lab-sum">([^<]*)<', line)
        assert numbers_in(total)[0] == pytest.approx(products[..., channel].sum(), abs=6e-4)
    made = served("cnn4").steps(pixels())[0][9, 4, 3]
    assert verdict_in(app) == pytest.approx(made, abs=1e-6)
    sums = [
        numbers_in(text)[0] for text in re.findall(r"<b>([^<]*)</b>", body_with(app, "lab-sumline"))
    ]
    assert sums[:3] == pytest.approx(products.sum(axis=(0, 1)).tolist(), abs=6e-4)
    assert sum(sums[:4]) == pytest.approx(sums[4], abs=2.1e-3)
    assert max(sums[4], 0) == pytest.approx(made, abs=1e-4)
    assert frames_in(app) == [[8 * 8, 3 * 8, 24, 24], [9 * 8, 4 * 8, 8, 8]]


@pytest.mark.parametrize(("network", "layer", "step"), [("cnn6", 2, 1), ("cnn4", 5, 4)])
def test_a_worked_later_convolution_ends_at_the_networks_own_number(
    network: str, layer: int, step: int
) -> None:
    app = opened(network, "Step by step", layer=str(layer), filter="7", row="5", column="6")
    made = served(network).steps(pixels())[step][5, 6, 7]
    assert verdict_in(app) == pytest.approx(made, abs=1e-5)
    sums = re.findall(r"<b>([^<]*)</b>", body_with(app, "lab-sumline"))
    assert numbers_in(sums[-1])[0] == pytest.approx(made, abs=1e-3)


def test_a_worked_pooling_shows_the_square_of_its_own_channel() -> None:
    address = {"work": "Pooling", "layer": "3", "filter": "7", "row": "4", "column": "6"}
    app = opened("cnn4", "Step by step", **address)
    steps = served("cnn4").steps(pixels())
    square = steps[1][8:10, 12:14, 7]
    shown = [[numbers_in(cell)[0] for cell in row] for row in rows_in(body_with(app, "lab-work"))]
    np.testing.assert_allclose(shown, square, atol=5.1e-5)
    assert verdict_in(app) == pytest.approx(square.max(), abs=1e-6)
    assert verdict_in(app) == pytest.approx(steps[2][4, 6, 7], abs=1e-6)


@pytest.mark.parametrize("tempered", [False, True])
def test_the_worked_softmax_shows_logits_powers_and_shares(tempered: bool) -> None:
    app = opened("cnn6", "Step by step", work="Softmax")
    if tempered:
        app.toggle(key="tempered").set_value(True).run()
    logits = served("cnn6").steps(pixels())[-2].astype(np.float64)
    temperature = served("cnn6").temperature if tempered else 1.0
    _, *rows, total = rows_in(body_with(app, "lab-softmax"))
    assert [row[0] for row in rows] == CLASSES
    columns = np.array([[numbers_in(cell)[0] for cell in row[1:] if cell] for row in rows]).T
    scaled = [logits / temperature] if tempered else []
    powers = np.exp(logits / temperature)
    expected = [logits, *scaled, powers, 100 * softmax(logits / temperature)]
    for shown, values in zip(columns, expected, strict=True):
        np.testing.assert_allclose(shown, values, atol=0.0055, rtol=1e-4)
    assert numbers_in(total[-3])[0] == pytest.approx(powers.sum(), rel=1e-4)


def test_an_own_image_is_looked_at_as_the_network_reads_it() -> None:
    brought = np.asarray(images_of("test")[[3, 8]].repeat(2, axis=1).repeat(2, axis=2))
    wide = np.concatenate(list(brought), axis=1)
    buffer = io.BytesIO()
    Image.fromarray(wide).save(buffer, "PNG")
    app = opened("cnn6", "Activations", layer="1", from_="Your picture")
    app.file_uploader[0].upload("a.png", buffer.getvalue(), "image/png").run()
    assert not app.exception
    small = fitted(wide, "squash")
    (seen,) = images_in(bodies_with(app, "lab-squares")[0])
    assert np.array_equal(seen, small)
    made = served("cnn6").steps(small)[0]
    (shown,) = galleries_of(app, "lab-channels")
    for cell in shown[:8]:
        assert_grey(cell.images[0], greys(made[..., int(cell.lines[0])], made))
