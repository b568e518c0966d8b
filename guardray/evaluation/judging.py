"""Findings beside labels: what was found of attacks and how soon, and what was told of harmless things."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from guardray.findings.sighting import Sighting

WEEK = timedelta(days=7)
DAY = timedelta(days=1)

SLACK = timedelta(minutes=15)
"""A finding about flows ends with their record, some minutes after the last of their packets."""


@dataclass(frozen=True)
class Attack:
    """A row of the labels that a finding should tell of."""

    case: str
    account: str
    finding_type: str
    acceptable: frozenset[str]
    entity: frozenset[str]
    start: datetime
    end: datetime
    technique: str
    note: str


@dataclass(frozen=True)
class Harmless:
    """A row of the labels about something that may look like an attack."""

    account: str
    title: str
    entity: frozenset[str]
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Labels:
    """All rows of a labels file."""

    attacks: tuple[Attack, ...]
    harmless: tuple[Harmless, ...]
    accounts: tuple[str, ...]
    start: datetime

    @classmethod
    def read(cls, path: Path) -> Labels:
        """What `guardray.simulate` wrote. Raises OSError and KeyError where it is something else."""
        attacks, harmless, accounts, start = [], [], dict[str, None](), datetime.max.replace(tzinfo=UTC)
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                began, ended = _time(row["start"]), _time(row["end"])
                accounts[row["account"]] = None
                start = min(start, began)
                entity = frozenset(filter(None, row["entity"].split("|")))
                title = row["technique"].removeprefix("benign:")
                if row["expected"] == "benign":
                    harmless.append(Harmless(row["account"], title, entity, began, ended))
                    continue
                also = frozenset(filter(None, f"{row['acceptable']};{row['collateral']}".split(";")))
                attacks.append(
                    Attack(row["case"], row["account"], row["expected"], also, entity, began, ended, title, row["note"])
                )
        return cls(tuple(attacks), tuple(harmless), tuple(accounts), start)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@dataclass(frozen=True)
class Told:
    """One sighting of one day, and what it was about. `attack` is None for a false alarm."""

    sighting: Sighting
    attack: Attack | None
    harmless: str


@dataclass(frozen=True)
class Verdict:
    """What came of it.

    Attributes:
        attacks: each attack's row, with the delay until the end of the day that first told of it; None: never.
        incidents: by case, whether any finding told of it, whatever its type.
        false_alarms: sightings without an attack, from the day on that is judged.
        weeks: account-weeks that were judged.
    """

    attacks: tuple[tuple[Attack, timedelta | None], ...]
    incidents: dict[str, bool]
    false_alarms: tuple[Told, ...]
    weeks: float

    @property
    def recall(self) -> float:
        """Of all labelled attacks, how many had a finding of their type."""
        return _share(delay is not None for _, delay in self.attacks)

    @property
    def incident_recall(self) -> float:
        """Of all incidents, how many had a finding of any type of behaviour."""
        return _share(self.incidents.values())

    @property
    def false_findings(self) -> set[tuple[str, str, str, int]]:
        """Account, type, entity and week of each false finding: one that goes on for weeks counts once in each."""
        return {_finding(told.sighting) for told in self.false_alarms}

    @property
    def per_account_week(self) -> float:
        """False findings an account and week."""
        return len(self.false_findings) / self.weeks if self.weeks else 0.0

    def by_type(self) -> dict[str, tuple[int, int]]:
        """By finding type, the attacks that were found and all."""
        found: dict[str, tuple[int, int]] = {}
        for attack, delay in self.attacks:
            hits, total = found.get(attack.finding_type, (0, 0))
            found[attack.finding_type] = (hits + (delay is not None), total + 1)
        return dict(sorted(found.items()))

    def delays_hours(self) -> list[float]:
        """Hours from an attack's first event to the finding of its type, for those that were found."""
        return sorted(delay.total_seconds() / 3600 for _, delay in self.attacks if delay is not None)


def _share(hits: Iterable[bool]) -> float:
    values = list(hits)
    return sum(values) / len(values) if values else float("nan")


def _finding(sighting: Sighting) -> tuple[str, str, str, int]:
    week = (sighting.first_seen - datetime(1970, 1, 1, tzinfo=UTC)) // WEEK
    return sighting.key.account_id, sighting.key.finding_type, sighting.key.entity, week


def judge(sightings: Sequence[Sighting], labels: Labels, *, from_day: int, days: int) -> Verdict:
    """Compare what was seen with the labels.

    Args:
        sightings: of single days, not folded.
        labels: what there was.
        from_day: false alarms count from this day of the period on.
        days: of the whole period.
    """
    judged_from = labels.start.replace(hour=0, minute=0, second=0) + from_day * DAY
    alarms: list[Told] = []
    first: dict[Attack, datetime] = {}
    touched: set[str] = set()
    for one in sightings:
        matching = [attack for attack in labels.attacks if _is_about(one, attack)]
        for attack in matching:
            touched.add(attack.case)
            if one.key.finding_type == attack.finding_type:
                told_at = _told_at(one)
                first[attack] = min(first.get(attack, told_at), told_at)
        if not matching and one.last_seen >= judged_from:
            alarms.append(Told(one, None, _blamed(one, labels)))
    attacks = tuple((attack, first[attack] - attack.start if attack in first else None) for attack in labels.attacks)
    incidents = {attack.case: attack.case in touched for attack in labels.attacks}
    return Verdict(attacks, incidents, tuple(alarms), len(labels.accounts) * (days - from_day) / 7)


def _told_at(one: Sighting) -> datetime:
    """Rows that cross are shown while their day is open, as soon as they are read."""
    return one.last_seen


def _is_about(one: Sighting, attack: Attack) -> bool:
    return (
        one.key.account_id == attack.account
        and (one.key.finding_type == attack.finding_type or one.key.finding_type in attack.acceptable)
        and one.first_seen <= attack.end + SLACK
        and one.last_seen >= attack.start - SLACK
        and not attack.entity.isdisjoint(names_of(one))
    )


def names_of(one: Sighting) -> set[str]:
    """What a finding says of whom it is about: its entity's parts, and host and caller of its latest row."""
    row = one.latest.row
    columns = ("resource_uid", "instance_uid", "interface_uid", "actor_user_uid", "actor_principal")
    return {*one.key.entity.split("|"), *(str(row[name]) for name in columns if row.get(name) is not None)}


def _blamed(one: Sighting, labels: Labels) -> str:
    """Which harmless things happened to whom the finding is about, on its day."""
    names = names_of(one)
    found = {
        thing.title
        for thing in labels.harmless
        if thing.account == one.key.account_id
        and thing.title != "everything else"
        and thing.start <= one.last_seen
        and thing.end >= one.first_seen
        and not thing.entity.isdisjoint(names)
    }
    return ", ".join(sorted(found)) or "everyday activity"
