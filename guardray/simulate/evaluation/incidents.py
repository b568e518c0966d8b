"""Intruders at work in an account: scripts of real incidents, fast or slow, from loud places or quiet ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from guardray.simulate.attacks.scene import BEHAVIOUR_OF_CALLERS, STOLEN_KEY_AGENT
from guardray.simulate.episodes import Episode, TimedCall
from guardray.simulate.evaluation.happening import ATTACKS_FROM_DAY, Happening, Place, principal_of
from guardray.simulate.evaluation.scripts import BUCKET_CALLS, DATA_EVENTS, TYPES, Script, Victim
from guardray.simulate.labels import Label
from guardray.simulate.period import DAY
from guardray.simulate.randomness import pick
from guardray.simulate.trail import identities
from guardray.simulate.trail.events import Call, Caller, bucket_call, caller, denied, object_call
from guardray.simulate.trail.identities import Identity
from guardray.simulate.trail.office import console_login
from guardray.simulate.world import Bucket, Person, Workload
from guardray.simulate.world.people import BROWSERS, SDK_AGENTS

Tempo = Literal["fast", "slow"]

FROM_INSTANCES = (
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS",
    "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS",
    "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.InsideAWS",
)
"""Told as well where a workload's credentials are used elsewhere."""

PLACES: tuple[tuple[Place | Literal["neighbourhood"], float], ...] = (
    ("data centre", 0.22),
    ("VPN", 0.2),
    ("cloud", 0.2),
    ("same country", 0.18),
    ("neighbourhood", 0.1),
    ("abroad", 0.1),
)
"""Where intruders come from, and how often. Sellers of residential addresses let them out next door."""

AGENTS = (("own", 0.4), ("command line", 0.25), ("library", 0.2), ("tool", 0.15))
"""With what: the victim's own program, the usual ones, or what only intruders and enthusiasts use."""

TOOLS = (
    "S3 Browser/12.2.1 (https://s3browser.com)",
    "aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 trufflehog",
    "rclone/v1.68.2",
    "Boto3/1.26.8 Python/3.11.6 Linux/6.5.0-kali3-amd64 Botocore/1.29.8",
)

SLOW_DAYS = (3, 6)
SHARE_DENIED = 0.2


@dataclass(frozen=True)
class Intrusion:
    """One run of a script."""

    at: Happening
    script: Script
    tempo: Tempo
    victim: Victim
    place: str
    agent: str

    @classmethod
    def drawn(cls, at: Happening, script: Script, tempo: Tempo) -> Intrusion:
        """With victim, place and program by lot."""
        place = str(at.rng.choice([name for name, _ in PLACES], p=[share for _, share in PLACES]))
        agent = str(at.rng.choice([name for name, _ in AGENTS], p=[share for _, share in AGENTS]))
        return cls(at, script, tempo, pick(at.rng, script.victims), place, agent)

    def episode(self) -> Episode:
        """Its calls, and a label for each finding type that should tell of it."""
        who = self._who()
        buckets = self.at.rng.permutation(np.array(self.at.account.buckets_for("data", "assets"), dtype=object))
        by_type: dict[str, list[TimedCall]] = {}
        made: list[TimedCall] = []
        for time, tactic, call in self._timed(who, list(buckets[: int(self.at.rng.integers(1, 4))])):
            by_type.setdefault(tactic, []).append(replace(call, time=time))
            made.append(replace(call, time=time))
        return Episode(tuple(self._label(who, *one) for one in by_type.items()), tuple(made))

    def _who(self) -> Person | Workload:
        at = self.at
        if self.victim in ("user", "sso"):
            return at.person(users=self.victim == "user")
        if self.victim == "function":
            wanted = [one for one in at.account.workloads if one.service == "lambda" and one.role != "nightly-backup"]
            return pick(at.rng, wanted)
        return at.account.workload("terraform-deploy" if self.victim == "pipeline" else "worker-instance-role")

    def _identity(self, who: Person | Workload, time: float) -> Identity:
        if isinstance(who, Person):
            return self.at.session(who, time)
        session = self.at.host(self.at.position("worker")).instance if who.service == "ec2" else ""
        return identities.workload(self.at.account, who, time, session)

    def _source(self, who: Person | Workload) -> int:
        if self.place != "neighbourhood":
            return self.at.place(self.place)  # type: ignore[arg-type]
        own = who.home_ip if isinstance(who, Person) else who.address
        return own & 0xFFFF0000 | int(self.at.rng.integers(1, 65535))

    def _program(self, who: Person | Workload, call: str) -> str:
        if self.agent == "own":
            if isinstance(who, Workload):
                return who.agent
            return who.browser if self.victim == "sso" else who.cli.format(command=call.replace(" ", "."))
        if self.agent == "command line":
            return STOLEN_KEY_AGENT.format(command=call.replace(" ", "."))
        chosen = SDK_AGENTS if self.agent == "library" else TOOLS
        return chosen[int(self.at.account.stream("program", self.at.name).integers(len(chosen)))]

    def _timed(self, who: Person | Workload, buckets: list[Bucket]) -> Iterator[tuple[float, str, TimedCall]]:
        """Time, tactic and call, in order."""
        source = self._source(who)
        identity: Identity = {}
        day = None
        for time, (tactic, name) in zip(*self._schedule(), strict=True):
            if (now := int(time // DAY)) != day:
                identity, day = self._identity(who, time), now
            by = caller(identity, source, self._program(who, name), console=False)
            call = self._call(name, pick(self.at.rng, buckets))
            key = f"exports/{int(self.at.rng.integers(1 << 30)):x}.csv" if call.is_data else ""
            if not call.is_data and self.at.rng.random() < SHARE_DENIED:
                call = denied(self.at.account, by, call)
            yield time, tactic, TimedCall(time, by, call, key)

    def _schedule(self) -> tuple[list[float], list[tuple[str, str]]]:
        """When which step is made: all within some hours, or a few a day with what is many spread over days."""
        rng = self.at.rng
        steps = [(tactic, name) for tactic, name, count in self.script.steps for _ in range(self._count(count))]
        if self.tempo == "fast":
            start = self.at.at(self.at.day(ATTACKS_FROM_DAY, self.at.days - 2), rng.uniform(0, 20))
            return [start + float(t) for t in np.floor(np.cumsum(rng.exponential(9.0, len(steps))))], steps
        days = int(rng.integers(SLOW_DAYS[0], SLOW_DAYS[1] + 1))
        first = self.at.day(ATTACKS_FROM_DAY, self.at.days - days - 1)
        ends = np.sort(rng.integers(0, days, len(steps)))
        return [self.at.at(first + int(d), 0) + float(t) for d, t in self._within_days(ends)], steps

    def _within_days(self, days: np.ndarray) -> list[tuple[int, float]]:
        hours = {int(day): self.at.rng.uniform(1, 18) for day in np.unique(days)}
        found: list[tuple[int, float]] = []
        for day in np.unique(days):
            count = int((days == day).sum())
            times = hours[int(day)] * 3600 + np.sort(self.at.rng.uniform(0, 4 * 3600, count))
            found += [(int(day), float(np.floor(time))) for time in times]
        return found

    def _count(self, count: int) -> int:
        """How often a step is made: who is slow takes a fraction of what the hasty take."""
        if self.tempo == "fast" or count == 1:
            return count
        return max(1, count // 4)

    def _call(self, name: str, bucket: Bucket) -> Call:
        service, operation = name.split()
        if service == "s3" and operation in DATA_EVENTS:
            return object_call(self.at.account, operation, bucket)
        if service == "s3" and operation in BUCKET_CALLS:
            return bucket_call(self.at.account, operation, bucket)
        return Call(service, operation)

    def _label(self, who: Person | Workload, tactic: str, made: list[TimedCall]) -> Label:
        identity = made[0].by.identity
        arn, account = str(identity["arn"]), self.at.account.id
        return Label(
            account=account,
            start=min(one.time for one in made),
            end=max(one.time for one in made),
            technique=f"{self.script.technique} {self.script.title}",
            expected=TYPES[tactic],
            collateral=(*BEHAVIOUR_OF_CALLERS, *(FROM_INSTANCES if isinstance(who, Workload) else ())),
            actor=arn,
            entity=(arn, principal_of(identity)),
            remote=(made[0].by.source,),
            case=f"{account} {self.at.name}",
            note=f"{self.tempo}; {self.victim}; {self.place}; {self.agent}; {len(made)} calls",
        )


def distant_sign_in(at: Happening, hours: float) -> Episode:
    """Somebody signs in as ever, and so many hours later somebody abroad does with the same password."""
    who, day = at.person(users=True), at.day(ATTACKS_FROM_DAY)
    identity = {name: value for name, value in at.session(who, at.at(day, 9)).items() if name != "accessKeyId"}
    abroad = at.place("abroad")
    made = [
        TimedCall(at.at(day, 9 + later), _signing_in(identity, source, agent), console_login(at.account, mfa=not later))
        for later, source, agent in ((0.0, who.office_ip, who.browser), (hours, abroad, pick(at.rng, BROWSERS)))
    ]
    label = Label(
        at.account.id, made[0].time, made[-1].time, "T1078.004 two sign-ins far apart",
        expected="UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", collateral=BEHAVIOUR_OF_CALLERS,
        actor=who.arn(at.account.id), entity=(who.arn(at.account.id), who.principal_id),
        remote=(made[-1].by.source,), case=f"{at.account.id} {at.name}", note=f"{hours:g} hours apart",
    )  # fmt: skip
    return Episode((label,), tuple(made))


def _signing_in(identity: dict[str, Any], source: int, agent: str) -> Caller:
    return caller(identity, source, agent)
