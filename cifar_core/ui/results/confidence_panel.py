"""How far a network's percentages can be trusted: reliability, temperature, thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cifar_core import formats
from cifar_core.charts.calibration import (
    KeptSeries,
    ReliabilitySeries,
    kept_chart,
    reliability_diagram,
)
from cifar_core.charts.theme import Title
from cifar_core.evaluation import calibration, metrics
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.glossary import define, explain
from cifar_core.runs.reading import Run
from cifar_core.runs.results import Predictions
from cifar_core.ui.kit.downloads import draw_chart, table_twin
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.tables import file_name
from cifar_core.ui.kit.theme import is_dark

if TYPE_CHECKING:
    import pandas as pd

ECE_WORDS = define("calibration error (ECE)")
AS_TRAINED = "as trained"


@dataclass(frozen=True)
class Confidence:
    """One way to read the answers of a network.

    Attributes:
        name: ``as trained``, or with its temperature.
        error: Expected calibration error, from 0 to 1.
        bins: Reliability in 15 bins.
        kept: What a threshold keeps.
    """

    name: str
    error: float
    bins: tuple[calibration.ReliabilityBin, ...]
    kept: metrics.KeptCurve


def read_confidence(answers: Predictions, temperature: float | None) -> list[Confidence]:
    """Returns the answers as trained, and where there is one with the temperature applied."""
    kinds = {AS_TRAINED: answers.probabilities}
    if temperature is not None:
        scaled = calibration.apply_temperature(answers.probabilities, temperature)
        kinds[f"temperature {temperature:.2f}"] = scaled
    labels = answers.labels
    return [
        Confidence(
            name,
            calibration.expected_calibration_error(values, labels),
            calibration.reliability(values, labels),
            metrics.kept_against_accuracy(values, labels),
        )
        for name, values in kinds.items()
    ]


def confidence_panel(run: Run, answers: Predictions, figures: Evaluation | None) -> None:
    """Draws whether the probabilities can be believed, and what a threshold keeps."""
    temperature = results.fitted_temperature(run, answers, figures)
    kinds = read_confidence(answers, temperature)
    with st.container(horizontal=True, gap="large"):
        for kind in kinds:
            label = f"Calibration error, {kind.name}"
            st.metric(label, formats.percent(kind.error), width="content", help=ECE_WORDS)
        if temperature is not None:
            st.metric(
                "Temperature", f"{temperature:.2f}", width="content", help=define("temperature")
            )
    note = temperature_note(run, answers, figures)
    if note:
        st.text(note)
    left, right = st.columns(2, gap="large")
    with left:
        _reliability(run, answers, kinds)
    with right:
        _kept(run, answers, kinds)


def temperature_note(run: Run, answers: Predictions, figures: Evaluation | None) -> str:
    """Returns what must be said about the temperature; empty where it is plain."""
    if figures is None:
        return "The temperature is fitted when the run is finished."
    if figures.temperature is None:
        return "This run watched the test pictures, so no temperature could be fitted honestly."
    if answers.epoch != run.status.epoch:
        return "The temperature belongs to the final network and is not applied to this epoch."
    if answers.monitored == "validation":
        return "The temperature was fitted on these very pictures: judge it by the test pictures."
    return ""


def kept_sentence(curve: metrics.KeptCurve, aim: float = 0.95) -> str:
    """Returns what share of the answers can be kept to be right as often as wanted."""
    enough = np.flatnonzero(np.nan_to_num(curve.accuracy, nan=0.0) >= aim)
    if not enough.size:
        return f"No threshold makes the kept answers right {100 * aim:.0f} times of 100."
    first = int(enough[0])
    return (
        f"To be right {100 * aim:.0f} times of 100, keep only answers at least "
        f"{100 * curve.thresholds[first]:.0f}% sure: that keeps "
        f"{formats.percent(float(curve.share_kept[first]))} of them."
    )


def _reliability(run: Run, answers: Predictions, kinds: list[Confidence]) -> None:
    import pandas as pd

    lines = [
        ReliabilitySeries(kind.name, _network(run), kind.bins, dashed=_is_second(kind, kinds))
        for kind in kinds
    ]
    title = Title("Does 80% sure mean 80% right?", run.name, answers.epoch, answers.monitored)
    name = file_name("reliability", run.id, answers.monitored, "epoch", answers.epoch)
    draw_chart(
        reliability_diagram(lines, title=title, dark=is_dark()),
        key="reliability",
        name=name,
        alt="Reliability diagram: confidence against accuracy.",
    )
    table = pd.concat(
        pd.DataFrame([vars(row) for row in kind.bins]).assign(answers=kind.name) for kind in kinds
    )
    table_twin(table, name, key="reliability_csv")


def _kept(run: Run, answers: Predictions, kinds: list[Confidence]) -> None:
    lines = [
        KeptSeries(kind.name, _network(run), kind.kept, dashed=_is_second(kind, kinds))
        for kind in kinds
    ]
    title = Title("Fewer answers, better answers", run.name, answers.epoch, answers.monitored)
    name = file_name("coverage", run.id, answers.monitored, "epoch", answers.epoch)
    draw_chart(
        kept_chart(lines, title=title, dark=is_dark()),
        key="kept",
        name=name,
        alt="Share of answers kept against their accuracy.",
    )
    st.text(kept_sentence(kinds[-1].kept), help=explain("coverage"))
    table_twin(_kept_table(kinds), name, key="kept_csv")


def _kept_table(kinds: list[Confidence]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(
        pd.DataFrame(
            {
                "answers": kind.name,
                "at least so sure": kind.kept.thresholds,
                "share kept": kind.kept.share_kept,
                "of these right": kind.kept.accuracy,
            }
        )
        for kind in kinds
    )


def _is_second(kind: Confidence, kinds: list[Confidence]) -> bool:
    """Returns whether the line steps back: as trained, where a temperature is there too."""
    return len(kinds) > 1 and kind.name == AS_TRAINED


def _network(run: Run) -> str:
    return run.recipe.network if run.recipe else ""
