"""What a decoder of one log format takes and gives: the few types that the reader and all decoders share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import polars as pl

from guardray.schema import EventSchema

FIRST_TIME, LAST_TIME = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Times outside are damage: one of them taken at its word would move the watermark past everything else."""

AHEAD = timedelta(days=2)
"""How much later than the date in its object's name, or than it was written where the name has none, an event may say
it was: names may tell the day alone. Nothing is delivered before it happens, so what is further ahead is a wrong clock,
or meant to make days to come look known."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What is known of an object's records before they are read; its name fills columns that a record itself lacks."""

    url: str
    account_id: str | None = None
    region: str | None = None
    key_time: datetime | None = None
    written: datetime | None = None
    lateness: timedelta = timedelta(0)

    @property
    def late_before(self) -> datetime | None:
        """Rows earlier than this are late; None when the object's delivery time is unknown, then none is."""
        return None if self.key_time is None else self.key_time - self.lateness

    @property
    def not_after(self) -> datetime | None:
        """Rows later than this cannot be, and count as late; None when it is unknown when the object was there.

        A copy may have been written long after its events, so this says nothing of how early they may be.
        """
        known = self.key_time or self.written
        return None if known is None else min(known, LAST_TIME - AHEAD) + AHEAD


@dataclass(frozen=True, kw_only=True)
class BadRow:
    """A record that could not be normalised.

    `position` is its byte offset in the decompressed text, for Parquet its row number.
    """

    position: int
    reason: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Records of one object in the columns of one schema.

    Every record read is somewhere: `read == frame.height + len(bad) + empty + passed_over`. `empty` counts records
    without traffic (`NODATA`, `SKIPDATA`), `passed_over` those that are well-formed but of no use here.
    """

    frame: pl.DataFrame
    read: int
    bad: tuple[BadRow, ...] = ()
    empty: int = 0
    passed_over: int = 0


class LineDecoder(Protocol):
    """Decodes one object of a line format; made per object, so that it may keep what a header line said."""

    schema: EventSchema

    def decode(self, lines: bytes, offset: int, origin: Origin) -> Decoded:
        """Decode whole lines; `offset` is where `lines` starts in the decompressed text.

        A last line without its line end is a whole line too. A header line is not counted as read.
        """
        ...
