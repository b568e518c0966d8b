"""Databases of the user in MaxMind's format, also those of DB-IP and others that keep to its field names.

Each process maps the files itself when it first asks, so that what travels between processes is only their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import maxminddb
import polars as pl

from guardray.errors import UsageError

FIELDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "city": (("city", "names", "en"),),
    "country_code": (("country", "iso_code"),),
    "country_name": (("country", "names", "en"),),
    "latitude": (("location", "latitude"),),
    "longitude": (("location", "longitude"),),
    "asn": (("autonomous_system_number",), ("traits", "autonomous_system_number")),
    "asn_org": (("autonomous_system_organization",), ("traits", "autonomous_system_organization")),
    "isp": (("isp",), ("traits", "isp")),
    "org": (("organization",), ("traits", "organization")),
}
"""Where a field of `Place` may stand in a record: City and Country, ASN, ISP and Enterprise databases."""

_KINDS: dict[str, type[str | float | int] | tuple[type, ...]] = {
    "latitude": (int, float),
    "longitude": (int, float),
    "asn": int,
}


@dataclass(frozen=True)
class Databases:
    """Databases in order: the first that knows a field of an address counts."""

    paths: tuple[Path, ...] = ()

    @classmethod
    def open(cls, paths: Sequence[Path]) -> Databases:
        """Checks that each can be read.

        Raises:
            UsageError: a file is missing or no such database.
        """
        for path in paths:
            try:
                _reader(path)
            except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
                reason = error.strerror if isinstance(error, OSError) else "not a MaxMind database"
                raise UsageError(f"geography {path}: {reason}") from None
        return cls(tuple(paths))

    def fields(self, text: str) -> dict[str, Any]:
        """Fields of `Place` that a database knows of the address."""
        return self._told(text, FIELDS)

    def columns(self, texts: pl.Series) -> pl.DataFrame:
        """Addresses [n] to country_code (String) and asn (Int64), one look-up each: give distinct ones."""
        names = ("country_code", "asn")
        told = [self._told(text, names) if text else {} for text in texts.to_list()]
        return pl.DataFrame(told, {"country_code": pl.String, "asn": pl.Int64})

    def _told(self, text: str, names: Iterable[str]) -> dict[str, Any]:
        records = [record for path in self.paths if (record := _record(path, text))]
        found = {}
        for name in names:
            values = (_value(record, place) for record in records for place in FIELDS[name])
            value = next((value for value in values if isinstance(value, _KINDS.get(name, str))), None)
            if value is not None:
                found[name] = value
        return found


@cache
def _reader(path: Path) -> maxminddb.Reader:
    return maxminddb.open_database(path)


def _record(path: Path, text: str) -> object:
    try:
        return _reader(path).get(text)
    except ValueError:  # no address, or of IPv6 in a database of IPv4
        return None


def _value(record: object, place: tuple[str, ...]) -> object:
    for name in place:
        record = record.get(name) if isinstance(record, Mapping) else None
    return record
