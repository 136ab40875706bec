"""How the oracles of Classify bring images to the page and read what the models say."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.pages.oracle_images import Numbers, Pixels, images_of, served
from tests.pages.shown import open_page

ASKED = ["cnn7", "cnn4", "cnn6"]
"""In the order of the page: the reference first."""


def wide(seed: int = 0) -> Pixels:
    """Returns three test images beside each other, (64, 192, 3): its middle is another image."""
    three = images_of("test")[[seed, seed + 5, seed + 25]]
    return np.asarray(np.concatenate(three.repeat(2, axis=1).repeat(2, axis=2), axis=1), np.uint8)


def png(pixels: Pixels) -> bytes:
    """Returns an image as the bytes of a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def uploaded(*images: Pixels, **address: str) -> AppTest:
    """Returns the page with images brought to it, called 0.png, 1.png …"""
    app = open_page("classify", **address)
    files = [(f"{n}.png", png(pixels), "image/png") for n, pixels in enumerate(images)]
    app.file_uploader(key="uploads").set_value(files).run()
    assert not app.exception
    return app


def chosen(app: AppTest, key: str, value: str) -> AppTest:
    """Presses a segment of a control."""
    (widget,) = [item for item in app.segmented_control if item.key == key]
    widget.set_value(value).run()
    assert not app.exception
    return app


def calibrated(pixels: Pixels) -> dict[str, Numbers]:
    """Returns what each shipped model says of one image (32, 32, 3): ten probabilities."""
    return {network: served(network).calibrated(pixels[None])[0] for network in ASKED}
