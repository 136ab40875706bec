"""The command line: everything a page can do, with the same services.

``python -m cifar_core --help`` lists the commands. With ``--json`` a command prints JSON on
standard output and nothing else there; what happens meanwhile goes to standard error. Foreseen
failures end with status 1 and three answers, bad usage with status 2.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cifar_core import __version__, formats, services
from cifar_core.dataset import CLASS_NAMES, arrays
from cifar_core.errors import LabError, PictureError
from cifar_core.networks import NETWORKS
from cifar_core.recipes import DEFAULT_RECIPE, NAMED_RECIPES, recipe
from cifar_core.runs.folder import State
from cifar_core.runs.manager import Run

LOOK_SECONDS = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Carries out one command and returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except LabError as error:
        if options.json:
            _print_json({"error": _answers(error)})
        else:
            for part in _answers(error).values():
                _tell(part)
        return 1
    except BrokenPipeError:
        return 1


def show_data(options: argparse.Namespace) -> int:
    """``data``: finds or downloads the dataset and says what is there."""
    dataset = services.fetch_dataset(lambda step: _tell(step.message, same_line=True))
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
    if options.json:
        _print_json(facts)
    else:
        print(f"{facts['train']:,} training and {facts['test']:,} test pictures")
        print(f"from {dataset.source}, data {dataset.digest}, digests checked")
    return 0


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
    _tell(f"Run {run_id} started.")
    if options.detach:
        if options.json:
            _print_json({"run": run_id})
        return 0
    return _follow(run_id, as_json=options.json)


def show_runs(options: argparse.Namespace) -> int:
    """``runs``: lists all runs, the newest first, the shipped ones last."""
    runs = services.list_runs()
    if options.json:
        _print_json([_run_facts(run) for run in runs])
        return 0
    if not runs:
        print("No runs yet. Start one: python -m cifar_core train --network cnn4")
    for run in runs:
        accuracy = formats.percent(run.status.accuracy)
        print(f"{run.id:40} {run.state:12} epoch {run.status.epoch:<4} {accuracy:>7}  {run.name}")
    return 0


def stop(options: argparse.Namespace) -> int:
    """``stop``: asks runs to stop and keep everything."""
    return _for_each(options, services.stop_run)


def resume(options: argparse.Namespace) -> int:
    """``resume``: lets runs go on from their last checkpoint."""
    return _for_each(options, lambda run_id: services.resume_run(run_id, device=options.device))


def delete(options: argparse.Namespace) -> int:
    """``delete``: removes runs that no process works on."""
    return _for_each(options, services.delete_run)


def rename(options: argparse.Namespace) -> int:
    """``rename``: changes what people call a run, and their note on it."""
    services.label_run(options.runs, name=options.name, note=options.note)
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """``evaluate``: recomputes the final figures from the weights."""
    run = services.read_run(options.run)
    figures = services.evaluate_run(run)
    if options.json:
        _print_json({"run": run.id, **figures.to_json()})
    else:
        print(f"{run.name}: {formats.percent(figures.accuracy, figures.interval)} of")
        print(f"{figures.pictures:,} test pictures right")
    return 0


def classify(options: argparse.Namespace) -> int:
    """``classify``: says what pictures show, one line each."""
    run = services.find_model(options.model)
    classifier = services.open_classifier(run)
    failed = False
    for path in options.files:
        facts: dict[str, Any] = {"file": str(path)}
        try:
            picture = services.read_picture(_read_file(path), path.name)
            answer = services.classify(run, classifier, picture, fit=options.fit)
            shares = [round(float(share), 6) for share in answer.probabilities]
            best = max(range(len(shares)), key=shares.__getitem__)
            facts["model"] = run.id
            facts["label"] = CLASS_NAMES[best]
            facts["probabilities"] = dict(zip(CLASS_NAMES, shares, strict=True))
        except PictureError as error:
            failed = True
            facts["error"] = _answers(error)
        if options.json:
            print(json.dumps(facts, ensure_ascii=False))
        elif "error" in facts:
            print(f"{path}: {' '.join(facts['error'].values())}")
        else:
            label = facts["label"]
            print(f"{path}: {label} ({formats.percent(facts['probabilities'][label])})")
    return 1 if failed else 0


def show_devices(options: argparse.Namespace) -> int:
    """``devices``: lists what can train here."""
    devices = services.list_devices()
    if options.json:
        _print_json([dataclasses.asdict(device) for device in devices])
    else:
        for device in devices:
            print(f"{device.id:8} {device.name}")
    return 0


def _follow(run_id: str, *, as_json: bool) -> int:
    """Tells of a run until it ends; an interrupt from the keyboard stops it, kept."""
    while True:
        try:
            run = services.read_run(run_id)
            if not run.state.is_alive:
                break
            _tell(_progress(run), same_line=True)
            time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            _tell("\nStopping; everything is kept.")
            services.stop_run(run_id)
    figures = services.read_evaluation(run)
    if as_json:
        facts = _run_facts(run)
        _print_json({**facts, "evaluation": figures.to_json() if figures else None})
    elif figures:
        accuracy = formats.percent(figures.accuracy, figures.interval)
        took = formats.duration(run.status.running_seconds)
        print(f"\nRun {run_id} is finished: {accuracy} of the test pictures right, {took}.")
    else:
        print(f"\nRun {run_id} is {run.state}. {run.reason} {run.remedy}")
    return 0 if run.state is State.FINISHED else 1


def _progress(run: Run) -> str:
    status = run.status
    if run.state is State.QUEUED:
        return f"waiting, {services.position_in_line(run)} before it"
    share = status.step / status.steps_per_epoch if status.steps_per_epoch else 0.0
    parts = [f"{run.state}: {status.phase}", f"epoch {status.epoch + share:.1f}"]
    if status.images_per_second:
        parts.append(f"{status.images_per_second:,.0f} images/s")
    if status.accuracy is not None:
        parts.append(f"{formats.percent(status.accuracy)} of the watched pictures right")
    if status.eta_seconds is not None:
        parts.append(f"{formats.duration(status.eta_seconds)} to go")
    return ", ".join(parts)


def _run_facts(run: Run) -> dict[str, Any]:
    return {
        "run": run.id,
        "name": run.name,
        "state": str(run.state),
        "reason": run.reason,
        "remedy": run.remedy,
        "shipped": run.is_shipped,
        "recipe": run.recipe.to_json() if run.recipe else None,
        "status": dataclasses.asdict(run.status),
        "note": run.label.note,
    }


def _for_each(options: argparse.Namespace, action: Any) -> int:
    """Does something with each named run; one that fails does not keep the others from it."""
    failures = {}
    for run_id in options.runs:
        try:
            action(run_id)
        except LabError as error:
            failures[run_id] = _answers(error)
            _tell(" ".join(_answers(error).values()))
    if options.json:
        _print_json({run_id: failures.get(run_id, "done") for run_id in options.runs})
    return 1 if failures else 0


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PictureError(
            f"The file {path.name!r} cannot be read: {error.strerror}.",
            expected="A picture file that this user may read.",
            remedy="Check its name and permissions.",
        ) from error


def _answers(error: LabError) -> dict[str, str]:
    answers = {"what": error.what, "expected": error.expected, "remedy": error.remedy}
    return {key: text for key, text in answers.items() if text}


def _tell(text: str, *, same_line: bool = False) -> None:
    """Says what happens, on standard error; on a terminal a progress line replaces itself."""
    if same_line and sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    else:
        print(text, file=sys.stderr, flush=True)


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cifar_core", description="CIFAR-10 Lab")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(command: Any, name: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("--json", action="store_true", help="print JSON")
        made.set_defaults(command=command)
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
    made.add_argument("runs", metavar="RUN")
    made.add_argument("--name")
    made.add_argument("--note")
    made = add(evaluate, "evaluate", "recompute the final figures of a run from its weights")
    made.add_argument("run", metavar="RUN")
    made = add(classify, "classify", "say what pictures show")
    made.add_argument("files", nargs="+", type=Path, metavar="FILE")
    made.add_argument("--model", help="a run, or a network for its best-known model")
    made.add_argument("--fit", choices=("squash", "crop"), default="squash")
    add(show_devices, "devices", "list what can train here")
    return parser


if __name__ == "__main__":
    sys.exit(main())
