"""Commands on trained networks: their figures, what they answer, a report on them."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cifar_core import console, formats, services
from cifar_core.commands.answers import Add, answer
from cifar_core.console import show
from cifar_core.dataset import CIFAR10
from cifar_core.errors import PictureError
from cifar_core.evaluation.classification import class_report, to_dict, to_text
from cifar_core.inference.archive import Archive, is_archive, open_archive
from cifar_core.inference.novelty import NoneOfThese
from cifar_core.inference.upload import Picture

MODEL = "a run's id, or a network: the model that came with the lab, else your newest"
OUTPUT = "report.html by default; - for standard output"


def add_to(add: Add) -> None:
    """Adds the commands on trained networks."""
    made = add(evaluate, "evaluate", "recompute the final figures of a run from its weights")
    made.add_argument("run", metavar="RUN")
    made = add(measure, "measure", "time each step of a trained network on this machine")
    made.add_argument("model", metavar="MODEL", help=MODEL)
    made = add(classify, "classify", "say what pictures show")
    made.add_argument("files", nargs="+", type=Path, metavar="FILE", help="an image, or a zip")
    made.add_argument("--model", help=f"{MODEL}; the reference by default")
    made.add_argument("--fit", choices=("squash", "crop"), default="squash")
    made.add_argument("--mirror", action="store_true", help="average with the mirror image")
    made = add(feedback, "feedback", "show or delete what people said of answers")
    made.add_argument("--code", help="of one person; all people without it")
    made.add_argument("--delete", action="store_true", help="delete it")
    made = add(report, "report", "write a report on finished runs as one HTML file")
    made.add_argument("runs", nargs="+", metavar="RUN")
    made.add_argument("-o", "--output", default="report.html", metavar="FILE", help=OUTPUT)


def evaluate(options: argparse.Namespace) -> int:
    """``evaluate``: recomputes the final figures from the weights."""
    run = services.read_run(options.run)
    figures = services.evaluate_run(run)
    accuracy = formats.percent(figures.accuracy, figures.interval)
    report = class_report(figures.confusion_matrix, CIFAR10.class_names)
    text = f"{run.name}: {accuracy} of {figures.pictures:,} test pictures right"
    facts = {"run": run.id, **figures.to_json(), "classification_report": to_dict(report)}
    return answer(options, facts, f"{text}\n\n{to_text(report).rstrip()}")


def measure(options: argparse.Namespace) -> int:
    """``measure``: times each step of a trained network on this machine."""
    run = services.find_model(options.model)
    timing = services.measure_timing(run)
    steps = services.open_inspector(run).ops
    lines = [
        f"{ms:8.4f} ms  {step.operation.name.lower()} {'x'.join(map(str, step.shape))}"
        for ms, step in zip(timing.step_ms, steps, strict=True)
    ]
    lines += [f"{timing.other_ms:8.4f} ms  between the steps", f"{timing.whole_ms:8.4f} ms  whole"]
    lines.append(f"{run.name}: processor time per picture, {timing.device}, 1 thread")
    return answer(options, {"run": run.id, **timing.to_json()}, "\n".join(lines))


def classify(options: argparse.Namespace) -> int:
    """``classify``: says what pictures show, one line each; status 1 if one could not be read."""
    run = services.find_model(options.model)
    model = services.open_model(run)
    failed = False
    for name, load in _images(options.files):
        facts: dict[str, Any] = {"file": name}
        try:
            [[answer]] = services.predict(
                [load().pixels], [model], fit=options.fit, flip=options.mirror
            )
            shares = [round(float(share), 6) for share in answer.probabilities]
            best = max(range(len(shares)), key=shares.__getitem__)
            facts["model"] = run.id
            facts["label"] = CIFAR10.class_names[best]
            facts["probabilities"] = dict(zip(CIFAR10.class_names, shares, strict=True))
            facts["none_of_these"] = _foreign(answer.ood)
        except PictureError as error:
            failed = True
            facts["error"] = console.answers(error)
        show(json.dumps(facts) if options.json else _in_words(facts))
    return 1 if failed else 0


def _images(paths: Sequence[Path]) -> Iterator[tuple[str, Callable[[], Picture]]]:
    """Yields the name of each image, those in zips too, and what reads it or raises an error."""
    for path in paths:
        try:
            data = console.read_file(path.absolute())
            if not is_archive(data):
                yield str(path), partial(services.read_picture, data, path.name)
                continue
            archive = open_archive(data, path.name)
        except PictureError as error:
            yield str(path), partial(_refuse, error)
            continue
        for place, name in enumerate(archive.names):
            yield f"{path}/{name}", partial(_of_archive, archive, place)


def _of_archive(archive: Archive, place: int) -> Picture:
    return services.read_picture(archive.read(place), archive.names[place])


def _refuse(error: PictureError) -> Picture:
    raise error


def _in_words(facts: Mapping[str, Any]) -> str:
    """Returns what is known of one image on one line."""
    if "error" in facts:
        return f"{facts['file']}: {' '.join(facts['error'].values())}"
    perhaps = facts["none_of_these"] and facts["none_of_these"]["verdict"]
    doubt = "; perhaps none of the ten" if perhaps else ""
    label = facts["label"]
    return f"{facts['file']}: {label} ({formats.percent(facts['probabilities'][label])}){doubt}"


def feedback(options: argparse.Namespace) -> int:
    """``feedback``: shows what people had kept of their word on answers, or deletes it."""
    if options.delete:
        count = (
            services.delete_feedback(options.code)
            if options.code is not None
            else services.delete_all_feedback()
        )
        return answer(options, {"deleted": count}, f"Deleted: {count:,}.")
    said = (
        services.read_feedback(options.code)
        if options.code is not None
        else services.read_all_feedback()
    )
    facts = [services.feedback_facts(one) for one in said]
    rows = [services.feedback_row(one) for one in said]
    lines = [", ".join(f"{key}: {value}" for key, value in row.items()) for row in rows]
    return answer(options, facts, "\n".join(lines) or "Nothing is kept.")


def report(options: argparse.Namespace) -> int:
    """``report``: writes a report on finished runs as one HTML file."""
    if options.json and console.is_output(options.output):
        options.parser.error("--json and the report would both go to standard output")
    runs = [services.read_run(run_id) for run_id in options.runs]
    content = services.make_report(runs)
    console.write_file(options.output, content)
    facts = {
        "file": options.output,
        "size_bytes": len(content),
        "runs": [run.id for run in runs],
    }
    names = ", ".join(run.name for run in runs)
    text = f"{options.output}: a report on {names}, {formats.data_size(len(content))}"
    if console.is_output(options.output):
        console.tell(text)
        return 0
    return answer(options, facts, text)


def _foreign(verdict: NoneOfThese | None) -> dict[str, Any] | None:
    """Returns “none of these” as plain values, or None where the model cannot tell."""
    return dataclasses.asdict(verdict) if verdict is not None else None
