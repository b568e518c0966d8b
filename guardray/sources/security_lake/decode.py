"""Tells what a Parquet file holds and decodes it piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.parquet as pq

from guardray.errors import SourceError
from guardray.schema import EventSchema, api_activity, network_activity
from guardray.sources.decoder import Decoded, Origin
from guardray.sources.parquet import Fields, Source, open_parquet
from guardray.sources.security_lake.api_activity import API_ACTIVITY
from guardray.sources.security_lake.dns_activity import DNS_ACTIVITY
from guardray.sources.security_lake.network_activity import NETWORK_ACTIVITY
from guardray.sources.vpc_flow.fields import header
from guardray.sources.vpc_flow.parquet import decode as decode_flow_log

_CLASSES = (API_ACTIVITY, NETWORK_ACTIVITY, DNS_ACTIVITY)
_CLASS = "class_uid"


def decode_parquet(source: Source, origin: Origin) -> Iterator[tuple[EventSchema, Decoded]]:
    """Rows of a file of OCSF events or of flow log records. Events of other classes are passed over.

    Raises:
        SourceError: the file is damaged or holds something else, or a column has another type than it should.
    """
    parquet = open_parquet(source, origin.url)
    names: list[str] = parquet.schema_arrow.names
    if _CLASS in names:
        yield from _events(parquet, origin)
    elif layout := header(" ".join(names).encode()):
        for decoded in decode_flow_log(source, layout, origin):
            yield network_activity.SCHEMA, decoded
    else:
        raise SourceError(origin.url, f"neither OCSF events nor flow logs: a Parquet file of {', '.join(names[:10])}")


def _events(parquet: pq.ParquetFile, origin: Origin) -> Iterator[tuple[EventSchema, Decoded]]:
    present = _class_uids(parquet, origin)
    fields = Fields(parquet.schema_arrow, origin.url)
    uid = fields.whole(_CLASS)
    # Only of classes that are there: others may have anything in the columns that these look at.
    readings = [(c.uids, c.reading(fields)) for c in _CLASSES if not present.isdisjoint(c.uids)]
    wanted = [uid.is_in(uids) & reading.is_wanted for uids, reading in readings]
    for piece in fields.pieces(parquet):
        rest = piece.height
        for is_wanted, (_, reading) in zip(wanted, readings, strict=True):
            part = piece.filter(is_wanted)
            rest -= part.height
            if part.height:
                yield reading.rules.schema, reading.rules.apply(part, reading.more(part), origin)
        if rest:
            schema = api_activity.SCHEMA
            yield schema, Decoded(frame=schema.frame(), read=rest, passed_over=rest)


def _class_uids(parquet: pq.ParquetFile, origin: Origin) -> set[int]:
    fields = Fields(parquet.schema_arrow, origin.url)
    uid = fields.whole(_CLASS)
    return {value for piece in fields.pieces(parquet) for value in piece.select(uid).to_series().unique()}
