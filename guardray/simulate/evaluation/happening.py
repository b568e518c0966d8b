"""Something that happens in an account of the evaluation, harmless or not, and how it is labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from guardray.simulate.episodes import Episode, TimedCall
from guardray.simulate.labels import Label
from guardray.simulate.networks import ACCESS, AWS, COUNTRIES, HOSTING, address_in
from guardray.simulate.period import DAY, HOUR
from guardray.simulate.randomness import pick
from guardray.simulate.stage import Stage
from guardray.simulate.trail import identities
from guardray.simulate.trail.events import Call, Caller, caller
from guardray.simulate.trail.identities import Identity
from guardray.simulate.world import Person, Workload

Place = Literal["data centre", "VPN", "cloud", "same country", "abroad"]

ATTACKS_FROM_DAY = 14
CHANGES_FROM_DAY = 3

VPN_NETWORK = HOSTING[11]
"""A holder that rents machines to sellers of VPNs."""

CLOUDS = (("20.40.0.0", 14), ("34.64.0.0", 11), ("64.227.0.0", 17))
"""Other clouds, where pipelines run as well."""


@dataclass(frozen=True)
class Happening(Stage):
    """One of them; `name` is its own in the account."""

    @property
    def offset_h(self) -> int:
        """Hours that the account's people are ahead of UTC."""
        return self.account.people[0].utc_offset_h

    @property
    def country(self) -> str:
        return COUNTRIES[self.account.region]

    @cached_property
    def days(self) -> int:
        return round(self.account.period.seconds / DAY)

    def day(self, first: int = CHANGES_FROM_DAY, last: int | None = None) -> int:
        """A random day of the period, counted from 0, between these; the last but one without a last."""
        return int(self.rng.integers(first, (self.days - 2 if last is None else last) + 1))

    def at(self, day: float, hour: float) -> float:
        """Epoch seconds of an hour of a day as the account's people count them."""
        return float(np.floor(self.account.period.start + day * DAY + ((hour - self.offset_h) % 24) * HOUR))

    def person(self, *duties: str, users: bool | None = None) -> Person:
        """Somebody of these duties, or anybody; only IAM users, or only people with roles, where that matters."""
        people = [who for who in self.account.people if not duties or who.duty in duties]
        wanted = [who for who in people if users is None or users == (not who.role)]
        return pick(self.rng, wanted or people or self.account.people)

    def place(self, kind: Place) -> int:
        """An address of such a place."""
        networks = {
            "data centre": HOSTING,
            "VPN": (VPN_NETWORK,),
            "cloud": (*CLOUDS, AWS[self.account.region], AWS["us-east-1"]),
            "same country": ACCESS[self.country],
            "abroad": tuple(one for country, found in ACCESS.items() if country != self.country for one in found),
        }
        return address_in(self.rng, *networks[kind])

    def session(self, who: Person, began: float, *, console: bool = False) -> Identity:
        return identities.person(self.account, who, began, console=console)

    def by(self, who: Person, source: int, agent: str, time: float, *, console: bool = False) -> Caller:
        """Somebody at a place with a program."""
        return caller(self.session(who, time, console=console), source, agent, console=console)

    def by_workload(self, of: Workload, time: float, source: int | None = None, session: str = "") -> Caller:
        """A program, at its usual place unless another is given."""
        identity = identities.workload(self.account, of, time, session)
        return caller(identity, of.address if source is None else source, of.agent)

    def spread(self, start: float, seconds: float, by: Caller, made: Sequence[Call]) -> list[TimedCall]:
        """Calls at random times of a stretch."""
        times = start + np.sort(self.rng.uniform(0, seconds, len(made)))
        return [TimedCall(float(np.floor(time)), by, call) for time, call in zip(times, made, strict=True)]

    def some(self, calls: Sequence[Call], count: int) -> list[Call]:
        """So many of these, with repetition, a random part of them more often than the others."""
        favourites = self.rng.permutation(len(calls))[: max(1, min(len(calls), count))]
        return [calls[int(i)] for i in np.sort(self.rng.choice(favourites, count))]

    def harmless(self, title: str, made: Sequence[TimedCall]) -> Episode:
        """A hard negative, a label for each principal."""
        labels = [
            Label(
                self.account.id,
                min(one.time for one in of),
                max(one.time for one in of),
                title,
                actor=arn,
                entity=(arn, principal),
            )
            for (arn, principal), of in _by_caller(made).items()
        ]
        return Episode(tuple(labels), tuple(made))


def principal_of(identity: Identity) -> str:
    """Who acts, whatever the session, as findings name it: the role's own id, else the user's."""
    issuer = identity.get("sessionContext", {}).get("sessionIssuer", {})
    return str(issuer.get("principalId") or identity["principalId"])


def _by_caller(made: Sequence[TimedCall]) -> dict[tuple[str, str], list[TimedCall]]:
    found: dict[tuple[str, str], list[TimedCall]] = {}
    for one in made:
        if "arn" in one.by.identity:
            key = (str(one.by.identity["arn"]), principal_of(one.by.identity))
            found.setdefault(key, []).append(one)
    return found
