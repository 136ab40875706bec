from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cifar_core import recipes
from cifar_core.dataset import CIFAR10, DATASETS
from cifar_core.errors import RecipeError
from cifar_core.named_recipes import DEFAULT_RECIPE, NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.recipes import Recipe, from_json, recipe
from cifar_core.runs import forecast
from cifar_core.settings import PROJECT_DIR

HINTS = typing.get_type_hints(Recipe)
NUMERIC = [name for name, kind in HINTS.items() if kind in (int, float)]
CHOICES = ["schedule", "flips", "initialisation", "monitored_split", "precision"]
WHOLE = [name for name, kind in HINTS.items() if kind is int]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", NAMED_RECIPES)
def test_every_named_recipe_works_for_every_network(name: str, network: str) -> None:
    assert recipe(name, network).network == network


@pytest.mark.parametrize("name", NAMED_RECIPES)
def test_a_recipe_survives_json(name: str) -> None:
    original = recipe(name, "cnn4", seed=7)
    assert from_json(json.loads(json.dumps(original.to_json()))) == original


@pytest.mark.parametrize(
    "path",
    sorted(PROJECT_DIR.glob("models/*/recipe.json")),
    ids=lambda path: path.parent.name,
)
def test_a_recipe_written_before_datasets_had_names_is_written_the_same(path: Path) -> None:
    written = json.loads(path.read_text(encoding="utf-8"))
    read = from_json(written)
    assert read.dataset == "cifar10"
    assert {key: read.to_json()[key] for key in written} == written
    assert "dataset" not in read.to_json()


def test_cifar_10_named_or_not_is_one_recipe() -> None:
    plain = recipe("standard", "cnn4").to_json()
    assert "dataset" not in plain
    assert from_json({**plain, "dataset": "cifar10"}).to_json() == plain


@pytest.mark.parametrize("name", ["CIFAR10", "", "mnist", 10, None, ["cifar10"]])
def test_a_dataset_that_is_not_known_is_refused(name: object) -> None:
    with pytest.raises(RecipeError):
        from_json({**recipe("standard", "cnn4").to_json(), "dataset": name})


def test_another_dataset_is_named_and_bounds_what_is_counted_in_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = dataclasses.replace(
        CIFAR10, name="small", class_names=("a", "b", "c"), train_images=700, test_images=90
    )
    monkeypatch.setitem(DATASETS, "small", small)
    made = recipe("standard", "cnn4", dataset="small", validation_pictures=30)
    assert made.to_json()["dataset"] == "small"
    assert from_json(made.to_json()) == made
    assert made.learnt_pictures == 670
    assert forecast.monitored_images(made) == 30
    assert recipes.bounds("training_pictures", small) == (0, 700)
    assert recipes.bounds("training_pictures") == (0, 50_000)
    for refused in ({"validation_pictures": 351}, {"validation_pictures": 2}):
        with pytest.raises(RecipeError):
            from_json({**made.to_json(), **refused})
    with pytest.raises(RecipeError):
        from_json({**made.to_json(), "training_pictures": 671})


def test_the_tutorial_recipe_is_the_tutorial_to_the_letter() -> None:
    printed = recipe("tutorial", "cnn6")
    assert printed == Recipe(
        name="tutorial",
        network="cnn6",
        epochs=100,
        batch_size=32,
        learning_rate=0.1,
        schedule="inverse-time",
        decay=1e-6,
        momentum=0.9,
        nesterov=True,
        monitored_split="test",
        validation_pictures=0,
        precision="float32",
    )


def test_the_repaired_tutorial_differs_in_its_learning_rate_alone() -> None:
    printed, repaired = recipe("tutorial", "cnn4"), recipe("tutorial-repaired", "cnn4")
    assert dataclasses.replace(repaired, name="tutorial", learning_rate=0.1) == printed
    assert repaired.learning_rate == 0.01


def test_the_default_recipe_never_watches_the_test_pictures() -> None:
    chosen = recipe(DEFAULT_RECIPE, "cnn4")
    assert chosen.monitored_split == "validation"
    assert chosen.validation_pictures > 0


def test_a_change_that_is_none_keeps_the_recipes_own_value() -> None:
    assert recipe("standard", "cnn4", epochs=None) == recipe("standard", "cnn4")


@pytest.mark.parametrize("setting", NUMERIC)
def test_every_numeric_setting_has_bounds_that_hold_its_default(setting: str) -> None:
    low, high = recipes.bounds(setting)
    assert low <= getattr(recipe("standard", "cnn4"), setting) <= high


@pytest.mark.parametrize("setting", NUMERIC)
@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        -1,
        10**30,
        "12",
        "",
        True,
        [3],
        {"a": 1},
        1 + 2j,
        b"1",
        "<script>alert(1)</script>",
    ],
    ids=repr,
)
def test_an_impossible_number_is_refused_with_three_answers(setting: str, value: Any) -> None:
    with pytest.raises(RecipeError) as refusal:
        recipe("standard", "cnn4", **{setting: value})
    assert repr(value) in refusal.value.what
    assert refusal.value.expected
    assert refusal.value.remedy


@pytest.mark.parametrize("setting", WHOLE)
def test_half_a_picture_or_epoch_is_refused(setting: str) -> None:
    low, _ = recipes.bounds(setting)
    with pytest.raises(RecipeError):
        recipe("standard", "cnn4", **{setting: low + 0.5})


@pytest.mark.parametrize("setting", NUMERIC)
def test_a_value_just_outside_its_bounds_is_refused(setting: str) -> None:
    low, high = recipes.bounds(setting)
    for value in (math.nextafter(low, -math.inf), math.nextafter(high, math.inf)):
        with pytest.raises(RecipeError):
            recipe("standard", "cnn4", **{setting: value})


@pytest.mark.parametrize("setting", CHOICES)
@pytest.mark.parametrize("value", ["", "COSINE", "none ", 1, False, [], {}, "'; --"], ids=repr)
def test_an_unknown_choice_is_refused(setting: str, value: Any) -> None:
    with pytest.raises(RecipeError):
        recipe("standard", "cnn4", **{setting: value})


@pytest.mark.parametrize("setting", CHOICES)
def test_every_choice_the_annotation_names_is_accepted(setting: str) -> None:
    for choice in typing.get_args(typing.get_type_hints(Recipe)[setting]):
        assert getattr(recipe("standard", "cnn4", **{setting: choice}), setting) == choice


@pytest.mark.parametrize("value", [0, 1, "yes", "", [], 2.0], ids=repr)
def test_nesterov_is_true_or_false_and_nothing_like_it(value: Any) -> None:
    with pytest.raises(RecipeError):
        recipe("standard", "cnn4", nesterov=value)


@pytest.mark.parametrize(
    "network", ["", "cnn5", "CNN4", "../cnn4", "cnn4\x00", 4, (), [], {}], ids=repr
)
def test_an_unknown_network_is_refused_and_the_known_are_named(network: Any) -> None:
    with pytest.raises(RecipeError, match="cnn4, cnn6"):
        recipe("standard", network)


@pytest.mark.parametrize("name", ["", "Tutorial", "../tutorial", "none"])
def test_an_unknown_recipe_is_refused_and_the_known_are_named(name: str) -> None:
    with pytest.raises(RecipeError, match="standard"):
        recipe(name, "cnn4")


def test_an_unknown_setting_is_refused_by_name() -> None:
    with pytest.raises(RecipeError, match="learning_rat”"):
        recipe("standard", "cnn4", learning_rat=0.1)


@pytest.mark.parametrize("missing", ["name", "network", "epochs"])
def test_a_recipe_without_its_essentials_is_refused(missing: str) -> None:
    values = recipe("standard", "cnn4").to_json()
    del values[missing]
    with pytest.raises(RecipeError, match=missing):
        from_json(values)


def test_a_warm_up_that_leaves_no_time_to_train_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"from 0 to 0\.9"):
        recipe("standard", "cnn4", warmup=1.0)


def test_watching_a_validation_split_of_nothing_is_refused() -> None:
    with pytest.raises(RecipeError, match="validation"):
        recipe("standard", "cnn4", validation_pictures=0)


def test_a_recipe_cannot_be_changed_after_it_was_checked() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe("standard", "cnn4").epochs = 0  # type: ignore[misc]


def test_a_whole_number_given_as_a_float_becomes_a_whole_number() -> None:
    epochs = recipe("standard", "cnn4", epochs=3.0).epochs
    assert (epochs, type(epochs)) == (3, int)


@given(
    setting=st.sampled_from([field.name for field in dataclasses.fields(Recipe)]),
    value=st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.integers())
    | st.dictionaries(st.text(), st.integers()),
)
def test_any_json_value_makes_a_sound_recipe_or_a_refusal(setting: str, value: Any) -> None:
    values = {**recipe("standard", "cnn4").to_json(), setting: value}
    try:
        made = from_json(values)
    except RecipeError:
        return
    hint = typing.get_type_hints(Recipe)[setting]
    kinds = (str,) if typing.get_origin(hint) is typing.Literal else (hint,)
    assert not isinstance(hint, types.UnionType)
    assert type(getattr(made, setting)) in kinds


@pytest.mark.parametrize("epochs", [10**400, float("inf"), float("nan")])
def test_an_absurd_number_is_refused_in_words(epochs: float) -> None:
    with pytest.raises(RecipeError, match="epochs"):
        recipe("standard", "cnn4", epochs=epochs)


@pytest.mark.parametrize("setting", [*CHOICES, "name", "network", "epochs"])
def test_text_that_cannot_be_written_is_refused(setting: str) -> None:
    """As the command line passes bytes that are no UTF-8."""
    with pytest.raises(RecipeError):
        from_json({**recipe("standard", "cnn4").to_json(), setting: "x\udcff"})


@pytest.mark.parametrize("setting", [*NUMERIC, *CHOICES, "name", "network", "nesterov"])
def test_no_absurd_value_is_repeated_whole(setting: str) -> None:
    with pytest.raises(RecipeError) as refusal:
        from_json({**recipe("standard", "cnn4").to_json(), setting: "x" * 100_000})
    assert len(str(refusal.value)) < 600


@pytest.mark.parametrize("name", ["my recipe", "../x", "", "a" * 81, "x/y", ".hidden"])
def test_a_recipe_name_that_cannot_name_a_folder_is_refused(name: str) -> None:
    values = {**recipe("standard", "cnn4").to_json(), "name": name}
    with pytest.raises(RecipeError, match="name"):
        from_json(values)


def test_no_recipe_but_quick_touches_the_networks_own_dropout() -> None:
    factors = {name: recipe(name, "cnn4").dropout for name in NAMED_RECIPES}
    assert {name for name, factor in factors.items() if factor != 1} == {"quick"}


def test_only_the_tutorials_own_recipes_watch_the_test_pictures() -> None:
    watched = {name: recipe(name, "cnn4").monitored_split for name in NAMED_RECIPES}
    on_test = {name for name, split in watched.items() if split == "test"}
    assert on_test == {"tutorial", "tutorial-repaired"}
