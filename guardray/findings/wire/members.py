"""Pieces that several parts of GuardDuty's JSON share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guardray.findings.network_names import port_name

Json = dict[str, Any]


def known(**members: Any) -> Json:
    """The members that have a value, in order: GuardDuty leaves out what it does not know."""
    return {name: value for name, value in members.items() if value is not None}


def address_json(address: str | None) -> Json | None:
    """`localIpDetails` or `remoteIpDetails`."""
    if address is None:
        return None
    return {"ipAddressV6" if ":" in address else "ipAddressV4": address}


def address_of(details: Mapping[str, str] | None) -> str | None:
    """The address that `address_json` was given."""
    if details is None:
        return None
    return details.get("ipAddressV4") or details.get("ipAddressV6")


def port_json(port: int | None) -> Json | None:
    """`localPortDetails` or `remotePortDetails`."""
    return None if port is None else {"port": port, "portName": port_name(port)}


def port_of(details: Mapping[str, Any] | None) -> int | None:
    """The port that `port_json` was given."""
    return None if details is None else details["port"]
