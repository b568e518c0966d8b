"""What a flow record tells beyond its fields: which end is ours, which end asked, and whether anybody answered."""

from __future__ import annotations

import polars as pl

from guardray.schema.addresses import is_public

TCP, UDP = 6, 17
SYN, RST, ACK = 2, 4, 16

PROBE_PACKETS = 2
"""A SYN and one repetition. A handshake that completes takes the client three packets."""

PROBE_BYTES_PER_PACKET = 60
"""IPv4 and TCP headers with the options that a SYN carries: no payload."""

EPHEMERAL_FROM = 32768
"""Where Linux begins to take client ports from. Source: Linux ip-sysctl, ip_local_port_range."""

ENDS = (
    is_public(pl.col("src_endpoint_ip_v4")).alias("src_is_public"),
    is_public(pl.col("dst_endpoint_ip_v4")).alias("dst_is_public"),
)

_SRC_PORT, _DST_PORT = pl.col("src_endpoint_port"), pl.col("dst_endpoint_port")
_IS_TCP = pl.col("protocol_num") == TCP
_IS_SENT = pl.col("is_sent")


def is_request() -> pl.Expr:
    """Whether the source is the client of the connection; null where it cannot be told.

    A SYN without ACK is the client's, one with ACK the server's, and a reset alone refuses what a client asked. Where
    flags say nothing or are not logged, the lower port is the server's; between equal ports it cannot be told.
    Protocols without ports have only requests.
    """
    flags = pl.col("tcp_flags").fill_null(0)
    by_ports = pl.when(_SRC_PORT != _DST_PORT).then(_DST_PORT < _SRC_PORT)
    return (
        pl.when(_IS_TCP & (flags & SYN != 0))
        .then(flags & ACK == 0)
        .when(_IS_TCP & (flags == RST))
        .then(False)
        .when(_IS_TCP | (pl.col("protocol_num") == UDP))
        .then(by_ports)
        .otherwise(pl.col("protocol_num").is_not_null())
    )


def is_probe() -> pl.Expr:
    """1 where a client tried to open a TCP connection and nothing came of it, else 0. UInt8, so that it can be summed.

    Where flags are not logged, refusals from high ports look the same, so that only ports below the usual client ports
    count; and idle connections look the same, which rules must allow for.
    """
    opens = (pl.col("tcp_flags") & SYN != 0).fill_null(_DST_PORT < EPHEMERAL_FROM)
    packets, size = pl.col("traffic_packets"), pl.col("traffic_bytes")
    is_empty = (packets <= PROBE_PACKETS) & (size <= PROBE_BYTES_PER_PACKET * packets)
    return (_IS_TCP & pl.col("is_request") & is_empty & opens).fill_null(False).cast(pl.UInt8)


def is_sent() -> pl.Expr:
    """True from a private address to a public one, false the other way; null where not just one end is public."""
    return pl.when(pl.col("src_is_public") != pl.col("dst_is_public")).then("dst_is_public")


def remote_end() -> tuple[pl.Expr, ...]:
    """The public end and what was sent to it, so that both directions of a conversation have one key."""
    return (
        pl.when(_IS_SENT).then("dst_endpoint_ip_v4").when(~_IS_SENT).then("src_endpoint_ip_v4").alias("remote_ip_v4"),
        pl.when(_IS_SENT).then(_DST_PORT).when(~_IS_SENT).then(_SRC_PORT).alias("remote_port"),
        pl.when(_IS_SENT).then("src_endpoint_ip_v4").when(~_IS_SENT).then("dst_endpoint_ip_v4").alias("local_ip_v4"),
        pl.when(_IS_SENT).then(_SRC_PORT).when(~_IS_SENT).then(_DST_PORT).alias("local_port"),
        pl.when(_IS_SENT).then("traffic_packets").otherwise(0).alias("sent_packets"),
        pl.when(_IS_SENT).then("traffic_bytes").otherwise(0).alias("sent_bytes"),
    )
