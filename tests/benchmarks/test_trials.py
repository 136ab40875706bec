from __future__ import annotations

import pytest

from benchmarks import trials
from cifar_core.errors import RecipeError

SHORT = {"epochs": 2}


def test_every_change_is_tried_alone_beside_the_recipe_as_it_is() -> None:
    changes = ["precision=float32", "label_smoothing=0", "nesterov=false"]
    assert trials.variants("quick", "cnn4", changes, SHORT) == {
        "as it is": {"epochs": 2},
        "precision=float32": {"epochs": 2, "precision": "float32"},
        "label_smoothing=0": {"epochs": 2, "label_smoothing": 0},
        "nesterov=false": {"epochs": 2, "nesterov": False},
    }


@pytest.mark.parametrize("change", ["", "speed=9", "precision", "precision=int4", "epochs=0"])
def test_a_change_that_no_recipe_can_have_is_refused_before_anything_is_trained(
    change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RecipeError):
        trials.variants("quick", "cnn4", [change], SHORT)
    assert trials.main(["cnn4", "quick", change]) == 2
    assert capsys.readouterr().err


def test_the_table_gives_mean_deviation_and_difference() -> None:
    table = trials.render({"as it is": [0.70, 0.72, 0.74], "dropout=1": [0.71, 0.73, 0.75]})
    assert table.splitlines()[2:] == [
        "| as it is | 72.00% ± 2.00% |  |",
        "| dropout=1 | 73.00% ± 2.00% | +1.00 points |",
    ]
