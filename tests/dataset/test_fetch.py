"""A download survives what a network does and gives up in words on what it cannot."""

from __future__ import annotations

import re
import shutil
import socket
from collections import namedtuple
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Protocol

import pytest

from cifar_core.dataset.fetch import DiskError, Limits, TransferError, fetch

CONTENT = bytes(range(256)) * 1000
QUICK = Limits(silence_seconds=0.3, stall_seconds=0.4, pause_seconds=0.0)
Answer = Callable[[BaseHTTPRequestHandler], None]


class Mirror(Protocol):
    """The loopback server of conftest.py."""

    answer: Answer
    ranges: list[str | None]
    url: str


def ignore(done: int, total: int | None) -> None:
    """Takes progress and does nothing."""


def serve(
    *, honours_range: bool = True, cut_after: int | None = None, etag: str = '"one"'
) -> Answer:
    """A server of CONTENT that may ignore Range or break off after some bytes."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        wanted = re.match(r"bytes=(\d+)-", request.headers.get("Range", ""))
        fits = request.headers.get("If-Range") in (None, etag)
        start = int(wanted[1]) if wanted and honours_range and fits else 0
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        request.send_header("ETag", etag)
        request.send_header("Content-Length", str(len(CONTENT) - start))
        request.end_headers()
        rest = CONTENT[start:]
        request.wfile.write(rest if cut_after is None else rest[:cut_after])

    return answer


def in_turn(*answers: Answer) -> Answer:
    """Answers the first request with the first answer, and so on; the last one stays."""
    left = list(answers)

    def answer(request: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(request)

    return answer


def say(status: int, content_type: str, body: bytes) -> Answer:
    """A fixed answer."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Type", content_type)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def test_a_whole_file_arrives_and_its_progress_is_told(mirror: Mirror, tmp_path: Path) -> None:
    mirror.answer = serve()
    told: list[tuple[int, int | None]] = []
    fetch(
        mirror.url,
        tmp_path / "file",
        limits=QUICK,
        progress=lambda done, total: told.append((done, total)),
    )
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_that_is_there_is_not_asked_for(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"here")
    fetch(mirror.url, tmp_path / "file", limits=QUICK, progress=ignore)
    assert mirror.ranges == []


def test_a_broken_connection_goes_on_where_it_stopped(mirror: Mirror, tmp_path: Path) -> None:
    mirror.answer = in_turn(serve(cut_after=100_000), serve())
    fetch(mirror.url, tmp_path / "file", limits=QUICK, progress=ignore)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert mirror.ranges == [None, "bytes=100000-"]


def test_a_file_begun_in_an_earlier_try_is_gone_on_with(mirror: Mirror, tmp_path: Path) -> None:
    mirror.answer = serve()
    (tmp_path / "file.part").write_bytes(CONTENT[:5000])
    fetch(mirror.url, tmp_path / "file", limits=QUICK, progress=ignore)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert mirror.ranges == ["bytes=5000-"]


def test_a_server_that_ignores_range_is_read_from_the_start(mirror: Mirror, tmp_path: Path) -> None:
    mirror.answer = in_turn(serve(cut_after=100_000), serve(honours_range=False))
    fetch(mirror.url, tmp_path / "file", limits=QUICK, progress=ignore)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_two_versions_of_a_file_are_never_mixed(mirror: Mirror, tmp_path: Path) -> None:
    def old(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("ETag", '"old"')
        request.send_header("Content-Length", str(len(CONTENT)))
        request.end_headers()
        request.wfile.write(b"old" * 1000)

    mirror.answer = in_turn(old, serve(etag='"new"'))
    fetch(mirror.url, tmp_path / "file", limits=QUICK, progress=ignore)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_partial_file_longer_than_the_real_one_is_thrown_away(
    mirror: Mirror, tmp_path: Path
) -> None:
    mirror.answer = in_turn(say(416, "text/plain", b""), serve())
    (tmp_path / "file.part").write_bytes(CONTENT * 2)
    fetch(mirror.url, tmp_path / "file", limits=QUICK, progress=ignore)
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (say(404, "text/plain", b"no"), "answered 404 Not Found"),
        (say(500, "text/html", b"<p>"), "answered 500"),
        (say(200, "text/html; charset=utf-8", b"<p>Log in"), "a web page instead"),
    ],
)
def test_a_refusal_is_told_in_words(
    mirror: Mirror, tmp_path: Path, answer: Answer, words: str
) -> None:
    mirror.answer = answer
    with pytest.raises(TransferError, match=words) as caught:
        fetch(mirror.url, tmp_path / "file", limits=QUICK, progress=ignore)
    assert caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_mirror_that_trickles_is_given_up(mirror: Mirror, tmp_path: Path) -> None:
    def trickle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000000")
        request.end_headers()
        while not mirror.released.wait(0.05):  # type: ignore[attr-defined]
            request.wfile.write(b".")

    mirror.answer = trickle
    with pytest.raises(TransferError, match="sent only"):
        fetch(mirror.url, tmp_path / "file", limits=QUICK, progress=ignore)
    assert (tmp_path / "file.part").stat().st_size > 0


def test_a_mirror_that_falls_silent_is_given_up(mirror: Mirror, tmp_path: Path) -> None:
    def fall_silent(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        mirror.released.wait()  # type: ignore[attr-defined]

    mirror.answer = fall_silent
    with pytest.raises(TransferError, match=r"again and again.*timed out"):
        fetch(mirror.url, tmp_path / "file", limits=QUICK, progress=ignore)


def test_a_mirror_that_always_breaks_off_at_the_same_place_is_given_up(
    mirror: Mirror, tmp_path: Path
) -> None:
    mirror.answer = serve(honours_range=False, cut_after=5000)
    with pytest.raises(TransferError, match="after 5,000 of 256,000 bytes"):
        fetch(mirror.url, tmp_path / "file", limits=QUICK, progress=ignore)
    assert len(mirror.ranges) <= 5


def test_a_mirror_that_gives_one_byte_per_connection_is_given_up(
    mirror: Mirror, tmp_path: Path
) -> None:
    mirror.answer = serve(cut_after=1)
    limits = Limits(pause_seconds=0.0, connections=8)
    with pytest.raises(TransferError, match="again and again"):
        fetch(mirror.url, tmp_path / "file", limits=limits, progress=ignore)
    assert len(mirror.ranges) == 8


def test_a_file_that_says_it_is_too_large_is_refused_unread(mirror: Mirror, tmp_path: Path) -> None:
    mirror.answer = serve()
    with pytest.raises(TransferError, match="larger than 1,000 bytes"):
        fetch(mirror.url, tmp_path / "file", limits=Limits(max_bytes=1000), progress=ignore)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_hides_its_size_is_cut_off_at_the_limit(mirror: Mirror, tmp_path: Path) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(bytes(65_536))

    mirror.answer = endless
    with pytest.raises(TransferError, match="larger than 1,000,000 bytes"):
        fetch(mirror.url, tmp_path / "file", limits=Limits(max_bytes=1_000_000), progress=ignore)
    assert (tmp_path / "file.part").stat().st_size <= 1_100_000


def test_a_file_without_room_is_refused_before_it_is_read(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")  # noqa: PYI024  (as shutil's own)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10_000, 9_000, 1_000))
    mirror.answer = serve()
    with pytest.raises(DiskError, match="MB free") as caught:
        fetch(mirror.url, tmp_path / "file", limits=QUICK, progress=ignore)
    assert "CIFAR_LAB_DATA" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_machine_that_does_not_answer_is_told_by_name(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(TransferError, match=r"No connection to http://127\.0\.0\.1"):
            fetch(f"http://127.0.0.1:{port}", tmp_path / "f", limits=QUICK, progress=ignore)


@pytest.mark.parametrize("url", ["no address", "http://[", "file:///etc/passwd", "ftp://h/x"])
def test_an_address_that_is_not_http_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(TransferError, match="No connection"):
        fetch(url, tmp_path / "file", limits=QUICK, progress=ignore)
