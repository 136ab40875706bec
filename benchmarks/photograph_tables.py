"""The tables of docs/classify.md, from what :mod:`benchmarks.photographs` measured."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean
from typing import Any

from benchmarks.documents import fill, table
from cifar_core.networks import NETWORKS
from cifar_core.settings import PROJECT_DIR

PAGE_PATH = PROJECT_DIR / "docs" / "classify.md"
BY = "python -m benchmarks.photographs"
DEFAULT_FIT = "squash, bilinear"
ALL = "all averaged"

Found = Mapping[str, Any]


def tables(found: Found) -> dict[str, str]:
    """Returns every table as Markdown, by the name of its marks."""
    return {
        "origin": _origin(found),
        "accuracy": _accuracy(found),
        "noticed": _noticed(found),
        "ranks": _ranks(found, ("score", "largest softmax")),
        "signs": _ranks(found, ("energy", "relative distance of features", "distance of channels")),
        "tried": _tried(found),
        "calibration": _calibration(found),
    }


def write(found: Found) -> None:
    """Puts the tables into the document, between their marks."""
    page = PAGE_PATH.read_text(encoding="utf-8")
    for name, text in tables(found).items():
        page = fill(page, name, text, by=BY)
    PAGE_PATH.write_text(page, encoding="utf-8")


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _networks(found: Found) -> list[str]:
    return [name for name in NETWORKS if name in found]


def _origin(found: Found) -> str:
    models = ", ".join(
        f"{NETWORKS[name].title} {digest}" for name, digest in found["models"].items()
    )
    return f"Measured {found['date']} with the shipped models ({models}), data {found['data']}."


def _accuracy(found: Found) -> str:
    asked = [*_networks(found), ALL]
    titles = [NETWORKS[name].title if name in NETWORKS else name for name in asked]
    rates = {(row["fit"], row["network"], row["mirrored"]): row for row in found["accuracy"]}
    rows = []
    for fit in dict.fromkeys(row["fit"] for row in found["accuracy"]):
        shares = [rates[fit, name, mirror]["all"] for mirror in (False, True) for name in asked]
        cells = [f"{_percent(share['classes'])} ({_percent(share['all'])})" for share in shares]
        rows.append([f"**{fit}** (the default)" if fit == DEFAULT_FIT else fit, *cells])
    heads = ["Way to 32 × 32", *titles, *(f"{title}, mirrored" for title in titles)]
    halves = [
        " ".join(
            [NETWORKS[name].title]
            + [
                f"{_percent(rates[DEFAULT_FIT, name, False][half]['classes'])} ({half})"
                for half in ("development", "reporting")
            ]
        )
        for name in _networks(found)
    ]
    return f"{table(heads, rows)}\n\nThe default by halves: {'; '.join(halves)}."


def _noticed(found: Found) -> str:
    names = _networks(found)
    verdicts = [found[name]["none_of_these"] for name in names]
    counts = verdicts[0]["pictures"]
    known, other = counts["known photographs"][1], counts["other photographs"][1]
    sizes = {
        "test": f"on the {counts['test']:,} test pictures",
        "known photographs, reporting half": f"on known photographs, reporting half ({known})",
        "photographs of other things": f"photographs of other things ({other})",
    }
    rows = [
        [f"false alarms {sizes[what]}", *(_percent(v["false_alarms"][what]) for v in verdicts)]
        for what in verdicts[0]["false_alarms"]
    ]
    drawn = counts["of each generated family"]
    rows += [
        [
            f"noticed: {sizes.get(what, f'{what} ({drawn})')}",
            *(_percent(v["noticed"][what]) for v in verdicts),
        ]
        for what in verdicts[0]["noticed"]
    ]
    return table(["", *(NETWORKS[name].title for name in names)], rows)


def _ranks(found: Found, kinds: tuple[str, ...]) -> str:
    names = _networks(found)
    ranks = {name: found[name]["none_of_these"]["auroc"] for name in names}
    heads = ["", *(f"{NETWORKS[name].title}: {kind}" for name in names for kind in kinds)]
    rows = [
        [what, *(f"{ranks[name][kind][what]:.3f}" for name in names for kind in kinds)]
        for what in ranks[names[0]][kinds[0]]
    ]
    return table(heads, rows)


def _tried(found: Found) -> str:
    names = _networks(found)
    heads = ["Score"]
    for name in names:
        heads += [f"{NETWORKS[name].title}: {kind}" for kind in ("photographs", "foreign")]
    rows = []
    for score in found[names[0]]["tried"]:
        cells = []
        for name in names:
            photographs, *foreign = found[name]["tried"][score].values()
            cells += [f"{photographs:.3f}", f"{mean(foreign):.3f} ({min(foreign):.3f})"]
        rows.append([score, *cells])
    return table(heads, rows)


def _calibration(found: Found) -> str:
    words = {"plain": "", "mirrored": ", averaged with the mirror image"}
    rows = [
        [
            f"{NETWORKS[name].title}{suffix}",
            _percent(found[name]["calibration"][kind]["accuracy"]),
            _percent(found[name]["calibration"][kind]["ece_15_bins"]),
        ]
        for name in _networks(found)
        for kind, suffix in words.items()
    ]
    return table(["", "accuracy", "calibration error"], rows)
