"""What was typed as learning rates: the numbers that were meant, or a question, never a guess."""

from __future__ import annotations

import pytest

from cifar_core.errors import RecipeError
from cifar_core.recipes import read_number
from cifar_core.ui.train.run_order import read_rates

MEANT = {
    "0.05": [0.05],
    ".05": [0.05],
    " 1e-3 ": [0.001],
    "0,05": [0.05],
    "0,01 0,05": [0.01, 0.05],
    "0,01; 0,05": [0.01, 0.05],
    "0,01, 0,05": [0.01, 0.05],
    "0.01,0.05": [0.01, 0.05],
    "0.01, 0.05": [0.01, 0.05],
    "0.01 , 0.05,": [0.01, 0.05],
    "0.01;0.05;": [0.01, 0.05],
    "1e-3,0.05": [0.001, 0.05],
    "1; 5": [1.0, 5.0],
    "1, 5": [1.0, 5.0],
    "0.05 0.05": [0.05],
}

UNCLEAR = [",05", "1,5", "0,01,0,05", "1,000.5", "1.000,5", "0.01,5", "0.01 ,05", "1,,5"]

NO_NUMBER = ["nan", "inf", "1_0", "0x1", "0..1", "1.2.3", "1e", "٠.٥", "05", "five", "0.05 €"]


@pytest.mark.parametrize("text", MEANT)
def test_learning_rates_are_the_numbers_that_were_typed(text: str) -> None:
    assert read_rates(text) == MEANT[text]


@pytest.mark.parametrize("text", [*UNCLEAR, *NO_NUMBER, "", " , "])
def test_what_can_be_read_in_two_ways_or_in_none_starts_nothing(text: str) -> None:
    with pytest.raises(RecipeError):
        read_rates(text)


@pytest.mark.parametrize("text", [*UNCLEAR, *NO_NUMBER, "", "0.01 0.05", "0.01,0.05"])
def test_the_command_line_takes_one_number_only(text: str) -> None:
    with pytest.raises(RecipeError):
        read_number(text)


def test_a_decimal_comma_is_read_on_the_command_line_too() -> None:
    assert read_number("0,05") == 0.05
