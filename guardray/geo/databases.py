"""Databases of the user in MaxMind's format, also those of DB-IP and others that keep to its field names.

Each process maps the files itself when it first asks, and keeps what they said of networks: what travels between
processes is only their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import maxminddb
import numpy as np
import numpy.typing as npt
import polars as pl

from guardray.errors import UsageError
from guardray.geo.answers import TOLD, Answers, Told
from guardray.schema.addresses import ipv4_text

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
    """Databases in order: the first that knows a field of an address counts.

    Attributes:
        changed_ns: when each file was last changed, since one may be replaced by a newer one of the same name.
    """

    paths: tuple[Path, ...] = ()
    changed_ns: tuple[int, ...] = ()

    @classmethod
    def open(cls, paths: Sequence[Path]) -> Databases:
        """Checks that each can be read.

        Raises:
            UsageError: a file is missing or no such database.
        """
        changed_ns = []
        for path in paths:
            try:
                changed_ns.append(path.stat().st_mtime_ns)
                _reader(path, changed_ns[-1])
            except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
                reason = error.strerror if isinstance(error, OSError) else "not a MaxMind database"
                raise UsageError(f"geography {path}: {reason}") from None
        return cls(tuple(paths), tuple(changed_ns))

    def fields(self, text: str) -> Told:
        """Fields of `Place` that a database knows of the address."""
        return self._told(text, FIELDS)[0]

    def of_numbers(self, numbers: npt.NDArray[np.uint32]) -> pl.DataFrame:
        """IPv4 addresses [n] to country_code (String) and asn (Int64), one look-up a network: give distinct ones."""
        return _answers(self).of(numbers)

    def of_texts(self, texts: pl.Series) -> pl.DataFrame:
        """The same for addresses in text, one look-up each."""
        return pl.DataFrame([self._told(text, TOLD)[0] for text in texts.to_list()], TOLD)

    def of_network(self, number: int) -> tuple[Told, int]:
        """`TOLD` of an IPv4 address, and the prefix of the network that all databases say the same of."""
        return self._told(ipv4_text(number), TOLD)

    def _told(self, text: str, names: Iterable[str]) -> tuple[Told, int]:
        answers = [
            _record(path, changed_ns, text) for path, changed_ns in zip(self.paths, self.changed_ns, strict=True)
        ]
        records = [record for record, _ in answers if record]
        found = {}
        for name in names:
            values = (_value(record, place) for record in records for place in FIELDS[name])
            value = next((value for value in values if isinstance(value, _KINDS.get(name, str))), None)
            if value is not None:
                found[name] = value
        return found, max((prefix for _, prefix in answers), default=0)


@cache
def _reader(path: Path, changed_ns: int) -> maxminddb.Reader:
    return maxminddb.open_database(path)


@cache
def _answers(databases: Databases) -> Answers:
    return Answers(databases.of_network)


def _record(path: Path, changed_ns: int, text: str) -> tuple[object, int]:
    """What a database has of an address, and the prefix of the network that it has it of."""
    try:
        return _reader(path, changed_ns).get_with_prefix_len(text)
    except ValueError:  # no address, or of IPv6 in a database of IPv4
        return None, 0


def _value(record: object, place: tuple[str, ...]) -> object:
    for name in place:
        record = record.get(name) if isinstance(record, Mapping) else None
    return record
