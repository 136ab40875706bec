from __future__ import annotations

import re
import tomllib
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from cifar_core.charts.theme import DARK, LIGHT, Palette
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.kit.theme import favicon, logo_svg, stylesheet

UI = PROJECT_DIR / "cifar_core/ui"


def theme() -> dict[str, Any]:
    settings = tomllib.loads((PROJECT_DIR / ".streamlit/config.toml").read_text(encoding="utf-8"))
    section: dict[str, Any] = settings["theme"]
    return section


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("mode", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_page_and_charts_share_background_ink_and_network_colours(
    mode: str, palette: Palette
) -> None:
    look = theme()[mode]
    assert look["backgroundColor"] == palette.background
    assert look["textColor"] == palette.ink
    assert look["chartCategoricalColors"] == [*palette.networks.values(), palette.published]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_and_buttons_are_easy_to_read(mode: str) -> None:
    look = theme()[mode]
    names = ("backgroundColor", "secondaryBackgroundColor")
    grounds = [look["sidebar"]["backgroundColor"], *(look[name] for name in names)]
    assert min(contrast(look["textColor"], ground) for ground in grounds) >= 7
    assert contrast(look["linkColor"], look["backgroundColor"]) >= 4.5
    assert contrast("#ffffff", look["primaryColor"]) >= 4.5
    assert contrast(look["primaryColor"], look["backgroundColor"]) >= 3


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_accent_is_no_colour_that_carries_meaning(mode: str) -> None:
    palette = {"light": LIGHT, "dark": DARK}[mode]
    taken = {*palette.networks.values(), palette.right, palette.wrong, palette.published}
    assert theme()[mode]["primaryColor"] not in taken


def test_no_font_is_fetched() -> None:
    assert "url" not in repr(theme())
    assert "http" not in repr(theme())


def test_no_element_of_a_page_brings_rules_of_its_own() -> None:
    assert [path.name for path in UI.rglob("*.py") if "<style>" in path.read_text("utf-8")] == [
        "theme.py"
    ]


def test_every_rule_of_the_stylesheet_is_for_something_that_a_page_draws() -> None:
    rules = re.sub(r"/\*.*?\*/", "", stylesheet(), flags=re.DOTALL)
    drawn = "".join(path.read_text("utf-8") for path in UI.rglob("*.py"))
    named = set(re.findall(r"\.(lab-[a-z]+)", rules)) | set(re.findall(r"\.st-key-(\w+)", rules))
    assert len(named) > 40
    made_up = {"lab-right", "lab-wrong"}  # by a prediction: f"lab-{kind}"
    assert {name for name in named - made_up if name not in drawn} == set()
    used = set(re.findall(r"var\((--[a-z-]+)\)", rules)) - {"--side"}
    assert used == set(re.findall(r"(--[a-z-]+):", rules))


def test_the_marks_are_whole_pictures() -> None:
    assert ET.fromstring(logo_svg()).tag.endswith("svg")
    assert favicon().size == (64, 64)
