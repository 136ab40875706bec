"""What a visitor of the running server can send, and what that does to the others."""

from __future__ import annotations

import itertools
import string

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from cifar_core.settings import MAX_SESSION_UPLOAD_BYTES, PROJECT_DIR
from tests.server.lab import XSRF, Lab, run_page, upload_of

ODD = [*string.punctuation, "\x80", "é", "\t", " ", ";", "=", '"', "\\", ",,", "==", ";;", "$x"]


def test_any_cookie_gets_an_answer_with_the_security_headers(lab: Lab) -> None:
    cookies = [f"user{odd}x=1" for odd in ODD] + [f"a={odd}" for odd in ODD]
    cookies += [f"{one}{two}=3" for one, two in itertools.product(ODD[:11], ODD[:11])]
    assert len(cookies) > 200
    failed = []
    for cookie in cookies:
        answer = lab.ask(
            "GET", "/_stcore/health", Cookie=cookie.encode("latin-1").decode("latin-1")
        )
        if answer.status >= 500 or "content-security-policy" not in answer.headers:
            failed.append((cookie, answer.status))
    assert not failed


VALUES = ["http://[", "\x80", "a@b", "//", "http://x:99999999", ",", "%00"]


@pytest.mark.parametrize("name", ["Referer", "Host", "Accept-Encoding", "Origin", "Range"])
@pytest.mark.parametrize("value", VALUES)
def test_any_header_gets_an_answer_with_the_security_headers(
    lab: Lab, name: str, value: str
) -> None:
    for path in ("/", "/_stcore/health", "/media/%00"):
        answer = lab.ask("GET", path, None, **{name: value})
        assert answer.status < 500
        # 400 is the word of the HTTP parser before the lab: it is no request at all.
        assert answer.status == 400 or "content-security-policy" in answer.headers


def test_no_visitor_reads_where_the_lab_is_installed(lab: Lab) -> None:
    with lab.connect(lab.origin) as line:
        messages = run_page(line)
    assert "new_session" in [message.WhichOneof("type") for message in messages]
    assert not [m for m in messages if str(PROJECT_DIR).encode() in m.SerializeToString()]


def test_what_no_page_sends_is_dropped_and_the_session_goes_on(lab: Lab) -> None:
    with lab.connect(lab.origin) as line:
        run_page(line)
        line.send(BackMsg(debug_disconnect_websocket=True).SerializeToString())
        line.send(BackMsg(debug_shutdown_runtime=True).SerializeToString())
        line.send(b"\xff\xff no message")
        line.send("a text")
        run_page(line)  # as if nothing had been sent


def test_the_uploads_of_one_visitor_are_bounded_together(lab: Lab) -> None:
    token, taken = lab.token(), 0
    with lab.connect(lab.origin) as line:
        session_id = run_page(line)[0].new_session.initialize.session_id
        for number in range(15):
            body, headers = upload_of(bytes(9_900_000))
            answer = lab.ask(
                "PUT",
                f"/_stcore/upload_file/{session_id}/f{number}",
                body,
                Cookie=f"{XSRF}={token}",
                X_Xsrftoken=token,
                **headers,
            )
            assert answer.status in (204, 413)
            taken += answer.status == 204
    assert taken == MAX_SESSION_UPLOAD_BYTES // 9_900_000


def test_a_page_behind_a_proxy_that_changes_the_host_is_told_what_to_set(lab: Lab) -> None:
    path = "/_stcore/health"
    assert lab.ask("GET", path, Referer=f"{lab.origin}/train").status == 200
    assert lab.ask("GET", path).status == 200
    answer = lab.ask("GET", path, Referer="https://lab.example.org:8443/train")
    assert answer.status == 403
    assert "server.corsAllowedOrigins" in answer.body
