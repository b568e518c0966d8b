"""S3 data events of a day: programs and people read and write objects, logs arrive, a backup reads everything."""

from __future__ import annotations

import numpy as np
import polars as pl

from guardray.simulate.period import HOUR, Period
from guardray.simulate.randomness import pick
from guardray.simulate.rendering import hex_words
from guardray.simulate.rhythm import MACHINES, is_weekend, times
from guardray.simulate.trail.events import Caller, caller, object_call
from guardray.simulate.trail.identities import person, service, workload
from guardray.simulate.trail.templates import CALLS, Templates, calls
from guardray.simulate.world import Account, Bucket

NAMES = ("GetObject", "PutObject", "HeadObject", "ListObjects", "DeleteObject")
SHARES = (0.6, 0.2, 0.12, 0.06, 0.02)
DELIVERIES_PER_HOUR = 12
BACKUP_HOUR, BACKUP_READS_PER_BUCKET = 2.0, 120


def object_calls(account: Account, day: Period, templates: Templates) -> pl.DataFrame:
    """The data events of this day."""
    rng = account.stream("objects", day.start)
    parts = [CALLS.to_frame(), _deliveries(account, day, templates, rng), _backup(account, day, templates, rng)]
    rate = account.rates.object_calls_per_hour
    pairs = _programs(account, day, rng)
    for by, bucket in pairs:
        parts.append(_use(account, by, bucket, times(rng, rate * 0.9 / len(pairs), day, MACHINES), templates, rng))
    if not is_weekend(day.start, 0):
        parts += [
            _use(account, *pair, times(rng, rate * 0.02, day, MACHINES), templates, rng)
            for pair in _analysts(account, day, rng)
        ]
    return pl.concat(parts)


def _programs(account: Account, day: Period, rng: np.random.Generator) -> list[tuple[Caller, Bucket]]:
    """Which program uses which bucket; fixed for the account, so that habits exist."""
    habits = account.stream("bucket habits")
    found = []
    for of in account.workloads:
        if of.service == "lambda" and of.role != "nightly-backup":
            by = caller(workload(account, of, day.start), of.address, of.agent)
            found.append((by, pick(habits, account.buckets_for("assets", "data"))))
    for host in account.permanent("web", "worker"):
        of = account.workload(f"{account.interfaces[host].kind}-instance-role")
        by = caller(workload(account, of, day.start, account.interfaces[host].instance), of.address, of.agent)
        found.append((by, pick(habits, account.buckets_for("assets", "data"))))
    return found


def _analysts(account: Account, day: Period, rng: np.random.Generator) -> list[tuple[Caller, Bucket]]:
    people = [who for who in account.people if who.duty in ("analyst", "developer")]
    habits = account.stream("bucket habits of people")
    return [
        (
            caller(person(account, who, day.start + 8 * HOUR), who.office_ip, who.sdk),
            pick(habits, account.buckets_for("data")),
        )
        for who in people
    ]


def object_keys(rng: np.random.Generator, n: int) -> pl.Series:
    """Keys as programs make them: a folder by hash, a random name."""
    words = hex_words(rng, n, 16)
    return pl.select(
        pl.concat_str([pl.lit("items/"), words.str.slice(0, 2), pl.lit("/"), words, pl.lit(".json")])
    ).to_series()


def _use(
    account: Account, by: Caller, bucket: Bucket, at: np.ndarray, templates: Templates, rng: np.random.Generator
) -> pl.DataFrame:
    numbers = [templates.add(by, object_call(account, name, bucket)) for name in NAMES]
    return calls(at, rng.choice(numbers, len(at), p=SHARES), object_keys(rng, len(at)))


def _deliveries(account: Account, day: Period, templates: Templates, rng: np.random.Generator) -> pl.DataFrame:
    """Log files that CloudTrail and VPC Flow Logs put into their buckets."""
    parts = []
    for name, bucket in (
        ("cloudtrail.amazonaws.com", account.trail.bucket),
        ("delivery.logs.amazonaws.com", account.buckets_for("logs")[0]),
    ):
        number = templates.add(caller(service(name), name, name), object_call(account, "PutObject", bucket))
        at = times(rng, DELIVERIES_PER_HOUR, day)
        keys = pl.select(
            pl.format("AWSLogs/{}/{}.json.gz", pl.lit(account.id), hex_words(rng, len(at), 16))
        ).to_series()
        parts.append(calls(at, number, keys))
    return pl.concat(parts)


def _backup(account: Account, day: Period, templates: Templates, rng: np.random.Generator) -> pl.DataFrame:
    """The nightly backup: lists and reads every data bucket, writes to the backup bucket."""
    of = account.workload("nightly-backup")
    by = caller(workload(account, of, day.start + BACKUP_HOUR * HOUR), of.address, of.agent)
    target = templates.add(by, object_call(account, "PutObject", account.buckets_for("backup")[0]))
    start, parts = day.start + BACKUP_HOUR * HOUR, [CALLS.to_frame()]
    for bucket in account.buckets_for("data", "assets"):
        read = templates.add(by, object_call(account, "GetObject", bucket))
        listed = templates.add(by, object_call(account, "ListObjects", bucket))
        at = start + 2 + np.cumsum(rng.exponential(1.5, BACKUP_READS_PER_BUCKET))
        parts += [
            calls([start], listed, ["items/"]),
            calls(at, read, object_keys(rng, len(at))),
            calls(at[::40] + 0.5, target, object_keys(rng, len(at[::40]))),
        ]
        start = float(at[-1])
    return pl.concat(parts).filter(pl.col("time") < day.end)
