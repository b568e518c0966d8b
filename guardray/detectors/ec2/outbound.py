"""What instances connect to on the internet, day by day: the activity that detectors of unusual traffic share.

An instance is judged by its own earlier days, so each detector stays silent for the first `LEARNED_DAYS` of it. For
knowing these, some of the records that no detector looks at are taken as well: one in `ONE_IN` of an instance's usual
connections, and one in `ONE_IN_INSIDE` of its records with other private addresses.

Only TCP connections that our side opened are followed, and what goes to public DNS resolvers. Between UDP ports it
cannot be told who asked: a VPN server's answers would be as many unusual ports as it has clients. So what leaves by
UDP alone, or by a connection that was opened from outside, is not seen. Nor is what instances with public addresses in
their own network send, where neither end is private. Where a log names neither instance nor interface, all of an
account's hosts learn together, and are the quieter for it.
"""

from __future__ import annotations

import polars as pl

from guardray.context.flow_columns import EPHEMERAL_FROM, PROBE_BYTES_PER_PACKET, SYN
from guardray.detectors.activity import Activity, Habit, Hours, Level, Rhythm
from guardray.detectors.ec2.connections import IS_TCP, IS_UDP, OURS, End, instance
from guardray.findings.resources import Resource
from guardray.intel.categories import has
from guardray.schema import network_activity
from guardray.stats.measures import Max, Sum
from guardray.types import Row

LEARNED_DAYS = 7
"""Days of an instance before it is judged: a week has each weekday once. GuardDuty's figure is 7 to 14."""

SMTP, DNS, HTTP, HTTPS, DNS_OVER_TLS = 25, 53, 80, 443, 853

USUAL_PORTS = (SMTP, DNS, HTTP, HTTPS, DNS_OVER_TLS)
"""Server ports that are never unusual: those of the web, and those that have finding types of their own."""

LARGE_RECORD_BYTES = 1_000_000
"""A record of ten minutes, of a transfer that makes a gigabyte in a day, has seven times as much."""

SYN_TRIES = 7
"""Packets of an attempt that nobody answers, with Linux's default of six repetitions."""

ONE_IN = 16
"""By the client's port. A real server made 45 connections in a day, mostly for updates; one in 16 of these shows it on
all but a day in 18."""

ONE_IN_INSIDE = 64
"""Health checks and databases make thousands of records a day."""

OWNER = ("cloud_account_uid", "cloud_region", "resource_uid")
"""Who learns: the instance or, where the log does not name it, the interface."""

_PORT = pl.col("dst_endpoint_port")

_CARRIED = ~pl.col("is_rejected") & (
    (pl.col("traffic_bytes") > PROBE_BYTES_PER_PACKET * pl.col("traffic_packets"))
    | (pl.col("traffic_packets") > SYN_TRIES)
)
"""A connection came about: there was payload, or there were more packets than an attempt takes. Of one that is idle for
most of a day, a shell or a miner's, a record may have no more than a packet."""

_AS_CLIENT = ((pl.col("tcp_flags") & SYN) != 0).fill_null(False) | (pl.col("src_endpoint_port") >= EPHEMERAL_FROM)
"""Where flags do not show it, a low port of ours is a service's, whatever port its client has."""

_SENT = pl.col("is_sent") & OURS

_OPENED = _SENT & IS_TCP & pl.col("is_request") & _AS_CLIENT & (_PORT < EPHEMERAL_FROM)

_WORTH_A_LOOK = ~_PORT.is_in(USUAL_PORTS) | (pl.col("traffic_bytes") >= LARGE_RECORD_BYTES)

_SAMPLED = pl.col("src_endpoint_port") % ONE_IN == 0

_IS_RESOLVER = has("dst_endpoint_indicators", "public-resolver")

_TO_RESOLVER = (
    _SENT
    & _IS_RESOLVER
    & _PORT.is_in((DNS, HTTPS, DNS_OVER_TLS))
    & ((IS_UDP & ~pl.col("is_rejected")) | (IS_TCP & _CARRIED))
)

_INSIDE = pl.col("is_sent").is_null() & (pl.col("src_endpoint_port") % ONE_IN_INSIDE == 0)

_ASKED_ABOUT = _WORTH_A_LOOK | (_PORT == SMTP) | _TO_RESOLVER
"""What is taken only to know an instance's days needs no remote end, and so becomes one row a day."""

_REMOTE = ("remote_port", "remote_ip_v4", "remote_autonomous_system_number")

ACTIVITY = Activity(
    name="outbound connections",
    schema=network_activity.SCHEMA,
    where=(_OPENED & ((_CARRIED & (_WORTH_A_LOOK | _SAMPLED)) | (_PORT == SMTP))) | _TO_RESOLVER | _INSIDE,
    derived={name: pl.when(_ASKED_ABOUT).then(name) for name in _REMOTE},
    owner=OWNER,
    group=(*OWNER, *_REMOTE),
    measures={
        "packets": Sum("sent_packets"),
        "bytes": Sum("sent_bytes"),
        "largest_record": Max("sent_bytes"),
        "hours": Hours(),
    },
    habits={
        "port": Habit(OWNER, ("remote_port",)),
        "remote": Habit(OWNER, ("remote_autonomous_system_number",)),
        "server": Habit(OWNER, ("remote_port", "remote_ip_v4"), where=_IS_RESOLVER),
        "network": Habit(OWNER, ("remote_port", "remote_autonomous_system_number"), where=_IS_RESOLVER),
    },
    levels={
        "sent": Level(OWNER, "bytes"),
        "to_host": Level((*OWNER, "remote_ip_v4"), "bytes", where=pl.col("largest_record") >= LARGE_RECORD_BYTES),
        "hosts_a_day": Level(OWNER, pl.col("remote_ip_v4").drop_nulls().n_unique()),
        "ports_a_day": Level(OWNER, pl.col("remote_port").drop_nulls().n_unique()),
    },
    rhythms={"active": Rhythm(OWNER, "hours")},
    latest=(
        "dst_endpoint_indicators",
        "instance_uid",
        "interface_uid",
        "local_ip_v4",
        "local_port",
        "protocol_num",
        "remote_is_aws",
        "subnet_uid",
        "vpc_uid",
    ),
)

IS_LEARNED = pl.col("port_history") >= LEARNED_DAYS

OUTSIDE_AWS = ~pl.col("remote_is_aws").fill_null(False)
"""At an address of AWS are its services, and what else of one's own is reached by a public address."""


def local_end(row: Row) -> End:
    """Our end of the latest connection."""
    return End(row["local_ip_v4"], row["local_port"])


def remote_end(row: Row) -> End:
    """The server's end."""
    return End(row["remote_ip_v4"], row["remote_port"])


def sender(row: Row) -> Resource:
    """The instance that connected."""
    return instance(row, local_end(row))
