"""Recon:EC2/Portscan: an instance tries many ports of one host in a short time.

Only attempts that came to nothing count: a client of passive FTP, of RPC or of a host full of containers also speaks to
many ports, but is answered there, and completes even a bare TCP health check. Traceroute walks UDP ports from 33434 on,
so that UDP counts below the usual client ports only. A slow scan, a few ports a minute, is not seen.

Source: GuardDuty user guide, EC2 finding types; severity Medium. Private targets count: AWS's own tester scans 1,000
ports of one.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from guardray.detectors.declare import WindowDetector, fires, quiet
from guardray.detectors.ec2.connections import IS_UDP, OURS, RESOURCE, UDP, End, connection, flow, instance
from guardray.findings.details import Details
from guardray.schema import network_activity
from guardray.stats.measures import Distinct, Latest
from guardray.types import Row

PORTS = 30
"""Fewer than the 44 of the smallest scan in real captures, and than nmap's fast scan (100). Hosts that did not scan
left one or two ports of a host unanswered there; what many services on one dead host leave is some ten."""

WINDOW = timedelta(minutes=10)
"""A scanner that waits for each time-out still does 30 ports in a few minutes."""

HOP = WINDOW / 2
"""So that a scan of up to five minutes is never cut in two."""

CLIENT_PORTS_FROM = 32768
ANSWERED_UDP_PORTS = (53, 123)
"""DNS and NTP: one packet is a whole request, and most UDP records are of them."""

_IS_UDP_PROBE = (
    IS_UDP
    & (pl.col("dst_endpoint_port") < CLIENT_PORTS_FROM)
    & (pl.col("src_endpoint_port") >= CLIENT_PORTS_FROM)
    & (pl.col("traffic_packets") <= 2)
    & ~pl.col("dst_endpoint_port").is_in(ANSWERED_UDP_PORTS)
)


def details(row: Row) -> Details:
    local, remote = End(row["src_endpoint_ip_v4"]), End(row["dst_endpoint_ip_v4"], row["last_port"])
    protocol = row["last_protocol"]
    return Details(
        title=f"{row['resource_uid']} is scanning the ports of {remote}.",
        description=f"{row['resource_uid']} tried about {row['ports']} ports of {remote} within "
        f"{WINDOW // timedelta(minutes=1)} minutes and got no answer on them.",
        resource=instance(row, local),
        action=connection(row, local, remote, protocol=protocol),
    )


def _scan(ports: range, **columns: object) -> list[dict[str, object]]:
    return [{**flow(target="10.0.0.9", dst_endpoint_port=port), **columns} for port in ports]


_UDP_SCAN = {"protocol_num": UDP, "tcp_flags": None}

DETECTOR = WindowDetector(
    finding_type="Recon:EC2/Portscan",
    severity=5.0,
    source="vpc-flow",
    schema=network_activity.SCHEMA,
    role="ACTOR",
    entity=RESOURCE,
    where=OURS & ((pl.col("is_probe") == 1) | _IS_UDP_PROBE),
    key=("src_endpoint_ip_v4", "dst_endpoint_ip_v4"),
    window=WINDOW,
    hop=HOP,
    measures={
        "ports": Distinct("dst_endpoint_port"),
        "last_port": Latest("dst_endpoint_port"),
        "last_protocol": Latest("protocol_num"),
    },
    crossed=pl.col("is_actor") & (pl.col("ports") >= PORTS),
    details=details,
    tunables={"ports": PORTS},
    examples=(
        fires("an instance tries 40 ports of another", *_scan(range(20, 60)), severity=5.0),
        fires(
            "flags and direction are not logged",
            *_scan(range(20, 60), tcp_flags=None, is_egress=None),
            flow(is_egress=None),
        ),
        fires("it is a scan of UDP ports", *_scan(range(200, 240), **_UDP_SCAN)),
        quiet("it tries 20 ports", *_scan(range(20, 40))),
        quiet("every port answers", *_scan(range(20, 60), traffic_packets=5, traffic_bytes=900)),
        quiet("a load balancer checks 40 ports", *_scan(range(20, 60), traffic_packets=3, traffic_bytes=164)),
        quiet("the server only refuses", *_scan(range(40000, 40040), tcp_flags=4, src_endpoint_port=50001)),
        quiet("a traceroute", *_scan(range(33434, 33524), **_UDP_SCAN)),
        quiet("it is scanned itself", *(flow("198.51.100.7", "10.0.0.5", dst_endpoint_port=p) for p in range(20, 60))),
        quiet("the ports are unknown", *_scan(range(20, 60), dst_endpoint_port=None)),
    ),
)
