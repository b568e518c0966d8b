"""The Region that an Availability Zone's id names: `use1-az4` is in us-east-1."""

from __future__ import annotations

import re

_AREAS = {"usg": "us-gov"}
_DIRECTIONS = {
    "n": "north",
    "s": "south",
    "e": "east",
    "w": "west",
    "c": "central",
    "ne": "northeast",
    "nw": "northwest",
    "se": "southeast",
    "sw": "southwest",
}
_ZONE = re.compile(rf"(us|usg|af|ap|ca|cn|eu|il|me|mx|sa)({'|'.join(_DIRECTIONS)})(\d)(?:-|$)")


def region_of_zone(zone: str) -> str | None:
    """`apse2-az3` gives `ap-southeast-2`, the local zone `usw2-lax1-az1` gives `us-west-2`; null for other names."""
    match = _ZONE.match(zone)
    if match is None:
        return None
    area, direction, number = match.groups()
    return f"{_AREAS.get(area, area)}-{_DIRECTIONS[direction]}-{number}"
