"""Sightings as bytes and back, with all that their rows hold: what is not final yet is kept in checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pyarrow as pa

from guardray.findings.sighting import Occurrence, Sighting, SightingKey
from guardray.intel.indicators import Indicator

_SCHEMA = pa.schema([("sighting", pa.binary())])


def sightings_table(sightings: Iterable[Sighting]) -> pa.Table:
    """Sightings as a table of one column, for a snapshot."""
    return pa.table([pa.array([encode(sighting) for sighting in sightings], pa.binary())], schema=_SCHEMA)


def sightings_of_table(table: pa.Table) -> list[Sighting]:
    """What `sightings_table` was given.

    Raises:
        ValueError: the table is of another kind.
    """
    if table.schema != _SCHEMA:
        raise ValueError(f"expected {_SCHEMA.to_string()}, not {table.schema.to_string()}")
    return [decode(text) for text in table.column("sighting").to_pylist()]


def encode(sighting: Sighting) -> bytes:
    """MessagePack. Tuples come back as lists, except that of indicators."""
    key = sighting.key
    return _ENCODER.encode(
        {
            "key": [key.finding_type, key.account_id, key.region, key.entity, key.unsettled],
            "seen": [sighting.count, sighting.first_seen, sighting.last_seen],
            "latest": _plain(sighting.latest),
            "samples": [_plain(sample) for sample in sighting.samples],
        }
    )


def decode(data: bytes) -> Sighting:
    """What `encode` was given. Raises ValueError for anything else."""
    content = msgspec.msgpack.decode(data)
    count, first_seen, last_seen = content["seen"]
    return Sighting(
        key=SightingKey(*content["key"]),
        count=count,
        first_seen=first_seen,
        last_seen=last_seen,
        latest=_occurrence(content["latest"]),
        samples=tuple(map(_occurrence, content["samples"])),
    )


def _plain(occurrence: Occurrence) -> list[Any]:
    return [occurrence.time, occurrence.digest, dict(occurrence.row)]


def _occurrence(content: list[Any]) -> Occurrence:
    time, digest, row = content
    if "indicators" in row:
        row["indicators"] = tuple(Indicator(**entry) for entry in row["indicators"])
    return Occurrence(time, digest, row)


def _dict(value: Any) -> dict[Any, Any]:
    """What detectors put into rows and MessagePack has no word for: mappings of other kinds."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a row holds a {type(value).__name__}, which cannot be kept")


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_dict)
