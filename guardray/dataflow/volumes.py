"""How much was read, by account, Region and log: what usage is told by."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from guardray.schema import EventSchema, api_activity, dns_activity, network_activity

VOLUMES = pl.Schema({"account_id": pl.String, "region": pl.String, "source": pl.String, "rows": pl.Int64})
"""One row for each account, Region and log. `source` is as detectors name it."""

_SOURCES = {network_activity.SCHEMA.name: pl.lit("vpc-flow"), dns_activity.SCHEMA.name: pl.lit("dns")}
_OF_CALLS = (
    pl.when(pl.col("event_category") == "Data").then(pl.lit("cloudtrail-s3")).otherwise(pl.lit("cloudtrail-management"))
)
_IS_PLACE = pl.col("account_id").str.contains(r"^\d{12}$") & (pl.col("region").str.len_bytes() <= 30)


def volumes_of(schema: EventSchema, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of a batch, counted. Those of which account or Region is unknown are not.

    Rows of one object mostly agree, so it is runs of equal rows that are grouped, which takes a tenth of the time.

    Returns:
        Columns of VOLUMES, each account, Region and log once.
    """
    is_calls = schema == api_activity.SCHEMA
    keys = ["cloud_account_uid", "cloud_region", *(["event_category"] if is_calls else [])]
    begins = pl.any_horizontal(pl.col(key).ne_missing(pl.col(key).shift()) for key in keys) | (
        pl.int_range(pl.len()) == 0
    )
    runs = frame.lazy().select(*keys, at=pl.int_range(pl.len()), begins=begins).filter("begins")
    counted = runs.select(
        account_id="cloud_account_uid",
        region="cloud_region",
        source=_OF_CALLS if is_calls else _SOURCES[schema.name],
        rows=pl.col("at").shift(-1, fill_value=frame.height) - pl.col("at"),
    )
    return summed([counted.filter(_IS_PLACE).collect()])


def summed(volumes: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Several counts as one, in order."""
    keys = ["account_id", "region", "source"]
    return pl.concat([VOLUMES.to_frame(), *volumes]).group_by(keys).agg(pl.col("rows").sum()).sort(keys)
