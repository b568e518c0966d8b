"""Networks of an account and everything that has an interface in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from guardray.simulate.addresses import public_address
from guardray.simulate.period import DAY, HOUR, Period
from guardray.simulate.randomness import stream, token
from guardray.simulate.rates import Rates

Kind = Literal["nat", "balancer", "bastion", "edge", "web", "worker", "monitor", "windows", "database"]

PUBLIC_KINDS = ("nat", "balancer", "bastion", "edge")
SERVICE_KINDS = ("nat", "balancer", "database")  # AWS owns the interface: there is no instance behind it
PERMANENT_WEB_SERVERS = 2


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


def build_vpc(rng: np.random.Generator, index: int) -> Vpc:
    """A network at 10.x.0.0/16."""
    base = (10 << 24) | ((16 + index * 32 + int(rng.integers(32))) << 16)
    subnets = [f"subnet-{token(rng, 17)}" for _ in range(4)]
    return Vpc(f"vpc-{token(rng, 17)}", base, (subnets[0], subnets[1]), (subnets[2], subnets[3]))


class _Builder:
    """Puts interfaces into a network, each with an address of its own."""

    def __init__(self, rng: np.random.Generator, vpc: Vpc, region: str) -> None:
        self._rng, self._vpc, self._region = rng, vpc, region
        self._hosts = iter(rng.permutation(np.arange(16, 4000)).tolist())

    def add(self, kind: Kind, launched: float = 0.0, ended: float = np.inf) -> Interface:
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
            public_ip=public_address(rng) if public else None,
            instance="" if kind in SERVICE_KINDS else f"i-{token(rng, 17)}",
            launched=launched,
            ended=ended,
        )


def build_interfaces(
    seed: int, account: str, region: str, vpcs: tuple[Vpc, ...], rates: Rates, period: Period
) -> tuple[Interface, ...]:
    """Everything that ever has an interface in the period: what stays first, then the autoscaled web servers."""
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
    return tuple(found)


def _autoscaled(main: _Builder, seed: int, account: str, rates: Rates, period: Period) -> Iterator[Interface]:
    """Web servers that start in the morning and stop in the evening, new instances every day."""
    for day, piece in enumerate(period.pieces(DAY)):
        rng = stream(seed, account, "autoscaling", day)
        for _ in range(rates.web_servers - PERMANENT_WEB_SERVERS):
            launched = piece.start + rng.uniform(6, 11) * HOUR
            ended = piece.start + rng.uniform(17, 22) * HOUR
            if launched < period.end:
                yield main.add("web", launched, ended)


def interfaces_like(one: Interface, seed: int, count: int) -> tuple[Interface, ...]:
    """As many hosts as wanted in the network of one, each with ids and an address of its own."""
    rng, network = stream(seed, "interfaces like", one.id), one.private_ip & 0xFFFF0000
    hosts = rng.permutation(np.arange(16, max(65_000, count + 16)))[:count]
    return tuple(
        replace(one, id=f"eni-{token(rng, 17)}", instance=f"i-{token(rng, 17)}", private_ip=network + int(host))
        for host in hosts
    )
