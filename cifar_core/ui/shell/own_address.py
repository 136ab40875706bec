"""The address that the server prints when it starts: one that a browser opens."""

from __future__ import annotations

import click
from streamlit import config
from streamlit.web.server import server_util


def print_address() -> None:
    """Prints where the lab is; Streamlit's own line leaves out the brackets of IPv6."""
    given = next(filter(config.is_manually_set, ("browser.serverAddress", "server.address")), None)
    address = str(config.get_option(given)) if given else "localhost"
    address = server_util.get_display_address(address)
    if "/" in address:
        return  # a Unix socket: a proxy knows where its page is
    if address.count(":") > 1 and not address.startswith("["):
        address = f"[{address}]"
    click.echo(f"\n  CIFAR-10 Lab: {server_util.get_url(address)}\n")
