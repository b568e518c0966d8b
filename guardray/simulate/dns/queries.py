"""Queries as columns, and the JSON lines that Route 53 Resolver writes of them."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import polars as pl

from guardray.simulate.rendering import address, utc_times
from guardray.simulate.world import Account

QUERIES = pl.Schema({"time": pl.Float64(), "interface": pl.Int32(), "question": pl.String(), "port": pl.Int32()})
"""`question` is the part of the JSON line from `query_name` to `answers`, which `question` makes."""


def question(name: str, kind: str = "A", answers: tuple[str, ...] = (), rcode: str = "") -> str:
    """The question and its answer as a piece of JSON. Without answers: NXDOMAIN, or `rcode`."""
    given = [{"Rdata": data, "Type": _answer_type(kind, data), "Class": "IN"} for data in answers]
    document: dict[str, Any] = {
        "query_name": f"{name}.",
        "query_type": kind,
        "query_class": "IN",
        "rcode": rcode or ("NOERROR" if answers else "NXDOMAIN"),
        "answers": given,
    }
    return msgspec.json.encode(document).decode()[1:-1]


def _answer_type(kind: str, data: str) -> str:
    """The alias that precedes addresses in an answer ends in a dot."""
    return "CNAME" if kind in ("A", "AAAA") and data.endswith(".") else kind


def queries(rng: np.random.Generator, times: Any, interfaces: Any, questions: Any) -> pl.DataFrame:
    """Queries at these times; one interface and one question for all, or one for each."""
    time = np.atleast_1d(np.asarray(times, dtype=np.float64))
    n = len(time)
    asked = pl.Series(questions if not isinstance(questions, str) else [questions] * n, dtype=pl.String)
    return pl.DataFrame(
        {
            "time": time,
            "interface": np.broadcast_to(np.asarray(interfaces), (n,)),
            "question": asked,
            "port": rng.integers(1024, 65535, n),
        },
        schema=QUERIES,
        strict=False,
    )


def json_lines(found: pl.DataFrame, clients: pl.DataFrame, account: str, region: str) -> pl.Series:
    """The JSON line of each query: String [n]. `clients` has `vpc`, `address`, `instance` by interface.

    An empty instance is left out.
    """
    about = clients[found["interface"]]
    head = f'{{"version":"1.100000","account_id":"{account}","region":"{region}","vpc_id":"'
    known = pl.concat_str(pl.lit('{"instance":"'), about["instance"], pl.lit('"}}'))
    source = pl.lit('","transport":"UDP","srcids":') + pl.when(about["instance"] != "").then(known).otherwise(
        pl.lit("{}}")
    )
    return pl.select(
        pl.concat_str(
            pl.lit(head),
            about["vpc"],
            pl.lit('","query_timestamp":"'),
            utc_times(found["time"].to_numpy()),
            pl.lit('",'),
            found["question"],
            pl.lit(',"srcaddr":"'),
            about["address"],
            pl.lit('","srcport":"'),
            found["port"].cast(pl.String),
            source,
        )
    ).to_series()


def clients_of(account: Account) -> pl.DataFrame:
    """What a query's line says about the interface that asked, a row for each interface."""

    return pl.DataFrame(
        {
            "vpc": [one.vpc for one in account.interfaces],
            "address": [address(one.private_ip) for one in account.interfaces],
            "instance": [one.instance if one.is_named_in_queries else "" for one in account.interfaces],
        }
    )
