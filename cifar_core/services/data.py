"""What a person can do with the dataset."""

from __future__ import annotations

from collections.abc import Callable

from cifar_core import settings
from cifar_core.dataset import arrays, download, mirrors, sample, sources
from cifar_core.services.access import check_may_change


def open_dataset() -> arrays.Dataset:
    """Opens the full dataset, or the shipped sample where it is missing; its digests are checked.

    Raises:
        DataError: The full dataset is there and not CIFAR-10 to the last bit, or the sample is.
    """
    dataset = sample.open_dataset(settings.current().data_dir)
    if not dataset.is_sample:  # the sample's files are compared as they are read
        arrays.verify(dataset)
    return dataset


def fetch_dataset(progress: Callable[[mirrors.Progress], None]) -> arrays.Dataset:
    """Finds or downloads the full dataset and returns it; waits until it is there.

    Raises:
        DataError: No source could give it; names every reason.
    """
    check_may_change()
    return sources.prepare(settings.current().data_dir, progress=progress)


def start_download() -> None:
    """Starts to find or download the full dataset in a process of its own."""
    check_may_change()
    download.JOB.start(settings.current().data_dir)


def stop_download() -> None:
    """Ends the download; what has arrived is kept for the next one."""
    check_may_change()
    download.JOB.stop(settings.current().data_dir)


def read_download() -> download.DownloadStatus | None:
    """Returns how far the download is, or None when there has been none."""
    return download.JOB.read(settings.current().data_dir)
