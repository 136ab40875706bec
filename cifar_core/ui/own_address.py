"""The address that the server prints when it starts: one that a browser opens."""

from __future__ import annotations

from streamlit import config


def bracket_ipv6() -> None:
    """Has an IPv6 address printed with its brackets; Streamlit prints it as it was given."""
    address = str(config.get_option("server.address") or "")
    # A Unix socket has a path; "::" stands for all addresses and is none that opens.
    is_ipv6 = address.count(":") > 1 and "/" not in address and address != "::"
    if is_ipv6 and not config.is_manually_set("browser.serverAddress"):
        config.set_option("browser.serverAddress", f"[{address}]")
