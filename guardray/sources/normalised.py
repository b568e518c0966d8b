"""From what a decoder read to what it gives: all columns of the schema, and parts of an object put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from guardray.schema import EventSchema
from guardray.sources.decoder import Decoded, Origin


def conformed(frame: pl.DataFrame, columns: Mapping[str, pl.Expr], schema: EventSchema, origin: Origin) -> pl.DataFrame:
    """Rows in the schema's columns, types and order.

    Args:
        frame: what was read.
        columns: over `frame`, at least the time. What is left out is null, and what the origin tells fills nulls.
    """
    told = {"cloud_account_uid": origin.account_id, "cloud_region": origin.region}
    full = {name: columns.get(name, pl.lit(None)).cast(dtype) for name, dtype in schema.polars.items()}
    full |= {name: pl.coalesce(full[name], pl.lit(value)) for name, value in told.items() if value is not None}
    full["is_late"] = _is_late(full["time"], origin)
    # A select of nothing but literals would have one row, whatever the frame has.
    return frame.with_columns(**full).select(list(full))


def _is_late(time: pl.Expr, origin: Origin) -> pl.Expr:
    bounds = (time < pl.lit(origin.late_before), time > pl.lit(origin.not_after))
    return pl.any_horizontal(bounds).fill_null(value=False)


def joined(parts: Sequence[Decoded], schema: EventSchema) -> Decoded:
    """Consecutive parts of an object as one."""
    frames = [part.frame for part in parts if part.frame.height]
    return Decoded(
        frame=pl.concat(frames) if frames else schema.frame(),
        read=sum(part.read for part in parts),
        bad=tuple(row for part in parts for row in part.bad),
        empty=sum(part.empty for part in parts),
        passed_over=sum(part.passed_over for part in parts),
    )
