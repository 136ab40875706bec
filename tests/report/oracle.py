"""A report as a reader's browser has it: its sections, tables, lists, galleries and charts."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.pages.shown import decoded

VOID = frozenset({"meta", "img", "br", "link", "hr", "input"})


@dataclass(frozen=True)
class Example:
    """An image of a gallery: its pixels, both classes, the confidence in percent, ``alt``."""

    pixels: NDArray[np.uint8]
    true: str
    predicted: str
    confidence: str
    alt: str


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tree = TreeBuilder()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tree.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self.tree.end(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tree.start(tag, {name: value or "" for name, value in attrs})
        self.tree.end(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.tree.end(tag)

    def handle_data(self, data: str) -> None:
        self.tree.data(data)


def text_of(element: Element) -> str:
    """Returns all text of an element, spaces as a browser shows them."""
    return " ".join("".join(element.itertext()).split())


def rows_of(table: Element) -> list[list[str]]:
    """Returns the texts of a table, its heads first."""
    return [[text_of(cell) for cell in row] for row in table.iter("tr")]


def examples_of(gallery: Element) -> list[Example]:
    """Returns what a gallery of predictions shows, in its order."""
    found = []
    for item in gallery.findall("li"):
        (image,), (true, predicted, sure) = item.findall("img"), map(text_of, item.findall("span"))
        coded = image.attrib["src"].split("base64,", 1)[1]
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(coded))))
        found.append(Example(pixels, true, predicted.split()[-1], sure, image.attrib["alt"]))
    return found


class Page:
    """A report, parsed."""

    def __init__(self, content: bytes) -> None:
        parser = _Parser()
        parser.feed(content.decode("utf-8"))
        self.root = parser.tree.close()
        (data,) = [one for one in self.root.iter("script") if one.get("id") == "figures"]
        self.figures: dict[str, Any] = decoded(json.loads(data.text or ""))

    def section(self, name: str) -> Element:
        """Returns a section of the document."""
        (found,) = [one for one in self.root.iter("section") if one.get("id") == name]
        return found

    def table(self, name: str, place: int = 0) -> dict[str, dict[str, str]]:
        """Returns a section's table: the row named by its first cell, by the head of a column."""
        head, *rows = rows_of(list(self.section(name).iter("table"))[place])
        return {row[0]: dict(zip(head, row, strict=True)) for row in rows}

    def sentences(self, name: str) -> list[str]:
        """Returns the items of a section's plain lists."""
        return items_of(self.section(name))

    def of_runs(self) -> dict[str, list[Element]]:
        """Returns the parts of the section of mistakes by the heading of each run."""
        found: dict[str, list[Element]] = {}
        name = ""
        for element in self.section("mistakes"):
            if element.tag == "h3":
                name = text_of(element)
                found[name] = []
            elif name:
                found[name].append(element)
        return found

    def slides(self) -> list[Element]:
        """Returns the slides, in order."""
        return [one for one in self.root.iter("section") if "slide" in one.get("class", "").split()]


def items_of(element: Element) -> list[str]:
    """Returns the items of an element's plain lists."""
    lists = [one for one in element.iter("ul") if one.get("class") is None]
    return [text_of(item) for one in lists for item in one.findall("li")]


def charts_in(element: Element) -> list[str]:
    """Returns the names of the charts that an element shows."""
    return [one.attrib["data-figure"] for one in element.iter("div") if "data-figure" in one.attrib]


def galleries_in(element: Element) -> list[list[Example]]:
    """Returns the galleries of predictions in an element."""
    lists = [one for one in element.iter("ul") if one.get("class") == "gallery"]
    return [examples_of(one) for one in lists if len(one[0].findall("span")) == 3]
