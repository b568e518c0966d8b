"""Traffic to the internet, day by day: what changes in it as it may, and what leaves slowly or fast."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from guardray.simulate.addresses import public_address
from guardray.simulate.attacks.scene import BEHAVIOUR_OF_HOSTS
from guardray.simulate.episodes import Episode
from guardray.simulate.evaluation.happening import ATTACKS_FROM_DAY, Happening
from guardray.simulate.evaluation.people import Change
from guardray.simulate.flow.conversations import conversations, ephemeral_ports, tcp_exchange
from guardray.simulate.labels import Label
from guardray.simulate.networks import HOSTING, address_in
from guardray.simulate.period import HOUR
from guardray.simulate.randomness import pick
from guardray.simulate.rendering import address

MEGABYTE, GIGABYTE = 1e6, 1e9

PORT, VOLUME = "Behavior:EC2/NetworkPortUnusual", "Behavior:EC2/TrafficVolumeUnusual"


def _sent(
    at: Happening, host: int, start: float, seconds: float, n: int, server: int, port: int, size: float
) -> pl.DataFrame:
    """Connections of a host to a server, `size` bytes sent by each."""
    length = 0.5 * seconds / n
    return conversations(
        n,
        start=start + np.sort(at.rng.uniform(0, seconds - length, n)),
        seconds=length,
        client=at.host(host).private_ip,
        client_interface=host,
        client_port=ephemeral_ports(at.rng, n),
        server=np.resize(np.array([server], dtype=np.uint32), n),
        server_port=port,
        **tcp_exchange(at.rng, n, request_bytes=size, response_bytes=8000, spread=0.3),
    )


def _harmless(at: Happening, host: int, title: str, parts: list[pl.DataFrame], start: float, end: float) -> Episode:
    label = Label(at.account.id, start, end, title, tempts=(PORT, VOLUME), entity=at.names_of(host))
    return Episode((label,), traffic=pl.concat(parts))


def partner_port(at: Happening) -> Episode:
    """A host delivers files to a partner's SFTP server from the first day on, on most days."""
    host, server = at.position("worker"), public_address(at.rng)
    days = [day for day in range(at.days) if at.rng.random() < 0.6]
    parts = [_sent(at, host, at.at(day, 5), HOUR, 3, server, 22, 20 * MEGABYTE) for day in days]
    return _harmless(at, host, "files for a partner", parts, at.at(days[0], 5), at.at(days[-1], 6))


def growing_backup(at: Happening) -> Episode:
    """A backup off site grows from night to night, the whole of it on Sundays."""
    host, server = at.position("windows"), public_address(at.rng)
    parts = []
    for day in range(at.days):
        size = (60 + 6 * day) * MEGABYTE * (4 if day % 7 == 6 else 1)
        parts.append(_sent(at, host, at.at(day, 2), HOUR, 12, server, 443, size))
    return _harmless(at, host, "growing backup", parts, at.at(0, 2), at.at(at.days - 1, 3))


def release(at: Happening) -> Episode:
    """A build pushes a release of some hundred megabytes to a registry elsewhere, once."""
    host, day = at.position("worker"), at.day(8)
    parts = [_sent(at, host, at.at(day, 15), HOUR, 8, public_address(at.rng), 443, at.rng.uniform(30, 90) * MEGABYTE)]
    return _harmless(at, host, "release", parts, at.at(day, 15), at.at(day, 16))


def new_dependency(at: Happening) -> Episode:
    """A deployment uses a provider's service on a port that is new to the host, from a day on."""
    host, first, port = at.position("web", "worker"), at.day(8, 24), pick(at.rng, (6514, 9092, 5671, 8883, 27017))
    server = address_in(at.rng, *HOSTING)
    parts = [_sent(at, host, at.at(day, 1), 20 * HOUR, 20, server, port, 30_000) for day in range(first, at.days)]
    return _harmless(at, host, "new dependency", parts, at.at(first, 1), at.at(at.days - 1, 21))


def usual_uploads(at: Happening) -> Episode:
    """A host uploads videos to a provider, some gigabytes a day, more on busy days."""
    host, server = at.position("worker"), public_address(at.rng)
    parts = [
        _sent(at, host, at.at(day, 8), 8 * HOUR, 20, server, 443, at.rng.lognormal(0, 0.5) * 90 * MEGABYTE)
        for day in range(at.days)
    ]
    return _harmless(at, host, "usual uploads", parts, at.at(0, 8), at.at(at.days - 1, 16))


CHANGES: Mapping[Change, tuple[int, int]] = {
    partner_port: (1, 1),
    growing_backup: (1, 1),
    release: (1, 3),
    new_dependency: (0, 1),
    usual_uploads: (1, 1),
}


def _attack(
    at: Happening, host: int, finding_type: str, title: str, parts: list[pl.DataFrame], server: int, note: str
) -> Episode:
    traffic = pl.concat(parts)
    label = Label(
        at.account.id, float(traffic["start"].min()), float((traffic["start"] + traffic["seconds"]).max()),  # type: ignore[arg-type]
        title, expected=finding_type, collateral=BEHAVIOUR_OF_HOSTS, entity=at.names_of(host),
        remote=(address(server),), case=f"{at.account.id} {at.name}", note=note,
    )  # fmt: skip
    return Episode((label,), traffic=traffic)


def carried_off(at: Happening, days: int) -> Episode:
    """Some gigabytes leave for a rented machine: in an hour, or on so many days, as an archive cut in pieces."""
    host, server = at.position("web", "worker"), address_in(at.rng, *HOSTING)
    first, total = at.day(ATTACKS_FROM_DAY, at.days - 1 - days), at.rng.uniform(5, 20) * GIGABYTE
    stretch, n = (HOUR, 12) if days == 1 else (20 * HOUR, 40)
    parts = [_sent(at, host, at.at(first + d, 2), stretch, n, server, 443, total / days / n) for d in range(days)]
    return _attack(at, host, VOLUME, "T1048 archives leave", parts, server, f"{total / GIGABYTE:.0f} GB in {days} days")


def hidden_channel(at: Happening, slow: bool) -> Episode:
    """A miner's pool, a chat, a tunnel or a shell: a port that the host never used."""
    host, server = at.position("web", "windows"), address_in(at.rng, *HOSTING)
    port = pick(at.rng, (3333, 14444, 6667, 22, 4444, 8080, 9001, 1194))
    first, days = at.day(ATTACKS_FROM_DAY, at.days - 5), 4 if slow else 1
    seconds, n = (20 * HOUR, 4) if slow else (HOUR, 12)
    parts = [_sent(at, host, at.at(first + d, 1), seconds, n, server, port, 9000) for d in range(days)]
    return _attack(
        at, host, PORT, "T1571 a hidden channel", parts, server, f"port {port}, {'slow' if slow else 'fast'}"
    )
