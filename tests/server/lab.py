"""The running server under test, spoken to over real HTTP and WebSockets."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

XSRF = "_streamlit_xsrf"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Lab:
    """A running server, spoken to over real connections."""

    port: int

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        line.request(method, path, body, names)
        answer = line.getresponse()
        text = answer.read().decode(errors="replace")
        line.close()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, text)

    def connect(self, origin: str | None, **headers: str) -> ClientConnection:
        return connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            origin=None if origin is None else Origin(origin),
            additional_headers=headers,
            max_size=None,
            open_timeout=60,
        )

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self) -> str:
        return self.ask("GET", "/_stcore/health").headers["set-cookie"].split(";")[0].split("=")[1]


def run_page(line: ClientConnection) -> list[ForwardMsg]:
    """Has the first page run and returns everything that came until it was finished."""
    order = BackMsg()
    order.rerun_script.page_script_hash = ""
    line.send(order.SerializeToString())
    messages: list[ForwardMsg] = []
    while not messages or messages[-1].WhichOneof("type") != "script_finished":
        data: Any = line.recv(60)
        messages.append(ForwardMsg.FromString(data))
    return messages


def upload_of(data: bytes) -> tuple[bytes, dict[str, str]]:
    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.png"\r\n\r\n'
    return head + data + b"\r\n--x--\r\n", {"Content_Type": "multipart/form-data; boundary=x"}
