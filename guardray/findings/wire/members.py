"""Pieces that several parts of GuardDuty's JSON share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guardray.findings.network_names import port_name
from guardray.findings.places import Place

Json = dict[str, Any]


def known(**members: Any) -> Json:
    """The members that have a value, in order: GuardDuty leaves out what it does not know."""
    return {name: value for name, value in members.items() if value is not None}


def address_json(address: str | None) -> Json | None:
    """`localIpDetails`."""
    if address is None:
        return None
    return {"ipAddressV6" if ":" in address else "ipAddressV4": address}


def remote_json(address: str | None, place: Place | None) -> Json | None:
    """`remoteIpDetails`. The number of an autonomous system is a text there."""
    details = address_json(address)
    if details is None or place is None:
        return details
    asn = None if place.asn is None else str(place.asn)
    return details | known(
        organization=known(asn=asn, asnOrg=place.asn_org, isp=place.isp, org=place.org) or None,
        country=known(countryCode=place.country_code, countryName=place.country_name) or None,
        city=known(cityName=place.city) or None,
        geoLocation=known(lat=place.latitude, lon=place.longitude) or None,
    )


def place_of(details: Mapping[str, Any] | None) -> Place | None:
    """The place that `remote_json` was given; None where it says nothing."""
    details = details or {}
    organization, country = details.get("organization", {}), details.get("country", {})
    position, asn = details.get("geoLocation", {}), organization.get("asn")
    place = Place(
        city=details.get("city", {}).get("cityName"),
        country_code=country.get("countryCode"),
        country_name=country.get("countryName"),
        latitude=position.get("lat"),
        longitude=position.get("lon"),
        asn=None if asn is None else int(asn),
        asn_org=organization.get("asnOrg"),
        isp=organization.get("isp"),
        org=organization.get("org"),
    )
    return None if place == Place() else place


def address_of(details: Mapping[str, Any] | None) -> str | None:
    """The address that `address_json` or `remote_json` was given."""
    if details is None:
        return None
    return details.get("ipAddressV4") or details.get("ipAddressV6")


def port_json(port: int | None) -> Json | None:
    """`localPortDetails` or `remotePortDetails`."""
    return None if port is None else {"port": port, "portName": port_name(port)}


def port_of(details: Mapping[str, Any] | None) -> int | None:
    """The port that `port_json` was given."""
    return None if details is None else details["port"]
