"""The form of the Train page: what it offers, refuses and starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cifar_core import files, services
from cifar_core.dataset.download import DownloadStatus
from cifar_core.errors import RunError
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.recipes import recipe
from cifar_core.runs import devices
from cifar_core.runs.devices import Device
from cifar_core.runs.folder import MetricRow, State
from tests.pages.train.tool import (
    FakeDataset,
    button,
    make_run,
    page,
    runs_in,
    set_number,
    set_text,
    shown,
    table,
)


def test_the_form_offers_every_recipe_and_shows_the_reason_of_the_chosen_one() -> None:
    app = page()
    assert not app.exception
    assert app.selectbox(key="train_recipe").options == [
        named.title for named in NAMED_RECIPES.values()
    ]
    app.selectbox(key="train_recipe").set_value("tutorial").run()
    assert "it does not learn" in shown(app)


def test_another_network_has_the_length_that_its_recipe_has_for_it() -> None:
    app = page()
    app.selectbox(key="train_recipe").set_value("best").run()
    lengths = {}
    for network in NETWORKS:
        app.radio(key="train_network").set_value(network).run()
        lengths[network] = next(item.value for item in app.number_input if item.label == "Epochs")
    assert lengths == {name: recipe("best", name).epochs for name in NETWORKS}


def test_another_network_has_the_numbers_that_its_recipe_has_for_it() -> None:
    app = page()
    for network in ("cnn7", "cnn4"):
        app.radio(key="train_network").set_value(network).run()
        own = recipe("standard", network)
        rates = [item.value for item in app.text_input if item.label == "Learning rate"]
        assert rates == [f"{own.learning_rate:g}"]
        batches = [item.value for item in app.number_input if item.label == "Batch size"]
        assert batches == [own.batch_size]


def test_choosing_a_recipe_fills_in_its_numbers() -> None:
    app = page()
    app.selectbox(key="train_recipe").set_value("tutorial-repaired").run()
    fields = {item.label: item.value for item in app.number_input}
    assert (fields["Epochs"], fields["Batch size"]) == (100, 32)
    assert [item.value for item in app.text_input if item.label == "Learning rate"] == ["0.01"]


def test_start_training_starts_one_run_with_the_settings_of_the_form(runs_dir: Path) -> None:
    app = page()
    app.radio(key="train_network").set_value("cnn6").run()
    set_number(app, "Epochs", 3)
    set_text(app, "Name", "mine")
    button(app, "Start").click().run()
    assert not app.exception
    (run_id,) = runs_in(runs_dir)
    run = services.read_run(run_id)
    assert run.recipe is not None
    assert (run.recipe.network, run.recipe.epochs, run.name) == ("cnn6", 3, "mine")
    assert app.query_params["run"] == run_id


def test_a_second_click_on_the_same_button_starts_nothing(runs_dir: Path) -> None:
    app = page()
    first = button(app, "Start")
    first.click().run()
    first.click().run()  # the browser sends the click to the button it still shows
    assert len(runs_in(runs_dir)) == 1


def test_a_click_repeated_before_the_page_came_back_starts_nothing_twice(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, tokens = services.start_run, []

    def broken(recipe: Any, **kwargs: Any) -> str:
        """Starts the run, then fails as a connection that breaks before the answer."""
        tokens.append(kwargs["token"])
        start(recipe, **kwargs)
        raise RunError("The answer was lost.")

    monkeypatch.setattr(services, "start_run", broken)
    app = page()
    button(app, "Start").click().run()
    button(app, "Start").click().run()
    assert len(tokens) == 2
    assert len(set(tokens)) == 1
    assert len(runs_in(runs_dir)) == 1


def test_the_next_start_is_a_run_of_its_own(runs_dir: Path) -> None:
    app = page()
    button(app, "Start").click().run()
    button(app, "Start").click().run()
    assert len(runs_in(runs_dir)) == 2


def test_several_learning_rates_and_seeds_become_several_runs_in_line(runs_dir: Path) -> None:
    app = page()
    set_text(app, "Learning rate", "0.01, 0.05")
    set_number(app, "Seeds in a row", 3)
    button(app, "Start 6").click().run()
    found = [services.read_run(name).recipe for name in runs_in(runs_dir)]
    pairs = {(recipe.learning_rate, recipe.seed) for recipe in found if recipe}
    assert pairs == {(rate, seed) for rate in (0.01, 0.05) for seed in (1, 2, 3)}


@pytest.mark.parametrize(
    "rate", ["", ",", "fast", "0", "-1", "11", "nan", "inf", "1e400", "0.05; rm", "<b>", "0.1 x"]
)
def test_an_impossible_learning_rate_gives_three_answers_and_no_start(
    rate: str, runs_dir: Path
) -> None:
    app = page()
    set_text(app, "Learning rate", rate)
    assert not app.exception
    assert "lab-problem" in shown(app)
    assert "Expected is" in shown(app)
    assert "start again" in shown(app)
    assert button(app, "Start").disabled
    assert not runs_in(runs_dir)


@pytest.mark.parametrize(("label", "value"), [("Epochs", 0), ("Batch size", 5), ("Seed", -1)])
def test_a_number_out_of_bounds_never_reaches_a_run(label: str, value: int, runs_dir: Path) -> None:
    app = set_number(page(), label, value)
    assert not app.exception
    button(app, "Start").click().run()
    (name,) = runs_in(runs_dir)
    assert services.read_run(name).recipe is not None  # an impossible recipe is not read


def test_too_many_runs_at_once_are_refused_in_words() -> None:
    app = page()
    set_text(app, "Learning rate", "0.01, 0.02, 0.03")
    set_number(app, "Seeds in a row", 10)
    assert "That would be 30 runs" in shown(app)


def test_a_failing_start_shows_its_three_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(recipe: Any, **kwargs: Any) -> str:
        raise RunError("The disk is full.", expected="Room is needed.", remedy="Make room.")

    monkeypatch.setattr(services, "start_run", refuse)
    app = page()
    button(app, "Start").click().run()
    assert not app.exception
    for answer in ("The disk is full.", "Room is needed.", "Make room."):
        assert answer in shown(app)


def test_without_a_gpu_the_page_says_that_the_cpu_works() -> None:
    assert "No GPU found" in shown(page())


def test_every_device_found_is_offered_with_its_memory_and_load(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gpu = Device("gpu:0", "A GPU", 16_000_000_000, 4_000_000_000, 0.25)
    found = [Device("cpu", "A CPU", cores=2), gpu]
    monkeypatch.setattr(devices, "list_devices", lambda: found)
    app = page()
    assert app.selectbox(key="train_device").options == [
        "CPU – A CPU · 2 cores",
        "GPU:0 – A GPU · load 25% · 4.0 GB of 16.0 GB memory in use",
    ]
    assert "No GPU found" not in shown(app)


def test_the_expected_time_comes_from_a_finished_run_of_this_device(runs_dir: Path) -> None:
    assert "Roughly" not in shown(page())
    folder = make_run(runs_dir, "cnn4-standard-1", State.FINISHED)
    row = MetricRow(
        kind="epoch",
        epoch=1.0,
        loss=2.0,
        accuracy=0.2,
        learning_rate=0.1,
        images_per_second=1.0,
        seconds=30.0,
        epoch_seconds=30.0,
    )
    folder.append_metrics([row])
    assert "Roughly 10 min:" in shown(page()).replace("\\", "")  # 20 epochs of 30 s


def test_a_missing_dataset_offers_the_download_in_place_of_the_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders: list[str] = []
    monkeypatch.setattr(services, "open_dataset", lambda: FakeDataset(is_sample=True))
    monkeypatch.setattr(services, "read_download", lambda: None)
    monkeypatch.setattr(services, "start_download", lambda: orders.append("start"))
    app = page()
    assert not app.exception
    assert "not on this machine" in shown(app)
    assert not [item for item in app.button if item.label.startswith("Start training")]
    button(app, "Download").click().run()
    assert orders == ["start"]


def test_a_running_download_shows_how_much_has_come_and_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders: list[str] = []
    status = DownloadStatus(
        state="running", source="a mirror", done_bytes=50_000_000, total_bytes=100_000_000
    )
    monkeypatch.setattr(services, "open_dataset", lambda: FakeDataset(is_sample=True))
    monkeypatch.setattr(services, "read_download", lambda: status)
    monkeypatch.setattr(services, "stop_download", lambda: orders.append("stop"))
    app = page()
    (bar,) = app.get("progress")
    assert bar.proto.value == 50
    button(app, "Stop and keep what").click().run()
    assert orders == ["stop"]


def test_a_failed_download_shows_its_three_answers_and_may_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status = DownloadStatus(state="failed", what="No <mirror>.", expected="One.", remedy="Wait.")
    monkeypatch.setattr(services, "open_dataset", lambda: FakeDataset(is_sample=True))
    monkeypatch.setattr(services, "read_download", lambda: status)
    app = page()
    for answer in ("No &lt;mirror&gt;.", "One.", "Wait."):
        assert answer in shown(app)
    assert button(app, "Try again")


def test_a_read_only_lab_shows_runs_but_neither_form_nor_actions(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.STOPPED)
    make_run(runs_dir, "cnn4-standard-2", State.RUNNING)
    monkeypatch.setenv("CIFAR_LAB_READONLY", "1")
    app = page(run="cnn4-standard-1")
    assert "looking and classifying only" in shown(app)
    assert len(table(app)) == 2
    assert not app.button


def test_the_expected_time_knows_that_a_cloned_run_has_fewer_training_images(
    runs_dir: Path,
) -> None:
    finished = make_run(
        runs_dir, "cnn4-standard-1", State.FINISHED, setup_seconds=50.0, closing_seconds=0.0
    )
    step = {"loss": 2.0, "accuracy": 0.2, "learning_rate": 0.1, "images_per_second": 1.0}
    finished.append_metrics(
        [MetricRow(kind="epoch", epoch=1.0, seconds=140.0, epoch_seconds=140.0, **step)]
    )
    few = make_run(runs_dir, "cnn4-standard-2", State.STOPPED)
    changed = recipe("standard", "cnn4", epochs=10, training_pictures=5000)
    files.write_json(few.recipe_path, changed.to_json())
    app = page(run="cnn4-standard-2")
    app.button(key="train_action_clone").click().run()
    assert not app.exception
    # 140 s for 3 × 45,000 + 5,000 passes: 20 s for 3 × 5,000 + 5,000; ten epochs and the setup
    assert "Roughly 4 min:" in shown(app).replace("\\", "")
    assert "this one has 5,000" in shown(app).replace("\\", "")
