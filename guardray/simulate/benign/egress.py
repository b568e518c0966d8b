"""Traffic to the internet that looks like theft, spam or hidden queries, but was always there, or stays inside."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardray.simulate.addresses import public_address, public_addresses
from guardray.simulate.benign.occasion import HardNegative, Occasion
from guardray.simulate.episodes import Episode
from guardray.simulate.flow.conversations import UDP, between, conversations, ephemeral_ports, tcp_exchange
from guardray.simulate.period import DAY, Period

FULL_BACKUP_EVERY_DAYS = 7


def mail_relay(at: Occasion) -> Episode:
    """A host hands over everybody's mail, every day, to some servers that it knows and some that are new."""
    rng, n = at.rng, 80
    known = public_addresses(at.account.stream("mail servers"), 60)
    servers = np.where(rng.random(n) < 0.7, rng.choice(known, n), public_addresses(rng, n))
    host = at.account.permanent("worker")[-1]
    return _connect(at, host, n, servers, 25, tcp_exchange(rng, n, request_bytes=20_000, response_bytes=700))


def partner_backup(at: Occasion) -> Episode:
    """What changed goes to a partner every day, and everything once a week."""
    day = round((at.piece.start - at.account.period.start) / DAY)
    size, n = (6e8 if day % FULL_BACKUP_EVERY_DAYS == 0 else 2e7), 20
    partner = np.array([public_address(at.account.stream("partner"))], dtype=np.uint32)
    volumes = tcp_exchange(at.rng, n, request_bytes=size, response_bytes=40_000, spread=0.2)
    return _connect(at, at.account.permanent("windows")[0], n, partner, 443, volumes)


def own_resolver(at: Occasion) -> Episode:
    """A host was set up to ask a public resolver, and always did."""
    rng, n = at.rng, 300
    resolver = np.array([at.indicators.addresses["public-resolver"][0]], dtype=np.uint32)
    size = {"bytes_out": rng.integers(60, 100, n), "bytes_in": rng.integers(90, 500, n)}
    volumes = {"protocol": UDP, "packets_out": 1, "packets_in": 1, **size}
    return _connect(at, at.account.first("monitor"), n, resolver, 53, volumes)


def new_service(at: Occasion) -> Episode:
    """A deployment late in the period: the monitoring host begins to use another port of its neighbours."""
    rng, n, took = at.rng, 200, 3000.0
    late = Period(at.piece.end - min(at.piece.seconds / 4, DAY), at.piece.end)
    start, client = late.moment(rng, took), at.account.first("monitor")
    near = [i for i in at.account.permanent("web", "worker") if at.host(i).vpc == at.host(client).vpc]
    traffic = conversations(
        n,
        start=start + np.sort(rng.uniform(0, took - 10, n)),
        seconds=rng.exponential(1.0, n),
        client_port=ephemeral_ports(rng, n),
        server_port=7443,
        **between(at.account, np.full(n, client), rng.choice(np.array(near), n)),
        **tcp_exchange(rng, n, request_bytes=900, response_bytes=6000),
    )
    return Episode((at.label(start, start + took, entity=at.names_of(client)),), traffic=traffic)


def _connect(
    at: Occasion, host: int, n: int, servers: NDArray[np.uint32], port: int, volumes: dict[str, Any]
) -> Episode:
    rng, took = at.rng, 3000.0
    start = at.moment(took)
    traffic = conversations(
        n,
        start=start + np.sort(rng.uniform(0, took - 60, n)),
        seconds=rng.uniform(0, 50, n),
        client=at.host(host).private_ip,
        client_interface=host,
        client_port=ephemeral_ports(rng, n),
        server=np.resize(servers, n),
        server_port=port,
        **volumes,
    )
    return Episode((at.label(start, start + took, entity=at.names_of(host)),), traffic=traffic)


HARD_NEGATIVES = (
    HardNegative("mail relay", ("Backdoor:EC2/Spambot", "Impact:EC2/PortSweep"), mail_relay, daily=True),
    HardNegative("backup to a partner", ("Behavior:EC2/TrafficVolumeUnusual",), partner_backup, daily=True),
    HardNegative("public resolver by design", ("DefenseEvasion:EC2/UnusualDNSResolver",), own_resolver, daily=True),
    HardNegative("new service inside", ("Behavior:EC2/NetworkPortUnusual",), new_service),
)
