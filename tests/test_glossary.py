"""The glossary, and that the pages explain their figures with it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from cifar_core.glossary import GLOSSARY, define, explain, explain_found

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*(ROOT / "cifar_core" / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")])

EXPECTED = (
    *("epoch", "batch size", "learning rate", "validation split", "accuracy", "top-5 accuracy"),
    *("confidence interval", "confusion matrix", "precision", "recall", "F1", "average precision"),
    *("calibration error (ECE)", "temperature", "coverage", "McNemar's test", "dropout"),
    *("test-time augmentation", "batch normalisation", "parameters", "multiply-adds (MACs)"),
    *("receptive field", "activation", "filter", "saliency (occlusion)", "near-duplicate"),
    *("label error", "out-of-distribution", "embedding", "PCA", "t-SNE", "seed", "checkpoint"),
    *("queue time", "macro avg", "weighted avg", "support", "one-hot encoding"),
)


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """Yields every call of a function or method of these names, and where it stands."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in names:
                    yield f"{path.name}:{node.lineno}", node


def test_every_term_has_one_sentence_of_its_own() -> None:
    sentences = list(GLOSSARY.values())
    assert len(set(sentences)) == len(sentences)
    for term, sentence in GLOSSARY.items():
        assert sentence[0].isupper(), term
        assert sentence.endswith("."), term
        assert len(sentence.split()) >= 5, term


@pytest.mark.parametrize("term", EXPECTED)
def test_the_glossary_knows_the_terms_of_the_pages(term: str) -> None:
    assert define(term) in explain(term)
    assert explain(term).casefold().startswith(term.casefold())


def test_the_terms_stand_in_the_order_of_the_alphabet() -> None:
    assert list(GLOSSARY) == sorted(GLOSSARY, key=str.casefold)


def test_every_metric_of_the_pages_is_explained() -> None:
    found = list(calls("metric"))
    assert len(found) > 10
    assert [
        place for place, call in found if "help" not in {keyword.arg for keyword in call.keywords}
    ] == []


def test_the_pages_ask_for_terms_that_the_glossary_has() -> None:
    asked = [(place, call.args[0]) for place, call in calls("define", "explain")]
    terms = {place: arg.value for place, arg in asked if isinstance(arg, ast.Constant)}
    assert len(terms) > 20
    assert {place: term for place, term in terms.items() if term not in GLOSSARY} == {}


def test_the_terms_of_a_text_are_found_as_whole_words() -> None:
    found = explain_found("Batch normalisation; dropouts; the SEED. Calibration error: 2%")
    assert found is not None
    terms = ("batch normalisation", "calibration error (ECE)", "seed")
    assert found.split("\n\n") == [explain(term) for term in terms]
    assert explain_found("Nothing to say.") is None
