"""Guessing of passwords: UnauthorizedAccess:EC2/SSHBruteForce, .../RDPBruteForce and Impact:EC2/WinRMBruteForce.

A guess is a short session that gets as far as the server's refusal: more than a port check, a banner grab or a health
check, which send no key exchange, and less than a session in which somebody works. Many of them between two hosts
within an hour are guessing. Whoever automates over SSH opens many short sessions too (deployment tools, polled
repositories). Those that succeed send a command and its channel after the log-in, which the mean size shows; and to
accuse an instance takes more of them than to say that one is being attacked, which on the internet is everyday life.

Sources: GuardDuty user guide, EC2 finding types: severity High where the instance guesses, Low where it is the target;
only port 22 is SSH. The ports of WinRM are Microsoft's defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from guardray.detectors.declare import Example, WindowDetector, fires, quiet
from guardray.detectors.ec2.connections import IS_TCP, RESOURCE, End, connection, flow, instance
from guardray.findings.details import Details
from guardray.schema import network_activity
from guardray.stats.measures import Count, Distinct, Latest, Sum
from guardray.types import Row

SESSION_BYTES_MIN = 600
"""Client to server. A health check that reads the banner, or a monitoring check that sends one too, stays under 400."""

TARGET_SESSIONS = 20
"""In an hour. The guessers in a real server's day did 27 to 413 in their busiest hour (and a few less than five)."""

ACTOR_SESSIONS = 100
"""In an hour. A poll each minute, of a repository say, stays under it; guessing tools do that many in a minute."""

WINDOW = timedelta(hours=1)
HOP = WINDOW / 2

HIGH, LOW = 8.0, 2.0


@dataclass(frozen=True)
class Service:
    """A service whose passwords are guessed.

    Attributes:
        session_bytes: most that the client sends in one guess; longer sessions are not counted.
        mean_bytes: most that it sends on average.
    """

    finding_type: str
    name: str
    ports: tuple[int, ...]
    session_bytes: int
    mean_bytes: int


SERVICES = (
    # Guesses of password tools: 1.6 to 2.7 kB. `ssh host true` with OpenSSH: 3.7 kB with a short key exchange, 4.9 kB
    # with the post-quantum one.
    Service("UnauthorizedAccess:EC2/SSHBruteForce", "SSH", (22,), 6_000, 3_500),
    # Negotiation, TLS and one CredSSP exchange, or a log-on screen's settings: 2 to 4 kB. A desktop session: far more.
    Service("UnauthorizedAccess:EC2/RDPBruteForce", "RDP", (3389,), 8_000, 5_000),
    # Three posts of an NTLM exchange, over TLS at most: 2 to 5 kB. A remote command that runs: 15 kB in a real lab.
    Service("Impact:EC2/WinRMBruteForce", "WinRM", (5985, 5986), 10_000, 6_000),
)


def _where(service: Service) -> pl.Expr:
    port = pl.col("dst_endpoint_port")
    to_service = port.is_between(service.ports[0], service.ports[-1])
    return IS_TCP & to_service & pl.col("traffic_bytes").is_between(SESSION_BYTES_MIN, service.session_bytes)


def _crossed(service: Service) -> pl.Expr:
    enough = pl.when("is_actor").then(ACTOR_SESSIONS).when(~pl.col("is_actor")).then(TARGET_SESSIONS)
    is_short = pl.col("bytes") <= service.mean_bytes * pl.col("sessions")
    # A record is a session or a part of one; distinct client ports do not count a session twice.
    return is_short & (pl.col("client_ports") >= enough)


def _details(service: Service, row: Row) -> Details:
    client = End(row["src_endpoint_ip_v4"], row["last_client_port"])
    server = End(row["dst_endpoint_ip_v4"], row["last_server_port"])
    ours, is_actor = row["resource_uid"], row["is_actor"]
    local, remote = (client, server) if is_actor else (server, client)
    who, whom = (ours, remote) if is_actor else (remote, ours)
    return Details(
        title=f"{who} is guessing {service.name} passwords on {whom}.",
        description=f"{who} opened about {row['client_ports']} short {service.name} sessions to {whom} within an hour.",
        resource=instance(row, local),
        action=connection(row, local, remote, direction="OUTBOUND" if is_actor else "INBOUND"),
        role="ACTOR" if is_actor else "TARGET",
        severity=HIGH if is_actor else LOW,
    )


def _sessions(service: Service, count: int, source: str, target: str, **columns: object) -> list[dict[str, object]]:
    guess = {"dst_endpoint_port": service.ports[0], "tcp_flags": 3, "traffic_packets": 14, "traffic_bytes": 2_000}
    return [{**flow(source, target), **guess, "src_endpoint_port": 40_000 + i, **columns} for i in range(count)]


def _examples(service: Service) -> tuple[Example, ...]:
    ours, outside, neighbour = "10.0.0.5", "198.51.100.7", "10.0.0.9"

    def guesses(count: int, source: str = outside, target: str = ours, **columns: object) -> list[dict[str, object]]:
        return _sessions(service, count, source, target, **columns)

    return (
        fires("an outsider guesses on an instance", *guesses(40), severity=LOW),
        fires("an instance guesses on another", *guesses(150, ours, neighbour), severity=HIGH),
        fires("an instance is guessed on by another", *guesses(40, neighbour, ours, is_egress=False), severity=LOW),
        fires("flags and direction are not logged", *guesses(40, tcp_flags=None, is_egress=None), severity=LOW),
        quiet("there are few sessions", *guesses(10)),
        quiet("an instance polls another each minute", *guesses(60, ours, neighbour)),
        quiet("the sessions do some work", *guesses(150, traffic_bytes=service.session_bytes + 1)),
        quiet("the sessions run a short command", *guesses(150, traffic_bytes=service.mean_bytes + 100)),
        quiet("a load balancer checks the port", *guesses(150, traffic_packets=5, traffic_bytes=240)),
        quiet("it is one session, record by record", *guesses(150, src_endpoint_port=40_000)),
        quiet("the service is another", *guesses(150, dst_endpoint_port=2222)),
        quiet("the port is unknown", *guesses(150, dst_endpoint_port=None)),
    )


def _detector(service: Service) -> WindowDetector:
    return WindowDetector(
        finding_type=service.finding_type,
        severity=LOW,
        source="vpc-flow",
        schema=network_activity.SCHEMA,
        role="TARGET",
        entity=RESOURCE,
        where=_where(service),
        key=("src_endpoint_ip_v4", "dst_endpoint_ip_v4"),
        window=WINDOW,
        hop=HOP,
        measures={
            "client_ports": Distinct("src_endpoint_port"),
            "sessions": Count(),
            "bytes": Sum("traffic_bytes"),
            "last_client_port": Latest("src_endpoint_port"),
            "last_server_port": Latest("dst_endpoint_port"),
        },
        crossed=_crossed(service),
        details=lambda row: _details(service, row),
        tunables={
            "target_sessions": TARGET_SESSIONS,
            "actor_sessions": ACTOR_SESSIONS,
            "mean_bytes": service.mean_bytes,
        },
        examples=_examples(service),
    )


DETECTORS = tuple(map(_detector, SERVICES))
