"""Flow log files: records of five minutes, or of one aggregation interval where that is longer."""

from __future__ import annotations

import numpy as np
import polars as pl

from guardray.simulate.flow.formats import CUSTOM_FIELDS, DEFAULT_FIELDS, Interfaces, parquet_file, text_file
from guardray.simulate.flow.records import flow_records
from guardray.simulate.layout import Output, flow_key, flow_parquet_key
from guardray.simulate.period import Period
from guardray.simulate.world import Account

INTERVAL_S = 300
SOURCE = "flow"


class FlowFiles:
    """Writes the flow logs of one account."""

    def __init__(self, output: Output, account: Account, interval_s: int = INTERVAL_S) -> None:
        self._output, self._account = output, account
        self._interfaces = Interfaces.of(account)
        self._interval = max(interval_s, account.aggregation_s)
        numbers = {vpc.id: number for number, vpc in enumerate(account.vpcs)}
        self._networks = pl.Series([numbers[one.vpc] for one in account.interfaces], dtype=pl.UInt8)

    def write_conversations(self, found: pl.DataFrame, piece: Period, rng: np.random.Generator) -> None:
        """Write the records of conversations that begin in this stretch, one file a VPC and publishing interval."""
        records = flow_records(found, self._account.aggregation_s)
        planned = records.with_columns(
            published=(pl.col("end") // self._interval + 1) * self._interval,
            network=self._networks.gather(records["interface"]),
        )
        for (published, network), part in planned.group_by("published", "network", maintain_order=True):
            # What runs on past the stretch comes with the next stretch's files, which tell who was idle.
            is_whole = published - self._interval < piece.end
            self.write_records(part, float(published), int(network), rng, tell_idle=is_whole)

    def write_records(
        self,
        records: pl.DataFrame,
        published: float,
        network: int,
        rng: np.random.Generator,
        *,
        tell_idle: bool = False,
    ) -> None:
        """Write these records of one VPC as one file; `tell_idle` adds NODATA records to a text file."""
        account, flow_log = self._account, self._account.flow_logs[network]
        if account.flow_format == "parquet":
            key = flow_parquet_key(account.id, account.region, flow_log, published, rng)
            self._output.write(SOURCE, key, parquet_file(records, self._interfaces), len(records))
            return
        names = DEFAULT_FIELDS if account.flow_format == "default" else CUSTOM_FIELDS
        idle = self._idle(records, published, account.vpcs[network].id if tell_idle else "")
        key = flow_key(account.id, account.region, flow_log, published, rng)
        self._output.write_gzip(
            SOURCE, key, text_file(records, self._interfaces, names, idle), len(records) + len(idle)
        )

    def _idle(self, records: pl.DataFrame, published: float, vpc: str) -> pl.DataFrame:
        """Interfaces of the VPC that ran for the whole interval without a record: (interface, start, end)."""
        seen, start = set(records["interface"].unique()), published - self._interval
        quiet = [
            i
            for i, one in enumerate(self._account.interfaces)
            if one.vpc == vpc and i not in seen and one.alive(start) and one.alive(published)
        ]
        return pl.DataFrame({"interface": quiet}, schema={"interface": pl.Int32}).with_columns(
            start=pl.lit(int(start)), end=pl.lit(int(published) - 1)
        )
