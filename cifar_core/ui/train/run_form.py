"""The form that starts a training: network, recipe, and every number one may change."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping, Sequence

import streamlit as st

from cifar_core import recipes, services
from cifar_core.errors import RunError
from cifar_core.glossary import define, explain, explain_found
from cifar_core.named_recipes import DEFAULT_RECIPE, NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.recipes import Recipe
from cifar_core.runs.devices import Device
from cifar_core.runs.folder import State
from cifar_core.runs.reading import Run
from cifar_core.ui.kit.page import empty_state, guard
from cifar_core.ui.kit.runs import labels
from cifar_core.ui.kit.session import STARTED_RUN, Kept, hold_choice, set_address
from cifar_core.ui.kit.tables import plain
from cifar_core.ui.train.run_order import Order, read_rates, recipes_of

TOKEN = Kept("train_token", "")
"""Names the next start: a click repeated with the same token starts nothing twice."""

CLONED = Kept[str | None]("train_cloned", None)
"""The run whose settings fill the form."""

FILL_FROM = Kept[str | None]("train_fill_from", None)
"""A run whose settings shall fill the form at the next drawing of the page."""

OPEN = Kept[bool | None]("train_form_open", None)
"""Opens or closes the form at the next drawing of the page; None leaves it as it is."""

HELP: Mapping[str, str] = {
    "network": "The architecture that learns: how many layers, and of what kind.\n\n"
    + (explain_found(" ".join(network.summary for network in NETWORKS.values())) or ""),
    "recipe": "All settings of a training, with a reason. Epochs, learning rate, batch size "
    "and seed can be changed below.",
    "epochs": f"{explain('epoch')} More epochs learn more, up to a point, and take longer.",
    "batch_size": define("batch size"),
    "rates": f"{define('learning rate')} Several, with blanks between them, become several runs in "
    "the queue.",
    "seed": define("seed"),
    "repeats": "Trains again with the following seeds, each as a run of its own in line: shows "
    "how much of a result is luck.",
    "device": "What computes the training. One run uses a device at a time; others wait.",
    "name": "What you call the run. It can be changed later.",
}


DEVICES_SECONDS = 10
"""So long what was found of the devices counts: asking for a GPU's load starts a process each
time, beside the run that trains."""


@st.cache_data(ttl=DEVICES_SECONDS, max_entries=1, show_spinner=False)
def found_devices() -> list[Device]:
    """Returns the devices of this machine, their load as of the last few seconds."""
    return services.list_devices()


def run_form(runs: Sequence[Run], *, is_open: bool) -> None:
    """Draws the form and starts what it asks for.

    Args:
        runs: All runs of the lab, for the expected time and the load of the devices.
        is_open: Whether a visitor finds the form open: not where a run is to be seen first.
    """
    cloned = _base()
    wanted = OPEN.get()
    if wanted is not None:
        OPEN.set(None)
        st.session_state["train_new"] = wanted
    with st.expander(
        "New training",
        expanded=is_open,
        icon=":material/add:",
        key="train_new",
        on_change="rerun",
    ):
        chosen, detailed = st.columns([2, 3], gap="large")
        with chosen:
            network = _network()
        with detailed:
            base = _recipe(cloned, network)
        order = None
        with st.expander("Epochs, learning rate, seed, device and more"), guard():
            order = _details(base, runs)
        _start(order, runs)


def _base() -> Run | None:
    """Returns the run that was cloned, own or included, if one was."""
    wanted = FILL_FROM.get()
    run = _find(wanted)
    FILL_FROM.set(None)
    if wanted is None or run is None or run.recipe is None:
        return _find(CLONED.get())
    CLONED.set(wanted)
    OPEN.set(True)
    st.session_state["train_network"] = run.recipe.network
    if run.recipe.name in NAMED_RECIPES:
        st.session_state["train_recipe"] = run.recipe.name
    return run


def _find(run_id: str | None) -> Run | None:
    """Returns a run, or None when it is gone."""
    try:
        return services.read_run(run_id) if run_id else None
    except RunError:
        return None


def _network() -> str:
    return st.radio(
        "Network",
        list(NETWORKS),
        format_func=lambda name: NETWORKS[name].title,
        captions=[network.summary for network in NETWORKS.values()],
        help=HELP["network"],
        key="train_network",
        persist_state="session",
    )


def _recipe(cloned: Run | None, network: str) -> Recipe:
    """Draws the choice of the recipe and its reason; returns the settings to begin with."""
    name = st.selectbox(
        "Recipe",
        list(NAMED_RECIPES),
        index=list(NAMED_RECIPES).index(DEFAULT_RECIPE),
        format_func=lambda name: NAMED_RECIPES[name].title,
        help=HELP["recipe"],
        key="train_recipe",
        on_change=CLONED.set,
        args=(None,),
        persist_state="session",
    )
    reason = NAMED_RECIPES[name].reason
    st.caption(plain(reason), help=explain_found(reason))
    if cloned is None or cloned.recipe is None:
        return recipes.recipe(name, network)
    st.caption(plain(f"Filled with the settings of run “{cloned.name}”."))
    st.button(
        "Back to the recipe's own",
        type="tertiary",
        icon=":material/undo:",
        key="train_unclone",
        on_click=CLONED.set,
        args=(None,),
    )
    return dataclasses.replace(cloned.recipe, network=network)


def _details(base: Recipe, runs: Sequence[Run]) -> Order:
    """Draws the numbers, filled from the recipe, and returns the order they make."""
    # Another recipe or clone makes other fields, so that each begins with its own numbers.
    basis = f"{CLONED.get() or base.name}"
    left, right = st.columns(2, gap="large")
    with left:
        epochs = _whole("Epochs", "epochs", base.epochs, basis)
        rates = st.text_input(
            "Learning rate",
            f"{base.learning_rate:g}",
            max_chars=200,
            help=HELP["rates"],
            key=f"train_rates_{basis}_{base.learning_rate:g}",
        )
        batch_size = _whole("Batch size", "batch_size", base.batch_size, basis)
    with right:
        seed = _whole("Seed", "seed", base.seed, basis)
        repeats = st.number_input(
            "Seeds in a row", 1, 10, 1, help=HELP["repeats"], key=f"train_repeats_{basis}"
        )
        name = st.text_input(
            "Name", max_chars=80, placeholder="optional", help=HELP["name"], key="train_name"
        )
    device = _device(runs)
    changed = {"epochs": epochs, "batch_size": batch_size, "seed": seed}
    settings = recipes.from_json({**base.to_json(), **changed})
    wanted = recipes_of(settings, rates=read_rates(rates), repeats=int(repeats))
    return Order(wanted, device, name)


def _whole(label: str, setting: str, value: int, basis: str) -> int | None:
    low, high = (int(bound) for bound in recipes.bounds(setting))
    # A recipe is longer for one network than for another: its own number makes another field.
    key = f"train_{setting}_{basis}_{value}"
    return st.number_input(label, low, high, value, help=HELP[setting], key=key)


def _device(runs: Sequence[Run]) -> str:
    devices = {device.id: labels.device_words(device, runs) for device in found_devices()}
    hold_choice("train_device", devices)
    chosen = st.selectbox(
        "Device",
        list(devices),
        format_func=devices.__getitem__,
        help=HELP["device"],
        key="train_device",
    )
    if list(devices) == ["cpu"]:
        st.caption("No GPU found: training on the CPU works.")
    return chosen or "cpu"


def _start(order: Order | None, runs: Sequence[Run]) -> None:
    """Draws the button, what it will do, and starts the runs when it is pressed."""
    if not TOKEN.get():
        TOKEN.set(secrets.token_hex(4))
    token = TOKEN.get()
    number = len(order.recipes) if order else 1
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        # The token is part of the button: a second click belongs to a button that is gone.
        pressed = st.button(
            "Start training" if number == 1 else f"Start {number} trainings in line",
            type="primary",
            icon=":material/play_arrow:",
            disabled=order is None,
            key=f"train_start_{token}",
        )
        if order:
            st.caption(plain(_outlook(order, runs)))
    if pressed and order:
        with guard():
            _carry_out(order, token)


def _carry_out(order: Order, token: str) -> None:
    """Starts every run of the order, shows the first, and renews the token."""
    started: list[str] = []
    for index, recipe in enumerate(order.recipes):
        mark = f"{token}{index + 1:02d}" if len(order.recipes) > 1 else token
        name = f"{order.name} {index + 1}" if order.name and index else order.name
        try:
            run_id = services.start_run(recipe, device=order.device, token=mark, name=name)
        except RunError as error:
            if not started:
                raise
            raise RunError(
                f"{len(started)} of {len(order.recipes)} runs were started, then: {error.what}",
                expected=error.expected,
                remedy=f"{error.remedy} Then press the button again: none starts twice.",
            ) from error
        started.append(run_id)
    TOKEN.set(secrets.token_hex(4))
    OPEN.set(False)
    STARTED_RUN.set(started[0])
    set_address("run", started[0])
    st.toast("Training started." if len(started) == 1 else f"{len(started)} trainings in line.")
    st.rerun()


def _outlook(order: Order, runs: Sequence[Run]) -> str:
    """Says what the button will start, and how long it will take if that was measured here."""
    first = order.recipes[0]
    epochs = "1 epoch" if first.epochs == 1 else f"{first.epochs:,} epochs"
    words = f"{NETWORKS[first.network].title}, {epochs}."
    for run in runs:
        recipe = run.recipe
        if (
            run.state is State.FINISHED
            and recipe is not None
            and (recipe.network, recipe.batch_size) == (first.network, first.batch_size)
            and run.status.device == order.device
        ):
            try:
                rows = services.read_metrics(run.id)
            except RunError:  # damaged since; another run may tell
                continue
            expected = labels.expected_words(rows, run, first, runs=len(order.recipes))
            if expected:
                return f"{words} {expected}"
    return words


def closed_form() -> None:
    """Says why nothing can be started here."""
    refusal = services.find_refusal()
    if refusal is not None:
        empty_state(refusal.what, refusal.remedy)
