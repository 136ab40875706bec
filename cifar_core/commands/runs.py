"""Commands on runs: start, follow, list and look after them."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time

from cifar_core import console, formats, services, summaries
from cifar_core.commands.answers import INTERRUPTED, Add, answer, for_each
from cifar_core.console import show, show_json, tell
from cifar_core.errors import LabError
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.named_recipes import DEFAULT_RECIPE, NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.recipes import read_number, recipe
from cifar_core.runs.folder import State
from cifar_core.runs.reading import Run

LOOK_SECONDS = 1.0


def add_to(add: Add) -> None:
    """Adds the commands on runs."""
    made = add(train, "train", "train a network")
    made.add_argument("--network", choices=NETWORKS, required=True)
    made.add_argument("--recipe", choices=NAMED_RECIPES, default=DEFAULT_RECIPE)
    made.add_argument("--epochs", type=int)
    made.add_argument("--batch-size", type=int)
    made.add_argument("--learning-rate", metavar="NUMBER")
    made.add_argument("--seed", type=int)
    made.add_argument("--training-pictures", type=int, help="learn from only so many; 0 for all")
    made.add_argument("--device", default="cpu", help="cpu, gpu:0 …; see the command devices")
    made.add_argument("--name", default="", help="what to call the run")
    made.add_argument("--detach", action="store_true", help="do not wait for its end")
    add(show_runs, "runs", "list all runs")
    for command, name, text in (
        (stop, "stop", "stop runs and keep everything"),
        (resume, "resume", "let runs go on from their last checkpoint"),
        (delete, "delete", "remove runs"),
    ):
        made = add(command, name, text)
        made.add_argument("runs", nargs="+", metavar="RUN")
        if command is resume:
            made.add_argument("--device", help="another device than before")
        if command is delete:
            made.add_argument("--yes", action="store_true", help="do not ask")
    made = add(rename, "rename", "rename a run or change its note")
    made.add_argument("run", metavar="RUN")
    made.add_argument("--name", help="what to call it; empty for no name")
    made.add_argument("--note", help="a note on it; empty for none")
    made = add(move, "move", "put a waiting run in the line of another device")
    made.add_argument("run", metavar="RUN")
    made.add_argument("--device", required=True, help="cpu, gpu:0 …")
    made = add(show_log, "log", "print the end of a run's log")
    made.add_argument("run", metavar="RUN")
    add(show_devices, "devices", "list what can train here")


def train(options: argparse.Namespace) -> int:
    """``train``: starts a run and, unless detached, follows it to its end."""
    rate = options.learning_rate
    wanted = recipe(
        options.recipe,
        options.network,
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=None if rate is None else read_number(rate),
        seed=options.seed,
        training_pictures=options.training_pictures,
    )
    run_id = services.start_run(wanted, device=options.device, name=options.name)
    tell(f"Run {run_id} started.")
    if options.detach:
        if options.json:
            show_json({"run": run_id})
        return 0
    return _follow(run_id, as_json=options.json)


def show_runs(options: argparse.Namespace) -> int:
    """``runs``: lists all runs, the newest first, the shipped ones last."""
    rows = [(run, _figures(run)) for run in services.list_runs()]
    for sentence in summaries.unlisted(services.find_unlisted()):
        tell(sentence)
    none = "No runs yet. Start one: python -m cifar_core train --network cnn4"
    facts = [summaries.facts(run, figures) for run, figures in rows]
    return answer(options, facts, "\n".join(summaries.table(rows)) if rows else none)


def stop(options: argparse.Namespace) -> int:
    """``stop``: asks runs to stop and keep everything."""
    return for_each(options, services.stop_run)


def resume(options: argparse.Namespace) -> int:
    """``resume``: lets runs go on from their last checkpoint."""
    return for_each(options, lambda run_id: services.resume_run(run_id, device=options.device))


def delete(options: argparse.Namespace) -> int:
    """``delete``: removes runs that no process works on."""
    _confirm(options)

    def remove(run_id: str) -> None:
        left = services.delete_run(run_id)
        if left:
            tell(summaries.left_over(run_id, left))

    return for_each(options, remove)


def _confirm(options: argparse.Namespace) -> None:
    """Asks before runs are removed for good.

    Raises:
        LabError: The person does not want it, or cannot be asked.
    """
    if options.yes or not services.may_change():  # what is refused anyway needs no question
        return
    names = ", ".join(options.runs)
    if not options.json and sys.stdin is not None and sys.stdin.isatty():
        tell(f"Delete for good: {names}? Type yes to delete.")
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
    raise LabError(
        "Nothing was deleted.",
        expected=f"A yes to deleting for good: {names}.",
        remedy="Say it on the line: delete --yes RUN",
    )


def move(options: argparse.Namespace) -> int:
    """``move``: puts a waiting run in the line of another device."""
    services.move_run(options.run, options.device)
    facts = {"run": options.run, "device": options.device}
    return answer(options, facts, f"Run {options.run} waits for {options.device}.")


def rename(options: argparse.Namespace) -> int:
    """``rename``: changes what people call a run, and their note on it."""
    if options.name is None and options.note is None:
        options.parser.error("give --name, --note or both")
    services.label_run(options.run, name=options.name, note=options.note)
    run = services.read_run(options.run)
    facts = {"run": run.id, "name": run.name, "note": run.label.note}
    return answer(options, facts, f"Run {run.id} is called “{run.name}”.")


def show_log(options: argparse.Namespace) -> int:
    """``log``: prints the end of what a run's worker printed."""
    text = services.read_log(options.run)
    if not text:
        tell(f"The worker of run {options.run} has printed nothing.")
    return answer(options, {"run": options.run, "log": text}, text.removesuffix("\n"))


def show_devices(options: argparse.Namespace) -> int:
    """``devices``: lists what can train here."""
    devices = services.list_devices()
    text = "\n".join(f"{device.id:8} {device.name}" for device in devices)
    return answer(options, [dataclasses.asdict(device) for device in devices], text)


def _follow(run_id: str, *, as_json: bool) -> int:
    """Tells of a run until it ends; Ctrl-C stops it, kept, and a second one leaves at once."""
    try:
        run = _wait_for_end(run_id)
    except KeyboardInterrupt:
        try:
            tell("Stopping; everything is kept. Ctrl-C again leaves the run to itself.")
            _stop_if_alive(run_id)
            run = _wait_for_end(run_id)
        except KeyboardInterrupt:
            tell(f"Run {run_id} may still go on. Stop it: python -m cifar_core stop {run_id}")
            return INTERRUPTED
    figures = services.read_evaluation(run)
    if as_json:
        evaluation = figures.to_json() if figures else None
        show_json({**summaries.facts(run, figures), "evaluation": evaluation})
    elif figures:
        accuracy = formats.percent(figures.accuracy, figures.interval)
        took = formats.duration(run.status.device_seconds)
        show(f"Run {run_id} is finished: {accuracy} of the test pictures right, {took}.")
    else:
        show(f"Run {run_id} is {run.state}. {run.reason} {run.remedy}")
    return 0 if run.state is State.FINISHED else 1


def _wait_for_end(run_id: str) -> Run:
    while (run := services.read_run(run_id)).state.is_alive:
        ahead = services.position_in_line(run) if run.state is State.QUEUED else 0
        tell(summaries.progress(run, ahead), same_line=True)
        time.sleep(LOOK_SECONDS)
    return run


def _stop_if_alive(run_id: str) -> None:
    """Asks a run to stop; one that has ended since the last look needs no asking."""
    try:
        services.stop_run(run_id)
    except LabError as error:
        if services.read_run(run_id).state.is_alive:
            tell(console.sentence(error))


def _figures(run: Run) -> Evaluation | None:
    """Returns a run's final figures; a list of runs does not fail for one it cannot read."""
    try:
        return services.read_evaluation(run)
    except LabError as error:
        tell(console.sentence(error))
        return None
