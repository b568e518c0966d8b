"""What an attack is given to work with, and how it says what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from guardray.simulate.episodes import Episode, TimedCall
from guardray.simulate.indicators import Indicators
from guardray.simulate.labels import Label
from guardray.simulate.period import DAY, SHORTEST_DAYS, Period
from guardray.simulate.randomness import pick
from guardray.simulate.rendering import address
from guardray.simulate.stage import Stage
from guardray.simulate.trail import identities
from guardray.simulate.trail.events import Call, Caller, caller
from guardray.simulate.world import Account, Person

_ANOMALIES = (
    "Discovery", "InitialAccess", "Persistence", "PrivilegeEscalation", "DefenseEvasion", "CredentialAccess", "Impact",
    "Exfiltration",
)  # fmt: skip
BEHAVIOUR_OF_CALLERS = (
    *(f"{purpose}:IAMUser/AnomalousBehavior" for purpose in _ANOMALIES),
    "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B",
    "Discovery:S3/AnomalousBehavior",
    "Exfiltration:S3/AnomalousBehavior",
    "Impact:S3/AnomalousBehavior.Write",
    "Impact:S3/AnomalousBehavior.Permission",
    "Impact:S3/AnomalousBehavior.Delete",
    "AttackSequence:IAM/CompromisedCredentials",
    "AttackSequence:S3/CompromisedData",
)
BEHAVIOUR_OF_HOSTS = (
    "Behavior:EC2/NetworkPortUnusual",
    "Behavior:EC2/TrafficVolumeUnusual",
    "AttackSequence:EC2/CompromisedInstanceGroup",
)
STOLEN_KEY_AGENT = (
    "aws-cli/2.17.44 md/awscrt#0.21.2 ua/2.0 os/linux#6.8.0-41-generic md/arch#x86_64 lang/python#3.11.9 "
    "md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/distrib#ubuntu.24 md/prompt#off md/command#{command}"
)


@dataclass(frozen=True)
class Attack:
    """A way to make an account raise one finding type.

    Attributes:
        title: tells it from others of the type.
        technique: ATT&CK number.
        history_days: days that must be learned before; it comes after these, and periods without room for it lack it.
    """

    finding_type: str
    title: str
    technique: str
    build: Callable[[Scene], Episode]
    history_days: int = 0

    def room(self, period: Period) -> Period | None:
        """The part of a period in which it may happen; None where too little is left."""
        start = period.start + self.history_days * DAY
        return Period(start, period.end) if period.end - start >= SHORTEST_DAYS * DAY else None


@dataclass(frozen=True)
class Scene(Stage):
    """One attack in one account."""

    attack: Attack

    @classmethod
    def of(cls, account: Account, indicators: Indicators, attack: Attack, room: Period) -> Scene:
        return cls(account, indicators, f"{attack.finding_type} {attack.title}", room, attack)

    @cached_property
    def victim(self) -> Person:
        """Whose credentials are misused: one person for all attacks of a finding type."""
        rng = self.account.stream("victim", self.attack.finding_type)
        return pick(rng, [who for who in self.account.people if not who.role])

    def stolen_key(self, source: int | None = None, agent: str = STOLEN_KEY_AGENT, command: str = "") -> Caller:
        """The victim's access key in other hands."""
        identity = identities.person(self.account, self.victim, self.account.period.start)
        return caller(identity, self.stranger if source is None else source, agent.format(command=command))

    def by_key(
        self, time: float, *made: Call, source: int | None = None, agent: str = STOLEN_KEY_AGENT, key: str = ""
    ) -> tuple[TimedCall, ...]:
        """Calls with the stolen key, some seconds apart."""
        steps = time + np.arange(len(made)) * 7.0
        return tuple(
            TimedCall(float(at), self.stolen_key(source, agent, f"{call.service}.{call.name}"), call, key)
            for at, call in zip(steps, made, strict=True)
        )

    def label(
        self,
        start: float,
        end: float,
        *,
        actor: str = "",
        entity: tuple[str, ...] = (),
        remote: tuple[str, ...] = (),
        acceptable: tuple[str, ...] = (),
        collateral: tuple[str, ...] = (),
        variant: str = "",
        note: str = "",
    ) -> Label:
        """The attack's row. `variant` makes it a case of its own."""
        title = f"{self.attack.title} {variant}".strip()
        return Label(
            account=self.account.id,
            start=start,
            end=end,
            technique=f"{self.attack.technique} {title}",
            expected=self.attack.finding_type,
            acceptable=acceptable,
            collateral=collateral,
            actor=actor,
            entity=entity,
            remote=remote,
            case=f"{self.account.id} {self.attack.finding_type} {title}",
            note=note,
        )

    def of_victim(
        self, calls: tuple[TimedCall, ...], *also: str, acceptable: tuple[str, ...] = (), variant: str = ""
    ) -> Label:
        """The row of calls with the stolen key; `also` are further entities, such as a bucket."""
        arn = self.victim.arn(self.account.id)
        return self.label(
            calls[0].time, calls[-1].time, actor=arn, entity=(arn, *also), remote=(calls[0].by.source,),
            acceptable=acceptable, collateral=BEHAVIOUR_OF_CALLERS, variant=variant,
        )  # fmt: skip

    def of_host(
        self,
        position: int,
        start: float,
        end: float,
        remote: tuple[int, ...],
        *,
        acceptable: tuple[str, ...] = (),
        collateral: tuple[str, ...] = (),
        variant: str = "",
    ) -> Label:
        """The row of a host."""
        return self.label(
            start,
            end,
            entity=self.names_of(position),
            remote=tuple(map(address, remote)),
            acceptable=acceptable,
            collateral=(*BEHAVIOUR_OF_HOSTS, *collateral),
            variant=variant,
        )
