"""Attacks that only a host's own history tells from everyday traffic: mail, unusual ports, much data, other resolvers.

Each comes from a web server, which calls services elsewhere every hour, and so is judged by what it did before.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardray.simulate.addresses import number, public_addresses
from guardray.simulate.attacks.scene import Attack, Scene
from guardray.simulate.episodes import Episode
from guardray.simulate.flow.conversations import UDP, conversations, ephemeral_ports, tcp_exchange
from guardray.simulate.randomness import pick

HISTORY_DAYS = 8
"""A week is learned from whole days, and the first day may lack some of its hours."""

MAIL_SERVERS, MAILS, SPAM_S = 250, 600, 3000.0
UPLOADS, UPLOAD_BYTES, UPLOAD_S = 12, 8e8, 2400.0
SHELL_PORTS = (1337, 4444, 6667, 8888, 31337)


def send_spam(scene: Scene) -> Episode:
    """A host that never sent mail hands it to the servers of hundreds of domains."""
    rng = scene.rng
    servers = rng.choice(public_addresses(rng, MAIL_SERVERS), MAILS)
    return _connect(scene, MAILS, SPAM_S, servers, 25, tcp_exchange(rng, MAILS, request_bytes=6000, response_bytes=700))


def open_shell(scene: Scene) -> Episode:
    """A reverse shell: a few long connections to a port that the host never used."""
    volumes = tcp_exchange(scene.rng, 4, request_bytes=20_000, response_bytes=9000)
    return _connect(scene, 4, 1800.0, nobodys(scene, 1), pick(scene.rng, SHELL_PORTS), volumes)


def carry_off(scene: Scene) -> Episode:
    """Gigabytes go to a host that nothing was ever sent to."""
    volumes = tcp_exchange(scene.rng, UPLOADS, request_bytes=UPLOAD_BYTES, response_bytes=60_000, spread=0.2)
    return _connect(scene, UPLOADS, UPLOAD_S, nobodys(scene, 1), 443, volumes)


def ask_elsewhere(port: int, scene: Scene) -> Episode:
    """A host asks a public resolver, and leaves no trace in the query log of its network."""
    rng, n = scene.rng, 120
    resolver = np.array([pick(rng, scene.indicators.addresses["public-resolver"])])
    if port == 53:
        size = {"bytes_out": rng.integers(60, 100, n), "bytes_in": rng.integers(90, 500, n)}
        volumes: dict[str, Any] = {"protocol": UDP, "packets_out": 1, "packets_in": 1, **size}
    else:
        volumes = tcp_exchange(rng, n, request_bytes=1400, response_bytes=4500, spread=0.4)
    return _connect(scene, n, 1500.0, resolver, port, volumes)


def nobodys(scene: Scene, n: int) -> NDArray[np.uint32]:
    """Addresses kept for documentation, which nobody's networks have: a random one may turn out to be a cloud's own."""
    return np.asarray(number("203.0.113.0") + 1 + scene.rng.permutation(254)[:n], dtype=np.uint32)


def _connect(
    scene: Scene, n: int, seconds: float, servers: NDArray[np.uint32], port: int, volumes: dict[str, Any]
) -> Episode:
    """Connections of a web server within so many seconds."""
    rng, start, host = scene.rng, scene.moment(seconds), scene.position("web")
    length = 0.6 * seconds / n
    traffic = conversations(
        n,
        start=start + np.sort(rng.uniform(0, seconds - length, n)),
        seconds=length,
        client=scene.host(host).private_ip,
        client_interface=host,
        client_port=ephemeral_ports(rng, n),
        server=np.resize(servers, n),
        server_port=port,
        **volumes,
    )
    label = scene.of_host(host, start, start + seconds, tuple(map(int, np.unique(servers)[:5])))
    return Episode((label,), traffic=traffic)


_RESOLVERS = "DefenseEvasion:EC2/Unusual"

ATTACKS = tuple(
    Attack(finding_type, title, technique, build, HISTORY_DAYS)
    for finding_type, title, technique, build in (
        ("Backdoor:EC2/Spambot", "a host sends mail to everyone", "T1496", send_spam),
        ("Behavior:EC2/NetworkPortUnusual", "a reverse shell", "T1571", open_shell),
        ("Behavior:EC2/TrafficVolumeUnusual", "gigabytes leave at once", "T1048", carry_off),
        (f"{_RESOLVERS}DNSResolver", "queries pass the network's resolver by", "T1071.004", partial(ask_elsewhere, 53)),
        (f"{_RESOLVERS}DoHActivity", "queries hide in HTTPS", "T1572", partial(ask_elsewhere, 443)),
        (f"{_RESOLVERS}DoTActivity", "queries hide in TLS", "T1572", partial(ask_elsewhere, 853)),
    )
)
