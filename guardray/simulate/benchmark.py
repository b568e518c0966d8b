"""Benchmark input: files of one source with as many rows as wanted, harmless, written file by file.

How many different values there are matters to whatever keeps state, so they follow real logs: about fifty thousand
remote addresses a million flow records, thousands of interfaces, hundreds of callers with a few APIs each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from guardray.errors import UsageError
from guardray.simulate.addresses import public_addresses
from guardray.simulate.dns.background import named_by, usual_questions
from guardray.simulate.dns.files import write_queries
from guardray.simulate.dns.queries import queries
from guardray.simulate.flow.conversations import (
    ELSEWHERE,
    SYN,
    TCP,
    UDP,
    conversations,
    ephemeral_ports,
    private_addresses,
    tcp_exchange,
)
from guardray.simulate.flow.files import FlowFiles
from guardray.simulate.flow.records import flow_records
from guardray.simulate.layout import Output, cloudtrail_key
from guardray.simulate.period import DAY, DEFAULT_START, Period
from guardray.simulate.randomness import pick
from guardray.simulate.rates import Rates
from guardray.simulate.rendering import hex_words
from guardray.simulate.trail import identities
from guardray.simulate.trail.catalogue import BY_DUTY, OF_FUNCTIONS, fill
from guardray.simulate.trail.events import Caller, caller, object_call
from guardray.simulate.trail.files import trail_document
from guardray.simulate.trail.objects import NAMES, object_keys
from guardray.simulate.trail.templates import Templates, calls, render
from guardray.simulate.world import Account, FlowFormat, build_account
from guardray.simulate.world.network import interfaces_like

BenchmarkSource = Literal["cloudtrail", "s3", "flow", "flow-parquet", "dns"]

EVENTS_PER_FILE = 500
RECORDS_PER_FILE = 100_000
QUERIES_PER_FILE = 20_000
FILE_EVERY_S = 300.0
REMOTES_PER_RECORD = 0.05
SHARE_REFUSED, SHARE_DATAGRAMS = 0.08, 0.05
SHARE_OUTBOUND = 0.4
"""Of conversations: our hosts ask services on the internet; the rest are the internet's clients of ours."""
SHARE_NEW_NAMES = 0.05
SIZE = Rates(people=200, functions=60, web_servers=2, workers=40, buckets=60)


@dataclass(frozen=True)
class BenchmarkInput:
    """What was written: one folder, rows and bytes on disk."""

    folder: Path
    rows: int
    size: int
    files: int


def benchmark_input(
    out: Path, source: BenchmarkSource, rows: int, seed: int, *, interfaces: int = 2000
) -> BenchmarkInput:
    """Write `rows` rows of one source under `out`.

    Memory does not grow with the number of rows, apart from the remote addresses.

    Raises:
        UsageError: there is no such source, or a number is below 1.
    """
    if source not in _WRITERS:
        raise UsageError(f"source {source!r} is not one of {', '.join(_WRITERS)}")
    if rows < 1 or interfaces < 1:
        raise UsageError(f"rows is {rows} and interfaces is {interfaces}: both must be at least 1")
    flow_format: FlowFormat = "parquet" if source == "flow-parquet" else "default"
    period = Period(DEFAULT_START.timestamp(), DEFAULT_START.timestamp() + DAY)
    account = build_account(seed, 0, period, SIZE, flow_format)
    if source in ("flow", "flow-parquet", "dns"):
        account = replace(account, interfaces=interfaces_like(account.interfaces[-1], seed, interfaces))
    output = Output(out)
    _WRITERS[source](output, account, rows)
    return BenchmarkInput(out, output.rows.total(), output.sizes.total(), output.files.total())


def _pieces(rows: int, per_file: int) -> Iterator[tuple[int, float, int]]:
    """Number, time and rows of each file."""
    for number, first in enumerate(range(0, rows, per_file)):
        yield number, DEFAULT_START.timestamp() + number * FILE_EVERY_S, min(per_file, rows - first)


def _write_management(output: Output, account: Account, rows: int) -> None:
    templates, rng = Templates(account), account.stream("benchmark calls")
    for who in account.people:
        by = caller(identities.person(account, who, account.period.start), who.office_ip, who.sdk)
        for call in pick(rng, [BY_DUTY[who.duty][:6], BY_DUTY[who.duty][6:12], BY_DUTY[who.duty][3:9]]):
            templates.add(by, fill(call, account, rng, user=who.name))
    for by in _functions(account):
        for call in OF_FUNCTIONS:
            templates.add(by, fill(call, account, rng))
    _write_events(output, account, rows, templates)


def _write_objects(output: Output, account: Account, rows: int) -> None:
    templates, rng = Templates(account), account.stream("benchmark objects")
    for by in _functions(account):
        for _ in range(3):
            bucket = pick(rng, account.buckets_for("data", "assets"))
            for name in NAMES:
                templates.add(by, object_call(account, name, bucket))
    _write_events(output, account, rows, templates, with_keys=True)


def _functions(account: Account) -> Iterator[Caller]:
    for of in account.workloads:
        if of.service == "lambda":
            yield caller(identities.workload(account, of, account.period.start), of.address, of.agent)


def _write_events(output: Output, account: Account, rows: int, templates: Templates, with_keys: bool = False) -> None:
    table = templates.frame()
    for number, time, n in _pieces(rows, EVENTS_PER_FILE):
        rng = account.stream("benchmark events", number)
        chosen = (len(table) * rng.random(n) ** 2).astype(np.int64)
        keys = object_keys(rng, n) if with_keys else None
        texts = render(calls(time + rng.uniform(0, FILE_EVERY_S, n), chosen, keys), table, rng)
        key = cloudtrail_key(account.id, account.region, time + 2 * FILE_EVERY_S, rng)
        output.write_gzip("cloudtrail", key, trail_document(texts), n)


def _write_flow(output: Output, account: Account, rows: int) -> None:
    files = FlowFiles(output, account)
    remotes = public_addresses(account.stream("benchmark remotes"), max(1000, int(rows * REMOTES_PER_RECORD)))
    private = private_addresses(account)
    for number, time, n in _pieces(rows, RECORDS_PER_FILE):
        rng = account.stream("benchmark flows", number)
        records = _records(rng, n, time, remotes, private).head(n)
        files.write_records(records, time + FILE_EVERY_S, 0, rng)


def _records(rng: np.random.Generator, n: int, time: float, remotes: np.ndarray, private: np.ndarray) -> pl.DataFrame:
    """At least `n` records of our hosts and remote clients and services, most of them in pairs."""
    pairs = int(n * 0.55) + 20
    host = (len(private) * rng.random(pairs) ** 1.5).astype(np.int64)
    kind = rng.random(pairs)
    refused, datagram = kind < SHARE_REFUSED, kind > 1 - SHARE_DATAGRAMS
    outbound = (rng.random(pairs) < SHARE_OUTBOUND) & ~refused
    # Services are asked by many, clients come and go.
    remote = remotes[(len(remotes) * rng.random(pairs) ** np.where(outbound, 6.0, 1.5)).astype(np.int64)]
    served, asked = (443, 443, 443, 80, 8080, 22), (*[443] * 17, 80, 80, 8080)
    port = np.where(outbound, rng.choice(asked, pairs), rng.choice(served, pairs))
    exchange = tcp_exchange(rng, pairs, request_bytes=1500, response_bytes=9000, spread=1.3)
    found = conversations(
        pairs,
        start=time + rng.uniform(0, FILE_EVERY_S - 60, pairs),
        seconds=rng.uniform(0, 50, pairs),
        client=np.where(outbound, private[host], remote),
        client_interface=np.where(outbound, host, ELSEWHERE),
        client_port=np.where(outbound, ephemeral_ports(rng, pairs), rng.integers(1024, 65535, pairs)),
        server=np.where(outbound, remote, private[host]),
        server_interface=np.where(outbound, ELSEWHERE, host),
        server_port=np.where(refused, rng.integers(1, 65535, pairs), port),
        protocol=np.where(datagram, UDP, TCP),
        packets_out=np.where(refused, 1, exchange["packets_out"]),
        bytes_out=np.where(refused, 44, exchange["bytes_out"]),
        packets_in=np.where(refused, 0, exchange["packets_in"]),
        bytes_in=np.where(refused, 0, exchange["bytes_in"]),
        flags_out=np.where(refused, SYN, np.where(datagram, 0, 3)),
        flags_in=np.where(datagram, 0, 19),
        rejected=refused,
    )
    return flow_records(found, int(FILE_EVERY_S))


def _write_dns(output: Output, account: Account, rows: int) -> None:
    usual = pl.Series(usual_questions(account))
    for number, time, n in _pieces(rows, QUERIES_PER_FILE):
        rng = account.stream("benchmark queries", number)
        known = usual.gather((len(usual) * rng.random(n) ** 2).astype(np.int64))
        new = named_by(hex_words(rng, n, 12), "{}.sessions.pixelharbor.example", "10.0.0.1")
        asked = known.zip_with(pl.Series(rng.random(n) >= SHARE_NEW_NAMES), new)
        host = rng.integers(0, len(account.interfaces), n)
        write_queries(output, account, queries(rng, time + rng.uniform(0, FILE_EVERY_S, n), host, asked), rng)


_WRITERS = {
    "cloudtrail": _write_management,
    "s3": _write_objects,
    "flow": _write_flow,
    "flow-parquet": _write_flow,
    "dns": _write_dns,
}
