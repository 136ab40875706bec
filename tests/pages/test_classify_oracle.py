"""Classify against the shipped files asked directly: probabilities, inputs, models, verdicts."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Literal

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
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
    images_in,
    images_of,
    labels_of,
    numbers_in,
    served,
    tempered,
    texts_in,
)
from tests.pages.shown import Downloads, charts_of, open_page, tables_of

pytestmark = pytest.mark.data


@pytest.fixture(autouse=True)
def _shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(MODELS))


def charts_by_model(app: AppTest) -> dict[str, dict[str, Any]]:
    return {key.rsplit("_", 1)[1]: figure for key, figure in charts_of(app).items()}


def assert_answers(app: AppTest, expected: dict[str, Numbers]) -> None:
    """Checks bars and table: each model's ten probabilities under its own name."""
    charts = charts_by_model(app)
    assert list(charts) == list(expected)
    table = tables_of(app)["table 0"]
    assert list(table.index) == CLASSES
    assert list(table.columns) == [NETWORKS[network] for network in expected]
    for network, shares in expected.items():
        assert NETWORKS[network] in charts[network]["layout"]["title"]["text"]
        bars = bars_of(charts[network])
        drawn = [bars[name] for name in CLASSES]
        np.testing.assert_allclose(drawn, 100 * shares, atol=0.02)
        np.testing.assert_allclose(table[NETWORKS[network]], shares, atol=2e-4)


@pytest.mark.parametrize("fit", ["squash", "crop"])
def test_each_model_answers_calibrated_on_the_image_as_it_is_fitted(
    fit: Literal["squash", "crop"],
) -> None:
    seen = {one: fitted(wide(), one) for one in ("squash", "crop")}
    app = uploaded(wide())
    if fit == "crop":
        chosen(app, "fit", "crop")
    assert_answers(app, calibrated(seen[fit]))
    other = calibrated(seen["crop" if fit == "squash" else "squash"])
    for network, shares in calibrated(seen[fit]).items():
        raw = served(network).shares(seen[fit][None])[0]
        assert np.abs(shares - raw).max() > 0.02  # a temperature left out is seen,
        assert np.abs(shares - other[network]).max() > 0.02  # and a fit


@pytest.mark.parametrize("fit", ["squash", "crop"])
def test_the_image_beside_is_what_the_networks_read(fit: Literal["squash", "crop"]) -> None:
    app = uploaded(wide())
    if fit == "crop":
        chosen(app, "fit", "crop")
    original, seen = images_in(body_with(app, "lab-pair"))
    assert original.shape == (64, 192, 3)
    assert np.abs(original.astype(float) - wide()).mean() < 8  # a JPEG
    assert np.array_equal(seen, fitted(wide(), fit).repeat(6, axis=0).repeat(6, axis=1))


def test_flip_averaging_is_the_mean_of_both_softmax_outputs_before_the_temperature() -> None:
    app = uploaded(wide())
    app.toggle(key="mirror").set_value(True).run()
    pixels = fitted(wide(), "squash")
    expected = {}
    for network in ASKED:
        both = served(network).shares(np.stack([pixels, pixels[:, ::-1]]))
        expected[network] = tempered(both.mean(axis=0), served(network).temperature)
        assert np.abs(expected[network] - calibrated(pixels)[network]).max() > 1e-3
    assert_answers(app, expected)


def test_the_saved_probabilities_are_those_of_each_model(downloads: Downloads) -> None:
    uploaded(wide())
    (key,) = [key for key in downloads.names if key.startswith("csv_")]
    saved = csv_of(downloads.by_key(key))
    assert list(saved.iloc[:, 0]) == CLASSES
    for network, shares in calibrated(fitted(wide(), "squash")).items():
        np.testing.assert_allclose(saved[NETWORKS[network]], shares, atol=2e-4)


def test_one_model_alone_draws_its_likeliest_class_first() -> None:
    app = uploaded(wide(), run="cnn6")
    (figure,) = charts_of(app).values()
    shares = calibrated(fitted(wide(), "squash"))["cnn6"]
    assert list(bars_of(figure)) == [CLASSES[label] for label in np.argsort(-shares)]
    assert figure["layout"]["yaxis"]["autorange"] == "reversed"


def test_a_test_image_is_asked_about_untouched_and_its_class_is_told() -> None:
    app = open_page("classify", from_="A test picture", picture="25")
    pixels = images_of("test")[25]
    (seen,) = images_in(body_with(app, "lab-pair"))
    assert np.array_equal(seen, pixels.repeat(6, axis=0).repeat(6, axis=1))
    assert_answers(app, calibrated(pixels))
    truth = texts_in(body_with(app, "lab-answer"))
    assert truth[1] == CLASSES[labels_of("test")[25]]


def test_the_sentence_of_each_model_names_its_two_likeliest_classes() -> None:
    app = uploaded(wide())
    lines = texts_in(body_with(app, "lab-answer"))
    for network, shares in calibrated(fitted(wide(), "squash")).items():
        (line,) = [one for one in lines if one.startswith(f"{NETWORKS[network]} ")]
        first, second = np.argsort(-shares)[:2]
        figures = numbers_in(line.removeprefix(NETWORKS[network]))
        assert figures == pytest.approx([100 * shares[first], 100 * shares[second]], abs=0.06)
        words = line.translate(str.maketrans(",.:;", "    ")).split()
        assert [word for word in words if word in CLASSES] == [CLASSES[first], CLASSES[second]]


# None of the ten


def strangeness(network: str, pixels: Pixels) -> tuple[float, dict[str, Any]]:
    """Returns the score of an image as docs/classify.md defines it, and the stored arrays."""
    steps = served(network).steps(pixels)
    # What each convolution gives, behind its activation: before the next convolution.
    maps = {
        "cnn4": [0, 1, 3, 4],
        "cnn6": [0, 1, 3, 4, 6, 7],
        "cnn7": [1, 6, 8, 13, 15, 20, 22],
    }[network]
    means = np.concatenate([steps[place].mean(axis=(0, 1)) for place in maps])
    flat = [step for step in steps if step.ndim == 1]
    features, logits = flat[-3], flat[-2]
    with np.load(MODELS / network / "novelty.npz", allow_pickle=False) as stored:
        kept = {name: stored[name].astype(np.float64) for name in stored}
    outer = (np.log(np.maximum(means, 0) + 0.05) - kept["channel_mean"]) @ kept[
        "channel_directions"
    ]
    inner = (features - kept["feature_mean"]) @ kept["feature_directions"]
    turned, centres = inner @ kept["within"], kept["class_means"] @ kept["within"]
    signs = np.array(
        [
            -logsumexp(logits.astype(np.float64)),
            cdist(turned[None], centres, "sqeuclidean").min() - inner @ inner,
            np.log(outer @ outer),
        ]
    )
    return float(((signs - kept["centres"]) / kept["scales"]) @ [1, 0.5, 1]), kept


@pytest.mark.parametrize("kind", ["test image", "noise"])
def test_none_of_the_ten_is_told_by_each_models_own_threshold(kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    pixels = np.asarray(images_of("test")[25]) if kind == "test image" else noise
    app = uploaded(pixels)
    paragraphs = body_with(app, "lab-answer").split("<p ")
    verdicts = [p for p in paragraphs if "lab-foreign" in p or "lab-origin" in p][::2]
    assert len(verdicts) == len(ASKED)
    for network, shown in zip(ASKED, verdicts, strict=True):
        score, kept = strangeness(network, pixels)
        is_foreign = score > float(kept["threshold"])
        assert ("lab-foreign" in shown) == is_foreign == (kind == "noise")
        share = float(np.interp(score, kept["quantiles"], np.linspace(0, 1, 101)))
        figures = numbers_in(" ".join(texts_in(f"<p {shown}")))
        expected = [] if share in (0, 1) else [pytest.approx(100 * share, abs=1.01)]
        if is_foreign:
            expected.append(pytest.approx(100 * float(kept["false_alarm_rate"]), abs=0.051))
        assert figures == expected


def test_feedback_keeps_the_probabilities_that_were_shown(downloads: Downloads) -> None:
    app = uploaded(wide())
    (asked,) = [item.key for item in app.get("button_group") if str(item.key).startswith("right_")]
    chosen(app, str(asked), "No")
    app.checkbox[0].check().run()
    (keep,) = [item for item in app.button if str(item.key).startswith("keep_")]
    keep.click().run()
    assert not app.exception
    (said,) = json.loads(downloads.by_key("feedback_json"))
    assert said["sha256"] == hashlib.sha256(png(wide())).hexdigest()
    assert (said["was_right"], said["fit"]) == (False, "squash")
    for network, shares in calibrated(fitted(wide(), "squash")).items():
        kept = [said["answers"][network][name] for name in CLASSES]
        np.testing.assert_allclose(kept, shares, atol=2e-4)
    row = csv_of(downloads.by_key("feedback_csv")).iloc[0]
    for network, shares in calibrated(fitted(wide(), "squash")).items():
        assert row[network] == CLASSES[int(shares.argmax())]


@pytest.mark.parametrize(("seed", "apart"), [(1, True), (8, False)])
def test_models_that_disagree_are_named_with_their_own_class(seed: int, apart: bool) -> None:
    expected = calibrated(fitted(wide(seed), "squash"))
    seen = {network: CLASSES[int(shares.argmax())] for network, shares in expected.items()}
    notes = re.findall(r'role="note">([^<]*)<', body_with(uploaded(wide(seed)), "lab-answer"))
    assert bool(notes) == apart == (len(set(seen.values())) > 1)
    if apart:
        words = notes[0].translate(str.maketrans(",.:;", "    ")).split()
        assert [word for word in words if word in CLASSES] == list(seen.values())
        titles = [NETWORKS[network] for network in ASKED]
        assert [word for word in words if word in titles] == titles
