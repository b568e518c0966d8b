"""Where in the world the other end of a finding is, and whose network it belongs to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Place:
    """What `remoteIpDetails` says of an address beyond itself: where it is and whose network it belongs to.

    Attributes:
        country_code: ISO 3166-1 alpha-2.
        latitude, longitude: degrees.
        asn, asn_org: number and holder of the autonomous system.
        isp, org: who sells the access, and who uses it.
    """

    city: str | None = None
    country_code: str | None = None
    country_name: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    asn: int | None = None
    asn_org: str | None = None
    isp: str | None = None
    org: str | None = None
