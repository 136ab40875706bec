from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd

from tests.pages.shown import Downloads, charts_of, metrics_of, open_page, tables_of
from tools.fabricate import Fake, fabricate


def test_charts_tables_metrics_and_downloads_are_read_by_key(
    runs_dir: Path, downloads: Downloads
) -> None:
    folder = fabricate(runs_dir, Fake(run_id="only", sharpness=1.6))
    app = open_page("results", view="Confidence")
    assert np.array(charts_of(app)["reliability"]["data"][1]["x"], float).size > 1
    assert len(tables_of(app)) == 2
    assert len(metrics_of(app)) > 4
    saved = pd.read_csv(io.BytesIO(downloads.by_key("reliability_csv")))
    assert len(saved) == len(tables_of(app)["table 0"])
    figures = json.loads(folder.evaluation_path.read_bytes())
    assert str(figures["right"]) in downloads.by_key("figures_json").decode()
