from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cifar_core.ui.kit.images import MOST_PICTURES, enlarge, gallery_html, image_html


def random_pictures(number: int) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (number, 32, 32, 3), dtype=np.uint8)


class Tags(HTMLParser):
    """The tags and the text a browser would see."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("factor", [1, 3, 8])
def test_an_enlarged_picture_repeats_each_pixel_exactly(factor: int) -> None:
    picture = random_pictures(1)[0]
    large = np.asarray(Image.open(io.BytesIO(enlarge(picture, factor))))
    assert large.shape == (32 * factor, 32 * factor, 3)
    for y in range(factor):
        for x in range(factor):
            assert np.array_equal(large[y::factor, x::factor], picture)


@pytest.mark.parametrize("kind", ["png", "svg+xml"])
def test_an_image_element_carries_its_file_and_its_text_unread(kind: str) -> None:
    element = image_html(b"\x00<file>", 'a "<b>" & c', kind=kind, class_="lab-map", width=7)
    ((tag, attributes),) = Tags(element).tags
    head, coded = str(attributes.pop("src")).split(",")
    assert (tag, head) == ("img", f"data:image/{kind};base64")
    assert base64.b64decode(coded) == b"\x00<file>"
    assert attributes == {"class": "lab-map", "width": "7", "alt": 'a "<b>" & c'}


def test_a_gallery_carries_the_pixels_unchanged() -> None:
    pictures = random_pictures(2)
    sources = re.findall(r"base64,([^\"]+)", gallery_html(pictures))
    decoded = [np.asarray(Image.open(io.BytesIO(base64.b64decode(one)))) for one in sources]
    assert np.array_equal(np.stack(decoded), pictures)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onload='alert(1)",
        "&lt;b&gt;",
        "</div></div><style>*{display:none}</style>",
    ],
)
def test_texts_below_a_picture_stay_text(hostile: str) -> None:
    document = gallery_html(
        random_pictures(1), [hostile], truths=[hostile], predictions=[hostile + "!"]
    )
    seen = Tags(document)
    assert {tag for tag, _ in seen.tags} == {"div", "img", "span"}
    assert not [name for _, attributes in seen.tags for name in attributes if name[:2] == "on"]
    assert hostile in seen.text


def test_right_and_wrong_are_told_by_a_sign_and_in_the_alternative_text() -> None:
    document = gallery_html(random_pictures(2), truths=["cat", "cat"], predictions=["cat", "dog"])
    seen = Tags(document)
    assert "✓ cat" in seen.text
    assert "✗ dog" in seen.text
    alternatives = [attributes["alt"] for tag, attributes in seen.tags if tag == "img"]
    assert alternatives == ["cat, recognised", "cat, taken for dog"]


def test_the_truth_stands_before_the_prediction() -> None:
    text = Tags(gallery_html(random_pictures(1), truths=["cat"], predictions=["dog"])).text
    assert text.index("cat") < text.index("✗ dog")


def test_a_gallery_stops_at_its_limit() -> None:
    document = gallery_html(random_pictures(MOST_PICTURES + 5))
    assert document.count("<img") == MOST_PICTURES


def test_a_hundred_pictures_stay_under_half_a_megabyte() -> None:
    assert len(gallery_html(random_pictures(100))) < 500_000
