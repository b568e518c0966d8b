"""Findings say where the address at the other end is, once somebody who knows has been asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from guardray.findings.actions import Action, DnsRequest, Place

__all__ = ["Place", "located"]


def located(action: Action, place_of: Callable[[str], Place | None]) -> Action:
    """The action with the place of its remote address; as it was where it has none or nothing is known of it."""
    if isinstance(action, DnsRequest) or action.remote_ip is None:
        return action
    return replace(action, remote_place=place_of(action.remote_ip))
