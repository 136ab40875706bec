"""The networks that make bench measures: the tutorial's own, which all contenders have."""

from __future__ import annotations

from collections.abc import Mapping

from cifar_core.networks import NETWORKS, Network

COMPARED: Mapping[str, Network] = {
    name: network for name, network in NETWORKS.items() if not network.is_reference
}
