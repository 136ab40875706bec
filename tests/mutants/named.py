"""Defects that were once planted by hand and that no test saw: kept, so that each stays killed.

``make mutants ONLY=named`` plants all, ``ONLY=top5-results`` one. A document or a module that no
quick test covers names the tests that must see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.mutants.planting import Mutant


@dataclass(frozen=True)
class Named:
    """A known defect.

    Attributes:
        key: Its name.
        what: What a person would see.
        path: The file, from the root of the project.
        old: Text that occurs in it exactly once.
        new: The defect.
        tests: Files of tests that must see it; empty where those that cover the lines must.
    """

    key: str
    what: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...] = ()


_UI, _CHARTS = "cifar_core/ui", "cifar_core/charts"
_CARDS = ("tests/test_models.py",)

NAMED = (
    Named(
        "classify-temperature",
        "Classify never applies the temperature",
        "cifar_core/services/models.py",
        "return apply_temperature(probabilities, self.temperature).astype(np.float32)",
        "return probabilities",
    ),
    Named(
        "top5-results",
        "top-5 on Results shows the accuracy",
        f"{_UI}/results/panels.py",
        "formats.percent(figures.top5)",
        "formats.percent(figures.accuracy)",
    ),
    Named(
        "top5-report",
        "top-5 in the report shows the accuracy",
        "cifar_core/report/templates/report.html.j2",
        "figures.top5 | percent",
        "figures.accuracy | percent",
        tests=("tests/report/test_report_oracle.py",),
    ),
    Named(
        "top5-card",
        "top-5 in a model card shows the accuracy",
        "cifar_core/report/templates/card.md.j2",
        "figures.top5 | percent",
        "figures.accuracy | percent",
        tests=("tests/report/test_card.py",),
    ),
    Named(
        "mirrored-results",
        "Results shows the plain accuracy as that with the mirror image",
        f"{_UI}/results/panels.py",
        "formats.percent(figures.accuracy_mirrored)",
        "formats.percent(figures.accuracy)",
    ),
    Named(
        "page-2-gallery",
        "page 2 of the dataset's gallery shows page 1",
        f"{_UI}/dataset/image_gallery.py",
        "places = found.places[page]",
        "places = found.places[:PAGE_PICTURES]",
    ),
    Named(
        "page-2-doubts",
        "page 2 of the doubtful labels shows page 1",
        f"{_UI}/dataset/label_errors.py",
        "shown = here[page]",
        "shown = here[:PAGE_PICTURES]",
    ),
    Named(
        "page-2-duplicates",
        "page 2 of the near-duplicates shows page 1",
        f"{_UI}/dataset/near_duplicates.py",
        "shown = pairs[page]",
        "shown = pairs[:PAGE_PAIRS]",
    ),
    Named(
        "page-2-map",
        "page 2 of the images below the map shows page 1",
        f"{_UI}/dataset/embedding_map.py",
        "rows[choose_page(len(rows), PAGE_PICTURES, key=key)]",
        "rows[:PAGE_PICTURES]",
    ),
    Named(
        "page-2-cell",
        "page 2 of a matrix cell's images shows page 1",
        f"{_UI}/kit/image_browser.py",
        'here[choose_page(len(here), PAGE_PICTURES, key=f"page-{key}")]',
        "here[:PAGE_PICTURES]",
    ),
    Named(
        "batch-csv",
        "the CSV of many images repeats the first model",
        f"{_UI}/classify/batch.py",
        "round(float(glance.predictions[place].probabilities[label]), 6)",
        "round(float(glance.answers[0].probabilities[label]), 6)",
    ),
    Named(
        "pca-tsne",
        "PCA draws t-SNE",
        f"{_UI}/dataset/embedding_map.py",
        '"PCA": "pca"',
        '"PCA": "tsne"',
    ),
    Named(
        "empty-csv-chart",
        "the CSV below every chart is empty",
        f"{_UI}/kit/downloads.py",
        "csv_download(table, name, key=key)",
        "csv_download(table.head(0), name, key=key)",
    ),
    Named(
        "empty-csv",
        "every CSV is empty",
        f"{_UI}/kit/tables.py",
        "safe = table.map(_saved)",
        "safe = table.head(0).map(_saved)",
    ),
    Named(
        "empty-json",
        "“Save all figures as JSON” writes {}",
        f"{_UI}/kit/downloads.py",
        "_plain(figures())",
        "_plain({})",
    ),
    Named(
        "reliability-axes",
        "the axes of the reliability diagram are swapped",
        f"{_CHARTS}/calibration.py",
        "(row, row.confidence, row.accuracy)",
        "(row, row.accuracy, row.confidence)",
    ),
    Named(
        "threshold-axes",
        "the axes of accuracy against answers kept are swapped",
        f"{_CHARTS}/calibration.py",
        "for threshold, kept, right in zip(",
        "for threshold, right, kept in zip(",
    ),
    Named(
        "temperature-on-test",
        "the temperature is fitted on the test split",
        "cifar_core/training/finish.py",
        "calibration.fit_temperature(answers, watched.labels)",
        "calibration.fit_temperature("
        "classifier.classify(dataset.test.images), dataset.test.labels)",
        ("tests/training/test_real_run.py",),
    ),
    Named(
        "novelty-on-test",
        "the threshold of “none of these” is set on the test split",
        "cifar_core/services/models.py",
        "labels=learned.labels, held_out=watched.images",
        "labels=learned.labels, held_out=dataset.test.images",
    ),
    Named(
        "forged-card",
        "a shipped card tells a better calibration error than was measured",
        "models/cnn4/README.md",
        "| calibration error (ECE) with temperature 0.625 | 1.6% |",
        "| calibration error (ECE) with temperature 0.625 | 1.2% |",
        _CARDS,
    ),
    Named(
        "forged-evaluation",
        "a shipped evaluation.json tells a better calibration error than was measured",
        "models/cnn6/evaluation.json",
        '"ece_calibrated": 0.0',
        '"ece_calibrated": 0.00',
        _CARDS,
    ),
    Named(
        "transposed-matrix",
        "the confusion matrix has its axes swapped",
        f"{_UI}/kit/runs/results.py",
        "metrics.confusion(answers.labels, answers.probabilities.argmax(axis=1), CIFAR10.classes)",
        "metrics.confusion(answers.probabilities.argmax(axis=1), answers.labels, CIFAR10.classes)",
    ),
    Named(
        "compare-loss",
        "Compare's loss shows the accuracy",
        f"{_UI}/compare/training.py",
        'values = learnt.accuracy if measure == "Accuracy" else learnt.loss',
        "values = learnt.accuracy",
    ),
    Named(
        "compare-minutes",
        "Compare's minutes are seconds",
        f"{_UI}/compare/training.py",
        "[second / 60 for second in learnt.seconds]",
        "[second for second in learnt.seconds]",
    ),
    Named(
        "crop-answer",
        "Classify crops nothing",
        "cifar_core/services/predictions.py",
        "np.stack([to_network_input(image, shape, fit=fit) for image in images])",
        "np.stack([to_network_input(image, shape) for image in images])",
    ),
    Named(
        "crop-many",
        "many images are not cropped",
        "cifar_core/services/predictions.py",
        "inputs.append(network_input(image.pixels, fit=fit))",
        "inputs.append(network_input(image.pixels))",
    ),
    Named(
        "other-epoch",
        "the epoch slider of Results shows the last epoch",
        f"{_UI}/results/prediction_picker.py",
        "    return results.epoch_answers(run, epoch)\n\n\ndef _play",
        "    return results.epoch_answers(run, epochs)\n\n\ndef _play",
    ),
    Named(
        "wrong-split",
        "the gallery's test split shows training images",
        f"{_UI}/dataset/image_gallery.py",
        'split = dataset.train if name == "train" else dataset.test',
        "split = dataset.train",
    ),
)


def locate(named: Named, source: bytes) -> Mutant:
    """Returns a known defect as a mutant of today's source.

    Raises:
        ValueError: Its text does not occur exactly once any more.
    """
    found = source.count(named.old.encode())
    if found != 1:
        raise ValueError(
            f"The known defect “{named.key}” fits {named.path} no longer: its text occurs {found} "
            f"times, not once. Bring it up to date in {Path(__file__).name}: {named.old!r}"
        )
    start = source.index(named.old.encode())
    first = source[:start].count(b"\n") + 1
    lines = (first, first + named.old.count("\n"))
    span = (start, start + len(named.old.encode()))
    return Mutant(
        named.path,
        lines,
        lines,
        kind=named.key,
        span=span,
        text=named.new,
        words=named.what,
        tests=named.tests,
    )
