from __future__ import annotations

import pickle

import pytest

from cifar_core import errors
from cifar_core.errors import LabError, plain_text

CHILDREN = [
    errors.DataError,
    errors.RecipeError,
    errors.RunError,
    errors.PictureError,
    errors.ModelError,
]


@pytest.mark.parametrize("kind", CHILDREN)
def test_every_foreseen_failure_is_a_lab_error_with_its_three_answers(
    kind: type[LabError],
) -> None:
    error = kind("It broke.", expected="A whole one.", remedy="Mend it.")
    assert isinstance(error, LabError)
    assert (error.what, error.expected, error.remedy) == ("It broke.", "A whole one.", "Mend it.")


def test_the_text_of_an_error_is_its_answers_in_order() -> None:
    assert str(LabError("It broke.", expected="A whole one.", remedy="Mend it.")) == (
        "It broke. A whole one. Mend it."
    )


def test_an_answer_that_is_not_given_leaves_no_gap() -> None:
    assert str(LabError("It broke.", remedy="Mend it.")) == "It broke. Mend it."


def test_an_error_says_what_happened_after_a_pickle() -> None:
    error = pickle.loads(pickle.dumps(LabError("It broke.", remedy="Mend it.")))
    assert error.what.startswith("It broke.")


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[1mred\x1b[0m",
        "\x1b]0;title\x07red",
        "\x1b(Bred",
        "r\x1b[2;5He\x1b[?25ld\x07\x08",
        "\x1b[31;1mred\x1b",
        "\x1bcred\n",
    ],
)
def test_a_failure_from_elsewhere_is_told_without_codes_for_a_terminal(text: str) -> None:
    assert plain_text(ValueError(text)) == "red"
