"""Says in a sentence whether a port of this machine cannot be used, before the server starts."""

from __future__ import annotations

import socket
import sys


def main(port: str) -> int:
    """Returns 0 if a server may listen on 127.0.0.1 at this port, else 1 with a sentence."""
    if not port.isdecimal() or not 0 < int(port) < 65536:
        print(f"PORT={port} is not a port: give a number from 1 to 65535.", file=sys.stderr)
        return 1
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError as error:
            print(
                f"Port {port} cannot be used ({error.strerror}). Stop what listens there, or "
                f"choose another: make run PORT={int(port) % 65535 + 1}",
                file=sys.stderr,
            )
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
