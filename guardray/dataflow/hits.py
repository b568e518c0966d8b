"""Rows that a detector hit, folded to one sighting an entity."""

from __future__ import annotations

import polars as pl

from guardray.detectors.declare import Detector
from guardray.findings.sighting import SAMPLES_KEPT, SETTLED, Occurrence, Sighting, SightingKey
from guardray.types import Row

UNKNOWN_ACCOUNT = "000000000000"
"""Stands in where neither the record nor its object's key names the account."""

UNKNOWN_REGION = "unknown"

INTERVALS = {"network_activity": 600_000_000, "dns_activity": 60_000_000}
"""Sightings that name no instance are kept apart by as much (microseconds), since an address may change hands: flow
records span up to ten minutes and cannot tell nearer, and a minute is less than instances take to come and go."""

RESOURCE = "resource_uid"
"""In the entity of detectors about instances: the instance, or what stands for it until it is known."""

_ACCOUNT, _REGION, _ENTITY, _UNSETTLED = "_account", "_region", "_entity", "_unsettled"


def _with_identity(hits: pl.DataFrame, detector: Detector) -> pl.DataFrame:
    parts = [pl.col(column).cast(pl.String).fill_null("-") for column in detector.entity]
    return hits.with_columns(
        _unsettled(detector).alias(_UNSETTLED),
        pl.col("cloud_account_uid").cast(pl.String).fill_null(UNKNOWN_ACCOUNT).alias(_ACCOUNT),
        pl.col("cloud_region").cast(pl.String).fill_null(UNKNOWN_REGION).alias(_REGION),
        (pl.concat_str(parts, separator="|") if parts else pl.lit("account")).alias(_ENTITY),
    )


def _unsettled(detector: Detector) -> pl.Expr:
    """The start of the row's interval where it is about an instance that the record does not name, else `SETTLED`."""
    if RESOURCE not in detector.entity:
        return pl.lit(SETTLED, pl.Int64)
    time, interval = pl.col("time").to_physical(), INTERVALS[detector.schema.name]
    return pl.when(pl.col("instance_uid").is_null()).then(time - time % interval).otherwise(SETTLED)


def sightings_of(detector: Detector, hits: pl.DataFrame) -> list[Sighting]:
    """One sighting for each account, Region and entity among the hits; more where an instance is yet to be told.

    Args:
        hits: rows that tripped the detector, with `time`, `digest` (UInt64, stable for the row), `last_seen`, the
            account and Region columns and those of the detector's entity. Each row counts once.
    """
    ordered = _with_identity(hits, detector).sort("time", "digest").with_row_index("_index")
    groups = ordered.group_by(_ACCOUNT, _REGION, _ENTITY, _UNSETTLED, maintain_order=True).agg(
        pl.len().alias("count"),
        pl.col("time").min().alias("first_seen"),
        pl.col("last_seen").max(),
        pl.col("_index").head(SAMPLES_KEPT).alias("samples"),
        pl.col("_index").last().alias("latest"),
    )
    wanted = pl.concat([groups["samples"].explode(), groups["latest"]]).unique().sort()
    rows: dict[int, Row] = {row["_index"]: row for row in ordered[wanted].to_dicts()}
    return [_sighting(detector, group, rows) for group in groups.iter_rows(named=True)]


def _sighting(detector: Detector, group: Row, rows: dict[int, Row]) -> Sighting:
    return Sighting(
        key=SightingKey(detector.finding_type, group[_ACCOUNT], group[_REGION], group[_ENTITY], group[_UNSETTLED]),
        count=group["count"],
        first_seen=group["first_seen"],
        last_seen=group["last_seen"],
        latest=_occurrence(rows[group["latest"]]),
        samples=tuple(_occurrence(rows[index]) for index in group["samples"]),
    )


def _occurrence(row: Row) -> Occurrence:
    kept = {name: value for name, value in row.items() if not name.startswith("_")}
    return Occurrence(time=row["time"], digest=row["digest"], row=kept)
