"""What the running server refuses unless told otherwise, over real HTTP and WebSockets."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from cifar_core.settings import MAX_UPLOAD_BYTES
from tests.browser.conftest import free_port, start_server
from tests.server.lab import XSRF, Lab, run_page, upload_of


def test_the_server_says_that_it_is_well(lab: Lab) -> None:
    answer = lab.ask("GET", "/_stcore/health")
    assert (answer.status, answer.body) == (200, "ok")


def test_the_server_listens_to_this_machine_only(lab: Lab) -> None:
    """Every 127.x.x.x is this machine; a server bound to all addresses takes any of them."""
    with socket.create_connection(("127.0.0.1", lab.port), 10):
        pass
    with pytest.raises(ConnectionError), socket.create_connection(("127.0.0.2", lab.port), 10):
        pass


@pytest.mark.parametrize(
    "path", ["/", "/train", "/nothing", "/_stcore/health", "/media/none.png", "/favicon.png"]
)
def test_every_answer_forbids_foreign_scripts_frames_and_guesses(lab: Lab, path: str) -> None:
    headers = lab.ask("GET", path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"
    assert "unsafe" not in policy["script-src"]
    assert "http" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_no_other_site_may_read_the_answers(lab: Lab) -> None:
    for path in ("/", "/_stcore/health", "/_stcore/host-config"):
        answer = lab.ask("GET", path, Origin="https://evil.example")
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://evil.example", "http://localhost:1", "http://127.0.0.1:1", "file://"],
)
def test_a_websocket_without_an_origin_or_from_another_is_refused(
    lab: Lab, origin: str | None
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        lab.connect(origin)
    assert refused.value.response.status_code == 403


def test_a_name_that_was_bound_to_this_machine_from_outside_is_refused(lab: Lab) -> None:
    """DNS rebinding: page and WebSocket have the same name, and it is none of ours."""
    line = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=60)
    line.putrequest("GET", "/_stcore/stream", skip_host=True)
    for name, value in (
        *(("Host", f"evil.example:{lab.port}"), ("Origin", f"http://evil.example:{lab.port}")),
        *(("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ):
        line.putheader(name, value)
    line.endheaders()
    assert line.getresponse().status == 403
    line.close()


def test_the_labs_own_page_is_served(lab: Lab) -> None:
    with lab.connect(lab.origin) as line:
        kinds = {message.WhichOneof("type") for message in run_page(line)}
    assert {"new_session", "navigation", "delta"} <= kinds


def test_an_upload_needs_the_token_a_session_and_at_most_ten_megabytes(lab: Lab) -> None:
    token = lab.token()
    pair = {"X_Xsrftoken": token, "Cookie": f"{XSRF}={token}"}
    with lab.connect(lab.origin) as line:
        first = run_page(line)[0]
        assert first.WhichOneof("type") == "new_session"
        path = f"/_stcore/upload_file/{first.new_session.initialize.session_id}/file"
        small, kind = upload_of(b"x" * 1000)
        assert lab.ask("PUT", path, small, **kind).status == 403
        assert lab.ask("PUT", path, small, **kind, Cookie=f"{XSRF}={token}").status == 403
        assert lab.ask("DELETE", path).status == 403
        nobody = "/_stcore/upload_file/not-a-session/file"
        assert lab.ask("PUT", nobody, small, **kind, **pair).status == 400
        assert lab.ask("PUT", path, small, **kind, **pair).status == 204
        large, kind = upload_of(b"x" * (MAX_UPLOAD_BYTES + 1))
        assert lab.ask("PUT", path, large, **kind, **pair).status == 413


def test_no_address_gives_an_uploaded_file_back(lab: Lab) -> None:
    token = lab.token()
    with lab.connect(lab.origin) as line:
        session = run_page(line)[0].new_session.initialize.session_id
        path = f"/_stcore/upload_file/{session}/secret"
        body, kind = upload_of(b"a private picture")
        pair = {"X_Xsrftoken": token, "Cookie": f"{XSRF}={token}"}
        assert lab.ask("PUT", path, body, **kind, **pair).status == 204
        for address in (path, "/media/secret", "/media/f.png", "/app/static/f.png"):
            assert "a private picture" not in lab.ask("GET", address).body


@pytest.mark.parametrize(
    "path",
    [
        *("/../app.py", "/%2e%2e/app.py", "/static/../../app.py", "/..%2f..%2fetc/passwd"),
        *("/media/../app.py", "/component/x/../../app.py", "/app/static/../.streamlit/config.toml"),
        *("/.streamlit/secrets.toml", "/.git/config", "/app.py", "//etc/passwd"),
    ],
)
def test_no_address_leads_to_a_file_of_the_project_or_the_machine(lab: Lab, path: str) -> None:
    body = lab.ask("GET", path).body
    assert "import streamlit" not in body
    assert "root:" not in body
    assert "[server]" not in body
    assert "[core]" not in body


def test_the_interface_for_programs_is_closed(lab: Lab) -> None:
    answer = lab.ask("POST", "/_stcore/agent/interact", b"{}", Content_Type="application/json")
    assert answer.status in (403, 404)


def test_a_page_that_breaks_tells_a_visitor_nothing_of_the_inside(tmp_path: Path) -> None:
    """A script that fails outside every guard, served with the lab's own configuration."""
    script = tmp_path / "breaks.py"
    script.write_text("import streamlit as st\nst.text('before')\nraise ValueError('the inside')\n")
    server = start_server(tmp_path / "log", free_port(), script=str(script))
    try:
        broken = Lab(int(server.url.rpartition(":")[2]))
        with broken.connect(broken.origin) as line:
            messages = run_page(line)
    finally:
        server.kill()
    exceptions = [
        message.delta.new_element.exception
        for message in messages
        if message.delta.new_element.WhichOneof("type") == "exception"
    ]
    assert len(exceptions) == 1
    assert not exceptions[0].stack_trace
    everything = b"".join(message.SerializeToString() for message in messages)
    assert b"the inside" not in everything
    assert b"ValueError" not in everything
    assert str(tmp_path).encode() not in exceptions[0].SerializeToString()
    assert "the inside" in server.log_path.read_text(), "the log keeps it"
