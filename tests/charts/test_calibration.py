from __future__ import annotations

import numpy as np

from cifar_core.charts import calibration as charts
from cifar_core.charts import theme
from cifar_core.evaluation.calibration import reliability
from cifar_core.evaluation.metrics import kept_against_accuracy

RANDOM = np.random.default_rng(4)
PROBABILITIES = RANDOM.dirichlet(np.full(10, 0.3), size=500)
LABELS = PROBABILITIES.argmax(axis=1)


def test_only_bins_with_answers_are_points_and_larger_ones_are_bigger() -> None:
    bins = reliability(PROBABILITIES, LABELS)
    line = charts.reliability_diagram([charts.ReliabilitySeries("CNN-4", "cnn4", bins)]).data[1]
    filled = [row for row in bins if row.count]
    assert len(line.x) == len(filled) < len(bins)
    by_count = np.argsort([row.count for row in filled], kind="stable")
    assert (np.diff(np.array(line.marker.size)[by_count]) >= 0).all()


def test_the_ideal_is_the_diagonal_beneath_every_line() -> None:
    ideal = charts.reliability_diagram([]).data[0]
    assert (ideal.x, ideal.y) == ((0, 100), (0, 100))


def test_before_and_after_the_temperature_differ_in_more_than_colour() -> None:
    bins = reliability(PROBABILITIES, LABELS)
    chart = charts.reliability_diagram(
        [
            charts.ReliabilitySeries("as trained", "cnn4", bins, dashed=True),
            charts.ReliabilitySeries("calibrated", "cnn4", bins),
        ]
    )
    _, before, after = chart.data
    assert before.line.color == after.line.color == theme.network_colour("cnn4")
    assert before.line.dash != after.line.dash
    assert chart.layout.showlegend is True


def test_thresholds_that_keep_nothing_are_left_out() -> None:
    curve = kept_against_accuracy(PROBABILITIES * 0.98 + 0.002, LABELS)
    line = charts.kept_chart([charts.KeptSeries("CNN-4", "cnn4", curve)]).data[0]
    assert line.x[0] == 100.0
    assert min(line.x) > 0
    assert max(line.customdata) < 100
    assert "NaN" not in line.to_plotly_json().__repr__()
