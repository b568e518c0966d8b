"""Behavior:EC2/TrafficVolumeUnusual: an instance sends far more to one remote host than it ever sent to anyone.

What goes to one host in a day must be a gigabyte at least, twice as much as went to it, or to all hosts together, on
the greatest earlier day, and six robust standard deviations above the median day. So the weekly full backup is no news
in its second week, nor is one that grows. What goes to a host that is new since a day or two is compared with the days
before these alone: what leaves in pieces, one a day, would otherwise be measured by its first piece. There two or three
pieces are enough that are each more than all that ever went out on a day, if together they are outliers. Uploads to
AWS are backups and images, and quiet; so are downloads by others from a server of ours. An instance that sends much
every day hides what it sends beside that, and a transfer that stays under a megabyte a record for the whole day is not
seen.

Source: GuardDuty user guide, EC2 finding types: severity Medium. Robust deviations: Iglewicz and Hoaglin 1993, How to
detect and handle outliers (1.4826 times the median absolute deviation estimates a normal standard deviation).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from guardray.detectors.contributions import model_info, model_sentence
from guardray.detectors.decisions import CLEARLY_USUAL, decided
from guardray.detectors.declare import ActivityDetector, fires, on_earlier_days, quiet
from guardray.detectors.ec2.connections import RESOURCE, connection, flow
from guardray.detectors.ec2.outbound import (
    ACTIVITY,
    LARGE_RECORD_BYTES,
    LEARNED_DAYS,
    OUTSIDE_AWS,
    local_end,
    remote_end,
    sender,
)
from guardray.detectors.ec2.unusual_traffic import NEW_HOST_DAYS, SPEC
from guardray.findings.details import Details
from guardray.schema import network_activity
from guardray.types import Row

FLOOR_BYTES = 1_000_000_000
"""To one host in a day. An image or a release that is pushed somewhere once stays under it."""

MODEL_FLOOR_BYTES = 250_000_000
"""The same for a model, that looks at port, network and hour as well, where it is more than ever went to all hosts."""

TIMES_GREATEST = 2
"""What grows does so by less from one day to the next, and from one full backup to the next."""

DEVIATIONS = 6
"""Robust ones. Outliers are usually taken to begin at 3.5, of measures that are not as skewed as daily sums."""

PIECES_DEVIATIONS = 3.5
"""For two or three pieces that are each more than went out on any day before: there the usual beginning of outliers."""

_SIGMA = 1.4826

_IS_LEARNED_HOST = (
    (pl.col("largest_record") >= LARGE_RECORD_BYTES) & OUTSIDE_AWS & (pl.col("sent_history") >= LEARNED_DAYS)
)


def _is_far_above(level: str, greatest: str = "max") -> pl.Expr:
    """Today's bytes to the host are far above all that is known of the level. Null where nothing is."""
    today, deviation = pl.col("to_host_today"), _SIGMA * pl.col(f"{level}_mad")
    usual = pl.col(f"{level}_median") + DEVIATIONS * deviation
    return today.gt(TIMES_GREATEST * pl.col(f"{level}_{greatest}")) & today.gt(usual)


_IS_NEW_HOST = pl.col("to_host_history") <= NEW_HOST_DAYS
_GOES_ON = _IS_NEW_HOST & _is_far_above("sent", "max_before")

_PIECES = pl.col("to_host_history") + 1
_DEVIATION_OF_PIECES = _SIGMA * pl.col("sent_mad") * _PIECES.sqrt()
_USUAL_OF_PIECES = _PIECES * pl.col("sent_median") + PIECES_DEVIATIONS * _DEVIATION_OF_PIECES
_IN_PIECES = (
    _IS_NEW_HOST
    & (pl.min_horizontal("to_host_today", "to_host_median") > pl.col("sent_max_before"))
    & pl.col("to_host_median").is_not_null()
    & (pl.col("to_host_today") + pl.col("to_host_history") * pl.col("to_host_median") > _USUAL_OF_PIECES)
)
"""On each of two or three days more than ever went to all hosts on a day before, and together far more than usual: days
that have nothing to do with each other deviate together by the root of their number."""

_IS_FAR_ABOVE_ALL = pl.any_horizontal(
    (_is_far_above("sent") & _is_far_above("to_host").fill_null(True)).fill_null(False),
    _GOES_ON.fill_null(False),
    _IN_PIECES.fill_null(False),
)


def details(row: Row) -> Details:
    who, remote, today = row["resource_uid"], remote_end(row), row["to_host_today"]
    usual = f"The most that it sent to all hosts on one of {row['sent_history']} earlier days was {row['sent_max']:,}."
    if 0 < row["to_host_history"] <= NEW_HOST_DAYS:
        before = f"the most to all hosts on a day before was {row['sent_max_before']:,}"
        usual = f"It began to on {row['to_host_history']} of the latest days; {before}."
    return Details(
        title=f"{who} sends an unusual amount of data to {remote}.",
        description=f"{who} sent {today:,} bytes to {remote} within a day. {usual} "
        f"{model_sentence(row, SPEC)}".rstrip(),
        resource=sender(row),
        action=connection(row, local_end(row), remote),
        additional_info={
            "outBytes": row["bytes"],
            "packetsOut": row["packets"],
            "totalBytesOut": row["sent_today"],
            "averagePacketSizeOut": row["bytes"] // row["packets"],
        }
        | model_info(row, SPEC),
    )


GB = 1_000_000_000


def _upload(size: int, target: str = "203.0.113.9", **columns: object) -> dict[str, object]:
    sent = {"tcp_flags": 3, "traffic_packets": size // 1400 + 1, "traffic_bytes": size}
    return {**flow(target=target, src_endpoint_port=50016), **sent, **columns}


DAILY = on_earlier_days(LEARNED_DAYS, _upload(2_000_000), _upload(3_000, "198.51.100.7"))
GIGABYTE_A_DAY = on_earlier_days(10, _upload(GB, "198.51.100.7"))[:9]
"""Days of an upload that is usual, but for yesterday."""


def _yesterday(tenths: int) -> tuple[Mapping[str, Any], ...]:
    """So many tenths of a gigabyte went to a host that is new, instead."""
    return on_earlier_days(1, _upload(tenths * GB // 10))


NOTHING_LARGE = on_earlier_days(LEARNED_DAYS, _upload(3_000, "198.51.100.7"))

DETECTOR = ActivityDetector(
    finding_type="Behavior:EC2/TrafficVolumeUnusual",
    severity=5.0,
    source="vpc-flow",
    schema=network_activity.SCHEMA,
    role="ACTOR",
    entity=RESOURCE,
    activity=ACTIVITY,
    crossed=decided(
        _IS_LEARNED_HOST & (pl.col("to_host_today") >= FLOOR_BYTES) & _IS_FAR_ABOVE_ALL,
        is_new=_IS_LEARNED_HOST
        & (pl.col("to_host_today") >= MODEL_FLOOR_BYTES)
        & (pl.col("to_host_today") > pl.col("sent_max")),
    ),
    together=RESOURCE,
    score=pl.col("to_host_today"),
    learning="before",
    spec=SPEC,
    details=details,
    tunables={
        "learned_days": LEARNED_DAYS,
        "floor_bytes": FLOOR_BYTES,
        "model_floor_bytes": MODEL_FLOOR_BYTES,
        "clearly_usual": CLEARLY_USUAL,
        "times_greatest": TIMES_GREATEST,
        "deviations": DEVIATIONS,
        "pieces_deviations": PIECES_DEVIATIONS,
    },
    examples=(
        fires(
            "an instance that uploads little sends 5 GB to a new host", *NOTHING_LARGE, _upload(5 * GB), severity=5.0
        ),
        fires("it sends them in many records", *DAILY, *(_upload(GB // 10) for _ in range(50))),
        fires(
            "it sends them through two ports",
            *DAILY,
            _upload(GB * 6 // 10),
            _upload(GB * 6 // 10, dst_endpoint_port=22),
        ),
        fires(
            "flags and direction are not logged",
            *(dict(row, tcp_flags=None, is_egress=None) for row in (*DAILY, _upload(5 * GB))),
        ),
        fires("an archive leaves in pieces that grow", *GIGABYTE_A_DAY, *_yesterday(19), _upload(GB * 21 // 10)),
        fires("pieces are not twice the greatest day each", *GIGABYTE_A_DAY, *_yesterday(15), _upload(GB * 15 // 10)),
        quiet(
            "one of two pieces is no more than goes out on some days",
            *GIGABYTE_A_DAY,
            *_yesterday(9),
            _upload(GB * 19 // 10),
        ),
        quiet("a daily upload has moved to a new host", *GIGABYTE_A_DAY, *_yesterday(10), _upload(GB)),
        quiet("nothing is known of the instance", _upload(5 * GB)),
        quiet("little is known of the instance", *DAILY[: 2 * (LEARNED_DAYS - 1)], _upload(5 * GB)),
        quiet("half a gigabyte is sent", *DAILY, _upload(GB // 2)),
        quiet(
            "as much goes to another host every day",
            *on_earlier_days(8, _upload(4 * GB, "198.51.100.7")),
            _upload(5 * GB),
        ),
        quiet("a daily backup has grown", *on_earlier_days(8, _upload(4 * GB)), _upload(7 * GB)),
        quiet(
            "a weekly full backup comes again",
            *on_earlier_days(8, _upload(GB // 10)),
            *on_earlier_days(7, _upload(30 * GB))[:1],
            _upload(30 * GB),
        ),
        quiet(
            "others download it from a server of ours",
            *DAILY,
            _upload(5 * GB, src_endpoint_port=443, dst_endpoint_port=50000),
        ),
        quiet("the host is AWS's", *DAILY, _upload(5 * GB), places={"203.0.113.9": ("US", 16509)}),
        quiet("the host is our own", *DAILY, _upload(5 * GB, "10.0.3.9")),
        quiet("the host is unknown", *DAILY, _upload(5 * GB, dst_endpoint_ip_v4=None)),
    ),
)
