"""One file over HTTP: resumed after a break, limited in size, given up when it stalls."""

from __future__ import annotations

import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cifar_core import __version__
from cifar_core.errors import DataError

ProgressBytes = Callable[[int, int | None], None]
"""Called with the bytes that are there and, where the server tells, the total."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a download is given up.

    Attributes:
        silence_seconds: Longest wait for a connection or for the next byte.
        stall_seconds: A mirror that sends less than ``stall_bytes_per_second`` over such a
            stretch is given up.
        stall_bytes_per_second: See ``stall_seconds``.
        breaks: How many times in a row a connection may break without a new byte.
        connections: How many connections may be made in all.
        pause_seconds: Wait after a break.
        max_bytes: Largest file accepted.
    """

    silence_seconds: float = 15.0
    stall_seconds: float = 30.0
    stall_bytes_per_second: float = 1000.0
    breaks: int = 3
    connections: int = 50
    pause_seconds: float = 1.0
    max_bytes: int = 256 * 1024 * 1024


class TransferError(DataError):
    """A mirror did not deliver; another may."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            reason,
            expected="A mirror that sends the whole file.",
            remedy="Check the network connection and try again; what has arrived is kept.",
        )


class DiskError(DataError):
    """The disk cannot take the dataset: no mirror can help."""


class _BrokenOffError(Exception):
    """The connection ended early; going on is worth a try."""


class _StaleError(Exception):
    """What has been kept does not fit what the server has now; start from nothing."""


def fetch(url: str, target: Path, *, limits: Limits, progress: ProgressBytes) -> None:
    """Downloads a file to a path; a partial file beside it is gone on with.

    Args:
        url: An http or https address.
        target: Where the whole file goes; its folder exists. Nothing happens when it is
            already there.
        limits: When to give up.
        progress: Told about every piece.

    Raises:
        TransferError: The mirror refuses, lies about its size, stalls or breaks off too often.
        DiskError: The disk has not enough room.
        OSError: The disk cannot be written.
    """
    if target.exists():
        return
    part = target.with_name(target.name + ".part")
    idle_breaks = 0
    reason = ""
    for _ in range(limits.connections):
        before = _size(part)
        try:
            _receive(url, part, limits=limits, progress=progress)
        except _StaleError:
            part.unlink(missing_ok=True)
            idle_breaks += 1
        except _BrokenOffError as error:
            reason = str(error)
            idle_breaks = 0 if _size(part) > before else idle_breaks + 1
        else:
            part.replace(target)
            _tag_path(part).unlink(missing_ok=True)
            return
        if idle_breaks >= limits.breaks:
            break
        time.sleep(limits.pause_seconds)
    raise TransferError(f"The connection broke off again and again ({reason}).")


def check_room(folder: Path, needed_bytes: int) -> None:
    """Refuses to begin what the disk cannot hold.

    Raises:
        DiskError: Less than this is free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise DiskError(
            f"The disk of {folder} has {free / 1e6:,.0f} MB free.",
            expected=f"{needed_bytes / 1e6:,.0f} MB more are needed.",
            remedy="Make room, or set CIFAR_LAB_DATA to a folder on another disk.",
        )


def _receive(url: str, part: Path, *, limits: Limits, progress: ProgressBytes) -> None:
    """Receives what is missing of a file in one connection."""
    with _open(url, part, limits) as response:
        start = _start(response, part)
        total = _total(response, start)
        if total is not None:
            _check_size(total, limits)
            check_room(part.parent, total - start)
        _keep_tag(response, part)
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            done = start
            watch = _Watch(limits, done)
            while piece := _read(response):
                file.write(piece)
                done += len(piece)
                _check_size(done, limits)
                progress(done, total)
                watch.look(done)
    if total is not None and done < total:
        raise _BrokenOffError(f"after {done:,} of {total:,} bytes")


class _Watch:
    """Notices a mirror that sends something, but next to nothing."""

    def __init__(self, limits: Limits, done: int) -> None:
        self._limits = limits
        self._since = time.monotonic()
        self._bytes = done

    def look(self, done: int) -> None:
        """Compares what came in the last stretch with the limit."""
        elapsed = time.monotonic() - self._since
        if elapsed < self._limits.stall_seconds:
            return
        came = done - self._bytes
        if came < elapsed * self._limits.stall_bytes_per_second:
            raise TransferError(f"It sent only {came:,} bytes in {elapsed:.1f} seconds.")
        self._since, self._bytes = time.monotonic(), done


def _read(response: http.client.HTTPResponse) -> bytes:
    """Returns what has arrived, at most 64 KiB; nothing at the end."""
    try:
        return response.read1(65_536)
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenOffError(str(error) or type(error).__name__) from error


def _start(response: http.client.HTTPResponse, part: Path) -> int:
    """Returns at which byte of the file the answer begins."""
    if response.status != http.HTTPStatus.PARTIAL_CONTENT:
        return 0
    given = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if given is None or int(given[1]) != _size(part):
        raise _StaleError
    return int(given[1])


def _total(response: http.client.HTTPResponse, start: int) -> int | None:
    """Returns the size of the whole file where the server tells it."""
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdigit() else None


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.max_bytes:
        raise TransferError(
            f"The file is larger than {limits.max_bytes:,} bytes, so it is not CIFAR-10."
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _tag_path(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _keep_tag(response: http.client.HTTPResponse, part: Path) -> None:
    """Notes which version of the file this is, so that two versions are never mixed."""
    tag = response.headers.get("ETag", "")
    strong = bool(tag) and not tag.startswith("W/")
    _tag_path(part).write_text(tag if strong else "", encoding="utf-8")


def _read_tag(part: Path) -> str:
    path = _tag_path(part)
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _open(url: str, part: Path, limits: Limits) -> http.client.HTTPResponse:
    """Asks for the file, or for the rest of it."""
    if not url.startswith(("https://", "http://")):  # urllib would open local files too
        raise TransferError(f"No connection to “{url}”: it is no http or https address.")
    headers = {"User-Agent": f"cifar10-lab/{__version__}", "Accept-Encoding": "identity"}
    have = _size(part)
    if have:
        headers["Range"] = f"bytes={have}-"
        tag = _read_tag(part)
        if tag:
            headers["If-Range"] = tag
    try:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310  (checked above)
        response = urllib.request.urlopen(request, timeout=limits.silence_seconds)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            raise _StaleError from error
        raise TransferError(f"The server answered {error.code} {error.reason}.") from error
    except (urllib.error.URLError, OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        if have and not isinstance(error, ValueError):
            raise _BrokenOffError(str(reason)) from error
        raise TransferError(f"No connection to {url} ({reason}).") from error
    if response.headers.get_content_type() == "text/html":
        response.close()
        raise TransferError("The server sent a web page instead of the file.")
    assert isinstance(response, http.client.HTTPResponse)
    return response
