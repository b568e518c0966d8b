"""What an attack or a hard negative is given to work with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from guardray.simulate.addresses import public_address
from guardray.simulate.episodes import TimedCall
from guardray.simulate.indicators import Indicators
from guardray.simulate.period import Period
from guardray.simulate.randomness import pick
from guardray.simulate.rendering import address
from guardray.simulate.trail import identities
from guardray.simulate.trail.events import Call, Caller, caller
from guardray.simulate.world import Account, Interface, Kind


@dataclass(frozen=True)
class Stage:
    """One thing that happens in one account within a stretch of time; `name` tells it from others."""

    account: Account
    indicators: Indicators
    name: str
    piece: Period

    @cached_property
    def rng(self) -> np.random.Generator:
        return self.account.stream("episode", self.name, self.piece.start)

    @cached_property
    def stranger(self) -> int:
        """An address that nobody knows."""
        return public_address(self.rng)

    def moment(self, duration: float = 0.0) -> float:
        """A random time at which something that takes so many seconds may begin."""
        return self.piece.moment(self.rng, duration)

    def position(self, *kinds: Kind) -> int:
        """Position of a random host of these kinds that runs for the whole period."""
        return pick(self.rng, self.account.permanent(*kinds))

    def neighbour(self, of: int, *kinds: Kind) -> int:
        """Position of a random other host of these kinds in the same network."""
        near = [i for i in self.account.permanent(*kinds) if self.host(i).vpc == self.host(of).vpc and i != of]
        return pick(self.rng, near)

    def host(self, position: int) -> Interface:
        return self.account.interfaces[position]

    def names_of(self, position: int) -> tuple[str, ...]:
        """What a finding may call a host: its instance, private address or interface."""
        host = self.host(position)
        return tuple(filter(None, (host.instance, address(host.private_ip), host.id)))

    @cached_property
    def pipeline(self) -> Caller:
        """The deployment pipeline, which runs Terraform."""
        of = self.account.workload("terraform-deploy")
        return caller(identities.workload(self.account, of, self.piece.start), of.address, of.agent)


def in_a_row(time: float, by: Caller, *made: Call, every: float = 7.0) -> tuple[TimedCall, ...]:
    """Calls by one caller, so many seconds apart."""
    return tuple(TimedCall(time + every * i, by, call) for i, call in enumerate(made))
