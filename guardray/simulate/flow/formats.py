"""Flow log records as AWS writes them: default text, a custom text format, Parquet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO

import polars as pl

from guardray.simulate.rendering import addresses
from guardray.simulate.world import Account

DEFAULT_FIELDS = (
    "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes",
    "start", "end", "action", "log-status",
)  # fmt: skip
CUSTOM_FIELDS = (
    "version", "account-id", "vpc-id", "subnet-id", "instance-id", "interface-id", "srcaddr", "dstaddr", "srcport",
    "dstport", "protocol", "packets", "bytes", "start", "end", "action", "tcp-flags", "type", "pkt-srcaddr",
    "pkt-dstaddr", "region", "az-id", "flow-direction", "log-status",
)  # fmt: skip
PARQUET_TYPES = {
    **dict.fromkeys(("version", "srcport", "dstport", "protocol", "tcp_flags"), pl.Int32()),
    **dict.fromkeys(("packets", "bytes", "start", "end"), pl.Int64()),
}


def _zone_prefix(region: str) -> str:
    """How ids of zones begin: ap-southeast-2 gives apse2."""
    area, direction, number = region.split("-")
    return area + re.sub("([nsewc])(?:orth|outh|entral|ast|est)", r"\1", direction) + number


@dataclass(frozen=True)
class Interfaces:
    """What records say about their interface, as columns with a row for each interface."""

    account: str
    region: str
    table: pl.DataFrame  # interface-id, instance-id, vpc-id, subnet-id, az-id

    @classmethod
    def of(cls, account: Account) -> Interfaces:
        zones = {
            f"{account.region}{letter}": f"{_zone_prefix(account.region)}-az{i}" for i, letter in enumerate("ab", 1)
        }
        rows = [
            {
                "interface-id": one.id,
                "instance-id": one.instance or "-",
                "vpc-id": one.vpc,
                "subnet-id": one.subnet,
                "az-id": zones[one.zone],
            }
            for one in account.interfaces
        ]
        return cls(account.id, account.region, pl.DataFrame(rows))


def fields(records: pl.DataFrame, interfaces: Interfaces, names: tuple[str, ...]) -> pl.DataFrame:
    """The named fields of these records as columns."""
    source, target = addresses(records["source"].to_numpy()), addresses(records["target"].to_numpy())
    about = interfaces.table[records["interface"]]
    known: dict[str, pl.Expr | pl.Series] = {
        "version": pl.lit(5 if "tcp-flags" in names else 2, dtype=pl.Int32),
        "account-id": pl.lit(interfaces.account),
        "srcaddr": source,
        "dstaddr": target,
        "srcport": pl.col("source_port"),
        "dstport": pl.col("target_port"),
        "protocol": pl.col("protocol"),
        "packets": pl.col("packets"),
        "bytes": pl.col("bytes"),
        "start": pl.col("start"),
        "end": pl.col("end"),
        "action": pl.when("accepted").then(pl.lit("ACCEPT")).otherwise(pl.lit("REJECT")),
        "tcp-flags": pl.col("flags"),
        "type": pl.lit("IPv4"),
        "pkt-srcaddr": source,
        "pkt-dstaddr": target,
        "region": pl.lit(interfaces.region),
        "flow-direction": pl.when("egress").then(pl.lit("egress")).otherwise(pl.lit("ingress")),
        "log-status": pl.lit("OK"),
        **{column.name: column for column in about},
    }
    return records.select(**{name: known[name] for name in names})


def text_file(records: pl.DataFrame, interfaces: Interfaces, names: tuple[str, ...], idle: pl.DataFrame) -> bytes:
    """Text of a file with a header; `idle` (interface, start, end) adds NODATA records."""
    body = BytesIO()
    fields(records, interfaces, names).write_csv(body, separator=" ", quote_style="never")
    if len(idle):
        _no_data(idle, interfaces, names).write_csv(body, separator=" ", quote_style="never", include_header=False)
    return body.getvalue()


def _no_data(idle: pl.DataFrame, interfaces: Interfaces, names: tuple[str, ...]) -> pl.DataFrame:
    about = interfaces.table[idle["interface"]]
    known: dict[str, pl.Expr | pl.Series] = {
        "version": pl.lit(5 if "tcp-flags" in names else 2),
        "account-id": pl.lit(interfaces.account),
        "start": pl.col("start"),
        "end": pl.col("end"),
        "log-status": pl.lit("NODATA"),
        **{column.name: column for column in about},
    }
    return idle.select(**{name: known.get(name, pl.lit("-")) for name in names})


def parquet_file(records: pl.DataFrame, interfaces: Interfaces) -> bytes:
    """A Parquet file of the custom fields, names with underscores, numbers as numbers."""
    body = BytesIO()
    named = fields(records, interfaces, CUSTOM_FIELDS).rename(lambda name: name.replace("-", "_"))
    named.cast(PARQUET_TYPES).write_parquet(body, compression="gzip", compression_level=1)  # type: ignore[arg-type]
    return body.getvalue()
