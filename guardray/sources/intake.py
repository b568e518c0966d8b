"""Where decoded records arrive: counted, filtered, gathered into batches, or set aside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from guardray.schema import SCHEMAS, EventSchema, api_activity
from guardray.sources.aws_keys import KeyFilter
from guardray.sources.batching import Batch, Done, Gatherer
from guardray.sources.cloudtrail import CloudTrailDecoder, Framing
from guardray.sources.decoder import BadRow, Decoded, Origin
from guardray.sources.limits import Counts, Limits
from guardray.sources.lines import GiantLine
from guardray.sources.objects import InputObject
from guardray.sources.set_aside import SetAside

Output = Batch | Done | SetAside
"""What a reader gives."""

_CLOUDTRAIL_RECORDS = 32_768
_CLOUDTRAIL_BYTES = 32 << 20
"""Records held before they become columns: fewer cost more calls a record, more cost memory."""


class Intake:
    """Takes what decoders give, object after object. Every method gives what is ready to go out because of it."""

    def __init__(self, limits: Limits, key_filter: KeyFilter) -> None:
        self.counts = Counts()
        self._wanted = _wanted_rows(key_filter)
        self._cloudtrail = CloudTrailDecoder()
        self._schema: EventSchema | None = None
        """Of the rows of the object that is being read; None as long as it has none."""
        self._gatherers = {name: Gatherer(schema, limits.batch_rows) for name, schema in SCHEMAS.items()}

    def decoded(self, schema: EventSchema, decoded: Decoded, url: str) -> Iterator[Output]:
        """Records of one object in a schema's columns."""
        self._schema = schema
        yield from self._rows(schema, decoded, [SetAside.row(url, row) for row in decoded.bad])

    def cloudtrail(self, text: bytes, offset: int, framing: Framing, origin: Origin) -> Iterator[Output]:
        """CloudTrail records, still as text: those of many objects become columns together."""
        self._schema = api_activity.SCHEMA
        self._cloudtrail.add(text, offset, framing, origin)
        pending = self._cloudtrail
        if pending.pending_records >= _CLOUDTRAIL_RECORDS or pending.pending_bytes >= _CLOUDTRAIL_BYTES:
            yield from self._take_cloudtrail()

    def passed_over(self) -> None:
        """An object that is no log and is meant to be none."""
        self.counts.read += 1
        self.counts.passed_over += 1

    def giant_line(self, url: str, line: GiantLine) -> Iterator[Output]:
        """A line that is longer than the bound."""
        self.counts.read += 1
        self.counts.set_aside += 1
        reason = f"a line of {line.length:,} bytes"
        yield SetAside.row(url, BadRow(position=line.offset, reason=reason, content=line.beginning))

    def unreadable(self, url: str, reason: str, position: int | None = None) -> Iterator[Output]:
        """An object that cannot be read, or not from this position on."""
        self.counts.set_aside_objects += 1
        yield SetAside(url, position, reason)

    def finish(self, obj: InputObject) -> Iterator[Output]:
        """No more of this object comes."""
        schema, self._schema = self._schema, None
        if schema is None:
            yield Done(obj)
        else:
            self._gatherers[schema.name].finish(obj)

    def flush(self) -> Iterator[Output]:
        """All that is still held."""
        for schema in SCHEMAS.values():
            yield from self._flush(schema)

    def _flush(self, schema: EventSchema) -> Iterator[Output]:
        if schema is api_activity.SCHEMA and self._cloudtrail.pending_bytes:
            # Finished objects may still have records there, which must go out before the objects count as done.
            yield from self._take_cloudtrail()
        yield from self._gatherers[schema.name].flush()

    def _take_cloudtrail(self) -> Iterator[Output]:
        batch = self._cloudtrail.take()
        bad = [SetAside.row(origin.url, row) for origin, row in batch.bad]
        decoded = Decoded(
            frame=batch.frame, read=batch.read, passed_over=batch.passed_over, bad=tuple(row for _, row in batch.bad)
        )
        yield from self._rows(api_activity.SCHEMA, decoded, bad)

    def _rows(self, schema: EventSchema, decoded: Decoded, bad: Sequence[SetAside]) -> Iterator[Output]:
        frame = decoded.frame if self._wanted is None else decoded.frame.filter(self._wanted)
        self.counts.read += decoded.read
        self.counts.normalised += frame.height
        self.counts.set_aside += len(bad)
        self.counts.empty += decoded.empty
        self.counts.passed_over += decoded.passed_over + decoded.frame.height - frame.height
        self.counts.late += int(frame["is_late"].sum())
        yield from bad
        gatherer = self._gatherers[schema.name]
        gatherer.add(frame)
        if gatherer.is_ready:
            yield from self._flush(schema)


def _wanted_rows(wanted: KeyFilter) -> pl.Expr | None:
    conditions = []
    if wanted.since is not None:
        conditions.append(pl.col("time") >= wanted.since)
    if wanted.until is not None:
        conditions.append(pl.col("time") < wanted.until)
    if wanted.account_ids:
        conditions.append(pl.col("cloud_account_uid").is_in(sorted(wanted.account_ids)))
    if wanted.regions:
        conditions.append(pl.col("cloud_region").is_in(sorted(wanted.regions)))
    return pl.all_horizontal(conditions) if conditions else None
