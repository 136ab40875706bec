from __future__ import annotations

import base64
import io
from xml.etree import ElementTree as ET

import numpy as np
from PIL import Image, ImageColor

from cifar_core.charts.network import network_svg
from cifar_core.charts.theme import DARK, LIGHT
from cifar_core.networks.description import load_description
from cifar_core.ui.kit.svg_figures import GAP, SCALE, Row, Tile, figure_svg, to_png

RANDOM = np.random.default_rng(3)
TILES = [
    Tile(RANDOM.integers(0, 256, (4, 4, 3), dtype=np.uint8), (name, "x"))
    for name in ("cat", "Käfer")
]
SVG = "{http://www.w3.org/2000/svg}"


def painted(svg: str) -> np.ndarray:
    with Image.open(io.BytesIO(to_png(svg))) as image:
        assert image.mode == "RGB"  # opaque
        return np.asarray(image)


def test_a_pixel_is_a_square_in_the_png() -> None:
    svg = figure_svg([Row(TILES)], title="T", side=10, columns=2)
    image = ET.fromstring(svg).find(f"{SVG}image")
    assert image is not None
    x, y = (round(SCALE * float(image.attrib[name])) for name in ("x", "y"))
    factor = SCALE * 2  # the largest whole factor for 4 pixels in 10
    shown = painted(svg)[y : y + 4 * factor, x : x + 4 * factor]
    assert np.array_equal(shown, TILES[0].image.repeat(factor, 0).repeat(factor, 1))


def test_tiles_go_on_in_the_next_line() -> None:
    one = ET.fromstring(figure_svg([Row(TILES)], title="T", side=8, columns=1))
    rows = [float(image.attrib["y"]) for image in one.iter(f"{SVG}image")]
    assert rows[1] > rows[0]
    two = ET.fromstring(figure_svg([Row(TILES)], title="T", side=8, columns=2))
    columns = [float(image.attrib["x"]) for image in two.iter(f"{SVG}image")]
    assert columns == [GAP, 8 + 2 * GAP]


def test_the_svg_holds_the_pixels_and_the_labels() -> None:
    root = ET.fromstring(figure_svg([Row(TILES, "Heading")], title="T", side=8, columns=2))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts == ["T", "Heading", "cat", "x", "Käfer", "x"]
    data = [image.attrib["href"].partition(",")[2] for image in root.iter(f"{SVG}image")]
    for tile, source in zip(TILES, data, strict=True):
        with Image.open(io.BytesIO(base64.b64decode(source))) as image:
            assert np.array_equal(np.asarray(image), tile.image)


def test_a_figure_keeps_the_ground_of_its_mode() -> None:
    for dark, colours in ((False, LIGHT), (True, DARK)):
        corner = painted(figure_svg([Row(TILES)], title="T", side=8, columns=2, dark=dark))[0, 0]
        assert tuple(corner) == ImageColor.getrgb(colours.background)


def test_a_network_keeps_the_ground_of_its_mode() -> None:
    for dark, colours in ((False, LIGHT), (True, DARK)):
        svg = network_svg(load_description("cnn6"), dark=dark, is_opaque=True)
        assert tuple(painted(svg)[0, 0]) == ImageColor.getrgb(colours.background)


def test_a_network_is_painted_in_its_colour() -> None:
    for network in ("cnn4", "cnn6", "cnn7"):
        colours = painted(network_svg(load_description(network), is_opaque=True)).reshape(-1, 3)
        wanted = ImageColor.getrgb(LIGHT.networks[network])
        assert (colours == wanted).all(axis=1).sum() > 500


def test_a_title_that_xml_cannot_hold_is_drawn_without_its_signs() -> None:
    svg = figure_svg([Row(TILES)], title="a\x00\x1b<b>\ud800", side=8, columns=2)
    title = ET.fromstring(svg).find(f"{SVG}text")
    assert title is not None
    assert title.text == "a<b>"
    assert to_png(svg)


def test_the_title_and_headings_are_bold_and_the_words_below_images_regular() -> None:
    root = ET.fromstring(figure_svg([Row(TILES, "Heading")], title="T", side=8, columns=2))
    weights = [text.attrib["font-weight"] for text in root.iter(f"{SVG}text")]
    assert weights == ["600", "600", "400", "400", "400", "400"]
