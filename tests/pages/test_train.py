from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cifar_core import files, recipes, services
from cifar_core.dataset import arrays
from cifar_core.dataset.download import DownloadStatus
from cifar_core.errors import RunError
from cifar_core.lock import Lock, try_lock
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.recipes import recipe
from cifar_core.runs import devices, manager
from cifar_core.runs.devices import Device
from cifar_core.runs.folder import Label, MetricRow, RunFolder, State, Status
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui import run_actions

PAGE = str(PROJECT_DIR / "pages" / "train.py")
HOSTILE = ["<script>alert(1)</script>", "# x", "[a](b)", "=1+1", "**b** :red[x] $x^2$", "日本 ✓"]


class FakeDataset:
    """Stands for the full dataset; the page asks only whether it is the sample."""

    def __init__(self, *, is_sample: bool) -> None:
        self.is_sample = is_sample


@pytest.fixture(autouse=True)
def _lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A lab with the full dataset, one CPU, no shipped run, and workers that never start."""
    st.cache_data.clear()
    st.cache_resource.clear()
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(services, "open_dataset", lambda: FakeDataset(is_sample=False))
    monkeypatch.setattr(arrays, "open_full", nothing)
    monkeypatch.setattr(devices, "list_devices", lambda: [Device("cpu", "A CPU", cores=2)])
    monkeypatch.setattr(manager, "launch", nothing)


def nothing(*args: object) -> None:
    """Stands for what a page test must not do: start a process, read 180 MB."""


def page(**address: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=30)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def make_run(
    runs_dir: Path, name: str, state: State, *, label: str = "", **changes: Any
) -> RunFolder:
    """Writes the folder of a run as a worker leaves it."""
    folder = RunFolder(runs_dir / name)
    folder.path.mkdir(parents=True)
    files.write_json(folder.recipe_path, recipes.recipe("standard", "cnn4", epochs=4).to_json())
    folder.write_label(Label(label, "", time.time()))
    folder.write_status(Status(state=state, heartbeat_at=time.time(), **changes))
    return folder


def alive(folder: RunFolder) -> Lock:
    """Holds a run's lock as its worker would."""
    lock = try_lock(folder.lock_path)
    assert lock is not None
    return lock


def shown(app: AppTest) -> str:
    """Returns every text of the page."""
    parts = [element.proto.body for element in app.get("html")]
    parts += [element.value for element in [*app.text, *app.caption, *app.markdown]]
    return " ".join(str(part) for part in parts)


def button(app: AppTest, start_of_label: str) -> Any:
    return next(item for item in app.button if item.label.startswith(start_of_label))


def set_number(app: AppTest, label: str, value: float) -> AppTest:
    field = next(item for item in app.number_input if item.label == label)
    return field.set_value(value).run()


def set_text(app: AppTest, label: str, value: str) -> AppTest:
    field = next(item for item in app.text_input if item.label == label)
    return field.set_value(value).run()


def table(app: AppTest) -> Any:
    return app.dataframe[0].value


def runs_in(runs_dir: Path) -> list[str]:
    return sorted(path.name for path in runs_dir.glob("cnn*"))


# The form


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
    assert "50.0 MB of 100.0 MB from a mirror" in shown(app)
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


# The list


def test_the_list_shows_every_run_the_newest_first(runs_dir: Path) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.STOPPED, epoch=2, accuracy=0.5)
    make_run(runs_dir, "cnn4-standard-2", State.FAILED, running_seconds=80.0)
    rows = table(page())
    assert list(rows["Run"]) == ["CNN-4 standard 2", "CNN-4 standard 1"]
    assert list(rows["State"]) == ["× Failed", "■ Stopped"]
    assert list(rows["Epoch"]) == ["0 of 4", "2 of 4"]
    assert rows["Accuracy"][1] == 50.0
    assert rows["Training"][0] == "1 min 20 s"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recipe.json", "{"),
        ("recipe.json", '{"network": "cnn99"}'),
        ("recipe.json", "[]"),
        ("status.json", "\x00\x01"),
        ("status.json", '{"state": "dancing"}'),
        ("status.json", '{"state": "stopped", "epoch": "many", "accuracy": "x"}'),
        ("status.json", '{"state": "stopped", "running_seconds": null}'),
        ("label.json", "null"),
        ("metrics.jsonl", '{"kind": "epoch"}\nnonsense\n'),
    ],
)
def test_a_broken_run_is_listed_and_breaks_nothing(name: str, content: str, runs_dir: Path) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.STOPPED)
    broken = make_run(runs_dir, "cnn4-standard-2", State.STOPPED)
    (broken.path / name).write_text(content)
    app = page(run="cnn4-standard-2")
    assert not app.exception
    second = "cnn4-standard-2" if name == "recipe.json" else "CNN-4 standard 2"
    assert set(table(app)["Run"]) == {"CNN-4 standard 1", second}
    assert button(app, "Start training")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_as_text(name: str, runs_dir: Path) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.INTERRUPTED, label=name)
    app = page(run="cnn4-standard-1")
    assert not app.exception
    assert table(app)["Run"][0] == name
    marked_up = " ".join(element.proto.body for element in app.get("html"))
    assert "<script" not in marked_up
    assert any(name in item.value for item in app.text)  # st.text reads no Markdown


def test_interrupted_runs_are_offered_to_be_resumed_all_at_once(runs_dir: Path) -> None:
    for number in (1, 2):
        make_run(runs_dir, f"cnn4-standard-{number}", State.RUNNING, epoch=1)  # nobody holds it
    app = page()
    assert "2 runs were interrupted" in shown(app)
    resumed: list[str] = []
    services_resume = services.resume_run
    try:
        services.resume_run = lambda run_id, **_: resumed.append(run_id)
        button(app, "Resume all").click().run()
    finally:
        services.resume_run = services_resume
    assert sorted(resumed) == ["cnn4-standard-1", "cnn4-standard-2"]


def test_the_offer_to_resume_can_be_put_off(runs_dir: Path) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.RUNNING)
    app = page()
    button(app, "Not now").click().run()
    assert "was interrupted. Nothing" not in shown(app)


def test_delete_asks_first_and_then_removes(runs_dir: Path) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.STOPPED)
    app = page(run="cnn4-standard-1")
    app.button(key="train_action_delete").click().run()
    assert runs_in(runs_dir) == ["cnn4-standard-1"]
    assert "cannot come back" in shown(app)
    app.button(key="train_delete_confirm").click().run()
    assert not app.exception
    assert runs_in(runs_dir) == []


def test_a_run_that_came_to_life_while_delete_asked_is_kept(runs_dir: Path) -> None:
    folder = make_run(runs_dir, "cnn4-standard-1", State.STOPPED)
    app = page(run="cnn4-standard-1")
    app.button(key="train_action_delete").click().run()
    with alive(folder):
        folder.write_status(Status(state=State.RUNNING, heartbeat_at=time.time()))
        with pytest.raises(RunError, match="alive again"):
            run_actions._delete_run("cnn4-standard-1")
        app.run()
        assert app.button(key="train_delete_confirm").disabled
    assert runs_in(runs_dir) == ["cnn4-standard-1"]


def test_a_living_run_can_be_stopped_but_not_deleted_or_resumed(runs_dir: Path) -> None:
    folder = make_run(runs_dir, "cnn4-standard-1", State.RUNNING)
    with alive(folder):
        app = page(run="cnn4-standard-1")
        disabled = {item.key: item.disabled for item in app.button}
        assert disabled["train_action_delete"]
        assert disabled["train_action_resume"]
        app.button(key="train_action_stop").click().run()
        assert folder.request_path.exists()
        assert "stopping" in shown(app)


def test_cloning_fills_the_form_with_every_setting_of_the_run(runs_dir: Path) -> None:
    folder = make_run(runs_dir, "cnn6-standard-1", State.STOPPED)
    mine = recipes.recipe("tutorial", "cnn6", epochs=7, seed=9, momentum=0.5)
    files.write_json(folder.recipe_path, mine.to_json())
    app = page(run="cnn6-standard-1")
    app.button(key="train_action_clone").click().run()
    assert app.radio(key="train_network").value == "cnn6"
    button(app, "Start").click().run()
    (new,) = set(runs_in(runs_dir)) - {"cnn6-standard-1"}
    assert services.read_run(new).recipe == mine


def test_a_run_is_renamed_in_a_dialog(runs_dir: Path) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.STOPPED)
    app = page(run="cnn4-standard-1")
    app.button(key="train_action_rename").click().run()
    app.text_input(key="train_rename_name").set_value("best so far").run()
    app.button(key="train_rename_save").click().run()
    assert services.read_run("cnn4-standard-1").name == "best so far"


# The panel


@pytest.mark.parametrize("run_id", ["nobody", "../../etc", "<script>", "x" * 5000])
def test_an_address_of_no_run_gets_a_sentence(run_id: str) -> None:
    app = page(run=run_id)
    assert not app.exception
    assert "There is no run" in shown(app)
    assert "<script>" not in " ".join(element.proto.body for element in app.get("html"))


def test_a_failed_run_shows_its_reason_and_the_next_step(runs_dir: Path) -> None:
    make_run(
        runs_dir, "cnn4-standard-1", State.FAILED, reason="The disk is full.", remedy="Make room."
    )
    app = page(run="cnn4-standard-1")
    assert "The disk is full." in shown(app)
    assert "Make room." in shown(app)


def test_a_living_run_shows_progress_times_and_curves(runs_dir: Path) -> None:
    folder = make_run(
        runs_dir,
        "cnn4-standard-1",
        State.RUNNING,
        epoch=1,
        step=88,
        steps_per_epoch=352,
        running_seconds=100.0,
        waiting_seconds=60.0,
        eta_seconds=300.0,
        images_per_second=480.4,
        accuracy=0.5,
        best_accuracy=0.5,
        best_epoch=1,
    )
    step = {"loss": 2.0, "accuracy": 0.3, "learning_rate": 0.1, "images_per_second": 480.0}
    folder.append_metrics([MetricRow(kind="step", epoch=0.5, seconds=50.0, **step)])
    with alive(folder):
        app = page(run="cnn4-standard-1")
    assert not app.exception
    figures = {item.label: item.value for item in app.metric}
    assert figures["Training"] == "1 min 40 s"
    assert figures["Waited"] == "1 min"
    assert figures["Time left"] == "5 min"
    assert figures["Accuracy"] == "50.0% ± 1.4"
    assert figures["Pictures per second"] == "480"
    assert figures["Best, epoch 1"] == "50.0%"
    assert len(app.get("vega_lite_chart")) == 2


def test_the_end_of_a_watched_run_is_told_once(runs_dir: Path) -> None:
    folder = make_run(runs_dir, "cnn4-standard-1", State.RUNNING)
    with alive(folder):
        app = page(run="cnn4-standard-1")
        assert not app.toast
        folder.write_status(Status(state=State.STOPPED))
    app.run()
    assert ["has stopped" in item.value for item in app.toast] == [True]
    assert not app.run().toast


def test_a_waiting_run_says_how_many_are_before_it(runs_dir: Path) -> None:
    runs_dir.mkdir()
    first = services.start_run(recipes.recipe("standard", "cnn4"))
    second = services.start_run(recipes.recipe("standard", "cnn6"))
    with alive(RunFolder(runs_dir / first)), alive(RunFolder(runs_dir / second)):
        app = page(run=second)
        assert "Waiting, 1 before it" in shown(app)
        assert "Waiting, next" in list(table(app)["State"])[1]


def test_the_log_is_shown_as_it_was_printed(runs_dir: Path) -> None:
    folder = make_run(runs_dir, "cnn4-standard-1", State.FAILED)
    folder.log_path.write_bytes(b"<b>bold</b> # no heading\n\xff\xfe")
    app = AppTest.from_file(PAGE, default_timeout=30)
    app.query_params["run"] = "cnn4-standard-1"
    app.session_state["panel_open_log"] = True
    app.run()
    assert "<b>bold</b> # no heading" in app.code[0].value


def test_through_the_app_the_page_is_the_same() -> None:
    app = AppTest.from_file(str(PROJECT_DIR / "app.py"), default_timeout=60).run()
    app.switch_page("pages/train.py").run()
    assert not app.exception
    assert app.title[0].value == "Train"
    assert button(app, "Start training")


def test_a_run_shown_by_the_address_is_json_safe(runs_dir: Path) -> None:
    folder = make_run(runs_dir, "cnn4-standard-1", State.STOPPED)
    row = {"kind": "epoch", "epoch": 1, "loss": float("nan"), "accuracy": 0.1}
    rest = {"learning_rate": 0.1, "images_per_second": 1.0, "seconds": 1.0}
    folder.metrics_path.write_text(json.dumps({**row, **rest}) + "\n")
    assert not page(run="cnn4-standard-1").exception


@pytest.mark.parametrize("run_id", ["a" * 5000, "../runs", "a/b", "", "\0"])
def test_an_impossible_run_id_is_answered_in_a_sentence(run_id: str) -> None:
    with pytest.raises(RunError):
        services.read_run(run_id)
