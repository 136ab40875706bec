"""“Look closer” and many images on Classify against the shipped files asked directly."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from streamlit.testing.v1 import AppTest

from tests.pages.classify_page import ASKED, calibrated, chosen, png, uploaded, wide
from tests.pages.oracle_images import (
    CLASSES,
    MODELS,
    NETWORKS,
    Numbers,
    Pixels,
    bars_of,
    body_with,
    csv_of,
    fitted,
    galleries_of,
    images_in,
    images_of,
    labels_of,
    numbers_in,
    sample_of,
    served,
)
from tests.pages.shown import Downloads, charts_of, tables_of

pytestmark = pytest.mark.data


@pytest.fixture(autouse=True)
def _shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(MODELS))


def closer(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Asks for the closer look, with the sample as the dataset: it starts no process."""
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "none"))
    (toggle,) = [item for item in app.toggle if str(item.key).startswith("closer_")]
    toggle.set_value(True).run()
    assert not app.exception
    return app


def falls(network: str, pixels: Pixels) -> tuple[int, Numbers]:
    """Returns the class that is named and by how much it falls where each pixel is covered."""
    whole = served(network).calibrated(pixels[None])[0]
    label = int(whole.argmax())
    colour = np.rint(pixels.mean(axis=(0, 1))).astype(np.uint8)
    total, times = np.zeros((32, 32)), np.zeros((32, 32))
    for top in range(0, 25, 3):
        for left in range(0, 25, 3):
            covered = pixels.copy()
            covered[top : top + 8, left : left + 8] = colour
            share = served(network).calibrated(covered[None])[0, label]
            total[top : top + 8, left : left + 8] += whole[label] - share
            times[top : top + 8, left : left + 8] += 1
    return label, total / times


@pytest.mark.parametrize(("fit", "network"), [("squash", "cnn4"), ("crop", "cnn6")])
def test_the_explanation_is_the_occlusion_of_what_the_network_reads(
    fit: Literal["squash", "crop"], network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = uploaded(wide(20), run=network)
    if fit == "crop":
        chosen(app, "fit", "crop")
    pixels = fitted(wide(20), fit)
    shown = body_with(closer(app, tmp_path, monkeypatch), 'class="lab-map"')
    label, drops = falls(network, pixels)
    assert drops.max() > 0.05
    share = 0.8 * np.clip(drops / drops.max(), 0, 1)[..., None]
    grey = 0.6 * pixels.mean(axis=2, keepdims=True)
    expected = (1 - share) * grey + share * np.array([255, 140, 0])
    (image,) = images_in(shown)
    assert np.abs(image[3::6, 3::6] - expected).max() < 2
    assert f"“{CLASSES[label]}”" in shown


def changed(pixels: Pixels) -> list[Pixels]:
    """Returns the eight small changes in the order of the page."""
    lighter = np.clip(np.rint(pixels * 1.2), 0, 255).astype(np.uint8)
    darker = np.rint(pixels * 0.8).astype(np.uint8)
    blurred = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.7)))
    line = np.arange(32)
    before, after = np.clip(line - 2, 0, 31), np.clip(line + 2, 0, 31)
    moved = [pixels[:, after], pixels[:, before], pixels[after], pixels[before]]
    return [lighter, darker, blurred, *moved, pixels[:, ::-1]]


def test_every_small_change_is_answered_by_its_own_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["cnn4", "cnn6"]
    app = uploaded(wide(4))
    app.multiselect(key="models").set_value(asked).run()
    app = closer(app, tmp_path, monkeypatch)
    pixels = fitted(wide(4), "squash")
    tables = [table for table in tables_of(app).values() if len(table) == 8]
    assert len(tables) == len(asked)
    kept = []
    for network, table in zip(asked, tables, strict=True):
        before = int(calibrated(pixels)[network].argmax())
        answers = served(network).calibrated(np.stack(changed(pixels)))
        for text, shares in zip(table.iloc[:, 1], answers, strict=True):
            label = int(shares.argmax())
            assert CLASSES[label] in text
            assert numbers_in(text)[-1] == pytest.approx(100 * shares[label], abs=0.06)
            assert ("✓" in text) == (label == before)
            kept.append(label == before)
    assert 0 < sum(kept) < len(kept)


def test_the_nearest_training_images_are_those_of_the_models_own_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = uploaded(wide(8), run="cnn4")
    shown = galleries_of(closer(app, tmp_path, monkeypatch))[-1]
    indices = sample_of("train")
    features = np.array([served("cnn4").steps(images_of("train")[index])[-3] for index in indices])
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    own = served("cnn4").steps(fitted(wide(8), "squash"))[-3]
    alike = features @ (own / np.linalg.norm(own))
    best = np.sort(alike)[::-1][: len(shown)]
    known = {images_of("train")[index].tobytes(): place for place, index in enumerate(indices)}
    for cell, cosine in zip(shown, best, strict=True):
        place = known[np.ascontiguousarray(cell.images[0]).tobytes()]
        assert alike[place] == pytest.approx(cosine, abs=0.01)  # features are kept in 8 bits
        assert cell.lines[0] == CLASSES[labels_of("train")[indices[place]]]
        assert numbers_in(cell.lines[1]) == [pytest.approx(100 * alike[place], abs=1.5)]


# Many images


SEEDS = (0, 1, 4, 6, 8, 13, 20, 25)


def expected_answers(fit: Literal["squash", "crop"]) -> dict[str, Numbers]:
    seen = np.stack([fitted(wide(seed), fit) for seed in SEEDS])
    return {network: served(network).calibrated(seen) for network in ASKED}


def named(shares: Numbers) -> list[str]:
    return [CLASSES[label] for label in shares.argmax(axis=1)]


@pytest.mark.parametrize("fit", ["squash", "crop"])
def test_the_table_of_many_images_has_each_models_own_predictions(
    fit: Literal["squash", "crop"],
) -> None:
    app = uploaded(*map(wide, SEEDS))
    if fit == "crop":
        chosen(app, "fit", "crop")
    (table,) = tables_of(app).values()
    assert list(table["File"]) == [f"{place}.png" for place in range(len(SEEDS))]
    answers = expected_answers(fit)
    assert len({tuple(named(shares)) for shares in answers.values()}) == len(ASKED)
    for network, shares in answers.items():
        title = NETWORKS[network]
        assert list(table[title]) == named(shares)
        sure = table[f"{title}, how sure"]
        assert sure.dtype == np.float64  # so the column sorts as numbers
        np.testing.assert_allclose(sure, shares.max(axis=1), atol=2e-4)
    agree = [len({named(shares)[row] for shares in answers.values()}) == 1 for row in range(8)]
    assert [text == "agree" for text in table["Models"]] == agree
    for seed, source in zip(SEEDS, table.iloc[:, 0], strict=True):
        (thumbnail,) = images_in(f'src="{source}"')
        assert np.array_equal(thumbnail[::2, ::2], fitted(wide(seed), fit))


def test_the_csv_of_many_images_has_each_models_own_columns(downloads: Downloads) -> None:
    uploaded(*map(wide, SEEDS))
    (key,) = [key for key in downloads.names if key.startswith("many_csv_")]
    saved = csv_of(downloads.by_key(key))
    assert list(saved["SHA-256"]) == [hashlib.sha256(png(wide(seed))).hexdigest() for seed in SEEDS]
    for network, shares in expected_answers("squash").items():
        title = NETWORKS[network]
        kept = saved[[f"{title}: {name}" for name in CLASSES]].to_numpy(float)
        np.testing.assert_allclose(kept, shares, atol=2e-4)
        assert list(saved[title]) == named(shares)
        best: NDArray[np.float64] = saved[f"{title}, how sure"].to_numpy(float)
        np.testing.assert_allclose(best, shares.max(axis=1), atol=2e-4)


def test_the_row_that_is_chosen_of_many_is_the_one_answered_in_full() -> None:
    app = uploaded(*map(wide, SEEDS))
    app.selectbox[0].set_value(5).run()
    assert not app.exception
    charts = {key.rsplit("_", 1)[1]: figure for key, figure in charts_of(app).items()}
    for network, shares in calibrated(fitted(wide(SEEDS[5]), "squash")).items():
        bars = bars_of(charts[network])
        np.testing.assert_allclose([bars[name] for name in CLASSES], 100 * shares, atol=0.02)
