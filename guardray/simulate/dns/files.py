"""Resolver query log files: the queries of one VPC in five minutes."""

from __future__ import annotations

import numpy as np
import polars as pl

from guardray.simulate.dns.queries import clients_of, json_lines
from guardray.simulate.layout import Output, dns_key
from guardray.simulate.world import Account

INTERVAL_S = 300
QUERIES_PER_RENDER = 200_000
SOURCE = "dns"


def write_queries(
    output: Output, account: Account, found: pl.DataFrame, rng: np.random.Generator, interval_s: int = INTERVAL_S
) -> None:
    """Write these queries, one file a VPC and interval."""
    clients = clients_of(account)
    planned = found.with_columns(
        published=(pl.col("time") // interval_s + 1) * interval_s, vpc=clients["vpc"].gather(found["interface"])
    ).sort("published", "vpc", "time")
    for piece in planned.iter_slices(QUERIES_PER_RENDER):
        lines = piece.select("published", "vpc").with_columns(
            line=json_lines(piece, clients, account.id, account.region)
        )
        for (published, vpc), file in lines.group_by("published", "vpc", maintain_order=True):
            body = ("\n".join(file["line"]) + "\n").encode()
            output.write_gzip(SOURCE, dns_key(account.id, str(vpc), float(published), rng), body, len(file))
