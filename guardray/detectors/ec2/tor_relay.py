"""UnauthorizedAccess:EC2/TorRelay: an instance that many Tor relays connect to and that connects to many itself.

A client of the Tor network connects to a few entries and is asked by nobody. A web site is asked by many exits, and
asks none. Whoever is asked by relays and asks relays passes their traffic on. Whether our own address is in the
network's consensus is not looked at, since that takes a list of the day of the event.

Source: GuardDuty user guide, EC2 finding types, which says no more than that the traffic suggests a relay; Tor path
specification for how many entries a client has.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from guardray.context.flow_columns import PROBE_PACKETS
from guardray.detectors.declare import WindowDetector, fires, quiet
from guardray.detectors.ec2.connections import IS_TCP, RESOURCE, End, connection, flow, instance
from guardray.detectors.malicious_callers import list_names, threat_intelligence
from guardray.findings.details import Details
from guardray.intel.categories import Category, has
from guardray.schema import network_activity
from guardray.stats.measures import Distinct, Latest
from guardray.types import Row

RELAYS = 10
"""Each way, in an hour. A client keeps one or two entries, and tries a few when these fail; relays extend circuits to
one another all the time. Chosen between the two, not measured on a relay."""

WINDOW = timedelta(hours=1)

HOP = WINDOW / 2
"""So that half an hour of a relay is never cut in two."""

_CARRIES = ~pl.col("is_rejected") & (pl.col("traffic_packets") > PROBE_PACKETS)
_WITH_RELAY = has("src_endpoint_indicators", "tor-relay") | has("dst_endpoint_indicators", "tor-relay")


def details(row: Row) -> Details:
    local, relay = End(row["local"], row["local_port"]), End(row["relay"], row["relay_port"])
    who = row["instance_uid"] or row["interface_uid"]
    return Details(
        title=f"{who} behaves like a relay of the Tor network.",
        description=f"Within an hour {who} connected to about {row['asked'] - 1} Tor relays and was connected to by "
        f"about {row['asking'] - 1}, {relay} among them, which the threat list {list_names(row)} names.",
        resource=instance(row, local),
        action=connection(row, local, relay, direction="UNKNOWN"),
        threat_intelligence=threat_intelligence(row),
    )


OURS = "10.0.0.5"
TALK = {"tcp_flags": 27, "traffic_packets": 20, "traffic_bytes": 9000}
REQUEST = TALK | {"tcp_flags": 3}


def _relay(number: int) -> str:
    return f"198.51.100.{number}"


ASKED = tuple(flow(OURS, _relay(n), dst_endpoint_port=9001, **REQUEST) for n in range(1, 21))
ASKING = tuple(flow(_relay(n), OURS, dst_endpoint_port=9001, **REQUEST) for n in range(21, 41))
LISTED: dict[str, Category] = {"198.51.100.0/24": "tor-relay"}

DETECTOR = WindowDetector(
    finding_type="UnauthorizedAccess:EC2/TorRelay",
    severity=8.0,
    source="vpc-flow",
    schema=network_activity.SCHEMA,
    role="ACTOR",
    entity=RESOURCE,
    where=IS_TCP & pl.col("is_request") & _CARRIES & _WITH_RELAY,
    key=(),
    window=WINDOW,
    hop=HOP,
    # Where relays are asked, the source is ours, one address; where they ask, the target is.
    measures={
        "asked": Distinct("dst_endpoint_ip_v4"),
        "asking": Distinct("src_endpoint_ip_v4"),
        "relay": Latest("remote_ip_v4"),
        "relay_port": Latest("remote_port"),
        "local": Latest("local_ip_v4"),
        "local_port": Latest("local_port"),
    },
    crossed=(pl.col("asked") > RELAYS) & (pl.col("asking") > RELAYS),
    indicator=("relay",),
    categories=("tor-relay",),
    details=details,
    tunables={"relays": RELAYS},
    examples=(
        fires("an instance speaks to relays both ways", *ASKED, *ASKING, indicators=LISTED),
        quiet("an instance only asks relays, as a client does", *ASKED, indicators=LISTED),
        quiet("an instance is only asked, as a web site is", *ASKING, indicators=LISTED),
        quiet("few relays are asked", *ASKED[:4], *ASKING, indicators=LISTED),
        quiet("nothing comes of it", *(dict(one, traffic_packets=1) for one in (*ASKED, *ASKING)), indicators=LISTED),
        quiet("the addresses are on no list", *ASKED, *ASKING),
        quiet("the addresses are on another kind of list", *ASKED, *ASKING, indicators={"198.51.100.0/24": "tor-exit"}),
    ),
)
