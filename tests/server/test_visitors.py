"""What a visitor of the running server can send, and what that does to the others."""

from __future__ import annotations

import itertools
import string

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from cifar_core.settings import MAX_SESSION_UPLOAD_BYTES, PROJECT_DIR
from cifar_core.ui.shell.upload_limits import MOST_NOTES
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
    """202: a sentence was kept in place of the file; of these there is a bounded number, too."""
    token = lab.token()
    body, headers = upload_of(bytes(9_900_000))
    pair = {"Cookie": f"{XSRF}={token}", "X_Xsrftoken": token}
    whole = MAX_SESSION_UPLOAD_BYTES // 9_900_000
    with lab.connect(lab.origin) as line:
        session_id = run_page(line)[0].new_session.initialize.session_id
        path = f"/_stcore/upload_file/{session_id}"
        answers = [
            lab.ask("PUT", f"{path}/f{number}", body, **pair, **headers).status
            for number in range(whole + MOST_NOTES + 2)
        ]
        assert answers == [204] * whole + [202] * MOST_NOTES + [413] * 2


def test_a_refused_upload_without_the_token_leaves_nothing(lab: Lab) -> None:
    token = lab.token()
    body, headers = upload_of(bytes(9_900_000))
    pair = {"Cookie": f"{XSRF}={token}", "X_Xsrftoken": token}
    with lab.connect(lab.origin) as line:
        session_id = run_page(line)[0].new_session.initialize.session_id
        path = f"/_stcore/upload_file/{session_id}"
        for number in range(MAX_SESSION_UPLOAD_BYTES // 9_900_000):
            assert lab.ask("PUT", f"{path}/f{number}", body, **pair, **headers).status == 204
        assert lab.ask("PUT", f"{path}/more", body, **headers).status == 403


def test_a_page_behind_a_proxy_that_changes_the_host_is_told_what_to_set(lab: Lab) -> None:
    path = "/_stcore/health"
    assert lab.ask("GET", path, Referer=f"{lab.origin}/train").status == 200
    assert lab.ask("GET", path).status == 200
    answer = lab.ask("GET", path, Referer="https://lab.example.org:8443/train")
    assert answer.status == 403
    assert "server.corsAllowedOrigins" in answer.body
