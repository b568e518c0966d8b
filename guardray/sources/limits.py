"""Bounds on what one object may cost, and counts of what became of its records."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds that keep one object from taking all memory, disk or time."""

    max_line_bytes: int = 64 << 20
    """A whole CloudTrail file on one line, which AWS keeps below 50 MB, still passes."""
    max_document_bytes: int = 256 << 20
    """JSON that is not one value a line is held whole, with a few times its size in records."""
    max_object_bytes: int = 64 << 30
    """Decompressed. AWS cuts files at some 50 to 75 MB; a year of them in one file by hand still passes."""
    max_ratio: int = 250
    """Decompressed to compressed. One event repeated byte for byte reaches 171, real logs 8 to 40, bombs 1000."""
    ratio_from_bytes: int = 64 << 20
    """The ratio is looked at from here on: below, a bomb does no harm."""
    batch_rows: int = 131_072
    """Rows of a batch, or somewhat more: as texts and numbers some 100 MB."""
    lateness: timedelta = timedelta(hours=1)
    """How much earlier than its object's key time an event may be without being late. AWS delivers within some 15
    minutes, and windows stay in memory for as long as this."""


@dataclass(kw_only=True)
class Counts:
    """What became of all records: `read == normalised + set_aside + empty + passed_over`, at any time."""

    read: int = 0
    normalised: int = 0
    set_aside: int = 0
    """Records that could not be used."""
    empty: int = 0
    """Flow records without traffic: `NODATA` and `SKIPDATA`."""
    passed_over: int = 0
    """Sound records that are not wanted: insights, digests, those that the filter rules out."""
    late: int = 0
    """Rows, among the normalised, later than the lateness bound."""
    objects: int = 0
    duplicate_objects: int = 0
    """Objects with the bytes of one read before."""
    set_aside_objects: int = 0
    """Objects of which all or the rest could not be read."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)})
