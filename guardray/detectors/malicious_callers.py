"""Calls from addresses on threat lists: what the families of finding types about them share."""

from __future__ import annotations

from collections.abc import Callable

from guardray.detectors.calls import caller_of
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details, ThreatIntelligence
from guardray.findings.resources import Resource
from guardray.intel.categories import Category
from guardray.types import Row

CALLER_ADDRESS = ("src_endpoint_ip",)

LISTED = "198.51.100.7"
"""The caller's address in examples."""

CATEGORIES: dict[str, Category] = {
    "MaliciousIPCaller": "malicious",
    "MaliciousIPCaller.Custom": "custom",
    "TorIPCaller": "tor-exit",
}
"""Which lists each family of finding types looks at: those of feeds, those that a customer uploaded, or those of the
addresses that traffic leaves the Tor network by."""


def describer(resource_of: Callable[[Row], Resource]) -> Callable[[Row], Details]:
    """How findings of a type with such a resource are described."""

    def details(row: Row) -> Details:
        address, operation = row["src_endpoint_ip"], row["api_operation"]
        is_tor = any(indicator.category == "tor-exit" for indicator in row["indicators"])
        what = "the Tor exit" if is_tor else "the listed address"
        return Details(
            title=f"API {operation} was invoked from {what} {address}.",
            description=f"{caller_of(row)} called {operation} from {address}, which is on the threat list "
            f"{list_names(row)}.",
            resource=resource_of(row),
            action=AwsApiCall.of(row),
            threat_intelligence=threat_intelligence(row),
        )

    return details


def list_names(row: Row) -> str:
    """The names of the lists that name the other end, in words."""
    return ", ".join(sorted({indicator.list_name for indicator in row["indicators"]}))


def threat_intelligence(row: Row) -> tuple[ThreatIntelligence, ...]:
    """The lists that name the caller, each once, with the threats that they know the address for."""
    threats: dict[str, set[str]] = {}
    for indicator in row["indicators"]:
        names = threats.setdefault(indicator.list_name, set())
        names |= {indicator.threat_name} if indicator.threat_name else set()
    return tuple(ThreatIntelligence(name, tuple(sorted(threats[name]))) for name in sorted(threats))
