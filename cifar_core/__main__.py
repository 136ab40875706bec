"""The command line: data, trainings, their figures and classifying, with the pages' services.

``python -m cifar_core --help`` lists the commands. With ``--json`` a command prints JSON on
standard output and nothing else there; what happens meanwhile goes to standard error. Failures
end with status 1, foreseen ones in three answers, unforeseen ones in a sentence (and with their
traceback where the variable CIFAR_LAB_DEBUG is set); bad usage ends with 2, Ctrl-C with 130.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cifar_core import __version__, console, formats, services, summaries
from cifar_core.console import OutputError, show, show_json, tell
from cifar_core.dataset import CLASS_NAMES, arrays
from cifar_core.errors import LabError, PictureError
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.networks import NETWORKS
from cifar_core.recipes import DEFAULT_RECIPE, NAMED_RECIPES, recipe
from cifar_core.runs.folder import State
from cifar_core.runs.manager import Run

LOOK_SECONDS = 1.0

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells give it: 128 and the number of the signal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carries out one command and returns its exit status."""
    console.prepare()
    try:
        return _carry_out(_parse(arguments))
    except OutputError as error:
        if not isinstance(error.__cause__, BrokenPipeError):
            tell(f"The output cannot be written: {error}.")
        console.drop_output()
        return 1
    except KeyboardInterrupt:
        tell("Interrupted; a run that was started goes on: see python -m cifar_core runs")
        return INTERRUPTED


def show_data(options: argparse.Namespace) -> int:
    """``data``: finds or downloads the dataset and says what is there."""
    dataset = services.fetch_dataset(lambda step: tell(step.message, same_line=True))
    counts = arrays.class_counts()
    facts = {
        "source": dataset.source,
        "digest": dataset.digest,
        "sha256": dict(dataset.digests),
        "train": len(dataset.train.labels),
        "test": len(dataset.test.labels),
        "classes": list(CLASS_NAMES),
        "counts": {
            name: [int(count) for count in row]
            for name, row in zip(arrays.COUNT_ROWS, counts, strict=True)
        },
    }
    return _answer(
        options,
        facts,
        f"{facts['train']:,} training and {facts['test']:,} test pictures\n"
        f"from {dataset.source}, data {dataset.digest}, digests checked",
    )


def train(options: argparse.Namespace) -> int:
    """``train``: starts a run and, unless detached, follows it to its end."""
    wanted = recipe(
        options.recipe,
        options.network,
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
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
    none = "No runs yet. Start one: python -m cifar_core train --network cnn4"
    facts = [summaries.facts(run, figures) for run, figures in rows]
    return _answer(options, facts, "\n".join(summaries.table(rows)) if rows else none)


def stop(options: argparse.Namespace) -> int:
    """``stop``: asks runs to stop and keep everything."""
    return _for_each(options, services.stop_run)


def resume(options: argparse.Namespace) -> int:
    """``resume``: lets runs go on from their last checkpoint."""
    return _for_each(options, lambda run_id: services.resume_run(run_id, device=options.device))


def delete(options: argparse.Namespace) -> int:
    """``delete``: removes runs that no process works on."""
    return _for_each(options, services.delete_run)


def move(options: argparse.Namespace) -> int:
    """``move``: puts a waiting run in the line of another device."""
    services.move_run(options.run, options.device)
    facts = {"run": options.run, "device": options.device}
    return _answer(options, facts, f"Run {options.run} waits for {options.device}.")


def rename(options: argparse.Namespace) -> int:
    """``rename``: changes what people call a run, and their note on it."""
    if options.name is None and options.note is None:
        options.parser.error("give --name, --note or both")
    services.label_run(options.run, name=options.name, note=options.note)
    run = services.read_run(options.run)
    facts = {"run": run.id, "name": run.name, "note": run.label.note}
    return _answer(options, facts, f"Run {run.id} is called “{run.name}”.")


def show_log(options: argparse.Namespace) -> int:
    """``log``: prints the end of what a run's worker printed."""
    text = services.read_log(options.run)
    if not text:
        tell(f"The worker of run {options.run} has printed nothing.")
    return _answer(options, {"run": options.run, "log": text}, text.removesuffix("\n"))


def evaluate(options: argparse.Namespace) -> int:
    """``evaluate``: recomputes the final figures from the weights."""
    run = services.read_run(options.run)
    figures = services.evaluate_run(run)
    accuracy = formats.percent(figures.accuracy, figures.interval)
    text = f"{run.name}: {accuracy} of {figures.pictures:,} test pictures right"
    return _answer(options, {"run": run.id, **figures.to_json()}, text)


def classify(options: argparse.Namespace) -> int:
    """``classify``: says what pictures show, one line each."""
    run = services.find_model(options.model)
    classifier = services.open_classifier(run)
    failed = False
    for path in options.files:
        facts: dict[str, Any] = {"file": str(path)}
        try:
            picture = services.read_picture(console.read_file(path.absolute()), path.name)
            answer = services.classify(run, classifier, picture, fit=options.fit)
            shares = [round(float(share), 6) for share in answer.probabilities]
            best = max(range(len(shares)), key=shares.__getitem__)
            facts["model"] = run.id
            facts["label"] = CLASS_NAMES[best]
            facts["probabilities"] = dict(zip(CLASS_NAMES, shares, strict=True))
        except PictureError as error:
            failed = True
            facts["error"] = console.answers(error)
        if options.json:
            show(json.dumps(facts))
        elif "error" in facts:
            show(f"{path}: {' '.join(facts['error'].values())}")
        else:
            label = facts["label"]
            show(f"{path}: {label} ({formats.percent(facts['probabilities'][label])})")
    return 1 if failed else 0


def show_devices(options: argparse.Namespace) -> int:
    """``devices``: lists what can train here."""
    devices = services.list_devices()
    text = "\n".join(f"{device.id:8} {device.name}" for device in devices)
    return _answer(options, [dataclasses.asdict(device) for device in devices], text)


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
        took = formats.duration(run.status.running_seconds)
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


def _answer(options: argparse.Namespace, facts: Any, text: str) -> int:
    """Shows the result of a command that succeeded, as JSON or as text, if there is any."""
    if options.json:
        show_json(facts)
    elif text:
        show(text)
    return 0


def _figures(run: Run) -> Evaluation | None:
    """Returns a run's final figures; a list of runs does not fail for one it cannot read."""
    try:
        return services.read_evaluation(run)
    except LabError as error:
        tell(console.sentence(error))
        return None


def _for_each(options: argparse.Namespace, action: Callable[[str], None]) -> int:
    """Does something with each named run; one that fails does not keep the others from it."""
    failures = {}
    for run_id in options.runs:
        try:
            action(run_id)
        except LabError as error:
            failures[run_id] = console.answers(error)
            tell(console.sentence(error))
    if options.json:
        show_json({run_id: failures.get(run_id, "done") for run_id in options.runs})
    return 1 if failures else 0


def _carry_out(options: argparse.Namespace) -> int:
    """Carries out a command and says what went wrong, foreseen or not."""
    try:
        return int(options.command(options))
    except OutputError:
        raise
    except LabError as error:
        answers = console.answers(error)
    except Exception as error:  # noqa: BLE001 - a person never meets a traceback
        if os.environ.get("CIFAR_LAB_DEBUG"):
            traceback.print_exc()
        text = " ".join(str(error).split())
        answers = {"what": f"Something unforeseen happened: {type(error).__name__}: {text}"}
    if options.json:
        show_json({"error": answers})
    else:
        tell("\n".join(answers.values()))
    return 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    try:
        return _parser().parse_args(arguments)
    except SystemExit:
        show("", end="")  # what --help has printed may not fit on the disk either
        raise


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cifar_core", description="CIFAR-10 Lab")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(command: Any, name: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("--json", action="store_true", help="print JSON")
        made.set_defaults(command=command, parser=made)
        return made

    add(show_data, "data", "find or download the dataset")
    made = add(train, "train", "train a network")
    made.add_argument("--network", choices=NETWORKS, required=True)
    made.add_argument("--recipe", choices=NAMED_RECIPES, default=DEFAULT_RECIPE)
    made.add_argument("--epochs", type=int)
    made.add_argument("--batch-size", type=int)
    made.add_argument("--learning-rate", type=float)
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
    made = add(rename, "rename", "rename a run or change its note")
    made.add_argument("run", metavar="RUN")
    made.add_argument("--name", help="what to call it; empty for no name")
    made.add_argument("--note", help="a note on it; empty for none")
    made = add(move, "move", "put a waiting run in the line of another device")
    made.add_argument("run", metavar="RUN")
    made.add_argument("--device", required=True, help="cpu, gpu:0 …")
    made = add(show_log, "log", "print the end of a run's log")
    made.add_argument("run", metavar="RUN")
    made = add(evaluate, "evaluate", "recompute the final figures of a run from its weights")
    made.add_argument("run", metavar="RUN")
    made = add(classify, "classify", "say what pictures show")
    made.add_argument("files", nargs="+", type=Path, metavar="FILE")
    made.add_argument("--model", help="a run's id, or a network: its newest model")
    made.add_argument("--fit", choices=("squash", "crop"), default="squash")
    add(show_devices, "devices", "list what can train here")
    return parser


if __name__ == "__main__":
    sys.exit(main())
