"""What the routes of `/v1` that look at findings answer: values, and the schema of their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from guardray.detectors.declare import Learning, Method, Source
from guardray.rulebook.entries import Entry
from guardray.store.timeline import Event


class Findings(msgspec.Struct, frozen=True):
    """A page of findings in GuardDuty's JSON. `cursor` asks for the next page; null on the last one."""

    findings: list[dict[str, Any]]
    cursor: str | None


class EvidenceRow(msgspec.Struct, frozen=True):
    """A normalised row of a log, by the columns of its schema."""

    time: datetime
    row: Mapping[str, Any]


class Tunable(msgspec.Struct, frozen=True):
    """A number that decides, and why it is what it is; null where its detector does not say."""

    value: float
    reason: str | None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What a finding type means.

    Attributes:
        summary: one sentence on what fires.
        text: all that its detector says of itself: what it finds, what it cannot see, where that is from.
        tactic: the one of ATT&CK that the type's purpose stands for.
        state: what it remembers.
        why: what was unusual in this finding, or otherwise speaks for it: its `additionalInfo`.
    """

    summary: str
    text: str
    source: Source
    method: Method
    learning: Learning
    state: str
    tactic: str | None
    tunables: dict[str, Tunable]
    why: Mapping[str, Any]


class FindingAnswer(msgspec.Struct, frozen=True):
    """One finding in full. `evidence` are its earliest rows and the latest; `explanation` is null for unknown types."""

    finding: dict[str, Any]
    evidence: list[EvidenceRow]
    explanation: Explanation | None


class Timeline(msgspec.Struct, frozen=True):
    """A page of the findings that name a thing, those first that began first."""

    kind: str
    value: str
    events: list[Event]
    cursor: str | None


class GroupCount(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Findings that have something in common: what it is, by what was asked for."""

    total: int
    last_generated_at: datetime
    account_id: str | None = None
    day: date | None = None
    finding_type: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    severity: float | None = None


class Statistics(msgspec.Struct, frozen=True):
    """Groups, those with the most findings first unless asked otherwise."""

    groups: list[GroupCount]


class Detectors(msgspec.Struct, frozen=True):
    """All finding types that there is a detector for, rules of one's own among them."""

    detectors: list[Entry]
