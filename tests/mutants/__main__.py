"""``make mutants``: plants one-line defects and prints those that no test sees.

``python -m tests.mutants --sample 150 --seed 1 --only pages``. Only the tests that cover a line
run. Everything happens in copies in a temporary folder; what was found stays in ``.mutants``, so
that a run that was interrupted goes on. Ends with status 1 when less than 90% were killed, or when
a known defect survives (``--only named``).
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import platform
import queue
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.mutants import covering, named, planting
from tests.mutants import project as project_of
from tests.mutants.covering import Cover
from tests.mutants.planting import Mutant
from tests.mutants.trial import Court, Verdict

PROJECT = Path(__file__).resolve().parents[2]
KEPT, DOCUMENT = PROJECT / ".mutants", PROJECT / "docs" / "reliability.md"
BEGIN, END = "<!-- table: written by make mutants -->", "<!-- end of mutants -->"
FOLDERS = ("pages", *(f"cifar_core/{name}" for name in covering.SUITES[1:-1]))
SAMPLE, TOGETHER, AIM = 150, 2, 0.9

Found = dict[Mutant, Verdict]


def main() -> None:
    """Tries what was asked for and ends with status 1 where too much survived."""
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="how many are planted")
    parser.add_argument("--seed", type=int, default=1, help="of their choice")
    known = [one.key for one in named.NAMED]
    parser.add_argument(
        "--only", default="", help=f"a path, or named, or one of {', '.join(known)}"
    )
    parser.add_argument("--list", action="store_true", help="prints them and tries none")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    mutants = choose(given.only, given.sample, given.seed)
    if given.list:
        print("\n".join(mutant.title for mutant in mutants))
        return
    try:
        found = try_all(mutants)
    except KeyboardInterrupt:
        sys.exit("Stopped. The same command goes on from here.")
    print("\n" + survivors(found) + "\n\n" + table(found))
    if not given.only and given.sample >= SAMPLE:
        write(found, given.seed)
    aim = 1.0 if any(mutant.kind in known for mutant in found) else AIM
    sys.exit(1 if sum(verdict.is_killed for verdict in found.values()) < aim * len(found) else 0)


def choose(only: str, sample: int, seed: int) -> list[Mutant]:
    """Returns the mutants that are asked for."""
    known = [one for one in named.NAMED if only in ("named", one.key)]
    if known:
        return [named.locate(one, (PROJECT / one.path).read_bytes()) for one in known]
    wanted = sources(only)
    if not wanted:
        sys.exit(f"There is nothing to plant in below {only!r}, and no known defect of that name.")
    everything = project_of.read(path.read_bytes() for path in PROJECT.glob("cifar_core/**/*.py"))
    return planting.draw(wanted, everything, sample, seed)


def sources(only: str = "") -> dict[str, bytes]:
    """Returns the modules that are planted in, at any depth, by their paths that start so."""
    paths = [path for folder in FOLDERS for path in sorted((PROJECT / folder).rglob("*.py"))]
    names = {path.relative_to(PROJECT).as_posix(): path for path in paths}
    return {name: path.read_bytes() for name, path in names.items() if name.startswith(only)}


def try_all(mutants: Sequence[Mutant]) -> Found:
    """Tries mutants, two at a time, each where a known verdict is not kept already."""
    names = files()
    kept = KEPT / covering.digest_of(PROJECT, names)
    results = kept / "results.jsonl"
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        courts = [Court(PROJECT, names, Path(place, str(number))) for number in range(TOGETHER)]
        try:
            cover = _cover(kept, courts[0], mutants)
            asked = {mutant: list(mutant.tests) or cover.tests_of(mutant) for mutant in mutants}
            before = _read(results)
            found = {mutant: before[mutant.key] for mutant in mutants if mutant.key in before}
            left = [mutant for mutant in mutants if mutant not in found]
            few = min((asked[one] for one in left if asked[one]), key=len, default=[])
            if few and not courts[0].is_green(few):
                sys.exit("Tests fail in a copy of the project without any defect.")
            for mutant, verdict in _try(left, asked, cover.seconds, courts):
                found[mutant] = verdict
                row = {"key": mutant.key, **dataclasses.asdict(verdict)}
                with results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
                print(f"{len(found):4} {line(mutant, verdict)}", flush=True)
        finally:
            for court in courts:
                court.stop()
    return {mutant: found[mutant] for mutant in mutants}


def files() -> list[str]:
    """Returns what belongs to the project: tracked files, and new ones that git does not ignore."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=True)
    names = sorted({name for name in listed.stdout.split("\0") if name})
    return [name for name in names if (PROJECT / name).is_file()]


def _cover(kept: Path, court: Court, mutants: Iterable[Mutant]) -> Cover:
    """Returns which tests run which line, measured where it is not known yet."""
    if all(mutant.tests for mutant in mutants):
        return Cover({}, {}, {})
    cover = covering.read(kept, PROJECT)
    if cover is None:
        print("Looking which tests run which line (minutes; kept until files change) …")
        covering.measure(court.tree, kept)
        cover = covering.read(kept, PROJECT)
    assert cover is not None
    return cover


def _read(results: Path) -> dict[str, Verdict]:
    if not results.is_file():
        return {}
    rows = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    return {row.pop("key"): Verdict(**row) for row in rows}


def _try(
    mutants: Sequence[Mutant],
    asked: Mapping[Mutant, Sequence[str]],
    seconds: Mapping[str, float],
    courts: Sequence[Court],
) -> Iterable[tuple[Mutant, Verdict]]:
    """Returns the verdicts as they come."""
    free: queue.SimpleQueue[Court] = queue.SimpleQueue()
    for court in courts:
        free.put(court)

    def try_one(mutant: Mutant) -> tuple[Mutant, Verdict]:
        court = free.get()
        try:
            expected = sum(seconds.get(test, 0.0) for test in asked[mutant])
            return mutant, court.try_out(mutant, asked[mutant], expected)
        finally:
            free.put(court)

    with ThreadPoolExecutor(len(courts)) as together:
        tasks = [together.submit(try_one, mutant) for mutant in mutants]
        try:
            for task in as_completed(tasks):
                yield task.result()
        finally:
            together.shutdown(wait=False, cancel_futures=True)
            for court in courts:
                court.stop()


def line(mutant: Mutant, verdict: Verdict) -> str:
    """Returns a row for the terminal, with the test that saw the mutant."""
    what = f"{verdict.seconds:6.1f} s  {mutant.title}"
    return f"killed   {what}\n{'':24}by {verdict.by}" if verdict.is_killed else f"SURVIVED {what}"


def survivors(found: Found) -> str:
    """Returns a line for each mutant that no test saw."""
    rows = [
        f"  {mutant.title} ({f'{verdict.tests} tests run it' if verdict.tests else verdict.by})"
        for mutant, verdict in found.items()
        if not verdict.is_killed
    ]
    return "\n".join(["Survivors:", *rows] if rows else ["No survivor."])


def table(found: Found) -> str:
    """Returns how many were planted, killed and left in each folder, as a Markdown table."""
    lines = ["| folder | planted | killed | survived | share killed |", "|---|--:|--:|--:|--:|"]
    folders = [one for one in FOLDERS if any(mutant.path.startswith(f"{one}/") for mutant in found)]
    for folder in [*sorted(folders), "all"]:
        own = [
            verdict.is_killed
            for mutant, verdict in found.items()
            if folder == "all" or mutant.path.startswith(f"{folder}/")
        ]
        killed, share = sum(own), sum(own) / max(len(own), 1)
        lines.append(f"| {folder} | {len(own)} | {killed} | {len(own) - killed} | {share:.0%} |")
    return "\n".join(lines)


def write(found: Found, seed: int) -> None:
    """Puts the table into the document, between its marks."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    today = dt.datetime.now(dt.UTC).date()
    where = f"Measured on {today:%Y-%m-%d}: Python {platform.python_version()}, seed {seed}."
    text = f"{before}{BEGIN}\n{where}\n\n{table(found)}\n\n{survivors(found)}\n{END}{after}"
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
