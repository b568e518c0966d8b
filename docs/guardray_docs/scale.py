"""What a day of so many events takes, by arithmetic from what was measured on one core: the tables of docs/scale.md."""

from __future__ import annotations

import math
from dataclasses import dataclass

from guardray_docs.finding_types import table

DAY_S = 86_400


@dataclass(frozen=True)
class Source:
    """A kind of log.

    Attributes:
        rate: rows a second that one core reads end to end, all detectors on, measured.
        row_bytes: of a row in its object, compressed.
        share: of all events, assumed.
    """

    name: str
    rate: float
    row_bytes: float
    share: float


SOURCES = (
    Source("CloudTrail management events", 219_158, 257, 0.02),
    Source("S3 data events", 170_016, 257, 0.13),
    Source("Flow logs, Parquet", 1_398_157, 30, 0.75),
    Source("Resolver query logs", 272_619, 54, 0.10),
)
"""Rates: `guardray bench --context` on one core of an AMD EPYC, medians of three, all 87 types, a million indicators.
Bytes: simulated logs; flow logs as real text ones with more fields have them. Shares: an assumption."""

CLUSTER = 0.65
"""Of the rate of one process, what a core of a cluster reaches: two cores with two ingest workers, two shards and the
driver read 1 million CloudTrail events in 7.4 s, 3 of them for the start: 114,000 a second and core, where one process
read 175,000."""

BUSY = 0.8
"""How busy workers are meant to be; `guardray.service.scaling` makes them for a load plus a quarter."""

PEAK = 2.5
"""Of the busiest hour to the mean, assumed: nodes for it come and go."""

WINDOW_BYTES = 205
"""Of a window that is open, measured: 169 to 205 and more, by its kind of counts."""

OPEN_S = 1.75 * 3600
"""How long a window stays open: lateness, disorder and half an hour of its own length."""

EVENTS_A_WINDOW = 25
"""Events that share a window, assumed: 8 bytes of state an event. Scans of up to 10 million flow rows took some 150 MB
more than their processes, 15 bytes a row at most."""

ENTITY_BYTES = 20_000
"""What is learned of a principal or an instance in a quarter, assumed: some 200 distinct values of a hundred bytes."""

ACCOUNT_ENTITIES = 200
"""Principals and instances of an account, assumed."""

PROCESS_MB = {"ingest": 650, "shard": 300}
"""Of a process without state: ingest measured at 465 to 670 MB, a shard by its imports."""

SHARD_STATE_MB = 4096
"""State that a shard is made for, with `memory.shard_mb` at twice that."""

SERVICE_SHARDS = 64
SERVICE_OBJECTS_S = 500
"""What one coordinator is trusted with, assumed: every epoch waits for the slowest shard, and each object is a row of
its log. Beyond, there is one service for some Regions or accounts, with a store of its own."""

REGIONS = 3
"""Regions in which an account has something, assumed."""

OBJECTS_A_DAY = {"CloudTrail": 288 * 1.5, "flow": 288 * 2, "DNS": 288}
"""Of an account and Region: one in five minutes of each, with two VPCs, and half as many again of CloudTrail."""

MOST_OBJECT_BYTES = 50e6
"""AWS begins a new object then."""

PRICES = {"core_hour": 0.0446, "get": 0.4e-6, "put": 5e-6, "sqs": 0.4e-6, "state_gb_month": 0.023}
"""Dollars on demand in us-east-1: a core of c7i, a GET and a PUT of S3, a request of SQS, a GB of S3 a month. They
change: put yours in."""

SQS_REQUESTS = 3 / 8
"""An object: received, renewed and deleted, some eight messages at once."""

CHECKPOINTS_A_DAY = DAY_S / 30


@dataclass(frozen=True)
class Scale:
    """What one scale takes, on the mean of a day unless a name says otherwise."""

    events: float
    accounts: int

    @property
    def events_per_s(self) -> float:
        return self.events / DAY_S

    @property
    def cores(self) -> float:
        """For the mean, at how busy workers are meant to be."""
        return sum(self.events_per_s * one.share / (one.rate * CLUSTER) for one in SOURCES) / BUSY

    @property
    def peak_cores(self) -> int:
        return math.ceil(self.cores * PEAK)

    @property
    def log_bytes(self) -> float:
        """A day, compressed."""
        return self.events * sum(one.share * one.row_bytes for one in SOURCES)

    @property
    def objects(self) -> float:
        """A day: by how often AWS delivers, or by how much there is, whichever is more."""
        by_time = self.accounts * REGIONS * sum(OBJECTS_A_DAY.values())
        return max(by_time, self.log_bytes / MOST_OBJECT_BYTES)

    @property
    def state_bytes(self) -> float:
        """Windows of the busiest hours, and what was learned."""
        windows = self.events_per_s * PEAK * OPEN_S / EVENTS_A_WINDOW * WINDOW_BYTES
        return windows + self.accounts * ACCOUNT_ENTITIES * ENTITY_BYTES

    @property
    def shards(self) -> int:
        return max(1, math.ceil(self.state_bytes / (SHARD_STATE_MB * 1e6)))

    @property
    def services(self) -> int:
        objects = self.objects / DAY_S * PEAK
        return math.ceil(max(self.shards / SERVICE_SHARDS, objects / SERVICE_OBJECTS_S))

    @property
    def memory_bytes(self) -> float:
        """Of all processes in the busiest hour."""
        return (self.peak_cores * PROCESS_MB["ingest"] + self.shards * PROCESS_MB["shard"]) * 1e6 + self.state_bytes

    @property
    def dollars(self) -> dict[str, float]:
        """A day, by what it is paid for."""
        keeping = self.state_bytes * 3 / 1e9 * PRICES["state_gb_month"] / 30
        puts = CHECKPOINTS_A_DAY * (self.shards * 4 + 2) * PRICES["put"]
        return {
            "cores": self.cores * 24 * PRICES["core_hour"],
            "requests": self.objects * (PRICES["get"] + SQS_REQUESTS * PRICES["sqs"]),
            "state": keeping + puts,
        }


SCALES = (Scale(1e9, 50), Scale(1e11, 2_000), Scale(1e13, 50_000))
"""Events a day, and how many accounts they may be of."""


def blocks() -> dict[str, str]:
    """The generated blocks of docs/scale.md."""
    return {"sources": _sources(), "scales": _scales()}


def _sources() -> str:
    rows = [
        (
            one.name,
            f"{one.rate:,.0f}",
            f"{one.row_bytes:g}",
            f"{1e9 / DAY_S / (one.rate * CLUSTER) / BUSY:.2f}",
            f"{one.row_bytes:g} GB",
            f"{one.share:.0%}",
        )
        for one in SOURCES
    ]
    head = (
        "Source",
        "Rows a second and core",
        "Bytes a row",
        "Cores for 1 billion a day",
        "Logs of that",
        "Share below",
    )
    return table(head, rows)


def _scales() -> str:
    return table(
        ("A day", *(f"{_short(one.events)} events" for one in SCALES)),
        [
            ("accounts", *(f"{one.accounts:,}" for one in SCALES)),
            ("events a second, mean", *(_short(one.events_per_s) for one in SCALES)),
            ("logs, compressed", *(_bytes(one.log_bytes) for one in SCALES)),
            ("objects, S3 GETs", *(_short(one.objects) for one in SCALES)),
            ("objects a second, busiest hour", *(f"{one.objects / DAY_S * PEAK:,.0f}" for one in SCALES)),
            ("**cores**, mean and busiest hour", *(f"**{_short(one.cores)}** / {one.peak_cores:,}" for one in SCALES)),
            ("state", *(_bytes(one.state_bytes) for one in SCALES)),
            ("shards", *(f"{one.shards:,}" for one in SCALES)),
            ("services, each with its store", *(f"{one.services:,}" for one in SCALES)),
            ("**memory** of all processes", *(f"**{_bytes(one.memory_bytes)}**" for one in SCALES)),
            ("cores, $", *(f"{one.dollars['cores']:,.2f}" for one in SCALES)),
            ("requests of S3 and SQS, $", *(f"{one.dollars['requests']:,.2f}" for one in SCALES)),
            ("checkpoints in S3, $", *(f"{one.dollars['state']:,.2f}" for one in SCALES)),
            ("**together**, $", *(f"**{sum(one.dollars.values()):,.2f}**" for one in SCALES)),
            ("$ a million events", *(f"{sum(one.dollars.values()) / one.events * 1e6:.5f}" for one in SCALES)),
        ],
    )


def _short(number: float) -> str:
    for size, name in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if number >= size:
            return f"{number / size:,.3g}{name}"
    return f"{number:,.3g}" if number < 1e3 else f"{number:,.0f}"


def _bytes(number: float) -> str:
    for size, name in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB")):
        if number >= size:
            return f"{number / size:,.3g} {name}"
    return f"{number / 1e6:,.0f} MB"
