"""Messages between browser and server: the kinds a page sends, and what a visitor may read.

Streamlit obeys whatever a browser sends, also what no page of the lab asks for: emptying the
caches of all sessions, or writing files beside the program.
"""

from __future__ import annotations

from typing import Final

from google.protobuf.message import DecodeError
from starlette.types import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ACCEPTED: Final = frozenset({"rerun_script", "stop_script", "file_urls_request", "app_heartbeat"})
"""What the pages send (``BackMsg.type``), beside the operations below."""

ACCEPTED_OPERATIONS: Final = frozenset({"deferred_file", "dataframe_chunk"})
"""Of ``backend_operation_request``: a download that is made on demand, rows of a large table."""


def is_accepted(message: Message) -> bool:
    """Says whether a message from a browser is of a kind that pages of the lab send.

    Args:
        message: As ASGI hands it out; all but ``websocket.receive`` is accepted.
    """
    if message["type"] != "websocket.receive":
        return True
    try:
        sent = BackMsg.FromString(message.get("bytes") or b"")
    except DecodeError:
        return False
    kind = sent.WhichOneof("type")
    if kind == "backend_operation_request":
        return sent.backend_operation_request.WhichOneof("payload") in ACCEPTED_OPERATIONS
    return kind in ACCEPTED


def without_paths(message: Message) -> Message:
    """Returns a message to a browser with the program's place on this machine left out.

    Streamlit tells every visitor the absolute path of the script, as it was given to it.
    """
    data = message.get("bytes")
    if not data or b".py" not in data:
        return message
    sent = ForwardMsg.FromString(data)
    if sent.WhichOneof("type") != "new_session":
        return message
    sent.new_session.main_script_path = "app.py"
    return {**message, "bytes": sent.SerializeToString()}
