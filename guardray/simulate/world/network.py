"""Networks of an account and everything that has an interface in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from guardray.simulate.networks import AWS, address_in
from guardray.simulate.period import DAY, HOUR, Period
from guardray.simulate.randomness import stream, token
from guardray.simulate.rates import Rates

Kind = Literal[
    "nat", "balancer", "bastion", "edge", "web", "worker", "monitor", "windows", "database", "cluster", "core"
]  # fmt: skip
"""What a host is for; `cluster` is the primary node of an EMR cluster, `core` one of its others."""

PUBLIC_KINDS = ("nat", "balancer", "bastion", "edge", "cluster", "core")
SERVICE_KINDS = ("nat", "balancer", "database")  # AWS owns the interface: there is no instance behind it
PERMANENT_WEB_SERVERS = 2
CLUSTER: tuple[Kind, ...] = ("cluster", "core", "core")
SHIFTS: tuple[tuple[Kind, tuple[tuple[float, float], ...]], ...] = (
    ("worker", ((0.5, 2), (2.25, 6), (6.5, 11), (13.5, 20))),
    ("worker", ((1.5, 4), (4.25, 9), (15.5, 23))),
    ("bastion", ((1.25, 5),)),
    ("balancer", ((0.25, 8),)),
)
"""What comes and goes every day: each place with its hours, from launch to end."""


@dataclass(frozen=True)
class Vpc:
    """A network with two public and two private subnets, one a zone."""

    id: str
    base: int  # number of its first address; the network is a /16
    public_subnets: tuple[str, str]
    private_subnets: tuple[str, str]


@dataclass(frozen=True)
class Interface:
    """A network interface and, where `instance` is not empty, the instance that it belongs to."""

    id: str
    kind: Kind
    vpc: str
    subnet: str
    zone: str
    private_ip: int
    public_ip: int | None
    instance: str
    launched: float
    ended: float  # infinite for what outlives the simulation

    def alive(self, time: float) -> bool:
        return self.launched <= time < self.ended

    @property
    def is_passing(self) -> bool:
        """True for what is launched in the period, all of which ends in it or soon after."""
        return self.ended < np.inf

    @property
    def is_named_in_queries(self) -> bool:
        """False for hosts of containers: Resolver logs their queries by address, without an instance."""
        return not (self.kind == "monitor" or (self.kind == "worker" and self.is_passing))


def build_vpc(rng: np.random.Generator, index: int) -> Vpc:
    """A network at 10.x.0.0/16."""
    base = (10 << 24) | ((16 + index * 32 + int(rng.integers(32))) << 16)
    subnets = [f"subnet-{token(rng, 17)}" for _ in range(4)]
    return Vpc(f"vpc-{token(rng, 17)}", base, (subnets[0], subnets[1]), (subnets[2], subnets[3]))


_MOST_HOSTS = range(16, 4000)
_CLUSTERS_HOSTS = range(4000, 4090)
"""Which addresses of a subnet hosts have, those of clusters apart from all others."""


class _Builder:
    """Puts interfaces into a network, each with an address of its own."""

    def __init__(self, rng: np.random.Generator, vpc: Vpc, region: str, hosts: range = _MOST_HOSTS) -> None:
        self._rng, self._vpc, self._region = rng, vpc, region
        self._hosts = iter(rng.permutation(np.array(hosts)).tolist())

    def add_like(self, one: Interface, launched: float, ended: float) -> Interface:
        """A later one in the place of another: new ids, the same addresses."""
        instance = one.instance and f"i-{token(self._rng, 17)}"
        return replace(one, id=f"eni-{token(self._rng, 17)}", instance=instance, launched=launched, ended=ended)

    def add(self, kind: Kind, launched: float = 0.0, ended: float = np.inf) -> Interface:
        """An interface with addresses of its own."""
        rng, public = self._rng, kind in PUBLIC_KINDS
        zone = int(rng.integers(2))
        subnets = self._vpc.public_subnets if public else self._vpc.private_subnets
        network = self._vpc.base | ((2 * zone + int(not public)) << 12)
        return Interface(
            id=f"eni-{token(rng, 17)}",
            kind=kind,
            vpc=self._vpc.id,
            subnet=subnets[zone],
            zone=f"{self._region}{'ab'[zone]}",
            private_ip=network | next(self._hosts),
            public_ip=address_in(rng, AWS[self._region]) if public else None,
            instance="" if kind in SERVICE_KINDS else f"i-{token(rng, 17)}",
            launched=launched,
            ended=ended,
        )


def build_interfaces(
    seed: int, account: str, region: str, vpcs: tuple[Vpc, ...], rates: Rates, period: Period
) -> tuple[Interface, ...]:
    """Everything that ever has an interface in the period: what stays, what comes and goes, and an EMR cluster."""
    main = _Builder(stream(seed, account, "hosts"), vpcs[0], region)
    many: dict[Kind, int] = {
        "nat": 1,
        "balancer": 2,
        "bastion": 1,
        "edge": 3,
        "monitor": 1,
        "windows": 2,
        "database": 2,
        "web": PERMANENT_WEB_SERVERS,
        "worker": rates.workers,
    }
    found = [main.add(kind) for kind, count in many.items() for _ in range(count)]
    for index, vpc in enumerate(vpcs[1:]):
        other = _Builder(stream(seed, account, "hosts", index), vpc, region)
        others: tuple[Kind, ...] = ("nat", "worker", "worker")
        found += [other.add(kind) for kind in others]
    found += _autoscaled(main, seed, account, rates, period)
    found += _shifts(main, period)
    cluster = _Builder(stream(seed, account, "cluster"), vpcs[0], region, _CLUSTERS_HOSTS)
    found += [cluster.add(kind) for kind in CLUSTER]
    return tuple(found)


def _autoscaled(main: _Builder, seed: int, account: str, rates: Rates, period: Period) -> Iterator[Interface]:
    """Web servers that start in the morning and stop in the evening, new instances with the same addresses every day.

    They end on the hour, for traffic is made by the hour.
    """
    slots: list[Interface] = []
    for day, piece in enumerate(period.pieces(DAY)):
        rng = stream(seed, account, "autoscaling", day)
        for slot in range(rates.web_servers - PERMANENT_WEB_SERVERS):
            launched = piece.start + float(np.floor(rng.uniform(6, 11) * HOUR))
            ended = piece.start + int(rng.integers(17, 23)) * HOUR
            if launched >= period.end:
                continue
            if slot < len(slots):
                yield main.add_like(slots[slot], launched, ended)
            else:
                slots.append(main.add("web", launched, ended))
                yield slots[-1]


def _shifts(main: _Builder, period: Period) -> Iterator[Interface]:
    """Batch workers that relieve each other at one address, a jump host and a balancer's node for busy hours."""
    first = [main.add(kind) for kind, _ in SHIFTS]
    for piece in period.pieces(DAY):
        for one, (_, times) in zip(first, SHIFTS, strict=True):
            for began, ended in times:
                launched = piece.start + began * HOUR
                if launched < period.end:
                    yield main.add_like(one, launched, piece.start + ended * HOUR)


def interfaces_like(one: Interface, seed: int, count: int) -> tuple[Interface, ...]:
    """As many hosts as wanted in the network of one, each with ids and an address of its own."""
    rng, network = stream(seed, "interfaces like", one.id), one.private_ip & 0xFFFF0000
    hosts = rng.permutation(np.arange(16, max(65_000, count + 16)))[:count]
    return tuple(
        replace(one, id=f"eni-{token(rng, 17)}", instance=f"i-{token(rng, 17)}", private_ip=network + int(host))
        for host in hosts
    )
