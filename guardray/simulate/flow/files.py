"""Flow log files: records of five minutes, or of one aggregation interval where that is longer."""

from __future__ import annotations

import numpy as np
import polars as pl

from guardray.simulate.flow.formats import CUSTOM_FIELDS, DEFAULT_FIELDS, Interfaces, parquet_file, text_file
from guardray.simulate.flow.records import flow_records
from guardray.simulate.layout import Output, flow_key, flow_parquet_key
from guardray.simulate.world import Account

INTERVAL_S = 300
SOURCE = "flow"


def write_conversations(
    output: Output, account: Account, interfaces: Interfaces, found: pl.DataFrame, rng: np.random.Generator
) -> None:
    """Write the records of these conversations, one file a VPC and publishing interval."""
    interval = max(INTERVAL_S, account.aggregation_s)
    vpc_ids = {vpc.id: index for index, vpc in enumerate(account.vpcs)}
    networks = pl.Series([vpc_ids[one.vpc] for one in account.interfaces], dtype=pl.UInt8)
    records = flow_records(found, account.aggregation_s)
    records = records.with_columns(
        published=(pl.col("end") // interval + 1) * interval, network=networks.gather(records["interface"])
    )
    for (published, network), part in records.group_by("published", "network", maintain_order=True):
        _write(output, account, interfaces, part, float(published), account.flow_logs[int(network)], interval, rng)


def _write(
    output: Output,
    account: Account,
    interfaces: Interfaces,
    records: pl.DataFrame,
    published: float,
    flow_log: str,
    interval: int,
    rng: np.random.Generator,
) -> None:
    if account.flow_format == "parquet":
        key = flow_parquet_key(account.id, account.region, flow_log, published, rng)
        output.write(SOURCE, key, parquet_file(records, interfaces), len(records))
        return
    names = DEFAULT_FIELDS if account.flow_format == "default" else CUSTOM_FIELDS
    idle = _idle(account, records, published, interval)
    key = flow_key(account.id, account.region, flow_log, published, rng)
    output.write_gzip(SOURCE, key, text_file(records, interfaces, names, idle), len(records) + len(idle))


def _idle(account: Account, records: pl.DataFrame, published: float, interval: int) -> pl.DataFrame:
    """Running interfaces of the same networks without a record in the file: (interface, start, end)."""
    seen = set(records["interface"].unique())
    vpcs = {account.interfaces[i].vpc for i in seen}
    quiet = [
        i
        for i, one in enumerate(account.interfaces)
        if one.vpc in vpcs and i not in seen and one.alive(published - interval) and one.alive(published)
    ]
    return pl.DataFrame({"interface": quiet}, schema={"interface": pl.Int32}).with_columns(
        start=pl.lit(int(published) - interval), end=pl.lit(int(published) - 1)
    )
