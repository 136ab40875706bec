"""Writes what ships with the lab: the map of the sample, the near-duplicates, some pictures.

``python -m cifar_core.analysis.ship RUN_DIR`` takes the network of a run (models/cnn7) and the
analysis of the full dataset that it has made (``python -m cifar_core analyse``).
"""

from __future__ import annotations

import sys
from pathlib import Path

from cifar_core import settings
from cifar_core.analysis import compute, exhibits, results
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import open_full
from cifar_core.dataset.sample import load_sample
from cifar_core.errors import LabError


def main(arguments: list[str]) -> int:
    """Writes the files and returns the exit status."""
    run_dir = Path(arguments[0])
    try:
        network = compute.network_of(run_dir)
        folder = results.folder_of(
            settings.current().data_dir, data=CIFAR10.digest, network=network.sha256
        )
        pairs = results.read_pairs(folder / results.PAIRS_NAME)
        results.SHIPPED_DIR.mkdir(exist_ok=True)
        places = compute.analyse_sample(load_sample(), run_dir)
        results.write_places(results.SHIPPED_DIR / results.SAMPLE_NAME, places)
        results.write_pairs(results.SHIPPED_DIR / results.PAIRS_NAME, pairs)
        exhibits.write_exhibits(open_full(settings.current().data_dir), pairs.pairs)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
