from __future__ import annotations

from typing import Any

import pytest
import streamlit as st
from streamlit.proto.BackMsg_pb2 import BackMsg

from cifar_core.ui.kit.caches import decoding_room
from cifar_core.ui.shell.gate import Gate
from tests.coroutines import await_aside

PASSED = {"type": "passed on"}


def knock(
    origin: str | None, *, host: str = "127.0.0.1:8501", allowed: tuple[str, ...] = ()
) -> Any:
    """Returns the first message that comes back for a WebSocket from an origin."""
    sent: list[Any] = []

    async def lab(scope: Any, receive: Any, send: Any) -> None:
        await send(PASSED)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    scope = {"type": "websocket", "headers": headers, "path": "/_stcore/stream"}
    await_aside(Gate(lab, allowed)(scope, None, send))  # type: ignore[arg-type]
    return sent[0]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8501", "127.0.0.1:8501"),
        ("http://localhost:8501", "localhost:8501"),
        ("https://lab.example.org", "lab.example.org"),
        ("http://[::1]:8501", "[::1]:8501"),
    ],
)
def test_the_lab_takes_its_own_pages(origin: str, host: str) -> None:
    assert knock(origin, host=host) == PASSED


@pytest.mark.parametrize(
    "origin",
    [
        *(None, "", "null", "*", "127.0.0.1:8501", "//127.0.0.1:8501/", "http://", "file://"),
        *("http://evil.example", "https://evil.example", "http://127.0.0.1:8501.evil.example"),
        *("http://127.0.0.1", "http://127.0.0.1:8502", "http://localhost:8501"),
        *("http://evil.example/127.0.0.1:8501", "http://evil.example#127.0.0.1:8501"),
        *("http://127.0.0.1:8501@evil.example", "http://evil.example@127.0.0.1:8501"),
    ],
)
def test_the_lab_takes_no_other_page(origin: str | None) -> None:
    assert knock(origin) == {"type": "websocket.close", "code": 1008}


def test_an_origin_that_the_configuration_names_is_taken() -> None:
    allowed = ("https://lab.example.org",)
    assert knock("https://lab.example.org", allowed=allowed) == PASSED
    assert knock("https://lab.example.org.evil", allowed=allowed) != PASSED


def heard(*sent: bytes) -> list[bytes]:
    """Returns which of a page's messages reach the server behind the gate."""
    waiting = [{"type": "websocket.receive", "bytes": data} for data in sent]
    waiting.append({"type": "websocket.disconnect"})
    reached: list[bytes] = []

    async def lab(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            reached.append(message["bytes"])

    async def receive() -> Any:
        return waiting.pop(0)

    origin, host = b"http://127.0.0.1:8501", b"127.0.0.1:8501"
    scope = {"type": "websocket", "headers": [(b"origin", origin), (b"host", host)], "path": "/"}
    await_aside(Gate(lab, ())(scope, receive, None))  # type: ignore[arg-type]
    return reached


def test_only_messages_that_pages_send_reach_the_server() -> None:
    accepted = [BackMsg(stop_script=True), BackMsg(app_heartbeat=True), BackMsg(), BackMsg()]
    accepted[2].rerun_script.page_script_hash = "x"
    accepted[3].backend_operation_request.deferred_file.file_id = "x"
    refused = [BackMsg(clear_cache=True), BackMsg(set_run_on_save=True)]
    refused += [BackMsg(debug_shutdown_runtime=True), BackMsg(debug_disconnect_websocket=True)]
    refused += [BackMsg(load_git_info=True), BackMsg()]
    refused[-1].backend_operation_request.install_skills.SetInParent()
    good = [message.SerializeToString() for message in accepted]
    bad = [message.SerializeToString() for message in refused]
    assert heard(*bad, *good, b"\xff", *bad) == good


def test_what_bounds_decoding_survives_emptied_caches() -> None:
    room = decoding_room()
    st.cache_resource.clear()
    st.cache_data.clear()
    assert decoding_room() is room


def test_a_failure_behind_the_gate_is_answered_with_the_headers() -> None:
    sent: list[Any] = []

    async def lab(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("the inside")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "headers": [], "path": "/"}
    await_aside(Gate(lab, ())(scope, None, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 500
    assert b"content-security-policy" in dict(sent[0]["headers"])
    assert b"the inside" not in sent[1]["body"]


def test_a_failure_in_the_middle_of_an_answer_is_not_answered_a_second_time() -> None:
    sent: list[Any] = []

    async def lab(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("half an answer")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "headers": [], "path": "/"}
    with pytest.raises(ValueError, match="half an answer"):
        await_aside(Gate(lab, ())(scope, None, send))  # type: ignore[arg-type]
    assert [message["status"] for message in sent] == [200]
