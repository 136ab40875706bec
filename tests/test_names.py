"""PROMISE B6: hundreds of hostile names, and every way a name leaves the core or the pages."""

from __future__ import annotations

import csv
import html.parser
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from markdown_it import MarkdownIt
from streamlit.testing.v1 import AppTest

from cifar_core import services
from cifar_core.charts import curves, theme
from cifar_core.errors import LabError
from cifar_core.inference.names import safe_name
from cifar_core.ui.kit.tables import csv_bytes, file_name, plain
from tests.hostile_names import FAMILIES, NAMES
from tests.pages.shown import PATIENCE_SECONDS
from tools.fabricate import Fake, fabricate

RUN = "cnn4-standard-00000001"
WORDS_TAGS = {"div", "p"}


@pytest.fixture
def lab(runs_dir: Path) -> Iterator[Path]:
    """A folder of runs with one run, and beside it what no name may lead to."""
    fabricate(runs_dir, Fake(run_id=RUN, name="As it was"))
    secret = runs_dir.parent / "secret"
    secret.mkdir()
    (secret / "status.json").write_text('{"state": "finished"}')
    (secret / "worker.log").write_text("the secret")
    before = {path: path.stat().st_mtime_ns for path in runs_dir.parent.rglob("*")}
    yield runs_dir
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_there_are_names_enough_of_every_family() -> None:
    assert len(NAMES) >= 300
    assert len(set(NAMES)) == len(NAMES)
    assert min(len(names) for names in FAMILIES.values()) >= 30


def test_no_name_is_markdown_once_it_is_made_plain() -> None:
    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for name in NAMES:
        (start, inline, end) = markdown.parse(f"x{plain(name)}x")
        assert (start.type, end.type) == ("paragraph_open", "paragraph_close"), name
        assert {child.type for child in inline.children or ()} <= {"text", "text_special"}, name
        shown = "".join(child.content for child in inline.children or ())
        assert shown == f"x{' '.join(name.split())}x".replace("\x00", "\ufffd")


def test_no_name_is_a_formula_in_a_spreadsheet() -> None:
    table = pd.DataFrame({name: [name] for name in NAMES if name})
    for row in csv.reader(io.StringIO(csv_bytes(table).decode("utf-8", "surrogatepass"))):
        for cell in row:
            assert not cell.lstrip("\ufeff \u00a0").startswith(("=", "+", "-", "@", "\t", "\r"))


def test_no_name_makes_a_file_name_that_leaves_its_folder() -> None:
    for name in NAMES:
        made = file_name(name)
        assert Path(made).name == made, name
        assert not made.startswith((".", "-")), name


def test_no_uploads_name_leads_upwards_or_steers_what_shows_it() -> None:
    for name in NAMES:
        label = safe_name(name)
        assert label.isprintable(), name
        assert not label.startswith("/"), name
        assert ".." not in label.split("/"), name


def test_no_runs_identity_leads_out_of_the_folder_of_runs(lab: Path) -> None:
    for name in (*NAMES, "../secret", "secret/../../secret", f"{RUN}/../../secret"):
        for ask in (
            services.read_run,
            services.read_log,
            services.read_metrics,
            services.stop_run,
            services.resume_run,
            services.delete_run,
            lambda identity: services.label_run(identity, name="hit"),
            lambda identity: services.move_run(identity, "cpu"),
        ):
            with pytest.raises(LabError):
                ask(name)
    assert [run.id for run in services.list_runs(with_shipped=False)] == [RUN]


def test_a_name_is_kept_as_text_or_refused_in_a_sentence(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id=RUN, name="As it was"))
    kept = 0
    refusals: list[LabError] = []
    for name in NAMES:
        try:
            services.label_run(RUN, name=name, note=name)
        except LabError as error:
            refusals.append(error)
            continue
        kept += 1
        assert "\x1b" not in services.read_run(RUN).name
        assert sorted(path.name for path in runs_dir.iterdir()) == [RUN]
    assert kept > len(NAMES) / 2
    assert all(refusal.expected for refusal in refusals)


class _Tags(html.parser.HTMLParser):
    """Collects what is no text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_no_name_is_html_in_the_boxes_and_lines_of_a_page() -> None:
    def page() -> None:
        from cifar_core.errors import LabError
        from cifar_core.ui.kit.page import empty_state, origin_line, show_error
        from tests.hostile_names import NAMES

        for name in NAMES:
            show_error(LabError(name, expected=name, remedy=name))
            empty_state(name, name)
            origin_line(name)

    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS).run()
    assert not app.exception
    found = _Tags()
    bodies = [element.proto.body for element in app.get("html")]
    assert len(bodies) == 3 * len(NAMES)
    for body in bodies:
        found.feed(body)
    assert found.tags <= WORDS_TAGS
    assert found.attributes <= {"class", "role"}


def test_no_name_is_html_in_a_chart() -> None:
    """Plotly shows a few tags of HTML; a name is shown as it is typed."""
    lines = [curves.CurveSeries(name, "cnn4", [1, 2], [0.1, 0.2]) for name in NAMES]
    lines = [line for line in lines if line.name.strip()]
    few = json.dumps(curves.accuracy_curve(lines[:6]).to_plotly_json(), default=str)
    text = few + json.dumps(curves.accuracy_curve(lines).to_plotly_json(), default=str)
    for tag in ("<img", "<script", "<svg", "<iframe", "<a ", "<style"):
        assert tag not in text
    assert all("<" not in theme.plain(name) for name in NAMES)
