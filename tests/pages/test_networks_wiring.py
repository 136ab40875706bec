"""Networks and Classify, part by part: what a step of ten numbers shows, whose numbers they are."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from scipy.special import softmax
from streamlit.testing.v1 import AppTest

from tests.pages.classify_page import ASKED, uploaded
from tests.pages.oracle_images import (
    CLASSES,
    MODELS,
    NETWORKS,
    Numbers,
    bodies_with,
    body_with,
    images_of,
    served,
)
from tests.pages.shown import open_page

IMAGE = 25
BAR = re.compile(r'<th scope="row">(\w+)</th><td>([^<]*)</td>')


@pytest.fixture(autouse=True)
def _shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(MODELS))


def opened(part: str, **address: str) -> AppTest:
    name = NETWORKS["cnn4"]
    return open_page("networks", network=name, part=part, picture=str(IMAGE), **address)


def bars(layer: str) -> Numbers:
    """Returns the ten numbers that stand beside the bars of a step of CNN-4."""
    found = BAR.findall(body_with(opened("Activations", layer=layer), "lab-bars"))
    assert [name for name, _ in found] == CLASSES
    return np.array([float(n.replace("\N{MINUS SIGN}", "-").strip(" %\xa0")) for _, n in found])


@pytest.mark.data
def test_the_softmax_shows_the_probability_of_each_class() -> None:
    shares = served("cnn4").shares(images_of("test")[IMAGE][None])[0]
    np.testing.assert_allclose(bars("10"), 100 * shares, atol=0.06)


@pytest.mark.data
def test_the_step_before_the_softmax_shows_the_score_of_each_class() -> None:
    shares = served("cnn4").shares(images_of("test")[IMAGE][None])[0]
    scores = bars("9")
    assert scores.min() < 0
    np.testing.assert_allclose(softmax(scores), shares, atol=0.01)


@pytest.mark.data
@pytest.mark.parametrize(
    ("work", "layer", "what", "figures"),
    [("Pooling", "3", "channel", 3), ("Convolution", "1", "filter", 2)],
)
def test_a_worked_place_names_the_channel_or_filter_it_is_in(
    work: str, layer: str, what: str, figures: int
) -> None:
    place = {"filter": "5", "row": "2", "column": "7"}
    shown = body_with(opened("Step by step", work=work, layer=layer, **place), "lab-places")
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", shown)
    assert len(captions) == figures
    assert f"{what} 5 " in captions[-1]
    assert re.findall(r"\d+", captions[-1]) == ["5", "2", "7"]


def test_the_origin_of_the_predictions_names_the_epoch_of_each_model() -> None:
    epochs = [
        str(json.loads((MODELS / name / "status.json").read_text(encoding="utf-8"))["epoch"])
        for name in ASKED
    ]
    noise = np.random.default_rng(3).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    origin = bodies_with(uploaded(noise), '<p class="lab-origin"')[-1]
    assert re.findall(r"epoch (\w+)", origin) == epochs
