"""Backdoor:EC2/DenialOfService.{Dns,Tcp,Udp,UdpOnTcpPorts,UnusualProtocol}: an instance floods a public address.

A flood is many packets to which nothing comes back. Much else is many packets: backups, tunnels, video, downloads whose
acknowledgements alone make thousands of packets a second. All of these get something back: data, or acknowledgements
at least every fiftieth packet. So both directions of a conversation are counted under its public end. What remains is
media and telemetry that nobody acknowledges, which the size of packets tells from floods at moderate rates.

- UDP: hardly anything comes back; packets are small, or the bytes are more than unacknowledged media has.
- DNS: as UDP, with the few answers that an overloaded server manages.
- TCP: packets carry nothing in either direction, as in a flood of SYN or ACK. Only connections that the instance opened
  are looked at, so that its own clients need no state.
- Unusual protocols: anything outside what hosts and tunnels use, at a lower rate.

Conversations in which both ends are public, or neither, are not looked at. A flood of complete HTTP requests is not
seen: flow records cannot tell it from a crawl.

Source: GuardDuty user guide, EC2 finding types; severity High. AWS's own tester, an upper bound: 400,000 datagrams of
64 bytes to port 53 from changing source ports, and 400,000 of 256 bytes to port 80, which must be plain `.Udp`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from guardray.detectors.declare import Example, WindowDetector, fires, quiet
from guardray.detectors.ec2.connections import IS_TCP, IS_UDP, RESOURCE, TCP, UDP, End, connection, flow, instance
from guardray.findings.details import Details
from guardray.findings.network_names import protocol_name
from guardray.schema import network_activity
from guardray.stats.measures import Latest, Max, Sum
from guardray.types import Row

WINDOW = timedelta(minutes=10)
"""The longest aggregation interval of flow logs: a record's packets all count at its start."""

HOP = WINDOW / 2
"""So that a flood of up to five minutes is never cut in two."""

FLOOD_PACKETS = 300_000
"""In a window: 500 a second, three quarters of the tester's. Voice is 50 a second, a busy host's telemetry some 100,
and 50,000 idle connections to one address, kept alive, some 170."""

UNUSUAL_PACKETS = 60_000
"""In a window: 100 a second, of protocols whose normal rate is a few a minute."""

UDP_ANSWERED = 0.01
"""Share of packets that come back. Bulk traffic over QUIC or in tunnels is acknowledged at least every 45 packets."""

DNS_ANSWERED = 0.1
"""Share of answers. A resolver answers nearly all."""

SMALL_BYTES = 1_000
"""Mean size of a packet, headers included. Video and bulk transfer fill packets up to 1,300 and more."""

UNACKNOWLEDGED_BYTES = 6_000_000_000
"""In a window: 80 Mbit/s, above contribution video, which is 5 to 50."""

BARE_BYTES = 80
"""Mean size of a TCP packet without payload: headers with all options."""

TELLING_PACKETS = 25
"""From so many packets on, a TCP record counts whatever it carries, since what comes back tells a download from a
flood. A client's record is bare only if its requests and its TLS handshake, 800 bytes at the least, are spread over 29
packets or more, so that data comes back in as many. Smaller records with payload are most of all records, and each
would need a window."""

DNS_PORT = 53

TCP_SERVICE_PORTS = (
    20,
    21,
    22,
    23,
    25,
    110,
    139,
    143,
    445,
    465,
    587,
    993,
    995,
    1433,
    1521,
    2049,
    3306,
    5432,
    6379,
    27017,
)
"""Only TCP services are on these in practice. 80 is left out for the tester's sake, and 443 for QUIC's."""

USUAL_PROTOCOLS = (1, 4, 6, 17, 41, 47, 50, 51, 58, 97, 115, 132)
"""ICMP, TCP, UDP, SCTP, and what tunnels use: IP in IP, GRE, IPsec, EtherIP, L2TP."""

_SENT, _SENT_BYTES, _ALL, _ALL_BYTES = (pl.col(name) for name in ("sent", "sent_size", "total", "total_size"))

_AT_THIS_INTERFACE = pl.col("is_egress").fill_null(pl.col("is_sent")) == pl.col("is_sent")
"""Leaves out what passes through a gateway on its way in."""

_TO_TCP_PORT = pl.col("remote_port").is_in(TCP_SERVICE_PORTS)
_AS_CLIENT = pl.col("local_port") >= 1024  # answers of a UDP service are no flood, and would need state for each client


_IS_BARE = pl.col("traffic_bytes") <= BARE_BYTES * pl.col("traffic_packets")
_TELLING = (pl.col("is_sent") & _IS_BARE) | (pl.col("traffic_packets") >= TELLING_PACKETS)


def _flood(packets: int) -> pl.Expr:
    return _SENT.ge(packets)


def _unanswered(share: float) -> pl.Expr:
    return (_ALL - _SENT).le(share * _SENT)


@dataclass(frozen=True)
class Flood:
    """One of the finding types: which packets it counts, and when they are a flood."""

    artifact: str
    where: pl.Expr
    crossed: pl.Expr
    packets: int
    key: tuple[str, ...] = ("remote_ip_v4",)


_UDP_FLOOD = (
    _flood(FLOOD_PACKETS)
    & _unanswered(UDP_ANSWERED)
    & ((_SENT_BYTES <= SMALL_BYTES * _SENT) | (_SENT_BYTES >= UNACKNOWLEDGED_BYTES))
)

FLOODS = (
    Flood(
        "Dns",
        IS_UDP & (pl.col("remote_port") == DNS_PORT),
        _flood(FLOOD_PACKETS) & _unanswered(DNS_ANSWERED),
        FLOOD_PACKETS,
    ),
    Flood(
        "Tcp",
        IS_TCP & (pl.col("is_request") == pl.col("is_sent")) & _TELLING,
        _flood(FLOOD_PACKETS) & (_SENT_BYTES <= BARE_BYTES * _SENT) & (_ALL_BYTES <= BARE_BYTES * _ALL),
        FLOOD_PACKETS,
    ),
    Flood("Udp", IS_UDP & _AS_CLIENT & (pl.col("remote_port") != DNS_PORT) & ~_TO_TCP_PORT, _UDP_FLOOD, FLOOD_PACKETS),
    Flood("UdpOnTcpPorts", IS_UDP & _TO_TCP_PORT, _UDP_FLOOD, FLOOD_PACKETS),
    Flood(
        "UnusualProtocol",
        ~pl.col("protocol_num").is_in(USUAL_PROTOCOLS),
        _flood(UNUSUAL_PACKETS) & _unanswered(DNS_ANSWERED),
        UNUSUAL_PACKETS,
        key=("remote_ip_v4", "protocol_num"),
    ),
)


def _protocol(artifact: str, row: Row) -> int:
    if artifact == "UnusualProtocol":
        number: int = row["protocol_num"]
        return number
    return TCP if artifact == "Tcp" else UDP


def _details(artifact: str, row: Row) -> Details:
    local = End(row["local_address"])
    remote = End(row["remote_ip_v4"], row["last_remote_port"])
    protocol = _protocol(artifact, row)
    name, ours = protocol_name(protocol), row["resource_uid"]
    return Details(
        title=f"{ours} is flooding {remote} with {name} packets.",
        description=f"{ours} sent {row['sent']:,} {name} packets ({row['sent_size']:,} bytes) to {remote} within "
        f"{WINDOW // timedelta(minutes=1)} minutes; {row['total'] - row['sent']:,} came back.",
        resource=instance(row, local),
        action=connection(row, local, remote, protocol=protocol),
        additional_info={"unusualProtocol": name} if artifact == "UnusualProtocol" else {},
    )


def _sent(packets: int, size: int, *, port: int = 4500, protocol: int = UDP, **columns: Any) -> dict[str, object]:
    volume = {"traffic_packets": packets, "traffic_bytes": packets * size}
    return {**flow(dst_endpoint_port=port, protocol_num=protocol, tcp_flags=None), **volume, **columns}


def _back(packets: int, size: int, *, port: int = 4500, protocol: int = UDP, **columns: Any) -> dict[str, object]:
    volume = {"traffic_packets": packets, "traffic_bytes": packets * size}
    ends = {"src_endpoint_port": port, "dst_endpoint_port": 50000, "protocol_num": protocol, "tcp_flags": None}
    return {**flow("198.51.100.7", "10.0.0.5"), **ends, **volume, **columns}


_UNKNOWN: dict[str, Any] = {"dst_endpoint_ip_v4": None}
_PRIVATE: dict[str, Any] = {"dst_endpoint_ip_v4": 0x0A000009}

_EXAMPLES: dict[str, tuple[Example, ...]] = {
    "Dns": (
        fires(
            "400,000 small queries leave from changing ports",
            *(_sent(10_000, 92, port=53, src_endpoint_port=1_024 + i) for i in range(40)),
            severity=8.0,
        ),
        fires("direction is not logged", _sent(400_000, 92, port=53, is_egress=None)),
        quiet("a resolver answers as many", _sent(400_000, 92, port=53), _back(399_000, 160, port=53)),
        quiet("there are 50,000", _sent(50_000, 92, port=53)),
        quiet("the resolver is our own", _sent(400_000, 92, port=53, **_PRIVATE)),
        quiet("the address is unknown", _sent(400_000, 92, port=53, **_UNKNOWN)),
    ),
    "Tcp": (
        fires("a million SYNs leave", _sent(1_000_000, 60, port=80, protocol=TCP, tcp_flags=2), severity=8.0),
        fires(
            "the victim answers some",
            _sent(1_000_000, 44, port=80, protocol=TCP, tcp_flags=2),
            _back(300_000, 44, port=80, protocol=TCP, tcp_flags=18),
        ),
        quiet(
            "they acknowledge a download",
            _sent(1_000_000, 53, protocol=TCP, port=443),
            _back(2_000_000, 1_480, protocol=TCP, port=443),
        ),
        quiet(
            "an upload is acknowledged",
            _sent(2_000_000, 1_480, protocol=TCP, port=443),
            _back(500_000, 53, protocol=TCP, port=443),
        ),
        quiet(
            "a client's upload is acknowledged", _sent(1_000_000, 53, protocol=TCP, port=50000, src_endpoint_port=443)
        ),
        quiet("there are 100,000", _sent(100_000, 60, port=80, protocol=TCP, tcp_flags=2)),
        quiet("the address is unknown", _sent(1_000_000, 60, port=80, protocol=TCP, tcp_flags=2, **_UNKNOWN)),
    ),
    "Udp": (
        fires("400,000 datagrams leave for port 80", _sent(400_000, 284, port=80), severity=8.0),
        fires("large packets leave at a gigabit", _sent(50_000_000, 1_428)),
        quiet("a tunnel carries an upload", _sent(4_000_000, 1_428), _back(100_000, 120)),
        quiet("a tunnel carries a download", _sent(1_000_000, 120), _back(4_000_000, 1_428)),
        quiet("video of 20 Mbit/s has no answer", _sent(1_140_000, 1_344, port=5000)),
        quiet("a service answers its clients", _sent(400_000, 284, port=50000, src_endpoint_port=443)),
        quiet("they are queries, which have their own type", _sent(400_000, 92, port=53)),
        quiet("the address is private", _sent(400_000, 284, **_PRIVATE)),
        quiet("the address is unknown", _sent(400_000, 284, **_UNKNOWN)),
    ),
    "UdpOnTcpPorts": (
        fires("400,000 datagrams leave for port 22", _sent(400_000, 284, port=22), severity=8.0),
        quiet("they leave for port 80", _sent(400_000, 284, port=80)),
        quiet("the flood is TCP", _sent(1_000_000, 60, port=22, protocol=TCP)),
        quiet("the port is unknown", _sent(400_000, 284, port=22, dst_endpoint_port=None)),
    ),
    "UnusualProtocol": (
        fires("200,000 IGMP packets leave", _sent(200_000, 60, protocol=2), severity=8.0),
        quiet("it is a tunnel's GRE", _sent(200_000, 60, protocol=47)),
        quiet("there are 1,000", _sent(1_000, 60, protocol=2)),
        quiet("the address is unknown", _sent(200_000, 60, protocol=2, **_UNKNOWN)),
    ),
}


def _detector(flood: Flood) -> WindowDetector:
    return WindowDetector(
        finding_type=f"Backdoor:EC2/DenialOfService.{flood.artifact}",
        severity=8.0,
        source="vpc-flow",
        schema=network_activity.SCHEMA,
        role="ACTOR",
        entity=RESOURCE,
        where=flood.where & _AT_THIS_INTERFACE,
        key=flood.key,
        window=WINDOW,
        hop=HOP,
        measures={
            "sent": Sum("sent_packets"),
            "sent_size": Sum("sent_bytes"),
            "total": Sum("traffic_packets"),
            "total_size": Sum("traffic_bytes"),
            "local_address": Max("local_ip_v4"),
            "last_remote_port": Latest("remote_port"),
        },
        crossed=flood.crossed,
        details=lambda row: _details(flood.artifact, row),
        tunables={"packets": flood.packets},
        examples=_EXAMPLES[flood.artifact],
    )


DETECTORS = tuple(map(_detector, FLOODS))
